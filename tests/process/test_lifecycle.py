"""One daemon for each home: started by whoever comes first, ended in order, replaced after death."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.client import start
from dataport.client.api import Client
from dataport.client.locate import is_locked
from dataport.client.start import daemon_state, stop_daemon
from dataport.core.errors import DataportError, NoDaemonError, UsageError
from dataport.core.paths import Home
from tests.daemon.support import STANDIN, daemon_process, make_home, until

COME = """
import sys
from dataport.client import start
from dataport.client.api import Client
from dataport.core.paths import Home
start.DAEMON = (sys.executable, sys.argv[1])
print(Client(Home.at(sys.argv[2])).get("/v1/hello")["instance"])
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home whose clients start the stand-in daemon; none runs afterwards."""
    monkeypatch.setattr(start, "DAEMON", (sys.executable, str(STANDIN)))
    made = make_home(tmp_path)
    yield made
    stop_daemon(made)
    for child in start._started:
        child.wait()


def engine_log(home: Home) -> list[str]:
    return (home.run / "engine.log").read_text().split()


def test_twenty_racing_clients_start_one_daemon(home: Home) -> None:
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", COME, STANDIN, home.root], stdout=subprocess.PIPE, text=True
        )
        for _ in range(20)
    ]
    instances = [client.communicate()[0].strip() for client in clients]
    assert [client.returncode for client in clients] == [0] * 20
    assert len(set(instances)) == 1
    assert engine_log(home) == ["open"]


def test_a_daemon_outlives_the_client_that_started_it(home: Home) -> None:
    come = [sys.executable, "-c", COME, str(STANDIN), str(home.root)]
    instance = subprocess.run(come, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    assert Client(home, start=False).get("/v1/hello")["instance"] == instance


def test_sigterm_ends_the_daemon_in_order(home: Home) -> None:
    with daemon_process(home) as daemon:
        assert home.socket.exists()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait() == 0
    assert engine_log(home) == ["open", "close"]
    assert not home.socket.exists()
    assert not home.socket_pointer.exists()
    assert home.daemon_lock.exists()
    assert not is_locked(home.daemon_lock)


def test_a_stopped_daemon_has_left_and_stopping_again_finds_none(home: Home) -> None:
    with daemon_process(home) as daemon:
        assert stop_daemon(home)
        assert daemon.wait() == 0
    assert not stop_daemon(home)


def test_open_event_streams_do_not_keep_a_daemon(home: Home) -> None:
    with daemon_process(home) as daemon:
        stream = Client(home, start=False).events()
        daemon.send_signal(signal.SIGTERM)
        assert [event.kind for event in stream] == ["daemon"]
        assert daemon.wait() == 0


def test_after_kill_9_the_next_client_gets_a_new_daemon(home: Home) -> None:
    with daemon_process(home) as daemon:
        before = Client(home).get("/v1/hello")["instance"]
        daemon.kill()
        daemon.wait()
    assert home.socket.exists()
    assert Client(home).get("/v1/hello")["instance"] != before
    assert engine_log(home) == ["open", "open"]


def test_a_second_daemon_is_refused_and_the_first_goes_on(home: Home) -> None:
    with daemon_process(home) as daemon:
        second = subprocess.run(
            [sys.executable, STANDIN, "--home", home.root],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"Its process is {daemon.pid}." in second.stderr
        assert Client(home, start=False).get("/v1/hello")["pid"] == daemon.pid
    assert engine_log(home) == ["open"]


def test_a_second_signal_means_now(home: Home) -> None:
    (home.run / "slow-stop").touch()
    with daemon_process(home) as daemon:
        daemon.send_signal(signal.SIGTERM)
        until(lambda: daemon_state(home) == "draining")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait() == 128 + signal.SIGTERM
    (home.run / "slow-stop").unlink()
    assert Client(home).get("/v1/hello")["state"] == "ready"


def test_who_comes_while_a_daemon_drains_gets_the_next_one(home: Home) -> None:
    slow = home.run / "slow-stop"
    slow.touch()
    with daemon_process(home) as daemon:
        daemon.send_signal(signal.SIGTERM)
        until(lambda: daemon_state(home) == "draining")
        release = threading.Timer(0.2, slow.unlink)
        release.start()
        # Nothing was done by the daemon that refused, so that the order may go to the next.
        with pytest.raises(DataportError, match="no POST /v1/nothing"):
            Client(home).post("/v1/nothing")
        release.join()
        assert daemon.wait() == 0
    assert engine_log(home) == ["open", "close", "open"]


def test_what_keeps_a_daemon_from_starting_is_told_to_the_client(home: Home) -> None:
    refused = home.run / "refuse.json"
    error = {"code": "store-newer", "title": "The store is newer.", "detail": "9 > 1", "hint": "Up"}
    refused.write_text(json.dumps(error))
    with pytest.raises(DataportError) as caught:
        Client(home).get("/v1/status")
    assert caught.value.as_dict() == error
    refused.unlink()
    assert Client(home).get("/v1/status")["state"] == "ready"
    assert not (home.run / "startup-error.json").exists()


def test_a_daemon_that_dies_without_a_word_is_told_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (sys.executable, "-c", "raise SystemExit('no such thing')")
    monkeypatch.setattr(start, "DAEMON", program)
    with pytest.raises(NoDaemonError) as caught:
        Client(home).get("/v1/status")
    assert caught.value.code == "daemon-failed"
    assert caught.value.detail == "no such thing"


def test_a_broken_config_is_told_with_file_key_and_nearest_word(home: Home) -> None:
    home.config_file.write_text("[wach]\n")
    with pytest.raises(UsageError) as caught:
        Client(home).get("/v1/status")
    assert caught.value.code == "unknown-key"
    assert str(home.config_file) in caught.value.title
    assert "watch" in caught.value.hint


def test_a_broken_config_leaves_the_last_good_one_in_force(home: Home) -> None:
    with daemon_process(home) as daemon:
        home.config_file.write_text("[wach]\n")
        client = Client(home, start=False)
        until(lambda: client.get("/v1/status")["config_error"])
        daemon.terminate()
        daemon.wait()
    status = Client(home).get("/v1/status")
    assert status["state"] == "ready"
    assert status["config_error"]["code"] == "unknown-key"


def test_a_foreign_socket_is_replaced(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(home.socket))
    with daemon_process(home):
        assert Client(home, start=False).get("/v1/hello")["state"] == "ready"


def test_another_runtime_directory_finds_the_same_daemon(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon_process(home) as daemon:
        elsewhere = tmp_path / "x"
        elsewhere.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(elsewhere))
        assert Client(home, start=False).get("/v1/hello")["pid"] == daemon.pid


def test_what_the_daemon_writes_is_private(home: Home) -> None:
    """SEC-10"""
    with daemon_process(home):
        written = [home.socket, *home.run.iterdir(), *home.logs.iterdir()]
        modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in written}
    assert "daemon.log" in modes
    assert {mode & 0o077 for mode in modes.values()} == {0}
