from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path

import pytest

from dataport.core.errors import InputError, StateError, error_from_dict
from dataport.daemon.lifecycle import (
    InstanceLock,
    Lifecycle,
    State,
    write_startup_error,
)
from tests.daemon.support import make_home


def test_the_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    with InstanceLock(path):
        assert path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(StateError) as caught, InstanceLock(path):
            pass
    assert caught.value.code == "daemon-already-running"
    assert str(os.getpid()) in caught.value.detail
    with InstanceLock(path):
        pass


def test_a_client_that_looks_whether_a_daemon_runs_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    release = threading.Timer(0.1, os.close, [descriptor])
    release.start()
    with InstanceLock(path):
        release.join()


def test_a_daemon_goes_from_starting_to_ready_to_draining() -> None:
    lifecycle = Lifecycle()
    states = [lifecycle.state]
    lifecycle.ready()
    states.append(lifecycle.state)
    lifecycle.drain()
    lifecycle.drain()
    lifecycle.wait_for_drain()
    lifecycle.ready()
    states.append(lifecycle.state)
    assert states == [State.STARTING, State.READY, State.DRAINING]


def test_an_error_at_start_is_left_for_the_client(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    write_startup_error(home, InputError("newer-store", "The store is newer.", "v9", "Upgrade."))
    document = json.loads(home.startup_error.read_text())
    error = error_from_dict(document["error"], document["status"])
    assert (type(error), error.code, error.hint) == (InputError, "newer-store", "Upgrade.")
