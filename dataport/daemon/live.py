"""The jobs that are not final yet, in memory: answers about them never wait for the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from dataport.core.words import JobKind, JobStatus
from dataport.engine.importing.members import Member
from dataport.engine.jobs import Job
from dataport.engine.store import Connection


class LiveJob:
    """A job that is not final, and what the queue knows about it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.members: Sequence[Member] = ()
        self.is_staged = False
        self.is_approved = False
        self.told: float = 0.0
        """When its state was last published, in seconds since the epoch."""
        self._cursor: Connection | None = None

    def work_with(self, cursor: Connection | None) -> None:
        """Remember the cursor that works for this job now, so that it can be interrupted."""
        self._cursor = cursor

    def interrupt(self) -> None:
        """Stop whatever is being done for this job."""
        self.job.cancel.set()
        cursor = self._cursor
        if cursor is not None:
            cursor.interrupt()

    @property
    def is_placed(self) -> bool:
        """Whether it is known what it changes: an import may have to be looked into first."""
        return self.job.kind is not JobKind.IMPORT or bool(self.members)

    @property
    def datasets(self) -> set[str | None]:
        """The datasets that it changes."""
        return {part.dataset for part in self.job.members}


class LiveJobs:
    """Every live job, oldest first. `changed` guards them and is told of each change."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._jobs: dict[int, LiveJob] = {}

    def __iter__(self) -> Iterator[LiveJob]:
        return iter(list(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, number: int) -> LiveJob | None:
        return self._jobs.get(number)

    def add(self, live: LiveJob) -> None:
        with self.changed:
            self._jobs[live.job.job] = live

    def remove(self, live: LiveJob) -> None:
        with self.changed:
            self._jobs.pop(live.job.job, None)
            self.changed.notify_all()

    def has_file(self, path: Path) -> bool:
        """Whether one of them works on this file."""
        return any(
            str(path) in (live.job.file, *(part.file for part in live.job.members)) for live in self
        )

    def next_to_merge(self) -> LiveJob | None:
        """The first job that is ready to change rows, and whose datasets have no earlier one that
        still is to; one that may be of any dataset holds back all that come after it."""
        blocked: set[str | None] = set()
        for live in self:
            job = live.job
            if job.kind is JobKind.EXPORT or job.status is JobStatus.WAITING:
                continue
            if not live.is_placed:
                return None
            if live.is_staged and blocked.isdisjoint(live.datasets):
                return live
            blocked |= live.datasets
        return None
