"""Starting worker processes, one ahead of time when a file is about to be complete.

A worker loads its libraries, then waits for the path of its request on standard input. It reads
one file and ends: nothing of one file is left when the next is read.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

Worker = subprocess.Popen[bytes]

PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT"),
    "DATAPORT_CHECK_STEPS",
)
"""Environment variables a worker sees; no secret is among them."""

SPARE_S = 20.0
"""How long a worker that nobody needed is kept."""


def spawn() -> Worker:
    """A worker that waits for its request."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "dataport.engine.staging.worker", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment | {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def kill(worker: Worker) -> None:
    """End the worker and whatever it started; harmless when it has ended."""
    if worker.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    if worker.stdin is not None:
        with contextlib.suppress(OSError):
            worker.stdin.close()


class Spare:
    """At most one worker in waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._timer: threading.Timer | None = None

    def prepare(self) -> None:
        """Start a worker for a file that will come within seconds, unless one waits already."""
        with self._lock:
            if self._worker is not None and self._worker.poll() is None:
                return
            self._worker = spawn()
            self._timer = threading.Timer(SPARE_S, self.dismiss)
            self._timer.daemon = True
            self._timer.start()

    def take(self) -> Worker:
        """The worker in waiting, or a new one."""
        with self._lock:
            worker = self._release()
        return worker if worker is not None and worker.poll() is None else spawn()

    def dismiss(self) -> None:
        """End the worker in waiting."""
        with self._lock:
            worker = self._release()
        if worker is not None:
            kill(worker)

    def _release(self) -> Worker | None:
        worker, self._worker = self._worker, None
        if self._timer is not None:
            self._timer.cancel()
        return worker


SPARE = Spare()
"""The process's own worker in waiting."""
