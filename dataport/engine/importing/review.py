"""Plans that wait for a person: kept, looked at, parts left out, made again when the store moves.

A row that a person left out is not applied and its base does not move, so the source's next
file brings it again. It is left out by its key, whatever a plan that is made again says of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from dataport.core.errors import NotFoundError
from dataport.core.words import JobStatus
from dataport.engine.commits import head
from dataport.engine.jobs import Job
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.kept import KeptPlan
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.preview import write_preview
from dataport.engine.staging.request import make_durable
from dataport.engine.store import Connection

MOVED_ON = "The store has moved on since: the plan was made again."

MOST_NAMED = 5
"""Unknown keys that an error names."""

_NEXT = "plan.next.parquet"
_EXCLUDED = "excluded_keys"


def digest(given: MergeInput) -> str:
    """Tells apart merges of one file that would not do the same in the same store."""
    return hashlib.sha256(repr(given).encode()).hexdigest()[:16]


def is_current(cursor: Connection, job: Job, given: MergeInput) -> bool:
    """Whether the plan that was kept is the one that would be made now."""
    return (job.planned_at, job.planned_with) == (head(cursor), digest(given))


def without_excluded(
    cursor: Connection, job: Job, given: MergeInput, directory: Path
) -> MergeInput:
    """The merge without the rows that were left out of the plan in `directory`."""
    if not job.excluded:
        return given
    KeptPlan.of(directory).make_excluded(cursor, _EXCLUDED, job.excluded)
    return replace(given, excluded=_EXCLUDED)


def keep(cursor: Connection, job: Job, merge: MergeInput, directory: Path) -> bool:
    """Keep a plan for review; whether one was kept already that does the same."""
    fresh, kept = KeptPlan(directory / _NEXT), KeptPlan.of(directory)
    write_preview(cursor, merge, fresh.path)
    is_same = kept.exists and kept.says_the_same(cursor, fresh, job.excluded)
    fresh.path.replace(kept.path)
    return is_same


def wait(
    cursor: Connection, job: Job, given: MergeInput, plan: Plan, directory: Path, reason: str
) -> None:
    """Let the job wait for a person's word about the plan in `directory`."""
    make_durable(directory)
    count(cursor, job, plan, directory)
    job.message, job.status = reason, JobStatus.WAITING
    job.planned_at, job.planned_with = head(cursor), digest(given)


def count(cursor: Connection, job: Job, plan: Plan, directory: Path) -> None:
    """Note what the plan would do without the rows that were left out."""
    job.changes, job.left_out = plan.changes(), 0
    if job.excluded:
        done, job.left_out = KeptPlan.of(directory).done_to(cursor, job.excluded)
        job.changes = {name: number - done[name] for name, number in job.changes.items()}


def choose(
    cursor: Connection,
    job: Job,
    directory: Path,
    exclude: Collection[str],
    include: Collection[str],
) -> None:
    """Leave rows out of a waiting job's plan, or take them in again; its counts follow.

    Raises NotFoundError, and changes nothing, where the plan has no row for one of the keys.
    """
    kept, before = KeptPlan.of(directory), list(job.excluded)
    _check_known(cursor, job, kept, {*exclude, *include} - set(before))
    after = [key for key in dict.fromkeys([*before, *exclude]) if key not in include]
    put_back, _ = kept.done_to(cursor, before)
    left_out, job.left_out = kept.done_to(cursor, after)
    job.changes = {
        name: number + put_back[name] - left_out[name]
        for name, number in (job.changes or {}).items()
    }
    job.excluded = after


def _check_known(cursor: Connection, job: Job, kept: KeptPlan, keys: Collection[str]) -> None:
    unknown = kept.unknown(cursor, keys)
    if not unknown:
        return
    shown = ", ".join(unknown[:MOST_NAMED])
    more = f" and {len(unknown) - MOST_NAMED:,} more" if len(unknown) > MOST_NAMED else ""
    raise NotFoundError(
        "unknown-plan-row",
        f"The plan of job {job.job} does nothing to {shown}{more}.",
        "Nothing was left out or taken in.",
        f"Look for keys with: dataport jobs plan {job.job} --key TEXT.",
    )
