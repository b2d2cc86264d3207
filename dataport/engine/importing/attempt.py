"""One go at merging what was read: each member planned and written behind those it refers to.

All of it happens in one transaction. A member is planned over a store that holds what the members
before it did, so that its references lead to their rows as to any others: to those that were
written, not to those that were rejected or left out. Where the whole must wait for a person, the
transaction is rolled back, and the plans that were kept are its preview.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dataport.core.settings import Settings
from dataport.core.words import JobStatus, Phase
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import (
    Author,
    Commit,
    CommitPart,
    next_commit,
    write_commit,
    write_tables,
)
from dataport.engine.importing import review
from dataport.engine.importing.known_files import remember_file
from dataport.engine.importing.members import Member
from dataport.engine.importing.memory import write_forgotten
from dataport.engine.importing.planned import Planned, joined
from dataport.engine.importing.reading import Progress
from dataport.engine.importing.reference_rejects import write_reference_rejects
from dataport.engine.importing.report import check_strict, job_outcome, note_plan, outcome
from dataport.engine.importing.targets import import_request
from dataport.engine.jobs import Job, write_job
from dataport.engine.merging.apply import apply_plan
from dataport.engine.merging.guards import reasons_to_hold
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.kept import KeptPart
from dataport.engine.merging.plan import drop_plan, make_plan
from dataport.engine.merging.preview import write_preview
from dataport.engine.merging.references import check_references, write_stubs
from dataport.engine.merging.stubs import count_stubs
from dataport.engine.reference_checks import left_behind
from dataport.engine.settling import settle_moot
from dataport.engine.staging.request import StageResult
from dataport.engine.store import Connection

HELD = "Held for approval."


class NeedsAllRowsError(Exception):
    """A whole file has to be read, or read again.

    What its source sent last or the dataset's definition has changed meanwhile; or the plan waits
    for a person, and has to be able to wait longer than that stays the same.
    """


@dataclass(frozen=True)
class Merging:
    """Who merges what, and whom it tells."""

    job: Job
    author: Author
    progress: Progress
    is_approved: bool
    on_cursor: Callable[[Connection | None], None]
    on_rejects: Callable[[Job], None]
    notices: Mapping[str | None, tuple[str, ...]]
    """What was said of each dataset before it was planned."""
    settings: Settings
    datasets: Mapping[str, Dataset]

    @property
    def is_dry(self) -> bool:
        return import_request(self.job).dry_run


@dataclass(frozen=True)
class Load:
    """A member that was read, ready to be merged."""

    member: Member
    """Its target's source is that of the export which the file is, if it is one."""
    staged: StageResult
    given: MergeInput
    before: int | None
    """The newest commit that moved a base of its source."""
    is_return: bool


@dataclass
class Look:
    """What the members' plans come to, before anything is decided."""

    reasons: list[str]
    """Why a person is needed."""
    is_empty: bool = True
    is_same: bool = True
    """Whether what was kept before does the same."""
    is_kept: bool = True
    """Whether all of it was kept for review."""


class Attempt:
    """One go at the members of a job, on a cursor inside a transaction."""

    def __init__(self, cursor: Connection, merging: Merging, loads: Sequence[Load]) -> None:
        self._cursor = cursor
        self._merging = merging
        self._loads = loads
        self._commit = next_commit(cursor)
        self._parts: list[CommitPart] = []
        self._is_rejecting = False
        self._last: tuple[Load, Planned] | None = None
        self._written: list[tuple[Load, Planned]] = []
        for load in loads:
            load.member.part.commit = None

    @property
    def given(self) -> list[MergeInput]:
        return [load.given for load in self._loads]

    def look(self, *, keeps: bool, is_aside: bool = False) -> Look:
        """Plan every member as if nothing had been left out; all but the last are written.

        With `keeps`, and from the first reason to wait on, the plans are kept for review: in
        place of those that are kept, or else `is_aside`, for `follow` to see what is left out.
        """
        found, rows = Look([]), 0
        is_held = any(load.member.target.is_held for load in self._loads)
        if is_held and not self._merging.is_approved:
            found.reasons.append(HELD)
        for load in self._loads:
            self._write_last()
            planned = self._plan(load, load.given)
            merge, plan = planned.merge, planned.plan
            found.is_empty = found.is_empty and plan.is_empty
            if not self._merging.is_approved:
                found.reasons += self._reasons(load, planned)
            if is_aside:
                self._check_whole(load)
                write_preview(self._cursor, merge, review.whole(load.member).path)
            elif keeps or found.reasons:
                self._check_whole(load)
                is_same, count = review.keep(self._cursor, load.member, merge, rows + 1)
                found.is_same, rows = found.is_same and is_same, rows + count
            else:
                found.is_kept = False
            if not is_aside:
                review.count(self._cursor, load.member, plan)
            self._last = load, planned
        return found

    def follow(self, *, keeps: bool, is_aside: bool = False) -> bool:
        """Plan and write every member without what was left out, but for writing the last.

        With `keeps` the plans are kept for review; False where they do anything else than was
        shown, since what was left out is referred to or the store moved on. `is_aside` where a
        look was kept so.
        """
        is_as_shown, rows = True, 0
        for load in self._loads:
            self._write_last()
            member = load.member
            known = review.whole(member) if is_aside else KeptPart.of(member.directory)
            wanted = review.without_excluded(self._cursor, member, load.given, known)
            planned = self._plan(load, wanted)
            if keeps:
                self._check_whole(load)
                merge, plan = planned.merge, planned.plan
                is_same, count = review.keep_choice(self._cursor, member, merge, plan, rows + 1)
                is_as_shown, rows = is_as_shown and is_same, rows + count
            self._last = load, planned
        return is_as_shown

    def finish(self) -> None:
        """Write the last member, the commit and the job's result."""
        self._write_last()
        job, author = self._merging.job, self._merging.author
        for load, planned in self._written:
            self._note(load, planned, is_applied=True)
        for load in self._loads:
            self._note_left_behind(load)
        job.add_up()
        if self._parts:
            job.commit = self._commit
        text = job_outcome(job)
        if self._parts:
            message = import_request(job).message or text
            parts = joined(self._parts)
            write_commit(
                self._cursor,
                Commit(self._commit, "import", author, message, parts, job.source, job.job),
            )
        job.message = text
        if self._is_rejecting:
            self._merging.on_rejects(job)
        job.end(JobStatus.COMPLETED)
        job.disposal = "done" if job.inbox else None
        write_job(self._cursor, job)

    def _plan(self, load: Load, given: MergeInput) -> Planned:
        """The plan of what may be merged; the member's part says what it comes to.

        Raises RejectedError where the import is strict and a row refers to nothing.
        """
        member, staged = load.member, load.staged
        self._merging.progress(Phase.PLAN, 0, staged.rows.valid)
        merge, references = check_references(self._cursor, given, self._merging.datasets)
        if member.target.dataset.rejects_references:
            write_reference_rejects(self._cursor, member.directory, staged, references)
        merge, plan = make_plan(self._cursor, merge)
        planned = Planned(merge, plan, count_stubs(self._cursor, merge, references))
        self._note(load, planned, is_applied=False)
        check_strict(member.part, member.target)
        return planned

    def _note(self, load: Load, planned: Planned, *, is_applied: bool) -> None:
        part = load.member.part
        part.notices = list(self._merging.notices[part.dataset])
        plan, references = planned.plan, planned.references
        note_plan(part, load.staged, plan, references, is_applied=is_applied)

    def _note_left_behind(self, load: Load) -> None:
        """Say what refers to rows that were deleted, now that all members are written."""
        part, dataset = load.member.part, load.member.target.dataset
        if (part.changes or {}).get("deleted"):
            datasets = self._merging.datasets
            part.notices += left_behind(self._cursor, datasets, dataset, self._commit)

    def _reasons(self, load: Load, planned: Planned) -> list[str]:
        guards = self._merging.settings.guards
        unread = load.member.part.unread
        reasons = reasons_to_hold(self._cursor, planned.merge, planned.plan, guards, unread)
        if not self._merging.job.parts:
            return reasons
        return [f"{load.member.target.dataset.name}: {reason}" for reason in reasons]

    def _check_whole(self, load: Load) -> None:
        if load.given.repeated and not self._merging.is_dry:
            raise NeedsAllRowsError

    def _write_last(self) -> None:
        """Write the member that was planned last, so that the next one finds its rows."""
        if self._last is None:
            return
        (load, planned), self._last = self._last, None
        self._written.append((load, planned))
        cursor, job, member = self._cursor, self._merging.job, load.member
        part, target, plan = member.part, member.target, planned.plan
        self._merging.progress(Phase.APPLY, 0, load.staged.rows.valid)
        part.changes = plan.changes()
        part.message = outcome(part, target, plan)
        if not plan.is_empty:
            part.commit = self._commit
            apply_plan(cursor, planned.merge, plan, self._commit, job.job, part.place)
            write_tables(cursor, self._commit, target.dataset.name, load.staged.table_lines)
            settle_moot(cursor, target.dataset, self._commit)
            stubs = write_stubs(cursor, planned.merge, planned.references, self._commit, part.place)
            self._parts += planned.parts(part, target, load.staged, stubs)
        self._is_rejecting = self._is_rejecting or planned.references.rejected > 0
        is_final = planned.merge.remembers and not (
            part.left_out or planned.references.may_be_mended
        )
        remember_file(cursor, job.job, part, target, load.staged, is_final=is_final)
        write_forgotten(cursor, member.directory)
        drop_plan(cursor)
