"""Plans that wait for a person: kept, looked at, parts left out, made again when the store moves.

A row that a person left out is not applied and its base does not move, so the source's next
file brings it again. It is left out by its key, whatever a plan that is made again says of it.

Leaving a row out may change what becomes of others. So a plan is kept with what was left out when
it was made; approving another choice makes it again, and applies it only if no other row changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from dataport.core.errors import NotFoundError
from dataport.core.words import JobStatus
from dataport.engine.commits import head
from dataport.engine.importing.members import Member
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.kept import KeptPart
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.preview import write_preview
from dataport.engine.staging.request import make_durable
from dataport.engine.store import Connection

MOVED_ON = "The store has moved on since: the plan was made again."

REFERRED_TO = (
    "Rows that were left out or taken in again are referred to, so that others fare differently:"
    " the plan is that of what would be done now."
)

MOST_NAMED = 5
"""Unknown keys that an error names."""

_NEXT = "plan.next.parquet"
_WHOLE = "plan.whole.parquet"
_EXCLUDED = "excluded_keys"


def digest(given: Iterable[MergeInput]) -> str:
    """Tells apart merges of the same files that would not do the same in the same store."""
    text = "\n".join(map(repr, given))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_current(cursor: Connection, job: Job, given: Iterable[MergeInput]) -> bool:
    """Whether the plan that was kept is the one that would be made now."""
    return (job.planned_at, job.planned_with) == (head(cursor), digest(given))


def choice(job: Job) -> str | None:
    """Tells apart what was left out; None where nothing was."""
    keys = [(part.dataset, sorted(part.excluded)) for part in job.members if part.excluded]
    return hashlib.sha256(repr(keys).encode()).hexdigest()[:16] if keys else None


def whole(member: Member) -> KeptPart:
    """What a member's plan that is made again would do if nothing were left out."""
    return KeptPart(member.directory / _WHOLE)


def without_excluded(
    cursor: Connection, member: Member, given: MergeInput, known: KeptPart
) -> MergeInput:
    """The merge without the rows that were left out, of which `known` says what they would do."""
    excluded = member.part.excluded
    if not excluded:
        return given
    known.make_excluded(cursor, _EXCLUDED, excluded)
    return replace(given, excluded=_EXCLUDED)


def keep(cursor: Connection, member: Member, merge: MergeInput, first: int) -> tuple[bool, int]:
    """Keep a member's plan for review, with what was left out, its rows numbered from `first` on.

    Answers whether one was kept already that does the same, and how many rows it has.
    """
    fresh, kept = KeptPart(member.directory / _NEXT), KeptPart.of(member.directory)
    rows = write_preview(cursor, merge, fresh.path, first, merge.excluded)
    is_same = kept.exists and kept.says_the_same(cursor, fresh, member.part.excluded)
    fresh.path.replace(kept.path)
    return is_same, rows


def keep_choice(
    cursor: Connection, member: Member, merge: MergeInput, plan: Plan, first: int
) -> tuple[bool, int]:
    """Do as `keep` with a member's plan that was made without what was left out, and note what it would do."""
    part = member.part
    is_same, rows = keep(cursor, member, merge, first)
    whole(member).path.unlink(missing_ok=True)
    part.changes = plan.changes()
    _, part.left_out = KeptPart.of(member.directory).done_to(cursor, part.excluded)
    return is_same, rows


def wait(
    cursor: Connection,
    job: Job,
    members: Iterable[Member],
    given: Iterable[MergeInput],
    reason: str,
) -> None:
    """Let the job wait for a person's word about the plan of its members."""
    for member in members:
        if member.directory.is_dir():
            make_durable(member.directory)
    job.message, job.status = reason, JobStatus.WAITING
    job.planned_at, job.planned_with = head(cursor), digest(given)


def count(cursor: Connection, member: Member, plan: Plan) -> None:
    """Note what a member's plan would do without the rows that were left out."""
    part = member.part
    part.changes, part.left_out = plan.changes(), 0
    if part.excluded:
        done, part.left_out = KeptPart.of(member.directory).done_to(cursor, part.excluded)
        part.changes = {name: number - done[name] for name, number in part.changes.items()}


def choose(
    cursor: Connection,
    job: Job,
    part: JobPart,
    directory: Path,
    exclude: Collection[str],
    include: Collection[str],
) -> None:
    """Leave rows out of a waiting job's plan, or take them in again; its counts follow.

    Raises NotFoundError, and changes nothing, where the plan has no row for one of the keys.
    """
    kept, before = KeptPart.of(directory), list(part.excluded)
    _check_known(cursor, job, kept, {*exclude, *include} - set(before))
    after = [key for key in dict.fromkeys([*before, *exclude]) if key not in include]
    put_back, _ = kept.done_to(cursor, before)
    left_out, part.left_out = kept.done_to(cursor, after)
    part.changes = {
        name: number + put_back[name] - left_out[name]
        for name, number in (part.changes or {}).items()
    }
    part.excluded = after
    job.add_up()


def _check_known(cursor: Connection, job: Job, kept: KeptPart, keys: Collection[str]) -> None:
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
