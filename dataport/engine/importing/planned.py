"""A plan that is to be applied, and what its commit says that it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dataport.engine.commits import CommitPart, with_stubs
from dataport.engine.importing.targets import Target
from dataport.engine.job_parts import JobPart, sum_of
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.references import References
from dataport.engine.staging.request import StageResult


def joined(parts: Iterable[CommitPart]) -> tuple[CommitPart, ...]:
    """One part a dataset: rows that others' references added to it count with its own."""
    found: dict[str, CommitPart] = {}
    for part in parts:
        known = found.get(part.dataset, part)
        changes = part.changes if known is part else sum_of([known.changes, part.changes])
        found[part.dataset] = replace(known, changes=changes or {})
    return tuple(found.values())


@dataclass(frozen=True)
class Planned:
    """The merge to apply, its plan, and which of its references lead nowhere."""

    merge: MergeInput
    plan: Plan
    references: References

    def parts(
        self, part: JobPart, target: Target, staged: StageResult, stubs: Mapping[str, int]
    ) -> tuple[CommitPart, ...]:
        """What the commit did to its dataset, and to those that it added `stubs` to."""
        said = with_stubs(target.dataset.name, self.plan.changes(), stubs)
        return tuple(
            CommitPart(name, target.source, part.place, staged.sha256, str(self.merge.mode), each)
            for name, each in said.items()
        )
