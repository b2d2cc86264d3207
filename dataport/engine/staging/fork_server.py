"""The process whose copies read files: `python -m dataport.engine.staging.fork_server`.

It loads what every worker needs and waits on standard input, a Unix socket. A message is the path
of a request, with two pipes: the worker's standard output, and one that tells its process id and,
in the end, its exit code, each as a `NUMBER`. It ends when the socket is closed.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path

from dataport.engine.staging import limits
from dataport.engine.staging.worker import work

MODULE = "dataport.engine.staging.fork_server"

NUMBER = struct.Struct("=q")

LONGEST = 65_536
"""Bytes of a message."""


def main() -> None:
    """Fork workers until nobody wants any more."""
    os.umask(0o077)
    _load()
    control = socket.socket(fileno=os.dup(0))
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    statuses: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, LONGEST)
            _report(statuses)
        if control.fileno() in ready:
            message, pipes, _, _ = socket.recv_fds(control, LONGEST, 2)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                _become_worker(Path(os.fsdecode(message)), *pipes)
            output, statuses[pid] = pipes
            os.close(output)


def _load() -> None:
    """Load what every file needs, and be fit to be copied after it."""
    import duckdb
    import phonenumbers  # noqa: F401 - needed by most lists of people, and slow to load
    import pyarrow as pa  # noqa: F401 - needed by most files, and slow to load

    from dataport.engine.staging import looking, stager  # noqa: F401 - loaded for what they import

    # The database that comes with the library has a thread, which no copy would have.
    duckdb.default_connection().close()
    # What is loaded is never collected: looking at it would copy its pages into every worker.
    gc.freeze()


def _report(statuses: dict[int, int]) -> None:
    """Tell the exit codes of the workers that have ended."""
    for pid in list(statuses):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            told = statuses.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(told, NUMBER.pack(os.waitstatus_to_exitcode(status)))
            os.close(told)


def _become_worker(request: Path, output: int, status: int) -> None:
    """Work on `request` as a process of its own, and end."""
    server = os.getppid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.dup2(output, 1)
    os.write(status, NUMBER.pack(os.getpid()))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Nothing of the server's and its other workers' stays open.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    code = 1
    try:
        limits.die_with_parent(server)
        code = work(request)
        sys.stdout.flush()
    finally:
        # Nothing is left to save; unloading the libraries would only cost time.
        os._exit(code)


if __name__ == "__main__":
    main()
