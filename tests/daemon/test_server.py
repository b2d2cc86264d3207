from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from dataport.client.api import Client
from dataport.core.errors import NoDaemonError
from dataport.daemon.server import OwnerOnlyProtocol, bind_socket, peer_uid
from tests.daemon.support import make_home, served


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    """SEC-01"""
    path = tmp_path / "s"
    with bind_socket(path):
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600


def test_a_socket_that_was_left_over_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with bind_socket(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_the_other_end_of_a_socket_is_known() -> None:
    """SEC-01"""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_uid(ours) == os.getuid()


def test_another_user_is_not_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-01"""
    home = make_home(tmp_path)
    with served(home):
        assert Client(home, start=False).get("/v1/hello")
        monkeypatch.setattr(OwnerOnlyProtocol, "owner", os.getuid() + 1)
        with pytest.raises(NoDaemonError) as caught:
            Client(home, start=False).get("/v1/hello")
    assert caught.value.code == "daemon-lost"
    assert f"user {os.getuid()} was refused" in caplog.text
