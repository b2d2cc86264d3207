"""A home of its own with the real daemon, driven by the real command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataport.core.paths import Home

DATAPORT = Path(sys.executable).with_name("dataport")
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    document: Any
    stderr: str


@dataclass(frozen=True)
class World:
    """A home and the command that works on it."""

    home: Home

    def run(self, *words: str) -> Done:
        """Run `dataport --json WORDS` and read its document."""
        done = subprocess.run(
            [DATAPORT, "--home", str(self.home.root), "--json", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        document = json.loads(done.stdout) if done.stdout.strip() else None
        return Done(done.returncode, document, done.stderr)

    def ok(self, *words: str) -> Any:
        """The document of a command that must succeed."""
        done = self.run(*words)
        assert done.code == 0, (words, done)
        return done.document

    def send(self, path: Path, *words: str, source: str = "crm") -> Any:
        """Import a file of leads."""
        return self.ok("import", str(path), "--dataset", "leads", "--source", source, *words)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Rows of leads, by id."""
        rows: list[dict[str, Any]] = self.ok("rows", "leads", "--sort", "lead_id", *words)["rows"]
        return rows

    def log(self) -> list[dict[str, Any]]:
        """The log, newest first."""
        items: list[dict[str, Any]] = self.ok("log")["items"]
        return items

    def wait(self, what: Callable[[], Any]) -> Any:
        """The first truthy value of `what`, asked again until a deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = what()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("it did not come about in time")

    def wait_jobs(self, number: int) -> list[dict[str, Any]]:
        """The jobs, newest first, once `number` of them have ended."""

        def ended() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = self.ok("jobs", "list")["items"]
            done = all(job["status"] in ("completed", "failed", "cancelled") for job in items)
            return items if done and len(items) >= number else []

        found: list[dict[str, Any]] = self.wait(ended)
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home = Home.at(tmp_path / "home")
    world = World(home)
    world.ok("init")
    yield world
    world.run("daemon", "stop")


@pytest.fixture
def inbox(world: World) -> Path:
    """An inbox for leads of the source crm."""
    added = world.ok("inboxes", "add", "crm", "--dataset", "leads", "--source", "crm")
    return Path(added["path"])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file outside the home."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A home in Berlin, whose phone numbers are British: one for all files."""
    home = Home.at(tmp_path_factory.mktemp("sources") / "home")
    world = World(home)
    world.ok("init")
    text = home.config_file.read_text(encoding="utf-8")
    text = text.replace('#timezone = "UTC"', 'timezone = "Europe/Berlin"')
    home.config_file.write_text(text.replace('#region = "US"', 'region = "GB"'), encoding="utf-8")
    yield world
    world.run("daemon", "stop")


@pytest.fixture
def clean(abroad: World) -> Iterator[World]:
    """The home without what the test before brought."""
    yield abroad
    for item in abroad.ok("datasets")["items"]:
        if item["rows"]:
            abroad.ok("bulk", "delete", item["name"], "--where", "true")


def counts(job: Any) -> tuple[str, str, int, int]:
    """Mapping, source, rows taken and rejected."""
    return job["mapping"], job["source"], job["rows"]["valid"], job["rows"]["rejected"]
