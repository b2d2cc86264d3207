"""Importing files: stage them, plan them, apply the plan in one transaction.

The daemon calls `prepare` or `resolve`, `stage`, then `merge`; a job that waits for approval comes back
to `merge` later. Everything a step needs lies in the job's staging directory, so that a job
found unfinished after a restart goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dataport.core.errors import InputError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import JobStatus
from dataport.engine.as_of import check_readable
from dataport.engine.catalog.mappings import MappingFile
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, find_package
from dataport.engine.commits import Author
from dataport.engine.export_sources import export_source
from dataport.engine.importing import review
from dataport.engine.importing.attempt import Attempt, Load, Merging, NeedsAllRowsError
from dataport.engine.importing.belonging import name_tables, place_tables
from dataport.engine.importing.columns import NeedsColumnsError
from dataport.engine.importing.known_files import note_known
from dataport.engine.importing.members import Member, parcels_of, resolve_members
from dataport.engine.importing.memory import SourceMemory
from dataport.engine.importing.named_base import NamedBase, settled_base
from dataport.engine.importing.reading import Progress, Reader
from dataport.engine.importing.report import job_outcome, naming_file
from dataport.engine.importing.returns import Returned
from dataport.engine.importing.staged_input import staged_input
from dataport.engine.importing.targets import completed_request, import_request
from dataport.engine.jobs import Job, write_job
from dataport.engine.merging.bases import newest_base
from dataport.engine.requests import ImportRequest
from dataport.engine.staging.request import StageResult
from dataport.engine.store import Connection, Store, start_over
from dataport.engine.tables import is_in_force

Staged = Sequence[StageResult | None]
"""What was read of each member; None where its bytes were applied already."""


class Imports:
    """Import jobs of one home."""

    def __init__(
        self,
        home: Home,
        store: Store,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
        packages: Callable[[], Mapping[str, Package]],
        mappings: Callable[[], Mapping[str, MappingFile]],
    ) -> None:
        self._home = home
        self._store = store
        self._settings = settings
        self._datasets = datasets
        self._packages = packages
        self._mappings = mappings
        self._reader = Reader(home, store, settings)

    def complete(self, request: ImportRequest) -> ImportRequest:
        """The request with what its inbox and the defaults say filled in.

        Raises NotFoundError for an unknown inbox or base, UsageError for a base that can't be.
        """
        settings = self._settings()
        filled = completed_request(request, settings.inboxes, self._packages())
        with self._store.reading() as cursor:
            return settled_base(cursor, filled, settings)

    def prepare(self, job: Job) -> tuple[Member, ...]:
        """Find out where each file belongs and note it on the job.

        The members come in the order in which they are merged; there are none yet where only a
        look into the file can tell. Raises NotFoundError `unknown-dataset` or `unknown-package`,
        UsageError where a file belongs nowhere.
        """
        members = resolve_members(
            job, self._home, self._datasets(), self._packages(), self._mappings()
        )
        for member in members:
            if import_request(job).base_commit is not None:
                member.part.source = member.target.source
            elif member.part.returned is not None:
                member.part.source = export_source(member.part.returned)
        return members

    def resolve(self, job: Job, progress: Progress) -> tuple[Member, ...]:
        """The members, after a look into the file where that is needed; noted on the job.

        Raises what `prepare` does, InputError when the file can't be taken, CancelledError when
        the job was.
        """
        members = self.prepare(job)
        if members:
            return members
        look = self._reader.look(job, progress)
        job.notices += look.notices
        place_tables(job, look, self._datasets(), self._packages(), self._mappings())
        return self.prepare(job)

    def parcels(self, package: str, paths: Sequence[Path]) -> list[list[Path]]:
        """Files by what may be imported together. Raises NotFoundError `unknown-package`."""
        return parcels_of(find_package(self._packages(), package), paths)

    def stage(self, job: Job, members: Sequence[Member], progress: Progress) -> Staged | None:
        """Read the files into clean rows; None when the bytes of all were applied already.

        Raises InputError when a file can't be taken, CancelledError when the job was, and
        NeedsColumnsError where a person has to say what a column is.
        """
        staged: list[StageResult | None] = []
        for member in members:
            with naming_file(job, member.part):
                staged.append(self._read(job, member, progress))
        job.add_up()
        return staged if any(staged) else None

    def _read(self, job: Job, member: Member, progress: Progress) -> StageResult | None:
        """What `Reader.read` does; of all the tables that are of the member's dataset, where none
        was named, and with columns by likeness where names don't tell them."""
        try:
            return self._reader.read(job, member, progress)
        except InputError as error:
            if error.code == "several-tables" and not (member.part.inside or member.part.tables):
                look = self._reader.look(job, progress, member.part)
                if name_tables(member.part, member.target, look):
                    return self._read(job, member, progress)
            is_open = member.target.mapping is None and not member.part.columns
            if error.code != "missing-label" or not is_open:
                raise
            suggestion = self._reader.suggest(job, member, progress)
            if suggestion is None or not suggestion.fields():
                raise
            if not suggestion.is_certain:
                if import_request(job).dry_run:
                    raise
                raise NeedsColumnsError(error, member, suggestion) from error
        member.part.columns = suggestion.fields(only_strong=True)
        return self._reader.read(job, member, progress)

    def merge(
        self,
        job: Job,
        members: Sequence[Member],
        staged: Staged,
        author: Author,
        progress: Progress,
        *,
        is_approved: bool,
        on_cursor: Callable[[Connection | None], None],
        on_rejects: Callable[[Job], None] = lambda _: None,
    ) -> None:
        """Plan, and apply unless the job is a dry run or has to wait for a person.

        One transaction: rows, versions, bases, conflicts, commit, job result, file hashes and
        audit line become visible together or not at all, for all members. `on_cursor` is told the
        cursor that works, so that somebody else can interrupt it; `on_rejects` is told when there
        are more rejected rows than staging had found, before the job's result is written.
        """
        notices = {part.dataset: tuple(part.notices) for part in job.members}
        while True:
            try:
                merging = Merging(
                    job=job,
                    author=author,
                    progress=progress,
                    is_approved=is_approved,
                    on_cursor=on_cursor,
                    on_rejects=on_rejects,
                    notices=notices,
                    settings=self._settings(),
                    datasets=self._datasets(),
                )
                self._merge(merging, members, staged)
            except NeedsAllRowsError:
                members = self.prepare(job)
                staged = [
                    self._reader.read_whole(job, member, each, progress)
                    for member, each in zip(members, staged, strict=True)
                ]
            else:
                return

    def note_known_file(self, job: Job, members: Sequence[Member]) -> None:
        """End the job of files whose bytes were all applied already."""
        with self._store.writing() as cursor:
            for member in members:
                _note_known(cursor, member)
            job.add_up()
            if job.parts:
                job.message = job_outcome(job)
            job.end(JobStatus.COMPLETED)
            job.disposal = "done" if job.inbox else None
            write_job(cursor, job)

    def _merge(self, merging: Merging, members: Sequence[Member], staged: Staged) -> None:
        with self._store.writing() as cursor:
            merging.on_cursor(cursor)
            try:
                applied = self._decide(cursor, merging, members, staged)
                after = [
                    newest_base(cursor, load.member.target.dataset, load.member.target.source)
                    for load in applied
                ]
            finally:
                merging.on_cursor(None)
        for load, newest in zip(applied, after, strict=True):
            if not (load.member.part.left_out or load.is_return):
                memory = SourceMemory(self._home, load.member.target, merging.settings)
                directory = load.member.directory
                memory.keep(load.before, newest, directory, load.staged, merging.job.job)

    def _decide(
        self, cursor: Connection, merging: Merging, members: Sequence[Member], staged: Staged
    ) -> list[Load]:
        """What was applied; nothing where the job stops at its plan.

        An approved plan is made again where the store moved on, and where another choice was made
        of what to leave out than the one it was made with.
        """
        job = merging.job

        def begin() -> tuple[Attempt, list[Load]]:
            loads = self._loads(cursor, merging, members, staged)
            return Attempt(cursor, merging, loads), loads

        attempt, loads = begin()
        is_current = merging.is_approved and review.is_current(cursor, job, attempt.given)
        is_known = is_current and job.planned_without == review.choice(job)
        is_chosen, is_empty = any(part.excluded for part in job.members), False
        is_aside = merging.is_approved and is_chosen and not is_current
        if not is_current:
            is_held = any(member.target.is_held for member in members)
            keeps = merging.is_dry or is_held or job.planned_at is not None
            look = attempt.look(keeps=keeps, is_aside=is_aside)
            if look.reasons and not look.is_kept:
                start_over(cursor)
                attempt, loads = begin()
                look = attempt.look(keeps=True)
            if merging.is_approved and not look.is_same:
                look.reasons.append(review.MOVED_ON)
            if merging.is_dry or (look.reasons and not look.is_empty):
                start_over(cursor)
                self._stop(cursor, merging, loads, " ".join(look.reasons))
                return []
            is_empty = look.is_empty
            if not is_chosen:
                attempt.finish()
                return loads
            start_over(cursor)
            attempt, loads = begin()
        is_as_shown = attempt.follow(keeps=not is_known, is_aside=is_aside)
        if not (is_as_shown or is_empty):
            start_over(cursor)
            reason = review.REFERRED_TO if is_current else review.MOVED_ON
            self._stop(cursor, merging, loads, reason, review.choice(job))
            return []
        attempt.finish()
        return loads

    def _stop(
        self,
        cursor: Connection,
        merging: Merging,
        loads: Sequence[Load],
        reason: str,
        choice: str | None = None,
    ) -> None:
        """End a dry run, or let the job wait for a person's word about the plan of a `choice`."""
        job = merging.job
        job.planned_without = choice
        for load in loads:
            load.member.part.message, load.member.part.commit = "", None
        job.add_up()
        if merging.is_dry:
            job.message = "Dry run: nothing was changed."
            job.end(JobStatus.COMPLETED)
        else:
            members = [load.member for load in loads]
            review.wait(cursor, job, members, [load.given for load in loads], reason)
        write_job(cursor, job)

    def _loads(
        self, cursor: Connection, merging: Merging, members: Sequence[Member], staged: Staged
    ) -> list[Load]:
        """The members that have something to merge, as views on `cursor`."""
        loads: list[Load] = []
        for number, (member, each) in enumerate(zip(members, staged, strict=True)):
            if each is None:
                _note_known(cursor, member)
            else:
                loads.append(self._load(cursor, merging, member, each, number))
        return loads

    def _load(
        self,
        cursor: Connection,
        merging: Merging,
        member: Member,
        staged: StageResult,
        number: int,
    ) -> Load:
        returned = self._reader.returned(cursor, member)
        basis: Returned | NamedBase | None = returned
        commit = import_request(merging.job).base_commit
        if commit is not None:
            basis = NamedBase(check_readable(cursor, commit), tuple(staged.stated))
        target = returned.target(member.target) if returned else member.target
        before = newest_base(cursor, target.dataset, target.source)
        is_outdated = staged.repeated and staged.recalled_at != before
        if is_outdated or not is_in_force(cursor, target.dataset):
            raise NeedsAllRowsError
        given = staged_input(
            cursor, member.directory, target, staged, merging.settings, basis, str(number)
        )
        return Load(
            replace(member, target=target), staged, given, before, is_return=basis is not None
        )


def _note_known(cursor: Connection, member: Member) -> None:
    """Note that the bytes of a member's file were applied already."""
    target = member.target
    source = member.part.source or target.source
    note_known(cursor, member.part, replace(target, source=source))
