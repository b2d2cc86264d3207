"""A real daemon whose queue only writes down what it is given: no engine, no store.

Run as a program it takes the arguments of `python -m dataport.daemon`. In its home,
`run/refuse.json` makes it fail like an engine that can't open its store, `run/slow-stop` makes
it drain until that file is gone, `run/busy` names files whose job is open.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataport.core.errors import DataportError, NotFoundError, StoreError
from dataport.core.paths import Home
from dataport.core.settings import Inbox
from dataport.daemon.configuration import Configuration
from dataport.daemon.events import EventBroker
from dataport.daemon.lifecycle import Lifecycle
from dataport.daemon.main import run_daemon
from dataport.daemon.services import Services, compose


class StandinEngine:
    """Writes down that it was opened and closed."""

    def __init__(self, home: Home) -> None:
        self._journal = home.run / "engine.log"
        refused = home.run / "refuse.json"
        if refused.exists():
            raise StoreError(**json.loads(refused.read_text()))
        self._note("open")

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        with self._journal.open("a") as journal:
            journal.write(f"{what}\n")


class StandinJob:
    """A job of which only the document matters."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def document(self) -> dict[str, Any]:
        return self._document


class StandinQueue:
    """Writes down the files it is given, one JSON line each."""

    def __init__(self, home: Home, events: EventBroker) -> None:
        self._home = home
        self._events = events
        self._jobs = 0
        self.documents: dict[int, dict[str, Any]] = {}
        """What is known of each job; tests write it."""

    def get(self, number: int) -> StandinJob:
        if number not in self.documents:
            raise NotFoundError("unknown-job", f"There is no job {number}.")
        return StandinJob(self.documents[number])

    def start(self) -> None:
        self._jobs = len(submitted(self._home))

    def stop(self, deadline_s: float) -> None:
        deadline = time.monotonic() + deadline_s
        while (self._home.run / "slow-stop").exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    def expect_file(self) -> None:
        """Nothing is got ready here."""

    def submit_inbox_files(self, inbox: Inbox, paths: Sequence[Path]) -> int:
        return sum(self._submit(inbox, path) for path in paths)

    def _submit(self, inbox: Inbox, path: Path) -> bool:
        self._jobs += 1
        line = {"inbox": inbox.name, "name": path.name, "size": path.stat().st_size}
        with (self._home.run / "submitted.jsonl").open("a") as journal:
            journal.write(json.dumps(line) + "\n")
        self._events.publish("job", {"job": {"job": self._jobs, "status": "completed"}})
        return True

    def has_open_job_for(self, path: Path) -> bool:
        busy = self._home.run / "busy"
        return busy.exists() and path.name in busy.read_text().split()

    def running(self) -> list[dict[str, Any]]:
        return []

    def waiting_counts(self) -> dict[str, int]:
        return {"approvals": 0, "conflicts": 0, "mappings": 0, "rejects": 0}


def submitted(home: Home) -> list[dict[str, Any]]:
    """What the stand-in's queue was given so far."""
    try:
        lines = (home.run / "submitted.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def build(
    home: Home, configuration: Configuration, events: EventBroker, lifecycle: Lifecycle
) -> Services:
    return compose(
        home,
        configuration,
        events,
        lifecycle,
        engine=StandinEngine(home),
        queue=StandinQueue(home, events),
    )


def main() -> int:
    home = Home.at(sys.argv[sys.argv.index("--home") + 1])
    try:
        return run_daemon(home, "--foreground" in sys.argv, build)
    except DataportError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
