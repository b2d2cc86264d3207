"""Where the daemon of a home listens, and whether one runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.core.errors import NoDaemonError

if TYPE_CHECKING:
    from dataport.core.paths import Home


def start_log(home: Home) -> Path:
    """What a daemon that was started in the background wrote to stderr."""
    return home.logs / "daemon-start.log"


def socket_paths(home: Home) -> list[Path]:
    """Sockets to try: the one the daemon wrote down, then the one this environment derives.

    They differ when daemon and client have different runtime directories (cron, sudo, ssh).
    """
    paths = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        paths.append(Path(home.socket_pointer.read_text(encoding="utf-8").strip()))
    if home.socket not in paths:
        paths.append(home.socket)
    return paths


def open_socket(home: Home, timeout_s: float | None) -> socket.socket:
    """A connection to the daemon of `home`. Raises NoDaemonError `no-daemon`."""
    reason = ""
    for path in socket_paths(home):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            reason = error.strerror or str(error)
        else:
            return connection
    raise NoDaemonError(
        "no-daemon",
        f"No daemon runs for {home.root}.",
        f"{reason}." if reason else "",
        "Start it with `dataport daemon start`.",
    )


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file `path`: a daemon that starts, runs or drains."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
