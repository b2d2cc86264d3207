"""When a file is complete: nothing changed for a while, and nobody has it open for writing."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

EMPTY_S = 2.0
"""An empty file is usually about to be written."""

UNSURE_S = 2.0
"""How long a file must rest where the system does not tell who writes."""

_F_SETSIG = 10
"""Linux's fcntl command for the signal of a broken lease; Python has no name for it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Tells one state of a file from another; a folder is the same whatever lies in it."""

    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        if stat.S_ISDIR(status.st_mode):
            return cls(status.st_ino, 0, 0)
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class Writers(Enum):
    """Who has a file open for writing."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"
    """The system or the file system does not tell."""


def identity_of_all(folder: os.stat_result, files: Mapping[str, os.stat_result]) -> Identity:
    """Tells one state of a folder and of the files in it, by name, from another."""
    states = sorted((name, each.st_size, each.st_mtime_ns) for name, each in files.items())
    return Identity(folder.st_ino, sum(size for _, size, _ in states), hash(tuple(states)))


@dataclass(slots=True)
class Sighting:
    """One state of a file, and since when it has been seen so."""

    identity: Identity
    changed_ns: int
    """Time of the last change by the file system's clock; unlike the modification time, nobody
    can set it."""
    since: float
    """Monotonic seconds."""

    def shows(self, status: os.stat_result) -> bool:
        return self.changed_ns == status.st_ctime_ns and self.identity == Identity.of(status)


def seconds_left(seen: Sighting, settle_s: float, monotonic_s: float, wall_s: float) -> float:
    """How much longer the file has to rest; zero or less when it has rested enough.

    A change long ago by the file system's clock counts as rest, so that a file that was complete
    before it was first seen is not waited for again. So does a last writing long ago: a file that
    was written elsewhere and renamed into place is complete when it arrives.
    """
    rested = max(monotonic_s - seen.since, wall_s - seen.changed_ns / 1e9)
    if seen.identity.size == 0:
        return max(settle_s, EMPTY_S) - rested
    return settle_s - max(rested, wall_s - seen.identity.modified_ns / 1e9)


def unsure_seconds_left(seen: Sighting, settle_s: float, monotonic_s: float) -> float:
    """The same where nobody tells who writes: only what we saw ourselves counts.

    The clocks of network file systems are not ours.
    """
    return max(settle_s, UNSURE_S) - (monotonic_s - seen.since)


def writers_of(path: Path) -> Writers:
    """Whether any process has `path` open for writing.

    Linux grants a read lease on a file only while nobody does; the lease is given back at once.
    """
    setlease = getattr(fcntl, "F_SETLEASE", None)
    if setlease is None:
        return Writers.UNKNOWN
    try:
        # O_NONBLOCK, because the name may have become a pipe meanwhile.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return Writers.UNKNOWN
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Writers.UNKNOWN
        # A writer that comes right now breaks the lease; the usual signal would end the process.
        fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, setlease, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, setlease, fcntl.F_UNLCK)
    except OSError as error:
        return Writers.SOME if error.errno == errno.EAGAIN else Writers.UNKNOWN
    finally:
        os.close(descriptor)
    return Writers.NONE
