"""What an import says of the rows of one dataset: counts that equal what can be queried, and notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from dataport.core.errors import CancelledError, DataportError, RejectedError
from dataport.core.text import are, counted
from dataport.engine.catalog.model import OnMissing
from dataport.engine.export_sources import is_export
from dataport.engine.importing.targets import Target, import_request
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.references import Missing, References
from dataport.engine.staging.request import StageResult

NOTHING_NEW = "Nothing to change: the store already has what the file says."
STORE_STANDS = "Nothing to change: where the store differs from the file, the store stands."

NO_ROWS = {"read": 0, "valid": 0, "rejected": 0, "duplicate": 0}


@contextmanager
def naming_file(job: Job, part: JobPart) -> Iterator[None]:
    """Let an error that ends a job of several files say which of them it is about."""
    try:
        yield
    except CancelledError:
        raise
    except DataportError as error:
        if job.parts:
            error.tell_of(part.name)
        raise


def note_staged(part: JobPart, staged: StageResult) -> None:
    """Note what was read, and which file it was."""
    rows = staged.rows
    part.rows = {
        "read": rows.read,
        "valid": rows.valid,
        "rejected": rows.rejected,
        "duplicate": rows.duplicate,
        **_skipped(staged),
    }
    part.notices = [*staged.notices, *part.strays]
    part.mapped_by = staged.mapped_by
    part.identity = {
        "size": staged.identity.size,
        "mtime_ns": staged.identity.mtime_ns,
        "inode": staged.identity.inode,
    }


def _skipped(staged: StageResult) -> dict[str, int]:
    """`skipped`, where a mapping left rows out."""
    return {"skipped": staged.rows.skipped} if staged.rows.skipped else {}


def check_strict(part: JobPart, target: Target) -> None:
    """Raise RejectedError `rejected-rows` where the import is strict and a row was rejected."""
    rows = part.rows or NO_ROWS
    if target.is_strict and rows["rejected"]:
        raise RejectedError(
            "rejected-rows",
            f"The import is strict, and {rows['rejected']:,} of {counted(rows['read'], 'row')} can't be taken.",
            f"They are in {part.name}. Nothing was merged.",
            "Fix the rows listed in the rejects file, or import without strict.",
        )


def note_plan(
    part: JobPart, staged: StageResult, plan: Plan, references: References, *, is_applied: bool
) -> None:
    """Count again the rows that only the store could tell to be keyless, twice there or to refer
    to nothing; say which references lead nowhere, and what comes of them, or what would."""
    rows, rejected = staged.rows, plan.keyless + references.rejected
    part.rows = {
        "read": rows.read,
        "valid": rows.valid - plan.duplicates - rejected,
        "rejected": rows.rejected + rejected,
        "duplicate": rows.duplicate + plan.duplicates,
        **_skipped(staged),
    }
    part.notices += [_missing_notice(each, is_applied) for each in references.missing]
    part.notices += plan.notices
    if plan.keyless:
        part.notices.append(
            f"{counted(plan.keyless, 'row')} can't be placed: no known record is named, nor anything"
            " to make a key of.",
        )
    if plan.held_deletes:
        part.notices.append(
            f"{counted(plan.held_deletes, 'row')} left out of the file, but nothing was deleted: rejected"
            " rows without a key could be any of them.",
        )


def outcome(part: JobPart, target: Target, plan: Plan) -> str:
    """What applying a plan does, as a sentence; where it makes a commit, the commit's message."""
    if plan.is_empty:
        if not (part.rows or {}).get("valid"):
            return "No row could be taken; the store is as it was."
        if part.left_out:
            return "Every change was left out; the store is as it was."
        return _nothing_new(target, plan)
    text = f"Import {part.name} from {target.source}"
    if part.left_out:
        text += f" without {part.left_out:,} of its rows"
    if not (plan.inserted or plan.updated or plan.deleted or plan.conflicts or plan.withdrawn):
        text += ": no row changes, but what it sent is remembered"
    return text


def _nothing_new(target: Target, plan: Plan) -> str:
    """Why a file changes nothing; what of it the store holds otherwise stays so."""
    if plan.standing is None:
        return STORE_STANDS
    missing, different = plan.standing.missing, plan.standing.different
    if not missing and not different:
        return NOTHING_NEW
    known = "the file says" if is_export(target.source) else f"{target.source} sent before"
    parts = []
    if missing:
        parts.append(f"{counted(missing, 'row')} {are(missing)} missing here")
    if different:
        parts.append(f"{counted(different, 'value')} {are(different)} different here")
    return f"Nothing to change: of what {known}, {' and '.join(parts)}; that stays as it is."


def job_outcome(job: Job) -> str:
    """The same for all of a job's parts together."""
    if not job.parts:
        return job.message
    package = import_request(job).package
    if job.commit is not None:
        is_one_file = all(part.inside is not None or part.tables for part in job.parts)
        number = sum(max(1, len(part.tables)) for part in job.parts)
        files = counted(number, "table" if is_one_file else "file")
        package = package or job.package or PurePath(job.file or "").name
        left_out = f", without {counted(job.left_out, 'row')}" if job.left_out else ""
        return f"Import {package} from {job.source}: {files}{left_out}"
    said = {part.message for part in job.parts}
    return said.pop() if len(said) == 1 else "Nothing to change; see what each file says."


_COMES_OF_IT = {
    OnMissing.KEEP: "They are kept as they are.",
    OnMissing.NULL: "They are left empty.",
}


def _missing_notice(missing: Missing, is_applied: bool) -> str:
    """One sentence of how much is missing, one of what comes of it (`onMissing`)."""
    examples = ", ".join(missing.examples)
    more = ", …" if missing.values > len(missing.examples) else ""
    return (
        f"{missing.names} of {counted(missing.rows, 'row')} refers to"
        f" {counted(missing.values, 'row')} of {missing.target.name}, which does not have them:"
        f" {examples}{more}."
        f" {_COMES_OF_IT.get(missing.key.on_missing) or _stubs(missing, is_applied)}"
    )


def _stubs(missing: Missing, is_applied: bool) -> str:
    name, number = missing.target.name, missing.added
    is_one = number == 1
    verb = are(max(number, 1)) if is_applied else "would be"
    if not number:
        return f"No row of {name} {verb} added for that."
    keys = "its key" if is_one else "their keys"
    return f"{counted(number, 'row')} of {name} {verb} added, with nothing but {keys}."
