"""Reading a member's file into clean rows, unless its bytes were applied already."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from dataport.core.paths import Home
from dataport.core.settings import Settings, parse_size
from dataport.core.words import Phase
from dataport.engine.importing.belonging import chosen
from dataport.engine.importing.known_files import newest_file
from dataport.engine.importing.members import Member
from dataport.engine.importing.memory import SourceMemory
from dataport.engine.importing.report import check_strict, note_staged
from dataport.engine.importing.returns import Returned, Returns
from dataport.engine.importing.staged_input import fits
from dataport.engine.importing.suggestions import Suggestion, suggest
from dataport.engine.importing.targets import Target, import_request
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.staging.look import Look, LookRequest
from dataport.engine.staging.process import look as look_into
from dataport.engine.staging.process import stage as stage_file
from dataport.engine.staging.request import (
    StageLimits,
    StageRequest,
    StageResult,
    boot_id,
    read_stage,
)
from dataport.engine.store import Connection, Store

Progress = Callable[[Phase, int, int | None], None]

LOOKED = ".look"
"""Directory of a job's look; no dataset has such a name."""


class Reader:
    """Reads the files of one home's imports."""

    def __init__(self, home: Home, store: Store, settings: Callable[[], Settings]) -> None:
        self._home = home
        self._store = store
        self._settings = settings
        self._returns = Returns(home)

    def read(self, job: Job, member: Member, progress: Progress) -> StageResult | None:
        """The clean rows of a file; None when its bytes were applied already.

        What an earlier run left is used where it is whole. Raises InputError when the file can't
        be taken, CancelledError when the job was, RejectedError where the import is strict.
        """
        staged = read_stage(member.directory)
        is_kept = staged is not None and (
            job.planned_at is not None or staged.boot == boot_id() != ""
        )
        if staged is None or not (is_kept and fits(member.directory, member.target)):
            if self._is_known(job, member):
                return None
            staged = self.read_anew(job, member, progress, recalls=not member.target.is_held)
            is_base_open = import_request(job).base is None
            if staged.repeated and is_base_open and self._returns.is_marked(member.target, staged):
                # What its source sent last is not what an export is compared with.
                staged = self.read_anew(job, member, progress, recalls=False)
        note_staged(member.part, staged)
        if member.part.columns:
            member.part.notices.append(_guessed(member.part.columns))
        self._note_return(job, member, staged)
        check_strict(member.part, member.target)
        return staged

    def suggest(self, job: Job, member: Member, progress: Progress) -> Suggestion | None:
        """What the columns of a member's file could be; None where it names none."""
        found = chosen(
            self.look(job, progress, member.part).tables, member.part.inside, member.part.name
        )
        if len(found) != 1 or not found[0].has_header:
            return None
        suggestion = suggest(found[0].columns, found[0].rows, member.target.dataset)
        return None if suggestion.has_values_for_names else suggestion

    def look(self, job: Job, progress: Progress, part: JobPart | None = None) -> Look:
        """Which tables the file of the job, or of a part of it, holds. Raises as `read` does."""
        request = import_request(job)
        directory = self._home.job_staging(job.job) / LOOKED
        return look_into(
            LookRequest(
                source_path=Path((part and part.file) or request.sources[0]),
                directory=directory,
                format=request.format,
                header_line=request.header_line,
                limits=stage_limits(self._settings()),
            ),
            lambda phase, done, total: progress(Phase(phase), done, total),
            job.cancel,
        )

    def read_anew(
        self, job: Job, member: Member, progress: Progress, *, recalls: bool
    ) -> StageResult:
        """Read a file whatever was read of it before; without `recalls`, all of its rows."""
        directory = member.directory
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700, parents=True)
        request = self._request(job, member)
        if self._hinted(job, member) is None and import_request(job).base_commit is None:
            memory = SourceMemory(self._home, member.target, self._settings())
            with self._store.reading() as cursor:
                request = memory.equip(cursor, request, recalls=recalls)
        return stage_file(
            request,
            lambda phase, done, total: progress(Phase(phase), done, total),
            job.cancel,
        )

    def read_whole(
        self, job: Job, member: Member, staged: StageResult | None, progress: Progress
    ) -> StageResult | None:
        """What was `staged`, if it is all of the file and as the dataset is by now; else read anew."""
        if staged is None or not (staged.repeated or not fits(member.directory, member.target)):
            return staged
        return self.read_anew(job, member, progress, recalls=False)

    def returned(self, cursor: Connection, member: Member) -> Returned | None:
        """The export that a file was found to be, if it can still be compared with."""
        part, target = member.part, member.target
        if part.returned is None:
            return None
        returned = self._returns.of_job(part.returned, target)
        if returned and returned.is_readable(cursor):
            return returned
        _note_sender(part, target, None)
        return None

    def _is_known(self, job: Job, member: Member) -> bool:
        """Whether the file's bytes were applied already, as an export's or its source's."""
        if import_request(job).base_commit is not None:
            return False
        path, hinted = Path(member.part.file or ""), self._hinted(job, member)
        for returned in (hinted, None) if hinted else (None,):
            sender = returned.target(member.target) if returned else member.target
            with self._store.reading() as cursor:
                known = newest_file(cursor, sender)
            if known is not None and known.says_the_same(path, sender):
                _note_sender(member.part, member.target, returned)
                return True
        return False

    def _hinted(self, job: Job, member: Member) -> Returned | None:
        if import_request(job).base is not None:
            return None
        return self._returns.hinted(Path(member.part.file or ""), member.target)

    def _note_return(self, job: Job, member: Member, staged: StageResult) -> None:
        """Note whether a file is an export that came back."""
        part, target, commit = member.part, member.target, import_request(job).base_commit
        if commit is not None:
            part.notices.append(f"The file is compared with the store as of commit {commit}.")
        if import_request(job).base is not None:
            return
        with self._store.reading() as cursor:
            if part.returned is not None:
                returned = self._returns.of_job(part.returned, target)
            elif job.planned_at is not None:
                returned = None
            else:
                path = Path(part.file or "")
                returned = self._returns.find(cursor, path, target, staged, member.directory)
            if returned and not returned.is_readable(cursor):
                part.notices.append(returned.lost_notice(target.source))
                returned = None
        _note_sender(part, target, returned)
        if returned:
            part.notices.append(returned.notice(staged.sha256))

    def _request(self, job: Job, member: Member) -> StageRequest:
        settings = self._settings()
        return StageRequest(
            source_path=Path(member.part.file or ""),
            directory=member.directory,
            dataset=member.target.dataset,
            format=import_request(job).format,
            inside=member.part.inside,
            tables=tuple(member.part.tables),
            constants=dict(member.target.values),
            columns=dict(member.part.columns),
            mapping=member.target.mapping,
            candidates=member.target.candidates,
            header_line=member.target.header_line,
            date_order=member.target.date_order,
            layout=member.target.layout,
            timezone=settings.timezone,
            region=settings.region,
            buckets=settings.daemon.buckets,
            limits=stage_limits(settings),
        )


def stage_limits(settings: Settings) -> StageLimits:
    """What the settings allow one file to cost."""
    limits = settings.limits
    return StageLimits(
        file_size=parse_size(limits.file_size),
        rows=limits.rows,
        columns=limits.columns,
        field_size=parse_size(limits.field_size),
        nesting=limits.nesting,
        members=limits.archive_members,
        expanded=parse_size(limits.expanded_size),
        ratio=limits.expansion_ratio,
        memory=parse_size(limits.worker_memory),
        seconds=limits.worker_seconds,
    )


def _guessed(columns: Mapping[str, str]) -> str:
    told = ", ".join(f"{column!r} as {name}" for name, column in columns.items())
    return f"Columns were found by likeness, not all by name: {told}."


def _note_sender(part: JobPart, target: Target, returned: Returned | None) -> None:
    part.returned = returned.record.export if returned else None
    part.source = returned.target(target).source if returned else target.source
