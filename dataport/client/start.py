"""Starts the daemon of a home when none runs; however many clients try, one daemon comes up."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dataport.client.locate import is_locked, start_log
from dataport.client.transport import Transport
from dataport.core.errors import DataportError, NoDaemonError, UsageError, error_from_dict
from dataport.core.words import Origin

if TYPE_CHECKING:
    from dataport.core.paths import Home

DAEMON = (sys.executable, "-m", "dataport.daemon")
"""Command that hosts a daemon; `--home DIR` is added."""

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.015
_HELLO_TIMEOUT_S = 2.0

_started: list[subprocess.Popen[bytes]] = []
"""Daemons outlive their starter; kept so that none is reported as forgotten."""


def start_daemon(home: Home, timeout_s: float = START_TIMEOUT_S) -> None:
    """Return once the daemon of `home` is ready, starting it if need be.

    Raises UsageError `no-home`, the error the daemon itself failed to start with (a broken
    config, a store from a newer version), or NoDaemonError.
    """
    if not home.exists:
        raise UsageError(
            "no-home",
            f"There is no Dataport home at {home.root}.",
            hint=f"Make one with `dataport --home {home.root} init`.",
        )
    deadline = time.monotonic() + timeout_s
    home.run.mkdir(mode=0o700, exist_ok=True)
    with _startup_lock(home, deadline):
        _bring_up(home, deadline)


def stop_daemon(home: Home, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Stop the daemon of `home` and wait until it has left; whether one was running.

    Raises NoDaemonError `daemon-stays` if it still runs after `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    try:
        Transport(home, Origin.API).exchange("POST", "/v1/daemon/stop")
    except NoDaemonError as error:
        if error.code == "no-daemon" and not is_locked(home.daemon_lock):
            return False
    while is_locked(home.daemon_lock):
        if time.monotonic() > deadline:
            raise NoDaemonError(
                "daemon-stays",
                f"The daemon of {home.root} has not stopped yet.",
                hint="Wait for its jobs, or look into logs/daemon.log.",
            )
        time.sleep(_POLL_S)
    return True


def daemon_state(home: Home) -> str | None:
    """`starting`, `ready` or `draining`; None if nothing answers."""
    try:
        hello = Transport(home, Origin.API).exchange("GET", "/v1/hello", timeout_s=_HELLO_TIMEOUT_S)
    except DataportError:
        return None
    return str(hello.get("state")) if isinstance(hello, dict) else None


@contextlib.contextmanager
def _startup_lock(home: Home, deadline: float) -> Iterator[None]:
    """One starter at a time. The file stays: unlinking it would let two hold "the" lock."""
    descriptor = os.open(home.startup_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _give_up_at(home, deadline)
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _bring_up(home: Home, deadline: float) -> None:
    child: subprocess.Popen[bytes] | None = None
    while True:
        state = daemon_state(home)
        if state == "ready":
            return
        if child is not None and child.poll() is not None:
            # Another starter, such as systemd, may have won; its daemon is as good as ours.
            if not is_locked(home.daemon_lock):
                raise _startup_error(home, child.returncode)
            child = None
        if state is None and child is None and not is_locked(home.daemon_lock):
            child = _launch(home)
        _give_up_at(home, deadline)
        time.sleep(_POLL_S)


def _launch(home: Home) -> subprocess.Popen[bytes]:
    home.startup_error.unlink(missing_ok=True)
    home.logs.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(
        start_log(home), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
    )
    try:
        # A session of its own: closing the terminal does not end it. "/" keeps no volume busy.
        child = subprocess.Popen(
            [*DAEMON, "--home", str(home.root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    _started.append(child)
    return child


def _startup_error(home: Home, code: int) -> DataportError:
    try:
        document = json.loads(home.startup_error.read_bytes())
        return error_from_dict(document["error"], int(document["status"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = start_log(home).read_text(encoding="utf-8", errors="replace").splitlines()
    return NoDaemonError(
        "daemon-failed",
        f"The daemon of {home.root} could not start (exit code {code}).",
        "\n".join(lines[-5:]),
        f"Look into {start_log(home)} and {home.logs / 'daemon.log'}.",
    )


def _give_up_at(home: Home, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise NoDaemonError(
            "daemon-slow",
            f"The daemon of {home.root} is not ready yet.",
            "It may be upgrading or checking a large store.",
            "Try again in a minute, or look into logs/daemon.log.",
        )
