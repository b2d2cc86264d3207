"""What the job queue tells: events about jobs, and counts of what waits for a person."""

from __future__ import annotations

from collections.abc import Callable

from dataport.core.clock import now
from dataport.core.errors import CancelledError
from dataport.core.words import Phase
from dataport.daemon.events import EventBroker
from dataport.daemon.live import LiveJob
from dataport.daemon.waiting import WaitingCounts

PROGRESS_EVERY_S = 0.1


class JobNews:
    """Publishes what happens to jobs, and keeps the counts in step with it."""

    def __init__(self, events: EventBroker, waiting: WaitingCounts) -> None:
        self._events = events
        self.waiting = waiting

    def tell(self, live: LiveJob) -> None:
        """Publish a job's present state."""
        live.told = now().timestamp()
        self._events.publish("job", {"job": live.job.document()})

    def progress(self, live: LiveJob) -> Callable[[Phase, int, int | None], None]:
        """What work on a job reports to; it raises CancelledError once the job is to stop."""

        def progress(phase: Phase, processed: int, total: int | None) -> None:
            if live.job.cancel.is_set():
                raise CancelledError
            is_new = phase is not live.job.phase
            live.job.advance(phase, processed, total)
            if is_new or now().timestamp() - live.told >= PROGRESS_EVERY_S:
                self.tell(live)

        return progress

    def ended(self, live: LiveJob) -> None:
        """A job has ended: count what it left behind, then tell everybody."""
        job = live.job
        for part in job.members:
            if part.rejects_file:
                self.waiting.note_rejects(part.rejects_file, (part.rows or {}).get("rejected", 0))
        self.tell(live)
        if job.commit is not None:
            self._events.publish("commit", {"commit": job.commit, "job": job.job})
            self.conflicts_changed()

    def conflicts_changed(self) -> None:
        """Somebody changed the conflict queue: count again and tell."""
        self.waiting.refresh()
        self._events.publish("conflicts", {"open": self.waiting.counts()["conflicts"]})
