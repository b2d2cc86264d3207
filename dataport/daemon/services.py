"""What one daemon is made of, and how the parts are put together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dataport.core.paths import Home
from dataport.core.settings import Inbox
from dataport.daemon.configuration import Configuration
from dataport.daemon.events import EventBroker
from dataport.daemon.inboxes.observer import FolderEvents
from dataport.daemon.inboxes.watcher import InboxWatcher
from dataport.daemon.lifecycle import Lifecycle

DRAIN_DEADLINE_S = 10.0
"""How long running jobs may take to finish or cancel before the daemon leaves."""


class Engine(Protocol):
    """What the shell needs of the engine."""

    def close(self) -> None:
        """Checkpoint and close the store."""


class Queue(Protocol):
    """What the shell needs of the job queue."""

    def start(self) -> None: ...

    def stop(self, deadline_s: float) -> None:
        """Take no more jobs; finish or cancel the running ones within `deadline_s` seconds."""

    def submit_inbox_files(self, inbox: Inbox, paths: Sequence[Path]) -> int:
        """Take files, or one folder; how many jobs: none where one has refused it already."""

    def has_open_job_for(self, path: Path) -> bool: ...

    def expect_file(self) -> None:
        """A file is about to be complete: get ready for it."""

    def running(self) -> list[dict[str, Any]]:
        """Documents of the jobs that run, from memory."""

    def waiting_counts(self) -> dict[str, int]:
        """`approvals`, `conflicts`, `mappings`, `rejects`, from memory."""


@dataclass
class Services:
    """The parts of one daemon; routes reach them as `ServicesDep`."""

    home: Home
    configuration: Configuration
    engine: Any
    """An `Engine`; routes use all of it."""
    queue: Any
    """A `Queue`; routes use all of it."""
    events: EventBroker
    inboxes: InboxWatcher
    folder_events: FolderEvents
    lifecycle: Lifecycle
    instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Differs from one run of the daemon to the next."""

    def committed(self, commit: int | None) -> None:
        """Tell of a commit that a person made; None where nothing had to be changed."""
        if commit is not None:
            self.events.publish("commit", {"commit": commit, "job": None})
            self.queue.conflicts_changed()

    def start(self) -> None:
        """Begin to work: jobs that were left over, then files, then changes of the config."""
        self.queue.start()
        self.folder_events.start()
        self.configuration.watch(self.folder_events)
        self.inboxes.start()

    def stop(self) -> None:
        """Take nothing new and let running jobs end; the engine stays open.

        Every part is stopped, also when another one fails to.
        """
        with ExitStack() as last_first:
            last_first.callback(self.queue.stop, DRAIN_DEADLINE_S)
            last_first.callback(self.folder_events.stop)
            last_first.callback(self.inboxes.stop)
            last_first.callback(self.configuration.stop)


Build = Callable[[Home, Configuration, EventBroker, Lifecycle], Services]
"""Puts a daemon together. Raises DataportError if a part can't be opened."""


def compose(
    home: Home,
    configuration: Configuration,
    events: EventBroker,
    lifecycle: Lifecycle,
    *,
    engine: Engine,
    queue: Queue,
) -> Services:
    """The services around an engine and its queue."""
    folder_events = FolderEvents()
    inboxes = InboxWatcher(
        home,
        configuration.settings,
        submit=queue.submit_inbox_files,
        is_busy=queue.has_open_job_for,
        notice=lambda inbox, text: events.publish("inbox", {"inbox": inbox, "notice": text}),
        folder_events=folder_events,
        expect=queue.expect_file,
    )
    configuration.on_change(inboxes.apply)
    return Services(home, configuration, engine, queue, events, inboxes, folder_events, lifecycle)


def build_services(
    home: Home, configuration: Configuration, events: EventBroker, lifecycle: Lifecycle
) -> Services:
    """The real daemon: the engine on the home's store, and its job queue."""
    from dataport.daemon.queue import JobQueue
    from dataport.engine.engine import Engine as RealEngine

    engine = RealEngine.open(home, configuration.settings)
    try:
        # Before the inboxes, whose new files may belong to a new dataset.
        configuration.on_change(engine.reload)
        queue = JobQueue(engine, events, configuration)
        configuration.on_change(engine.reload)
        configuration.error = configuration.error or engine.definition_error
        return compose(home, configuration, events, lifecycle, engine=engine, queue=queue)
    except BaseException:
        engine.close()
        raise
