"""A plan that is to be applied, and what its commit says that it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataport.engine.commits import CommitPart
from dataport.engine.importing.targets import Target
from dataport.engine.jobs import Job
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.references import References
from dataport.engine.staging.request import StageResult


@dataclass(frozen=True)
class Planned:
    """The merge to apply, its plan, and which of its references lead nowhere."""

    merge: MergeInput
    plan: Plan
    references: References

    def parts(
        self, job: Job, target: Target, staged: StageResult, stubs: Mapping[str, int]
    ) -> tuple[CommitPart, ...]:
        """What the commit did to its dataset, and to those that it added `stubs` to."""
        inserted = {target.dataset.name: 0, **stubs}
        changes = self.plan.changes()
        changes["inserted"] += inserted.pop(target.dataset.name)
        said = {target.dataset.name: changes}
        said |= {name: {"inserted": added} for name, added in inserted.items()}
        return tuple(
            CommitPart(name, target.source, job.file, staged.sha256, str(self.merge.mode), each)
            for name, each in said.items()
        )
