"""Watches the inboxes and hands over every file once it is complete."""

from __future__ import annotations

import fnmatch
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.core import clock
from dataport.core.errors import DataportError
from dataport.core.paths import PRIVATE_DIRECTORY, SIDECAR
from dataport.core.settings import Inbox, Settings
from dataport.core.text import is_text, legible
from dataport.daemon.inboxes.settle import (
    Identity,
    Sighting,
    Writers,
    identity_of_all,
    seconds_left,
    unsure_seconds_left,
    writers_of,
)

if TYPE_CHECKING:
    from dataport.core.paths import Home
    from dataport.daemon.inboxes.observer import FolderEvents

_LOGGER = logging.getLogger(__name__)

BESIDE = (".done", ".failed", ".rejects")
"""Folders inside every inbox for what has left it."""

_DEBOUNCE_S = 0.01
"""A burst of hints leads to one look."""

_BLOCKED_S = 1.0
"""How often to look again at a file that somebody writes or a job still works on."""

Submit = Callable[[Inbox, Sequence[Path]], int]
"""Takes files that are handed over together; how many jobs were begun for them."""
IsBusy = Callable[[Path], bool]
Notice = Callable[[str, str], object]
"""Takes an inbox's name and a sentence for people."""


@dataclass
class _Folder:
    """What is known about one inbox."""

    inbox: Inbox
    path: Path
    inode: int = 0
    """Of the folder that is watched; a folder that was replaced is watched anew."""
    seen: dict[str, Sighting] = field(default_factory=dict)
    submitted: dict[str, Identity] = field(default_factory=dict)
    blocked_until: dict[str, float] = field(default_factory=dict)
    noticed: set[str] = field(default_factory=set)


@dataclass
class _Ready:
    """A file that may be handed over, in the order of `rank`."""

    folder: _Folder
    name: str
    rank: tuple[int, str]
    identity: Identity


class InboxWatcher:
    """Calls `submit(inbox, paths)` once for every complete file, older files first.

    The files of an inbox that is bound to a package are handed over together, once all of them
    are complete; so is a folder of them.

    Events only say that it is time to look; every decision comes from listing the folder. A
    file is handed over again only after it changed or was away, and never while `is_busy`.
    `expect` is called when a file begins to settle.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        *,
        submit: Submit,
        is_busy: IsBusy,
        notice: Notice,
        folder_events: FolderEvents,
        expect: Callable[[], object] = lambda: None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._submit = submit
        self._is_busy = is_busy
        self._notice = notice
        self._folder_events = folder_events
        self._expect = expect
        self._folders: dict[str, _Folder] = {}
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the folders, and hand over what arrived while nobody watched."""
        self._thread = threading.Thread(target=self._run, name="inboxes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hand over nothing more."""
        self._is_stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def apply(self, settings: Settings) -> None:
        """Put other settings in force: inboxes appear and disappear."""
        with self._lock:
            self._settings = settings
            self._arrange()
        self._wake.set()

    def rescan(self) -> int:
        """Look at every inbox now; how many files were handed over."""
        with self._lock:
            self._arrange()
            return self._look()[0]

    def _run(self) -> None:
        next_rescan = time.monotonic()
        while not self._is_stopped:
            due = self._settings.watch.rescan_seconds
            try:
                with self._lock:
                    if time.monotonic() >= next_rescan:
                        self._arrange()
                        next_rescan = time.monotonic() + due
                    due = self._look()[1]
            except Exception:
                _LOGGER.exception("Looking at the inboxes failed.")
            until_rescan = next_rescan - time.monotonic()
            if self._wake.wait(max(0.0, min(due, until_rescan))) and not self._is_stopped:
                time.sleep(_DEBOUNCE_S)
                self._wake.clear()

    def _arrange(self) -> None:
        """Make, watch and forget folders as the settings say."""
        wanted = {inbox.name: inbox for inbox in self._settings.inboxes}
        for name in self._folders.keys() - wanted.keys():
            self._folder_events.unwatch(self._folders.pop(name).path)
        for name, inbox in wanted.items():
            folder = self._folders.setdefault(name, _Folder(inbox, self._home.inbox(name)))
            folder.inbox = inbox
            try:
                self._make(folder)
            except OSError as error:
                self._tell(folder, "", f"The inbox {folder.path} can't be used: {error.strerror}.")

    def _make(self, folder: _Folder) -> None:
        for path in (folder.path, *(folder.path / name for name in BESIDE)):
            path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        inode = folder.path.stat().st_ino
        if inode != folder.inode:
            folder.inode = inode
            self._folder_events.watch(folder.path, self._wake.set)
        folder.noticed.discard("")

    def _look(self) -> tuple[int, float]:
        """Hand over what is complete; how many files, and seconds until the next look is due."""
        found, due = 0, self._settings.watch.rescan_seconds
        ready: list[_Ready] = []
        for folder in self._folders.values():
            complete, wait = self._examine(folder)
            ready += complete
            due = min(due, wait)
        for group in _grouped(ready):
            if self._is_stopped:
                break
            jobs = self._hand_over(group)
            found += len(group) if jobs else 0
            if jobs is None:
                due = min(due, _BLOCKED_S)
        return found, due

    def _examine(self, folder: _Folder) -> tuple[list[_Ready], float]:
        """Complete files of one inbox, and seconds until another one may be complete."""
        statuses = self._list(folder)
        for known in (folder.seen, folder.submitted, folder.blocked_until):
            for name in [name for name in known if name.split("/")[0] not in statuses]:
                del known[name]
        ready: list[_Ready] = []
        settling: list[tuple[int, str]] = []
        due = self._settings.watch.rescan_seconds
        is_waiting = False
        for name, status in statuses.items():
            inside = self._inside(folder, name, status)
            identity = Identity.of(status)
            if inside is not None:
                identity = identity_of_all(status, inside)
            if folder.submitted.get(name) == identity:
                continue
            rank = (status.st_mtime_ns, name)
            wait, is_settling = self._judge_all(
                folder, {name: status} if inside is None else inside
            )
            if wait > 0:
                due, is_waiting = min(due, wait), is_waiting or inside is None
                if is_settling:
                    settling.append(rank)
            else:
                ready.append(_Ready(folder, name, rank, identity))
        if folder.inbox.package and is_waiting:
            return [file for file in ready if (folder.path / file.name).is_dir()], due
        # Of files that arrive together, an older one that is not complete yet goes first.
        first = min(settling, default=None)
        return [file for file in ready if first is None or file.rank < first], due

    def _inside(
        self, folder: _Folder, name: str, status: os.stat_result
    ) -> dict[str, os.stat_result] | None:
        """The files in a folder that a package's inbox takes as one; None for anything else.

        There are none while something in it can't be taken.
        """
        if not (folder.inbox.package and stat.S_ISDIR(status.st_mode)):
            return None
        try:
            with os.scandir(folder.path / name) as entries:
                kept = [entry for entry in entries if not self._is_ignored(entry.name)]
                found = {f"{name}/{entry.name}": self._taken(folder, entry) for entry in kept}
        except OSError:
            # Gone between listing and looking.
            return {}
        taken = {each: status for each, status in found.items() if status is not None}
        return taken if len(taken) == len(found) else {}

    def _judge_all(
        self, folder: _Folder, statuses: dict[str, os.stat_result]
    ) -> tuple[float, bool]:
        """As `_judge` for files that are complete together; an empty folder is waited for."""
        waits = [self._judge(folder, name, status) for name, status in statuses.items()]
        if not waits:
            return self._settings.watch.rescan_seconds, False
        return max(wait for wait, _ in waits), any(is_settling for _, is_settling in waits)

    def _judge(self, folder: _Folder, name: str, status: os.stat_result) -> tuple[float, bool]:
        """Seconds until the file may be complete, and whether later files wait for it."""
        now = time.monotonic()
        blocked = folder.blocked_until.get(name, 0.0) - now
        if blocked > 0:
            return blocked, False
        if stat.S_ISDIR(status.st_mode):
            # It will never be a file, so there is nothing to wait for.
            return 0.0, False
        seen = folder.seen.get(name)
        if seen is None or not seen.shows(status):
            seen = Sighting(Identity.of(status), status.st_ctime_ns, now)
            folder.seen[name] = seen
            if status.st_size:
                self._expect()
        settle = self._settings.watch.settle_seconds
        wait = seconds_left(seen, settle, now, clock.now().timestamp())
        if wait > 0:
            return wait, status.st_size > 0
        match writers_of(folder.path / name):
            case Writers.NONE:
                return 0.0, False
            case Writers.SOME:
                return _BLOCKED_S, False
            case Writers.UNKNOWN:
                return unsure_seconds_left(seen, settle, now), True

    def _hand_over(self, group: Sequence[_Ready]) -> int | None:
        """How many jobs were begun for files; None where they can't be taken now."""
        folder, paths = group[0].folder, [file.folder.path / file.name for file in group]
        try:
            if any(self._is_busy(path) for path in paths):
                for file in group:
                    folder.blocked_until[file.name] = time.monotonic() + _BLOCKED_S
                return None
            jobs = self._submit(folder.inbox, paths)
        except Exception as error:
            # Files that can't be handed over must not hold up the others.
            if not isinstance(error, DataportError):
                _LOGGER.exception("Handing over %s failed.", paths)
            again = time.monotonic() + self._settings.watch.rescan_seconds
            for file in group:
                self._tell(folder, file.name, f"{file.name} can't be taken: {error}")
                folder.blocked_until[file.name] = again
            return None
        for file in group:
            folder.submitted[file.name] = file.identity
            folder.noticed.discard(file.name)
        return jobs

    def _list(self, folder: _Folder) -> dict[str, os.stat_result]:
        """Files and folders that are not ignored, by name; the job of a folder says that it is one."""
        statuses: dict[str, os.stat_result] = {}
        try:
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    status = self._taken(folder, entry)
                    if status is not None:
                        statuses[entry.name] = status
        except OSError as error:
            self._tell(folder, ".", f"The inbox {folder.path} can't be read: {error.strerror}.")
        return statuses

    def _taken(self, folder: _Folder, entry: os.DirEntry[str]) -> os.stat_result | None:
        if self._is_ignored(entry.name):
            return None
        if not is_text(entry.name):
            self._tell(
                folder, entry.name, f"{legible(entry.name)} has a name that is no text; rename it."
            )
            return None
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            # Gone between listing and asking.
            return None
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            return status
        self._tell(
            folder,
            entry.name,
            f"{entry.name} is a link or special file; only files are read. Put the file itself"
            " here.",
        )
        return None

    def _is_ignored(self, name: str) -> bool:
        folded = name.lower()
        if folded.endswith(SIDECAR):
            return True
        patterns = self._settings.watch.ignore
        return any(fnmatch.fnmatchcase(folded, pattern.lower()) for pattern in patterns)

    def _tell(self, folder: _Folder, name: str, text: str) -> None:
        """Say `text` once for this name."""
        if name not in folder.noticed:
            folder.noticed.add(name)
            _LOGGER.warning("Inbox %s: %s", folder.inbox.name, text)
            self._notice(folder.inbox.name, text)


def _grouped(ready: Iterable[_Ready]) -> list[list[_Ready]]:
    """Files that are handed over together, older ones first: those of a package, but for folders."""
    groups: dict[tuple[str, str], list[_Ready]] = {}
    for file in sorted(ready, key=lambda each: each.rank):
        inbox = file.folder.inbox
        is_alone = not inbox.package or (file.folder.path / file.name).is_dir()
        groups.setdefault((inbox.name, file.name if is_alone else ""), []).append(file)
    return list(groups.values())
