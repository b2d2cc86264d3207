"""Importing a file: stage it, plan it, apply the plan in one transaction.

The daemon calls `prepare`, `stage`, then `merge`; a job that waits for approval comes back
to `merge` later. Everything a step needs lies in the job's staging directory, so that a job
found unfinished after a restart goes on from there.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from dataport.core.clock import naive_utc, now
from dataport.core.errors import InputError, NotFoundError
from dataport.core.paths import Home
from dataport.core.settings import Inbox, Settings, parse_size
from dataport.core.words import JobStatus, Mode, OnMatch, Phase
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import Author, Commit, CommitPart, head, next_commit, write_commit
from dataport.engine.conflicts import settle_converged
from dataport.engine.jobs import Job, write_job
from dataport.engine.merging.apply import apply_plan
from dataport.engine.merging.bases import base_query
from dataport.engine.merging.guards import reason_to_hold
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan, make_plan
from dataport.engine.merging.preview import write_preview
from dataport.engine.requests import DEFAULT_SOURCE, ImportRequest
from dataport.engine.sql import literal
from dataport.engine.staging.process import stage as stage_file
from dataport.engine.staging.request import (
    REJECTS_FILE,
    STAGED_FILE,
    StageLimits,
    StageRequest,
    StageResult,
    boot_id,
    make_durable,
    read_stage,
)
from dataport.engine.store import Connection, Store
from dataport.engine.targets import Target, check_words

log = logging.getLogger(__name__)

ROWS_PER_BUCKET = 4_000_000
"""Rows that are merged in one piece; larger files go bucket by bucket, to bound memory."""

Progress = Callable[[Phase, int, int | None], None]


class Imports:
    """Import jobs of one home."""

    def __init__(
        self,
        home: Home,
        store: Store,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
    ) -> None:
        self._home = home
        self._store = store
        self._settings = settings
        self._datasets = datasets

    def prepare(self, job: Job) -> Target:
        """Find out where the file belongs and note it on the job.

        Raises NotFoundError `unknown-dataset`, InputError `unknown-target`.
        """
        request = _import_request(job)
        inbox = self._inbox(request)
        name = request.dataset or (inbox.dataset if inbox else None)
        job.file, job.inbox = request.path, inbox.name if inbox else None
        job.source = request.source or (inbox.source if inbox else DEFAULT_SOURCE)
        job.dataset = name
        check_words(request)
        if request.package or (inbox and inbox.package and not name):
            package = request.package or (inbox.package if inbox else None)
            raise NotFoundError(
                "unknown-package",
                f"There is no package called {package!r}.",
                hint="Import into one dataset with --dataset.",
            )
        dataset = find_dataset(self._datasets(), name) if name else self._guess(Path(request.path))
        job.dataset = dataset.name
        return Target(
            dataset=dataset,
            source=job.source,
            mode=request.mode or (inbox.mode if inbox else Mode.MERGE),
            on_match=request.on_match or (inbox.on_match if inbox else OnMatch.MERGE),
            is_held=request.hold or bool(inbox and inbox.hold),
            is_strict=request.strict or bool(inbox and inbox.strict),
        )

    def stage(self, job: Job, target: Target, progress: Progress) -> StageResult | None:
        """Read the file into clean rows; None when its bytes were applied already.

        Raises InputError when the file can't be taken, CancelledError when the job was.
        """
        directory = self._home.job_staging(job.job)
        staged = read_stage(directory)
        if staged is None or not (job.planned_at is not None or staged.boot == boot_id() != ""):
            path = Path(job.file or "")
            if self._known_file(path, target):
                return None
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700, parents=True)
            staged = stage_file(
                self._stage_request(path, directory, target.dataset, _import_request(job).format),
                lambda phase, done, total: progress(Phase(phase), done, total),
                job.cancel,
            )
        rows = staged.rows
        job.rows = {
            "read": rows.read,
            "valid": rows.valid,
            "rejected": rows.rejected,
            "duplicate": rows.duplicate,
        }
        job.notices = list(staged.notices)
        job.identity = {
            "size": staged.identity.size,
            "mtime_ns": staged.identity.mtime_ns,
            "inode": staged.identity.inode,
        }
        if target.is_strict and rows.rejected:
            raise InputError(
                "rejected-rows",
                f"{rows.rejected:,} of {rows.read:,} rows were rejected, and the import is strict.",
                "Nothing was merged.",
                "Fix the rows listed in the rejects file, or import without strict.",
            )
        return staged

    def merge(
        self,
        job: Job,
        target: Target,
        staged: StageResult,
        author: Author,
        progress: Progress,
        *,
        is_approved: bool,
        on_cursor: Callable[[Connection | None], None],
    ) -> None:
        """Plan, and apply unless the job is a dry run or has to wait for a person.

        One transaction: rows, versions, bases, conflicts, commit, job result, file hash and
        audit line become visible together or not at all. `on_cursor` is told the cursor that
        works, so that somebody else can interrupt it.
        """
        with self._store.writing() as cursor:
            on_cursor(cursor)
            try:
                progress(Phase.PLAN, 0, staged.rows.valid)
                merge, plan = make_plan(cursor, self._merge_input(cursor, job, target, staged))
                self._note_plan(job, staged, plan)
                if self._must_wait(job, target, merge, plan, is_approved, cursor):
                    write_job(cursor, job)
                    return
                progress(Phase.APPLY, 0, staged.rows.valid)
                self._apply(cursor, job, target, staged, merge, plan, author)
            finally:
                on_cursor(None)

    def _apply(
        self,
        cursor: Connection,
        job: Job,
        target: Target,
        staged: StageResult,
        merge: MergeInput,
        plan: Plan,
        author: Author,
    ) -> None:
        if plan.is_empty and not (job.rows or {}).get("valid"):
            job.message = "No row could be taken; the store is as it was."
        elif plan.is_empty:
            job.message = "Nothing to change: the store already has what the file says."
        else:
            job.commit = next_commit(cursor)
            apply_plan(cursor, merge, plan, job.commit, job.job, job.file)
            settle_converged(cursor, target.dataset, job.commit)
            part = CommitPart(
                target.dataset.name,
                target.source,
                job.file,
                staged.sha256,
                str(target.mode),
                plan.changes(),
            )
            message = f"Import {Path(job.file or '').name} from {target.source}"
            write_commit(
                cursor,
                Commit(job.commit, "import", author, message, (part,), target.source, job.job),
            )
            job.message = message
        _remember_file(cursor, job, target, staged)
        job.end(JobStatus.COMPLETED)
        job.disposal = "done" if job.inbox else None
        write_job(cursor, job)

    def _must_wait(
        self,
        job: Job,
        target: Target,
        merge: MergeInput,
        plan: Plan,
        is_approved: bool,
        cursor: Connection,
    ) -> bool:
        """Whether the job stops at its plan, which is then kept for review."""
        is_dry = _import_request(job).dry_run
        newest = head(cursor)
        moved = is_approved and job.planned_at is not None and job.planned_at != newest
        previous = job.changes if moved else None
        job.changes = plan.changes()
        if moved and previous != job.changes:
            reason: str | None = "The store has moved on since: the plan was made again."
        elif is_approved:
            reason = None
        elif target.is_held:
            reason = "Held for approval."
        else:
            reason = reason_to_hold(cursor, merge, plan)
        if not is_dry and (reason is None or plan.is_empty):
            return False
        write_preview(cursor, merge, self._home.job_staging(job.job))
        if is_dry:
            job.message = "Dry run: nothing was changed."
            job.end(JobStatus.COMPLETED)
        else:
            make_durable(self._home.job_staging(job.job))
            job.message, job.status, job.planned_at = reason or "", JobStatus.WAITING, newest
        return True

    def _note_plan(self, job: Job, staged: StageResult, plan: Plan) -> None:
        rows = staged.rows
        job.rows = {
            "read": rows.read,
            "valid": rows.valid - plan.duplicates - plan.keyless,
            "rejected": rows.rejected + plan.keyless,
            "duplicate": rows.duplicate + plan.duplicates,
        }
        if plan.keyless:
            self._notice(
                job,
                f"{plan.keyless:,} rows name no record that is known, and nothing to make a key of.",
            )
        if plan.held_deletes:
            notice = (
                f"{plan.held_deletes:,} rows are not in the file, but none was deleted: rejected"
                " rows without a key could be any of them."
            )
            self._notice(job, notice)

    def _notice(self, job: Job, text: str) -> None:
        if text not in job.notices:
            job.notices.append(text)

    def _merge_input(
        self, cursor: Connection, job: Job, target: Target, staged: StageResult
    ) -> MergeInput:
        directory = self._home.job_staging(job.job)
        rows = literal(str(directory / STAGED_FILE))
        rejects = literal(str(directory / REJECTS_FILE))
        cursor.execute(f"CREATE TEMP VIEW staged_rows AS SELECT * FROM read_parquet({rows})")
        cursor.execute(
            "CREATE TEMP VIEW staged_present AS SELECT DISTINCT _key"
            f" FROM read_parquet({rejects}) WHERE _key IS NOT NULL AND class = 'error'"
        )
        cursor.execute(
            f"CREATE TEMP VIEW staged_base AS {base_query(target.dataset, target.source)}"
        )
        keyless = cursor.execute("SELECT 1 FROM staged_rows WHERE _key IS NULL LIMIT 1").fetchone()
        return MergeInput(
            dataset=target.dataset,
            incoming="staged_rows",
            base="staged_base",
            stated=tuple(staged.stated),
            source=target.source,
            base_fields=_ever_stated(cursor, target),
            partial=tuple(staged.partial),
            present="staged_present",
            mode=target.mode,
            on_match=target.on_match,
            has_unknown_keys=staged.null_keys > 0,
            needs_keys=keyless is not None,
            source_ranks=self._settings().source_ranks,
            buckets=1 + staged.rows.valid // ROWS_PER_BUCKET,
        )

    def _known_file(self, path: Path, target: Target) -> int | None:
        """The commit or job that applied these very bytes, while they are the newest from their
        source: an older file that comes back is news again."""
        try:
            size = path.stat().st_size
        except OSError:
            return None
        with self._store.reading() as cursor:
            row = cursor.execute(
                "SELECT sha256, bytes, signature, undone_by, job FROM store.files"
                " WHERE dataset = ? AND source = ? ORDER BY job DESC LIMIT 1",
                [target.dataset.name, target.source],
            ).fetchone()
        if row is None or row[1] != size or row[2] != target.signature() or row[3] is not None:
            return None
        return int(row[4]) if _digest(path) == row[0] else None

    def note_known_file(self, job: Job, target: Target) -> None:
        """End the job of a file whose bytes were applied already."""
        with self._store.writing() as cursor:
            row = cursor.execute(
                'SELECT job, "commit" FROM store.files WHERE dataset = ? AND source = ?'
                " ORDER BY job DESC LIMIT 1",
                [target.dataset.name, target.source],
            ).fetchone()
            earlier, commit = row or (None, None)
            origin = f"commit {commit}" if commit else f"job {earlier}"
            job.message = (
                f"Already imported ({origin}): the file has the same bytes. Nothing to do."
            )
            job.rows = {"read": 0, "valid": 0, "rejected": 0, "duplicate": 0}
            job.changes = dict.fromkeys(
                ("inserted", "updated", "deleted", "unchanged", "skipped", "conflicts"), 0
            )
            job.end(JobStatus.COMPLETED)
            job.disposal = "done" if job.inbox else None
            write_job(cursor, job)

    def _stage_request(
        self, path: Path, directory: Path, dataset: Dataset, wanted: str | None
    ) -> StageRequest:
        settings = self._settings()
        limits = settings.limits
        return StageRequest(
            source_path=path,
            directory=directory,
            dataset=dataset,
            format=wanted,
            timezone=settings.timezone,
            region=settings.region,
            limits=StageLimits(
                file_size=parse_size(limits.file_size),
                rows=limits.rows,
                columns=limits.columns,
                field_size=parse_size(limits.field_size),
                nesting=limits.nesting,
                memory=parse_size(limits.worker_memory),
                seconds=limits.worker_seconds,
            ),
        )

    def _inbox(self, request: ImportRequest) -> Inbox | None:
        inboxes = self._settings().inboxes
        if request.inbox:
            return next((inbox for inbox in inboxes if inbox.name == request.inbox), None)
        return None

    def _guess(self, path: Path) -> Dataset:
        known = ", ".join(sorted(self._datasets()))
        raise InputError(
            "unknown-target",
            f"Where {path.name} belongs was not said.",
            hint=f"Add --dataset NAME; known datasets: {known}.",
        )


def _import_request(job: Job) -> ImportRequest:
    if not isinstance(job.request, ImportRequest):
        raise TypeError(f"job {job.job} is no import")
    return job.request


def _ever_stated(cursor: Connection, target: Target) -> tuple[str, ...]:
    rows = cursor.execute(
        "SELECT DISTINCT field FROM store.stated WHERE dataset = ? AND source = ?",
        [target.dataset.name, target.source],
    ).fetchall()
    names = {row[0] for row in rows}
    return tuple(name for name in target.dataset.field_names if name in names)


def _remember_file(cursor: Connection, job: Job, target: Target, staged: StageResult) -> None:
    cursor.execute(
        "INSERT INTO store.files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        [
            staged.sha256,
            staged.bytes,
            target.dataset.name,
            target.source,
            target.signature(),
            job.job,
            job.commit,
            job.file,
            naive_utc(now()),
        ],
    )


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
