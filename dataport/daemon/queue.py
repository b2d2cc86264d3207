"""The job queue: files are read side by side, and merged one after the other.

Imports of one dataset are merged in the order in which they were asked for, however long each
takes to read, so that a newer version of a file never comes before an older one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dataport.core.clock import now
from dataport.core.errors import CancelledError, DataportError, StateError
from dataport.core.settings import Inbox
from dataport.core.words import JobKind, JobStatus, Origin, Phase
from dataport.daemon.configuration import Configuration
from dataport.daemon.disposal import DONE, FAILED, dispose, failed_copy, put_rejects
from dataport.daemon.events import EventBroker
from dataport.daemon.waiting import WaitingCounts
from dataport.engine.engine import Engine
from dataport.engine.jobs import Job
from dataport.engine.requests import ExportRequest, ImportRequest
from dataport.engine.staging.spawn import SPARE
from dataport.engine.store import Connection
from dataport.engine.targets import Target

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.1
QUIET_S = 3.0
"""Seconds without a job after which the store is tidied up."""
STAGING_KEPT = 200
"""Ended jobs whose rejects and plans can still be looked at."""


class _Live:
    """A job that is not final, and what the queue knows about it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.target: Target | None = None
        self.is_staged = False
        self.is_approved = False
        self.cursor: Connection | None = None
        self.told: float = 0.0


class JobQueue:
    """Runs the jobs of one engine."""

    def __init__(self, engine: Engine, events: EventBroker, configuration: Configuration) -> None:
        self._engine = engine
        self._events = events
        self._configuration = configuration
        self._live: dict[int, _Live] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        workers = configuration.settings.daemon.workers
        self._readers = ThreadPoolExecutor(workers, thread_name_prefix="reader")
        self._merger = threading.Thread(target=self._merge_forever, name="merger", daemon=True)
        self._waiting = WaitingCounts(engine)
        self._is_dirty = True

    # -- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up the jobs that an earlier daemon left, then work."""
        for job in self._engine.jobs.unfinished():
            if job.status.is_final:
                self._dispose(job)
            else:
                self._resume(job)
        self._engine.clear_staging(STAGING_KEPT)
        self._waiting.refresh()
        self._merger.start()

    def stop(self, deadline_s: float) -> None:
        """Start nothing more; what runs is stopped and taken up by the next daemon."""
        with self._changed:
            self._stopping.set()
            running = [live for live in self._live.values() if live.job.status.is_final is False]
            self._changed.notify_all()
        SPARE.dismiss()
        for live in running:
            live.job.cancel.set()
            _interrupt(live)
        self._readers.shutdown(wait=True, cancel_futures=True)
        if self._merger.is_alive():
            self._merger.join(deadline_s)

    def _resume(self, job: Job) -> None:
        live = _Live(job)
        if job.status is JobStatus.PROCESSING:
            log.info("Job %d was interrupted and starts again.", job.job)
            job.status = JobStatus.PENDING
        self._take(live)

    # -- asking ----------------------------------------------------------------------------

    def submit(self, request: ImportRequest | ExportRequest) -> Job:
        """Record a job and queue it."""
        kind = JobKind.IMPORT if isinstance(request, ImportRequest) else JobKind.EXPORT
        job = self._engine.jobs.create(kind, request)
        self._take(_Live(job))
        return job

    def submit_inbox_file(self, inbox: Inbox, path: Path) -> int:
        """Queue a file that was dropped into an inbox; its job's number."""
        request = ImportRequest(path=str(path), inbox=inbox.name, origin=Origin.INBOX)
        return self.submit(request).job

    def get(self, number: int) -> Job:
        """A job, live or recorded. Raises NotFoundError."""
        live = self._live.get(number)
        return live.job if live else self._engine.jobs.get(number)

    def newest(self, status: str | None, limit: int | None) -> list[Job]:
        """Jobs newest first, live ones as they are now."""
        found = self._engine.jobs.newest(None if status else status, None if status else limit)
        jobs = [self._live[job.job].job if job.job in self._live else job for job in found]
        if status:
            jobs = [job for job in jobs if job.status == status]
        return jobs[:limit] if limit is not None else jobs

    def expect_file(self) -> None:
        """A file is about to be complete: have a process ready that reads it."""
        if not self._stopping.is_set():
            SPARE.prepare()

    def has_open_job_for(self, path: Path) -> bool:
        """Whether a job that is not final works on this file."""
        return any(live.job.file == str(path) for live in list(self._live.values()))

    def running(self) -> list[dict[str, Any]]:
        """Documents of the jobs that are pending or processing, from memory."""
        return [
            live.job.document()
            for live in list(self._live.values())
            if live.job.status in (JobStatus.PENDING, JobStatus.PROCESSING)
        ]

    def waiting_counts(self) -> dict[str, int]:
        """What waits for a person, from memory."""
        approvals = sum(live.job.status is JobStatus.WAITING for live in list(self._live.values()))
        return {"approvals": approvals, **self._waiting.counts()}

    def conflicts_changed(self) -> None:
        """Somebody changed the conflict queue: count again and tell."""
        self._waiting.refresh()
        self._events.publish("conflicts", {"open": self._waiting.counts()["conflicts"]})

    # -- deciding --------------------------------------------------------------------------

    def cancel(self, number: int) -> Job:
        """Stop a job wherever it is. Raises StateError when it has ended."""
        live = self._require_live(number)
        live.job.cancel.set()
        _interrupt(live)
        if live.job.status in (JobStatus.PENDING, JobStatus.WAITING):
            self._end(live, CancelledError())
        return live.job

    def approve(self, number: int) -> Job:
        """Let a waiting job apply its plan. Raises StateError when it does not wait."""
        live = self._require_waiting(number)
        live.is_approved, live.is_staged = True, True
        live.job.status, live.job.message = JobStatus.PENDING, ""
        self._read_or_merge(live)
        return live.job

    def discard(self, number: int) -> Job:
        """Drop a waiting job's plan; nothing of it is applied."""
        live = self._require_waiting(number)
        self._end(live, CancelledError("discarded", "The plan was discarded."))
        return live.job

    def retry(self, number: int) -> Job:
        """Ask again for what a failed or cancelled job was asked for, as a new job."""
        job = self.get(number)
        if job.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise StateError(
                "not-retryable",
                f"Job {number} is {job.status}.",
                hint="Only failed and cancelled jobs can be tried again.",
            )
        request = job.request
        if isinstance(request, ImportRequest):
            path = str(failed_copy(self._engine.home, job))
            request = request.model_copy(update={"path": path})
        return self.submit(request)

    def _require_live(self, number: int) -> _Live:
        live = self._live.get(number)
        if live is None:
            job = self._engine.jobs.get(number)
            raise StateError("job-ended", f"Job {number} has ended: it is {job.status}.")
        return live

    def _require_waiting(self, number: int) -> _Live:
        live = self._require_live(number)
        if live.job.status is not JobStatus.WAITING:
            raise StateError(
                "not-waiting",
                f"Job {number} does not wait for approval: it is {live.job.status}.",
            )
        return live

    # -- working ---------------------------------------------------------------------------

    def _take(self, live: _Live) -> None:
        """Put a job into the queue; one whose target is wrong ends here."""
        with self._changed:
            self._live[live.job.job] = live
        if isinstance(live.job.request, ImportRequest):
            try:
                live.target = self._engine.imports.prepare(live.job)
            except DataportError as error:
                self._end(live, error)
                return
        self._tell(live)
        if live.job.status is not JobStatus.WAITING:
            self._read_or_merge(live)

    def _read_or_merge(self, live: _Live) -> None:
        with self._changed:
            if self._stopping.is_set():
                return
            if not live.is_staged:
                self._readers.submit(self._guarded, live, self._read)
            self._changed.notify_all()

    def _read(self, live: _Live) -> None:
        """First half of a job, side by side with others."""
        job = live.job
        job.status, job.started = JobStatus.PROCESSING, job.started or now()
        self._engine.jobs.save(job)
        self._tell(live)
        if isinstance(job.request, ExportRequest):
            author = self._engine.author(job.origin)
            self._engine.exports.run(job, author, self._progress(live), _setter(live))
            self._finished(live)
            return
        target = _target(live)
        staged = self._engine.imports.stage(job, target, self._progress(live))
        if staged is not None and not job.request.dry_run:
            put_rejects(self._engine.home, job)
        with self._changed:
            live.is_staged = True
            self._changed.notify_all()

    def _merge_forever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopping.is_set() or self._next_to_merge() is not None,
                    timeout=QUIET_S if self._is_dirty else None,
                )
                live = self._next_to_merge()
            if self._stopping.is_set():
                return
            if live is not None:
                self._guarded(live, self._merge)
            elif not self._live:
                self._tidy()

    def _tidy(self) -> None:
        """Fold the store's log into its file while nothing else is asked for."""
        self._is_dirty = False
        try:
            self._engine.store.tidy()
        except Exception:
            log.exception("The store could not be tidied up.")

    def _next_to_merge(self) -> _Live | None:
        """The first staged import whose dataset has no earlier one still on its way."""
        blocked: set[str | None] = set()
        for live in self._live.values():
            job = live.job
            if job.kind is not JobKind.IMPORT or job.status is JobStatus.WAITING:
                continue
            if live.is_staged and job.dataset not in blocked:
                return live
            blocked.add(job.dataset)
        return None

    def _merge(self, live: _Live) -> None:
        """Second half of an import: plan it and, unless a person is needed, apply it."""
        job, target = live.job, _target(live)
        job.status = JobStatus.PROCESSING
        job.started = job.started or now()
        author = self._engine.author(job.origin)
        staged = self._engine.imports.stage(job, target, self._progress(live))
        if staged is None:
            self._engine.imports.note_known_file(job, target)
        else:
            self._engine.imports.merge(
                job,
                target,
                staged,
                author,
                self._progress(live),
                is_approved=live.is_approved,
                on_cursor=_setter(live),
            )
        live.is_staged = False
        if job.status is JobStatus.WAITING:
            self._tell(live)
        else:
            self._finished(live)

    def _guarded(self, live: _Live, work: Callable[[_Live], None]) -> None:
        """Run a part of a job; whatever goes wrong ends it, and is told."""
        if self._stopping.is_set() or live.job.status.is_final:
            return
        try:
            work(live)
        except CancelledError as error:
            if self._stopping.is_set():
                log.info("Job %d is left for the next start.", live.job.job)
                return
            self._end(live, error)
        except DataportError as error:
            self._end(live, error)
        except Exception:
            if self._stopping.is_set():
                log.info("Job %d is left for the next start.", live.job.job, exc_info=True)
                return
            log.exception("Job %d failed unexpectedly.", live.job.job)
            self._end(
                live,
                DataportError(
                    "internal-error",
                    "The job failed in a way it should not.",
                    hint="The particulars are in logs/daemon.log; nothing was merged.",
                ),
            )

    def _end(self, live: _Live, error: DataportError) -> None:
        """A job that did not do what it was asked for."""
        job = live.job
        is_cancelled = isinstance(error, CancelledError)
        job.end(JobStatus.CANCELLED if is_cancelled else JobStatus.FAILED, error)
        job.commit, job.message = None, error.title
        job.disposal = FAILED if job.inbox else None
        if not is_cancelled:
            log.warning("Job %d failed: %s", job.job, error)
            if error.code == "rejected-rows":
                self._try_rejects(job)
        self._engine.jobs.save(job)
        self._finished(live)

    def _try_rejects(self, job: Job) -> None:
        try:
            put_rejects(self._engine.home, job)
        except DataportError as error:
            job.notices.append(str(error))

    def _finished(self, live: _Live) -> None:
        """Tidy up behind an ended job and tell everybody."""
        job = live.job
        self._dispose(job)
        self._engine.trim_staging(job.job)
        with self._changed:
            self._is_dirty = True
            self._live.pop(job.job, None)
            self._changed.notify_all()
        if job.rejects_file:
            rejected = (job.rows or {}).get("rejected", 0)
            self._waiting.note_rejects(job.rejects_file, rejected)
        self._tell(live)
        if job.commit is not None:
            self._events.publish("commit", {"commit": job.commit, "job": job.job})
            self.conflicts_changed()

    def _dispose(self, job: Job) -> None:
        if job.disposal in (DONE, FAILED):
            dispose(self._engine.home, job)
            self._engine.jobs.save(job)

    # -- telling ---------------------------------------------------------------------------

    def _tell(self, live: _Live) -> None:
        live.told = now().timestamp()
        self._events.publish("job", {"job": live.job.document()})

    def _progress(self, live: _Live) -> Callable[[Phase, int, int | None], None]:
        def progress(phase: Phase, processed: int, total: int | None) -> None:
            if live.job.cancel.is_set():
                raise CancelledError
            is_new = phase is not live.job.phase
            live.job.advance(phase, processed, total)
            if is_new or now().timestamp() - live.told >= PROGRESS_EVERY_S:
                self._tell(live)

        return progress


def _setter(live: _Live) -> Callable[[Connection | None], None]:
    def set_cursor(cursor: Connection | None) -> None:
        live.cursor = cursor

    return set_cursor


def _interrupt(live: _Live) -> None:
    cursor = live.cursor
    if cursor is not None:
        cursor.interrupt()


def _target(live: _Live) -> Target:
    if live.target is None:
        raise TypeError(f"job {live.job.job} has no target")
    return live.target
