"""The job queue: what can be asked of jobs, and decided about them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataport.core.errors import CancelledError, StateError
from dataport.core.settings import Inbox
from dataport.core.words import JobKind, JobStatus, Origin
from dataport.daemon.configuration import Configuration
from dataport.daemon.disposal import identity, sources_now
from dataport.daemon.events import EventBroker
from dataport.daemon.live import LiveJob, LiveJobs
from dataport.daemon.news import JobNews
from dataport.daemon.runner import JobRunner
from dataport.daemon.waiting import WaitingCounts
from dataport.engine.engine import Engine
from dataport.engine.importing.columns import MAPPING
from dataport.engine.jobs import Job
from dataport.engine.plans import Choice
from dataport.engine.requests import AnyRequest, BulkRequest, ExportRequest, ImportRequest

log = logging.getLogger(__name__)

STAGING_KEPT = 200
"""Ended jobs whose rejects and plans can still be looked at."""


_KINDS: dict[type[AnyRequest], JobKind] = {
    ImportRequest: JobKind.IMPORT,
    ExportRequest: JobKind.EXPORT,
    BulkRequest: JobKind.BULK,
}


class JobQueue:
    """The jobs of one engine."""

    def __init__(self, engine: Engine, events: EventBroker, configuration: Configuration) -> None:
        self._engine = engine
        self._configuration = configuration
        self._live = LiveJobs()
        self._news = JobNews(events, WaitingCounts(engine))
        self._deciding = threading.Lock()
        workers = configuration.settings.daemon.workers
        self._runner = JobRunner(engine, self._live, self._news, workers)

    # -- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up the jobs that an earlier daemon left, then work."""
        for job in self._engine.jobs.unfinished():
            if job.status.is_final:
                self._runner.dispose(job)
            else:
                self._resume(job)
        self._engine.clear_staging(STAGING_KEPT)
        self._news.waiting.refresh()
        self._runner.start()

    def stop(self, deadline_s: float) -> None:
        """Start nothing more; what runs is stopped and taken up by the next daemon."""
        self._runner.stop(deadline_s)

    def _resume(self, job: Job) -> None:
        if job.status is JobStatus.PROCESSING:
            log.info("Job %d was interrupted and starts again.", job.job)
            job.status = JobStatus.PENDING
        self._runner.take(LiveJob(job))

    # -- asking ----------------------------------------------------------------------------

    def submit(self, request: ImportRequest | ExportRequest) -> Job:
        """Record a job and queue it. Raises NotFoundError for an unknown inbox, or what is to be
        exported, UsageError or InputError for a place where that can't be written."""
        if isinstance(request, ImportRequest):
            self.expect_file()
            request = self._engine.imports.complete(request)
        else:
            self._engine.exports.check(request)
        return self._enqueue(request)

    def submit_bulk(self, request: BulkRequest, keys: Sequence[Any] | None) -> Job:
        """Check a bulk change, record it and queue it; `keys` are those of the records meant.

        Raises NotFoundError for an unknown dataset, UsageError for anything wrong with it.
        """
        bulk = self._engine.bulk
        bulk.check(request)
        if keys is None:
            return self._enqueue(request)
        return self._enqueue(request, equip=lambda job: bulk.keep_keys(job, keys))

    def _enqueue(
        self,
        request: AnyRequest,
        found: dict[str, int] | None = None,
        equip: Callable[[Job], None] = lambda _: None,
    ) -> Job:
        """Record a job and queue it; `equip` puts in place what it needs besides its request.

        `found` is the identity of a directory that an inbox met.
        """
        job = self._engine.jobs.create(_KINDS[type(request)], request, equip)
        job.identity = found
        self._runner.take(LiveJob(job))
        return job

    def submit_inbox_files(self, inbox: Inbox, paths: Sequence[Path]) -> int:
        """Queue files that were dropped into an inbox together; how many jobs that took.

        Those of a package are one job, as far as each is of another dataset.
        """
        if inbox.package is None or paths[0].is_dir():
            return sum(self._submit_inbox_path(inbox, path) for path in paths)
        parcels = self._engine.imports.parcels(inbox.package, paths)
        for parcel in parcels:
            names = tuple(map(str, parcel))
            self.submit(ImportRequest(paths=names, inbox=inbox.name, origin=Origin.INBOX))
        return len(parcels)

    def _submit_inbox_path(self, inbox: Inbox, path: Path) -> bool:
        """Queue one file or folder; false for a folder that is as it was when its job failed."""
        request = ImportRequest(path=str(path), inbox=inbox.name, origin=Origin.INBOX)
        if not path.is_dir():
            self.submit(request)
            return True
        found = identity(path, with_files=inbox.package is not None)
        for job in self._engine.jobs.of_file(path):
            if job.identity == found and job.status is not JobStatus.COMPLETED:
                return False
        self._enqueue(self._engine.imports.complete(request), found)
        return True

    def get(self, number: int) -> Job:
        """A job, live or recorded. Raises NotFoundError."""
        live = self._live.get(number)
        return live.job if live else self._engine.jobs.get(number)

    def newest(self, status: str | None, limit: int | None) -> list[Job]:
        """Jobs newest first, live ones as they are now."""
        found = self._engine.jobs.newest(None if status else status, None if status else limit)
        live = {each.job.job: each.job for each in self._live}
        jobs = [live.get(job.job, job) for job in found]
        if status:
            jobs = [job for job in jobs if job.status == status]
        return jobs[:limit] if limit is not None else jobs

    def expect_file(self) -> None:
        """A file is about to be complete: have a process ready that reads it."""
        self._runner.expect_file()

    def has_open_job_for(self, path: Path) -> bool:
        """Whether a job that is not final works on this file."""
        return self._live.has_file(path)

    def running(self) -> list[dict[str, Any]]:
        """Documents of the jobs that are pending or processing, from memory."""
        return [
            live.job.document()
            for live in self._live
            if live.job.status in (JobStatus.PENDING, JobStatus.PROCESSING)
        ]

    def waiting_counts(self) -> dict[str, int]:
        """What waits for a person, from memory."""
        waiting = [live.job for live in self._live if live.job.status is JobStatus.WAITING]
        mappings = sum(job.reason == MAPPING for job in waiting)
        counts = self._news.waiting.counts()
        return {"approvals": len(waiting) - mappings, **counts, "mappings": mappings}

    def conflicts_changed(self) -> None:
        """Somebody changed the conflict queue: count again and tell."""
        self._news.conflicts_changed()

    # -- deciding --------------------------------------------------------------------------

    def cancel(self, number: int) -> Job:
        """Stop a job wherever it is. Raises StateError when it has ended."""
        with self._deciding:
            live = self._require_live(number)
            live.interrupt()
            if live.job.status in (JobStatus.PENDING, JobStatus.WAITING):
                self._runner.end(live, CancelledError())
        return live.job

    def approve(self, number: int) -> Job:
        """Let a waiting job apply its plan, by the definitions and settings of this moment.

        One that waits for a mapping takes what is suggested. Raises StateError when it does not
        wait, NotFoundError when a dataset is gone.
        """
        if self.get(number).reason == MAPPING:
            return self.decide_columns(number, {})
        with self._deciding:
            live = self._require_waiting(number)
            live.members = self._engine.imports.prepare(live.job)
            live.is_approved, live.is_staged = True, True
            live.job.status, live.job.message = JobStatus.PENDING, ""
            self._runner.go_on(live)
        return live.job

    def decide_columns(self, number: int, said: Mapping[str, str], name: str | None = None) -> Job:
        """Let a job that waits for a mapping go on by what is suggested and what was said.

        It is kept as a mapping of the job's source. Raises StateError when the job does not wait
        for that, or something is lacking, UsageError for a field or column that there is not.
        """
        with self._deciding:
            live = self._require_waiting(number)
            mapping = self._engine.mappings.decide(live.job, said, name)
            self._configuration.reload()
            self._engine.mappings.settle(live.job, mapping)
            live.members = self._engine.imports.prepare(live.job)
            self._engine.jobs.save(live.job)
            self._runner.go_on(live)
        return live.job

    def choose(self, number: int, choice: Choice) -> dict[str, Any]:
        """Leave rows out of a waiting job's plan, or take them in again; the plan's counts.

        Raises StateError when the job does not wait, NotFoundError for a key without a row.
        """
        with self._deciding:
            live = self._require_waiting(number)
            summary = self._engine.plans.choose(live.job, choice)
            self._news.tell(live)
        return summary

    def discard(self, number: int) -> Job:
        """Drop a waiting job's plan; nothing of it is applied."""
        with self._deciding:
            live = self._require_waiting(number)
            self._runner.end(live, CancelledError("discarded", "The plan was discarded."))
        return live.job

    def retry(self, number: int) -> Job:
        """Ask again for what a failed or cancelled job was asked for, as a new job.

        Its target is the old one, whatever became of its inbox since.
        """
        job = self.get(number)
        if job.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise StateError(
                "not-retryable",
                f"Job {number} is {job.status}.",
                hint="Only failed and cancelled jobs can be tried again.",
            )
        request = job.request
        if isinstance(request, ImportRequest):
            request = request.model_copy(update=sources_now(self._engine.home, job, request))
        if isinstance(request, BulkRequest) and request.by_keys:
            keys = self._engine.bulk.hand_over_keys
            return self._enqueue(request, equip=lambda new: keys(number, new))
        return self._enqueue(request)

    def _require_live(self, number: int) -> LiveJob:
        live = self._live.get(number)
        if live is None:
            job = self._engine.jobs.get(number)
            raise StateError("job-ended", f"Job {number} has ended: it is {job.status}.")
        return live

    def _require_waiting(self, number: int) -> LiveJob:
        live = self._require_live(number)
        if live.job.status is not JobStatus.WAITING:
            raise StateError(
                "not-waiting",
                f"Job {number} does not wait for approval: it is {live.job.status}.",
            )
        return live
