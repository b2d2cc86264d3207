"""Importing a file: stage it, plan it, apply the plan in one transaction.

The daemon calls `prepare`, `stage`, then `merge`; a job that waits for approval comes back
to `merge` later. Everything a step needs lies in the job's staging directory, so that a job
found unfinished after a restart goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dataport.core.paths import Home
from dataport.core.settings import Settings, parse_size
from dataport.core.words import JobStatus, Phase
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import Author, Commit, next_commit, write_commit
from dataport.engine.export_sources import export_source
from dataport.engine.importing import review
from dataport.engine.importing.known_files import end_as_known, newest_file, remember_file
from dataport.engine.importing.memory import SourceMemory, write_forgotten
from dataport.engine.importing.planned import Planned
from dataport.engine.importing.reference_rejects import write_reference_rejects
from dataport.engine.importing.report import check_strict, note_plan, note_staged, outcome
from dataport.engine.importing.returns import Returned, Returns
from dataport.engine.importing.staged_input import fits, staged_input
from dataport.engine.importing.targets import (
    Target,
    completed_request,
    import_request,
    resolve_target,
)
from dataport.engine.jobs import Job, write_job
from dataport.engine.merging.apply import apply_plan
from dataport.engine.merging.bases import newest_base
from dataport.engine.merging.guards import reasons_to_hold
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan, drop_plan, make_plan
from dataport.engine.merging.references import check_references, write_stubs
from dataport.engine.requests import ImportRequest
from dataport.engine.settling import settle_moot
from dataport.engine.staging.process import stage as stage_file
from dataport.engine.staging.request import (
    StageLimits,
    StageRequest,
    StageResult,
    boot_id,
    read_stage,
)
from dataport.engine.store import Connection, Store
from dataport.engine.tables import is_in_force

HELD = "Held for approval."

Progress = Callable[[Phase, int, int | None], None]


@dataclass(frozen=True)
class _Merging:
    """Who merges what, and whom it tells."""

    job: Job
    target: Target
    author: Author
    progress: Progress
    is_approved: bool
    on_cursor: Callable[[Connection | None], None]
    on_rejects: Callable[[Job], None]
    notices: tuple[str, ...]
    """What the job said before it was planned."""


class _NeedsAllRowsError(Exception):
    """The whole file has to be read, or read again.

    What its source sent last or the dataset's definition has changed meanwhile; or the plan waits
    for a person, and has to be able to wait longer than that stays the same.
    """


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
        self._returns = Returns(home)

    def complete(self, request: ImportRequest) -> ImportRequest:
        """The request with what its inbox and the defaults say filled in.

        Raises NotFoundError `unknown-inbox`.
        """
        return completed_request(request, self._settings().inboxes)

    def prepare(self, job: Job) -> Target:
        """Find out where the file belongs and note it on the job.

        Raises NotFoundError `unknown-dataset`, UsageError `unknown-target`.
        """
        target = resolve_target(job, self._datasets())
        if job.returned is not None:
            job.source = export_source(job.returned)
        return target

    def stage(self, job: Job, target: Target, progress: Progress) -> StageResult | None:
        """Read the file into clean rows; None when its bytes were applied already.

        Raises InputError when the file can't be taken, CancelledError when the job was.
        """
        staged = read_stage(self._home.job_staging(job.job))
        is_kept = staged is not None and (
            job.planned_at is not None or staged.boot == boot_id() != ""
        )
        if staged is None or not (is_kept and fits(self._home.job_staging(job.job), target)):
            if self._is_known(job, target):
                return None
            staged = self._read(job, target, progress, recalls=not target.is_held)
        note_staged(job, staged)
        self._note_return(job, target, staged)
        check_strict(job, target)
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
        on_rejects: Callable[[Job], None] = lambda _: None,
    ) -> None:
        """Plan, and apply unless the job is a dry run or has to wait for a person.

        One transaction: rows, versions, bases, conflicts, commit, job result, file hash and
        audit line become visible together or not at all. `on_cursor` is told the cursor that
        works, so that somebody else can interrupt it; `on_rejects` is told when there are more
        rejected rows than staging had found, before the job's result is written.
        """
        notices = tuple(job.notices)
        merging = _Merging(
            job, target, author, progress, is_approved, on_cursor, on_rejects, notices
        )
        while True:
            try:
                self._merge(merging, staged)
            except _NeedsAllRowsError:
                merging = replace(merging, target=self.prepare(job))
                staged = self._read(job, merging.target, progress, recalls=False)
            else:
                return

    def _merge(self, merging: _Merging, staged: StageResult) -> None:
        job, progress = merging.job, merging.progress
        directory, settings = self._home.job_staging(job.job), self._settings()
        with self._store.writing() as cursor:
            merging.on_cursor(cursor)
            try:
                returned = self._returned(cursor, job, merging.target)
                target = returned.target(merging.target) if returned else merging.target
                merging = replace(merging, target=target)
                before = newest_base(cursor, target.dataset, target.source)
                is_outdated = staged.repeated and staged.recalled_at != before
                if is_outdated or not is_in_force(cursor, target.dataset):
                    raise _NeedsAllRowsError
                progress(Phase.PLAN, 0, staged.rows.valid)
                given = staged_input(cursor, directory, target, staged, settings, returned)
                planned = self._plan(cursor, merging, staged, given)
                if planned is None:
                    write_job(cursor, job)
                    return
                progress(Phase.APPLY, 0, staged.rows.valid)
                self._apply(cursor, merging, staged, planned)
                write_forgotten(cursor, directory)
                after = newest_base(cursor, target.dataset, target.source)
            finally:
                merging.on_cursor(None)
        if not (job.left_out or returned):
            memory = SourceMemory(self._home, target, settings)
            memory.keep(before, after, directory, staged, job.job)

    def _read(self, job: Job, target: Target, progress: Progress, *, recalls: bool) -> StageResult:
        directory = self._home.job_staging(job.job)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700, parents=True)
        request = self._stage_request(
            Path(job.file or ""), directory, target.dataset, import_request(job).format
        )
        if self._hinted(job, target) is None:
            memory = SourceMemory(self._home, target, self._settings())
            with self._store.reading() as cursor:
                request = memory.equip(cursor, request, recalls=recalls)
        return stage_file(
            request,
            lambda phase, done, total: progress(Phase(phase), done, total),
            job.cancel,
        )

    def note_known_file(self, job: Job, target: Target) -> None:
        """End the job of a file whose bytes were applied already."""
        with self._store.writing() as cursor:
            end_as_known(cursor, job, replace(target, source=job.source or target.source))

    def _apply(
        self,
        cursor: Connection,
        merging: _Merging,
        staged: StageResult,
        planned: Planned,
    ) -> None:
        job, target, plan = merging.job, merging.target, planned.plan
        job.changes = plan.changes()
        job.message = outcome(job, target, plan)
        if not plan.is_empty:
            job.commit = next_commit(cursor)
            apply_plan(cursor, planned.merge, plan, job.commit, job.job, job.file)
            settle_moot(cursor, target.dataset, job.commit)
            stubs = write_stubs(cursor, planned.merge, planned.references, job.commit)
            parts = planned.parts(job, target, staged, stubs)
            message = import_request(job).message or job.message
            write_commit(
                cursor,
                Commit(
                    job.commit, "import", merging.author, message, parts, target.source, job.job
                ),
            )
        if planned.references.rejected:
            merging.on_rejects(job)
        is_final = not (job.left_out or planned.references.may_be_mended)
        remember_file(cursor, job, target, staged, is_final=is_final)
        job.end(JobStatus.COMPLETED)
        job.disposal = "done" if job.inbox else None
        write_job(cursor, job)

    def _plan(
        self,
        cursor: Connection,
        merging: _Merging,
        staged: StageResult,
        given: MergeInput,
    ) -> Planned | None:
        """The plan to apply, without what a person left out; None when the job stops at it."""
        job = merging.job
        directory = self._home.job_staging(job.job)
        if not (merging.is_approved and review.is_current(cursor, job, given)):
            planned = self._planned(cursor, merging, staged, given)
            merge, plan = planned.merge, planned.plan
            if self._must_wait(cursor, merging, given, merge, plan):
                return None
            if plan.is_empty or not job.excluded:
                job.left_out = 0
                return planned
            review.count(cursor, job, plan, directory)
            drop_plan(cursor)
        wanted = review.without_excluded(cursor, job, given, directory)
        return self._planned(cursor, merging, staged, wanted)

    def _planned(
        self, cursor: Connection, merging: _Merging, staged: StageResult, given: MergeInput
    ) -> Planned:
        """The plan of what may be merged; the job says what it comes to.

        Raises RejectedError where the import is strict and a row refers to nothing.
        """
        job, target = merging.job, merging.target
        merge, references = check_references(cursor, given, self._datasets())
        if target.dataset.rejects_references:
            directory = self._home.job_staging(job.job)
            write_reference_rejects(cursor, directory, staged, references)
        merge, plan = make_plan(cursor, merge)
        job.notices = list(merging.notices)
        note_plan(job, staged, plan, references)
        check_strict(job, target)
        return Planned(merge, plan, references)

    def _must_wait(
        self,
        cursor: Connection,
        merging: _Merging,
        given: MergeInput,
        merge: MergeInput,
        plan: Plan,
    ) -> bool:
        """Whether the job stops at its plan, which is then kept for review."""
        job, is_approved = merging.job, merging.is_approved
        directory, is_dry = self._home.job_staging(job.job), import_request(job).dry_run
        if plan.is_empty and not is_dry:
            return False
        reason = None
        if not is_approved:
            held = [HELD] if merging.target.is_held else []
            held += reasons_to_hold(cursor, merge, plan, self._settings().guards)
            reason = " ".join(held) or None
        if not (is_dry or reason or job.planned_at is not None):
            return False
        if given.repeated and not is_dry:
            raise _NeedsAllRowsError
        is_same = review.keep(cursor, job, merge, directory)
        if is_dry:
            review.count(cursor, job, plan, directory)
            job.message = "Dry run: nothing was changed."
            job.end(JobStatus.COMPLETED)
            return True
        if is_approved and not is_same:
            reason = review.MOVED_ON
        if reason:
            review.wait(cursor, job, given, plan, directory, reason)
        return reason is not None

    def _is_known(self, job: Job, target: Target) -> bool:
        """Whether the file's bytes were applied already, as an export's or its source's."""
        path, hinted = Path(job.file or ""), self._hinted(job, target)
        for returned in (hinted, None) if hinted else (None,):
            sender = returned.target(target) if returned else target
            with self._store.reading() as cursor:
                known = newest_file(cursor, sender)
            if known is not None and known.says_the_same(path, sender):
                self._note_sender(job, target, returned)
                return True
        return False

    def _hinted(self, job: Job, target: Target) -> Returned | None:
        if import_request(job).base == "none":
            return None
        return self._returns.hinted(Path(job.file or ""), target)

    def _note_return(self, job: Job, target: Target, staged: StageResult) -> None:
        """Note on the job whether its file is an export that came back."""
        if import_request(job).base == "none":
            return
        directory = self._home.job_staging(job.job)
        with self._store.reading() as cursor:
            if job.returned is not None:
                returned = self._returns.of_job(job.returned, target)
            elif job.planned_at is not None:
                returned = None
            else:
                path = Path(job.file or "")
                returned = self._returns.find(cursor, path, target, staged, directory)
            if returned and not returned.is_readable(cursor):
                job.notices.append(returned.lost_notice(target.source))
                returned = None
        self._note_sender(job, target, returned)
        if returned:
            job.notices.append(returned.notice(staged.sha256))

    def _note_sender(self, job: Job, target: Target, returned: Returned | None) -> None:
        job.returned = returned.record.export if returned else None
        job.source = returned.target(target).source if returned else target.source

    def _returned(self, cursor: Connection, job: Job, target: Target) -> Returned | None:
        """The export that the job's file was found to be, if it can still be compared with."""
        if job.returned is None:
            return None
        returned = self._returns.of_job(job.returned, target)
        if returned and returned.is_readable(cursor):
            return returned
        self._note_sender(job, target, None)
        return None

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
