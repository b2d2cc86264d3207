"""Hints that something changed in a folder: from the system, or by looking every second."""

from __future__ import annotations

import errno
import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

_LOGGER = logging.getLogger(__name__)

POLL_S = 1.0

_LIMITS = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE})
"""What inotify answers when its watches or instances are used up."""

_EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    # Linux tells when a file is closed, which spares a hint for every block that is written.
    # Opening and reading give no hint: we do both ourselves.
    FileClosedEvent if sys.platform == "linux" else FileModifiedEvent,
]

Hint = Callable[[], None]
"""Called from another thread; must return at once."""


@dataclass
class _Folder:
    hint: Hint
    recursive: bool
    watch: ObservedWatch | None = None


class _Handler(FileSystemEventHandler):
    def __init__(self, hint: Hint) -> None:
        self._hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - watchdog's own names
        self._hint()


class FolderEvents:
    """Calls a hint when something changes in a folder.

    Where the system's watches are used up, every folder is hinted at once a second instead.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._folders: dict[Path, _Folder] = {}
        self._observer: BaseObserver | None = None
        self._stopped = threading.Event()
        self._poller: threading.Thread | None = None

    @property
    def is_polling(self) -> bool:
        """Whether folders are looked at every second for want of system events."""
        return self._poller is not None

    def start(self) -> None:
        with self._lock:
            try:
                observer = Observer()
                observer.start()
            except OSError as error:
                self._fall_back(error)
                return
            self._observer = observer
            for path, folder in self._folders.items():
                self._schedule(path, folder)

    def stop(self) -> None:
        with self._lock:
            self._stopped.set()
            self._end_observer()
        if self._poller is not None:
            self._poller.join()

    def watch(self, path: Path, hint: Hint, *, recursive: bool = False) -> None:
        """Call `hint` after changes in `path`; a folder that is watched already starts anew."""
        with self._lock:
            self.unwatch(path)
            folder = self._folders[path] = _Folder(hint, recursive)
            self._schedule(path, folder)

    def unwatch(self, path: Path) -> None:
        with self._lock:
            folder = self._folders.pop(path, None)
            if folder is not None and folder.watch is not None and self._observer is not None:
                self._observer.unschedule(folder.watch)

    def _schedule(self, path: Path, folder: _Folder) -> None:
        if self._observer is None:
            return
        try:
            folder.watch = self._observer.schedule(
                _Handler(folder.hint), str(path), recursive=folder.recursive, event_filter=_EVENTS
            )
        except OSError as error:
            if error.errno in _LIMITS:
                self._fall_back(error)
            else:
                _LOGGER.warning("%s can't be watched: %s.", path, error)

    def _fall_back(self, error: OSError) -> None:
        _LOGGER.warning(
            "Folders are looked at every second, because the system's watches are used up: %s. "
            "Raise fs.inotify.max_user_watches and max_user_instances, then restart.",
            error,
        )
        self._end_observer()
        if self._poller is None and not self._stopped.is_set():
            self._poller = threading.Thread(target=self._poll, name="folders", daemon=True)
            self._poller.start()

    def _end_observer(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()

    def _poll(self) -> None:
        while not self._stopped.wait(POLL_S):
            with self._lock:
                hints = [folder.hint for folder in self._folders.values()]
            for hint in hints:
                hint()
