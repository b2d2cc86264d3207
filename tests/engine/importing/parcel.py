"""A home whose package has three datasets in a row, and imports of it as the daemon makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import JobKind, JobStatus, Origin
from dataport.engine.engine import Engine
from dataport.engine.homes import create_home
from dataport.engine.jobs import Job
from dataport.engine.requests import ImportRequest
from tests.engine.importing.working import work

NAMES = ("users", "tickets", "notes")

DEFINITIONS = {
    "users": 'fields = [{ name = "email", constraints = { maxLength = 9 } }, { name = "name" }]',
    "tickets": """
fields = [{ name = "id" }, { name = "owner" }, { name = "part_of" }, { name = "text" }]
foreignKeys = [
    { fields = ["owner"], reference = { resource = "users", fields = ["email"] }, onMissing = "WAY" },
    { fields = ["part_of"], reference = { resource = "tickets", fields = ["id"] }, onMissing = "WAY" },
]
""",
    "notes": """
fields = [{ name = "id" }, { name = "ticket" }, { name = "author" }, { name = "text" }]
foreignKeys = [
    { fields = ["ticket"], reference = { resource = "tickets", fields = ["id"] }, onMissing = "WAY" },
    { fields = ["author"], reference = { resource = "users", fields = ["email"] }, onMissing = "WAY" },
]
""",
}
"""Notes refer to tickets and users, tickets to users and to other tickets."""

PACKAGE = 'name = "desk"\nmembers = [{ dataset = "notes" }, { dataset = "tickets" }, { dataset = "users" }]'

Files = Mapping[str, str]
"""The text of a CSV file for each dataset."""


def define(home: Home, way: str) -> None:
    """Write the definitions, whose references that lead nowhere fare as `way` says."""
    create_home(home)
    for name, text in DEFINITIONS.items():
        key = "email" if name == "users" else "id"
        head = f'name = "{name}"\nprimaryKey = ["{key}"]\n'
        path = home.datasets / f"{name}.toml"
        path.write_text(head + text.replace("WAY", way), encoding="utf-8")
    (home.packages / "desk.toml").write_text(PACKAGE, encoding="utf-8")


@contextmanager
def parcels(home: Home, way: str, settings: Settings | None = None) -> Iterator[Parcels]:
    """An open home with those definitions."""
    define(home, way)
    engine = Engine.open(home, settings or Settings())
    try:
        yield Parcels(engine)
    finally:
        engine.close()


class Parcels:
    """Sends files to the package `desk`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sent = 0

    def send(self, files: Files, source: str = "crm", **asked: Any) -> Job:
        """Import files together; in the order given."""
        folder = self._write(files)
        paths = tuple(str(folder / f"{name}.csv") for name in files)
        return self.ask(ImportRequest(paths=paths, package="desk", source=source, **asked))

    def send_each(self, files: Files, source: str = "crm", **asked: Any) -> list[Job]:
        """Import the same files one by one, those that others refer to first."""
        folder = self._write(files)
        return [
            self.ask(
                ImportRequest(
                    path=str(folder / f"{name}.csv"), dataset=name, source=source, **asked
                )
            )
            for name in NAMES
            if name in files
        ]

    def ask(self, request: ImportRequest) -> Job:
        """Let a new job do its work."""
        return self.work(self.engine.jobs.create(JobKind.IMPORT, request))

    def approve(self, job: Job) -> Job:
        """Let a waiting job go on."""
        assert job.status is JobStatus.WAITING
        return self.work(job, is_approved=True)

    def work(self, job: Job, *, is_approved: bool = False) -> Job:
        """Do what the daemon does for a job."""
        return work(self.engine, job, is_approved=is_approved)

    def rows(self, dataset: str) -> dict[str, tuple[Any, ...]]:
        """The stored rows: by the first field, the others."""
        found = json.loads(self.engine.rows(self.engine.selection(dataset)))["rows"]
        rows = [tuple(row.values()) for row in found]
        return {row[0]: row[1:] for row in rows}

    def store(self) -> dict[str, dict[str, tuple[Any, ...]]]:
        """All of it."""
        return {name: self.rows(name) for name in NAMES}

    def undo(self, commit: int | None) -> dict[str, Any]:
        """Take a commit back."""
        return self.engine.timeline.undo(commit or 0, self.engine.author(Origin.CLI))

    def _write(self, files: Files) -> Path:
        self._sent += 1
        folder = self.engine.home.root.parent / f"parcel-{self._sent}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return folder
