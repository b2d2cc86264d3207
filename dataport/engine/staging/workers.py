"""Starting worker processes from a fork server that has loaded their libraries already.

A worker reads one file and ends: nothing of one file is left when the next is read. The server
is small, has one thread and opens nothing, so that a copy of it is as good as a new process.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dataport.engine.staging.fork_server import MODULE, NUMBER

PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT"),
    "DATAPORT_CHECK_STEPS",
)
"""Environment variables a worker sees; no secret is among them."""

SETTINGS = {
    "PYTHONUTF8": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""What keeps the libraries of the server to one thread, which is all that a copy has."""

IDLE_S = 60.0
"""How long a server that nobody needs is kept."""

UNKNOWN = 1
"""Exit code of a worker whose server is gone, and itself with it."""


@dataclass(eq=False)
class Worker:
    """A process that reads one file."""

    request: Path
    pid: int
    stdout: IO[bytes]
    _status: IO[bytes] = field(repr=False)
    _code: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def has_ended(self, timeout: float = 0.0) -> bool:
        """Whether it has ended, or does so within `timeout` seconds."""
        # Somebody else may learn of its end, and close the pipe, meanwhile.
        with contextlib.suppress(ValueError):
            if self._code is None and select.select([self._status], [], [], timeout)[0]:
                self.wait()
        return self._code is not None

    def wait(self) -> int:
        """Its exit code, as of subprocess.Popen, once it has ended."""
        with self._lock:
            if self._code is None:
                told = self._status.read(NUMBER.size)
                self._code = NUMBER.unpack(told)[0] if len(told) == NUMBER.size else UNKNOWN
                self._status.close()
            return self._code


class Workers:
    """Starts workers, and the server that they are copies of where it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._running: set[Worker] = set()
        self._timer: threading.Timer | None = None

    def prepare(self) -> None:
        """Have a server: a file will come within seconds."""
        with self._lock:
            self._ready()

    def start(self, request: Path) -> Worker:
        """A worker that does what the file `request` says. Raises OSError where none starts.

        One that has delivered from the same directory may still tidy up there: it is ended first.
        """
        with self._lock:
            leaving = [worker for worker in self._running if worker.request == request]
        for each in leaving:
            self.end(each)
        with self._lock:
            worker = self._ready().fork(request)
            if worker is None:
                self._close()
                worker = self._ready().fork(request)
            if worker is None:
                raise OSError("no worker process starts")
            self._running.add(worker)
            return worker

    def end(self, worker: Worker) -> None:
        """End a worker and whatever it started; harmless when it has ended."""
        if not worker.has_ended():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        with self._lock:
            self._running.discard(worker)

    def dismiss(self) -> None:
        """End the server, and with it the workers that still run."""
        with self._lock:
            self._close()

    def _ready(self) -> _Server:
        if self._server is None or not self._server.is_alive():
            self._close()
            self._server = _Server()
        self._wind_up()
        return self._server

    def _wind_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(IDLE_S, self._retire)
        self._timer.daemon = True
        self._timer.start()

    def _retire(self) -> None:
        with self._lock:
            if self._running:
                self._wind_up()
            else:
                self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
        self._server, self._timer = None, None


class _Server:
    """The process behind `dataport.engine.staging.fork_server`, and the way to it."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment | SETTINGS,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def fork(self, request: Path) -> Worker | None:
        """A copy that works on `request`; None where the server is gone."""
        out, their_out = os.pipe()
        status, their_status = os.pipe()
        try:
            socket.send_fds(self._control, [os.fsencode(request)], [their_out, their_status])
        except OSError:
            os.close(out)
            os.close(status)
            return None
        finally:
            os.close(their_out)
            os.close(their_status)
        # Unbuffered: what is in a buffer would not be seen by select.
        told = os.fdopen(status, "rb", buffering=0)
        number = told.read(NUMBER.size)
        if len(number) < NUMBER.size:
            os.close(out)
            told.close()
            return None
        return Worker(request, NUMBER.unpack(number)[0], os.fdopen(out, "rb"), told)

    def close(self) -> None:
        """It ends when nobody holds the other end of its socket."""
        self._control.close()
        self._process.wait()


WORKERS = Workers()
"""The process's own workers."""
