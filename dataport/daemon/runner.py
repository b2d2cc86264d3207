"""How jobs are worked on: files are read side by side, and merged one after the other.

Imports of one dataset are merged in the order in which they were asked for, however long each
takes to read; those of a package, in the order of each of its datasets, so that a newer version
of a file never comes before an older one. Where a file must be looked into to know its datasets,
those asked for later wait until that is done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dataport.core.clock import now
from dataport.core.errors import CancelledError, DataportError, RejectedError
from dataport.core.words import JobStatus
from dataport.daemon.disposal import DONE, FAILED, dispose, put_rejects
from dataport.daemon.live import LiveJob, LiveJobs
from dataport.daemon.news import JobNews
from dataport.engine.engine import Engine
from dataport.engine.importing.columns import NeedsColumnsError, wait_for_columns
from dataport.engine.importing.reading import Progress
from dataport.engine.jobs import Job
from dataport.engine.requests import BulkRequest, ExportRequest, ImportRequest
from dataport.engine.staging.workers import WORKERS

log = logging.getLogger(__name__)

QUIET_S = 3.0
"""Seconds without a job after which the store is tidied up."""


class JobRunner:
    """Works on the live jobs of one engine."""

    def __init__(self, engine: Engine, live: LiveJobs, news: JobNews, workers: int) -> None:
        self._engine = engine
        self._live = live
        self._news = news
        self._stopping = threading.Event()
        self._readers = ThreadPoolExecutor(workers, thread_name_prefix="reader")
        self._merger = threading.Thread(target=self._merge_forever, name="merger", daemon=True)
        self._is_dirty = True

    def start(self) -> None:
        """Merge from now on what has been read."""
        self._merger.start()

    def stop(self, deadline_s: float) -> None:
        """Start nothing more; what runs is stopped and taken up by the next daemon."""
        with self._live.changed:
            self._stopping.set()
            running = [live for live in self._live if not live.job.status.is_final]
            self._live.changed.notify_all()
        for live in running:
            live.interrupt()
        self._readers.shutdown(wait=True, cancel_futures=True)
        WORKERS.dismiss()
        if self._merger.is_alive():
            self._merger.join(deadline_s)

    def expect_file(self) -> None:
        """A file is about to be there: have a process ready that reads it."""
        if not self._stopping.is_set():
            WORKERS.prepare()

    def take(self, live: LiveJob) -> None:
        """Put a job into the queue; one whose target is wrong ends here."""
        self._live.add(live)
        if isinstance(live.job.request, ImportRequest):
            try:
                live.members = self._engine.imports.prepare(live.job)
            except DataportError as error:
                self.end(live, error)
                return
        elif isinstance(live.job.request, BulkRequest):
            # There is nothing to read; it takes its turn among the imports of its dataset.
            live.job.dataset, live.is_staged = live.job.request.dataset, True
        self._news.tell(live)
        if live.job.status is not JobStatus.WAITING:
            self.go_on(live)

    def go_on(self, live: LiveJob) -> None:
        """Read a job's file, or merge what was read."""
        with self._live.changed:
            if self._stopping.is_set():
                return
            if not live.is_staged:
                self._readers.submit(self._guarded, live, self._read)
            self._live.changed.notify_all()

    def end(self, live: LiveJob, error: DataportError) -> None:
        """End a job that did not do what it was asked for."""
        job = live.job
        is_cancelled = isinstance(error, CancelledError)
        job.end(JobStatus.CANCELLED if is_cancelled else JobStatus.FAILED, error)
        job.commit, job.message = None, error.title
        job.change_nothing()
        job.disposal = FAILED if job.inbox else None
        if not is_cancelled:
            log.warning("Job %d failed: %s", job.job, error)
            if isinstance(error, RejectedError):
                self._try_rejects(job)
        self._engine.jobs.save(job)
        self._finished(live)

    def dispose(self, job: Job) -> None:
        """Move an ended job's file out of its inbox."""
        if job.disposal in (DONE, FAILED):
            dispose(self._engine.home, job)
            self._engine.jobs.save(job)

    def _read(self, live: LiveJob) -> None:
        """First half of a job, side by side with others."""
        job = live.job
        job.status, job.started = JobStatus.PROCESSING, job.started or now()
        self._engine.jobs.save(job)
        self._news.tell(live)
        if isinstance(job.request, ExportRequest):
            author = self._engine.author(job.origin)
            self._engine.exports.run(job, author, self._news.progress(live), live.work_with)
            self._finished(live)
            return
        progress = self._news.progress(live)
        if not live.members:
            self._place(live, progress)
        try:
            staged = self._engine.imports.stage(job, live.members, progress)
        except NeedsColumnsError as needed:
            wait_for_columns(self._engine.home, job, needed)
            self._engine.jobs.save(job)
            self._news.tell(live)
            return
        if staged is not None and not job.request.dry_run:
            put_rejects(self._engine.home, job)
        with self._live.changed:
            live.is_staged = True
            self._live.changed.notify_all()

    def _place(self, live: LiveJob, progress: Progress) -> None:
        """Find out what a file changes; it is recorded, so that nobody has to look again."""
        members = self._engine.imports.resolve(live.job, progress)
        self._engine.jobs.save(live.job)
        with self._live.changed:
            live.members = members
            self._live.changed.notify_all()
        self._news.tell(live)

    def _merge_forever(self) -> None:
        while True:
            with self._live.changed:
                self._live.changed.wait_for(
                    lambda: self._stopping.is_set() or self._live.next_to_merge() is not None,
                    timeout=QUIET_S if self._is_dirty else None,
                )
                live = self._live.next_to_merge()
            if self._stopping.is_set():
                return
            if live is not None:
                self._guarded(live, self._merge)
                if self._engine.store.has_large_log():
                    self._tidy(self._engine.store.fold)
            elif not self._live:
                self._is_dirty = False
                self._tidy(self._engine.store.tidy)

    def _tidy(self, how: Callable[[], object]) -> None:
        """Fold the store's log into its file, at the latest when nothing else is asked for."""
        try:
            how()
        except Exception:
            log.exception("The store could not be tidied up.")

    def _merge(self, live: LiveJob) -> None:
        """Change rows, for an import or in bulk."""
        job = live.job
        job.status = JobStatus.PROCESSING
        job.started = job.started or now()
        if isinstance(job.request, BulkRequest):
            author = self._engine.author(job.origin)
            self._engine.bulk.run(job, author, self._news.progress(live), live.work_with)
            self._finished(live)
        else:
            self._merge_import(live)

    def _merge_import(self, live: LiveJob) -> None:
        """Second half of an import: plan it and, unless a person is needed, apply it."""
        job, members = live.job, live.members
        author = self._engine.author(job.origin)
        progress = self._news.progress(live)
        staged = self._engine.imports.stage(job, members, progress)
        if staged is None:
            self._engine.imports.note_known_file(job, members)
        else:
            self._engine.imports.merge(
                job,
                members,
                staged,
                author,
                progress,
                is_approved=live.is_approved,
                on_cursor=live.work_with,
                on_rejects=lambda job: put_rejects(self._engine.home, job),
            )
        live.is_staged = False
        if job.status is JobStatus.WAITING:
            self._news.tell(live)
        else:
            self._finished(live)

    def _guarded(self, live: LiveJob, work: Callable[[LiveJob], None]) -> None:
        """Run a part of a job; whatever goes wrong ends it, and is told."""
        if self._stopping.is_set() or live.job.status.is_final:
            return
        try:
            work(live)
        except CancelledError as error:
            if self._stopping.is_set():
                log.info("Job %d is left for the next start.", live.job.job)
                return
            self.end(live, error)
        except DataportError as error:
            self.end(live, error)
        except Exception:
            if self._stopping.is_set():
                log.info("Job %d is left for the next start.", live.job.job, exc_info=True)
                return
            log.exception("Job %d failed unexpectedly.", live.job.job)
            self.end(
                live,
                DataportError(
                    "internal-error",
                    "The job failed in a way it should not.",
                    hint="The particulars are in logs/daemon.log; nothing was merged.",
                ),
            )

    def _try_rejects(self, job: Job) -> None:
        try:
            put_rejects(self._engine.home, job)
        except DataportError as error:
            job.notices.append(str(error))

    def _finished(self, live: LiveJob) -> None:
        """Tidy up behind an ended job and tell everybody."""
        self.dispose(live.job)
        self._engine.trim_staging(live.job.job)
        self._is_dirty = True
        self._live.remove(live)
        self._news.ended(live)
