"""What makes one daemon of a home: its lock, its state, and the way to its end."""

from __future__ import annotations

import fcntl
import json
import os
import queue
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dataport.core.errors import DataportError, StateError
from dataport.core.files import write_whole

if TYPE_CHECKING:
    from dataport.core.paths import Home

_LOCK_PATIENCE_S = 0.5
_POLL_S = 0.02


class State(StrEnum):
    """Where a daemon is between start and end."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Lifecycle:
    """The daemon's state, and the request that it end. Safe from threads and signal handlers."""

    def __init__(self) -> None:
        self._state = State.STARTING
        # A SimpleQueue, because a signal handler may interrupt any lock of our own.
        self._end: queue.SimpleQueue[None] = queue.SimpleQueue()

    @property
    def state(self) -> State:
        return self._state

    def ready(self) -> None:
        """Leave `starting`; a daemon that already drains goes on draining."""
        if self._state is State.STARTING:
            self._state = State.READY

    def drain(self) -> None:
        """Ask the daemon to end in order. Asking again changes nothing."""
        self._state = State.DRAINING
        self._end.put(None)

    def wait_for_drain(self) -> None:
        """Block until somebody asks for the end."""
        self._end.get()


class InstanceLock:
    """The flock that makes a daemon the only one of its home.

    Held for life and never unlinked; the kernel lets go of it however the process dies. The pid
    inside is for people to read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _take(self, descriptor: int) -> None:
        # Patience, because clients that look whether a daemon runs hold a shared lock meanwhile.
        deadline = time.monotonic() + _LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._held(descriptor) from None
                time.sleep(_POLL_S)
            else:
                return

    def _held(self, descriptor: int) -> StateError:
        pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        return StateError(
            "daemon-already-running",
            f"A daemon already runs for {self._path.parent.parent}.",
            f"Its process is {pid}." if pid else "",
            "Use it, or stop it first with `dataport daemon stop`.",
        )


def write_startup_error(home: Home, error: DataportError) -> None:
    """Leave `error` with its HTTP status, written whole or not at all."""
    document = {"status": error.http_status, "error": error.as_dict()}
    write_whole(home.startup_error, json.dumps(document).encode())
