"""`kill -9` of the daemon at any moment of an import: committed exactly once (principle 4, A20)."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from dataport.client.api import Client
from dataport.client.start import stop_daemon
from dataport.core.errors import DataportError
from dataport.core.paths import Home
from dataport.core.settings import Inbox
from dataport.engine.catalog.load import load_datasets
from dataport.engine.homes import create_home
from dataport.engine.inboxes import add_inbox

ROWS = 20_000
MOMENTS = 30
LONGEST_S = 1.6
"""An import of so many rows takes about as long, from the drop to the move into `.done`."""
DEADLINE_S = 60.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    create_home(home)
    inbox = Inbox(name="crm", dataset="leads", source="crm")
    add_inbox(home, load_datasets([home.datasets]), {}, inbox)
    return home


@pytest.mark.timeout(600)
def test_a_killed_daemon_commits_each_file_exactly_once(home: Home, tmp_path: Path) -> None:
    for moment in range(MOMENTS):
        with Client(home) as client:
            pid = client.get("/v1/status")["pid"]
        drop(home, tmp_path, moment)
        time.sleep(LONGEST_S * moment / (MOMENTS - 1))
        os.kill(pid, signal.SIGKILL)
        with Client(home) as client:
            settle(client, home, moment)
            commits = client.get("/v1/commits")["items"]
            total = client.get("/v1/datasets/leads/rows", limit=0)["total"]
        assert len(commits) == moment + 1, f"killed after {moment} of {MOMENTS} parts"
        assert total == ROWS * (moment + 1)
        assert {item["changes"]["inserted"] for item in commits} == {ROWS}
    stop_daemon(home)


def drop(home: Home, directory: Path, number: int) -> None:
    """A file of leads that no other file has, put into the inbox at once."""
    path = directory / f"leads-{number}.csv"
    lines = [f"L{number}-{row},Lead {row},u{number}-{row}@example.org" for row in range(ROWS)]
    path.write_text("\n".join(["lead_id,name,email", *lines, ""]), encoding="utf-8")
    partial = home.inbox("crm") / f".{path.name}.part"
    shutil.copyfile(path, partial)
    partial.rename(home.inbox("crm") / path.name)


def settle(client: Client, home: Home, number: int) -> None:
    """Wait until the file has left the inbox and nothing is under way."""
    inbox = home.inbox("crm")
    done = inbox / ".done" / f"leads-{number}.csv"
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            running = client.get("/v1/status")["running"]
        except DataportError:
            continue
        if done.exists() and not running:
            assert not (inbox / done.name).exists()
            return
        time.sleep(0.05)
    raise AssertionError(f"{done.name} was not imported in time")
