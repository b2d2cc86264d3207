"""Imports files as the daemon does, one after the other and in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataport.core.paths import Home
from dataport.core.settings import load_settings
from dataport.core.words import BulkAction, JobKind, JobStatus, Origin, Take
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.engine import Engine
from dataport.engine.homes import create_home
from dataport.engine.importing.imports import Progress
from dataport.engine.jobs import Job
from dataport.engine.requests import BulkRequest, ImportRequest
from dataport.engine.resolving import Resolution

THINGS = """
name = "things"
primaryKey = ["id"]
{}
[[fields]]
name = "id"
[[fields]]
name = "a"
[[fields]]
name = "b"
[[fields]]
name = "n"
type = "integer"
"""


def _unseen(*_: object) -> None:
    """Progress that nobody looks at."""


class Desk:
    """A home with the dataset `things`: key `id`, text `a` and `b`, integer `n`."""

    def __init__(self, home: Home, keys: str = "", settings: str = "") -> None:
        self.home = home
        create_home(home)
        home.config_file.write_text(settings, encoding="utf-8")
        self.define(THINGS.format(keys))
        self.engine = Engine.open(home, load_settings(home.config_file))
        self._files = 0

    def define(self, text: str) -> None:
        """Write the dataset's definition; `engine.reload` puts it in force."""
        (self.home.datasets / "things.toml").write_text(text, encoding="utf-8")

    def redefine(self, text: str) -> None:
        """Put another definition in force. Raises ConfigError and keeps the old one."""
        self.define(text)
        self.engine.reload(self.engine.settings)

    def send(
        self, text: str, source: str = "crm", *, on_progress: Progress = _unseen, **wanted: Any
    ) -> Job:
        """Import a CSV file of `source`; the job as it ended or waits. `on_progress` is told what
        is going on while the file is read."""
        self._files += 1
        path = self.home.root / f"{self._files}.csv"
        path.write_text(text, encoding="utf-8")
        request = ImportRequest(path=str(path), dataset="things", source=source, **wanted)
        request = self.engine.imports.complete(request)
        job = self.engine.jobs.create(JobKind.IMPORT, request)
        return self._work(job, is_approved=False, on_progress=on_progress)

    def approve(self, job: Job) -> Job:
        """Let a waiting job go on."""
        assert job.status is JobStatus.WAITING
        return self._work(job, is_approved=True)

    def _work(self, job: Job, *, is_approved: bool, on_progress: Progress = _unseen) -> Job:
        imports = self.engine.imports
        target = imports.prepare(job)
        staged = imports.stage(job, target, on_progress)
        if staged is None:
            imports.note_known_file(job, target)
            return job
        imports.merge(
            job,
            target,
            staged,
            self.engine.author(Origin.CLI),
            _unseen,
            is_approved=is_approved,
            on_cursor=lambda _: None,
        )
        return job

    def edit(self, key: str, **values: Any) -> None:
        """Set fields of a record, as a person would."""
        self.engine.edit("things", key, values, self.engine.author(Origin.CLI))

    def delete(self, key: str) -> None:
        """Delete a record, as a person would."""
        request = BulkRequest(
            action=BulkAction.DELETE, dataset="things", where=f"id = '{key}'", expect=1
        )
        job = self.engine.jobs.create(JobKind.BULK, request)
        author = self.engine.author(Origin.CLI)
        self.engine.bulk.run(job, author, lambda *_: None, lambda _: None)

    def resolve(self, number: int, take: Take) -> None:
        """Settle one conflict."""
        author = self.engine.author(Origin.CLI)
        self.engine.decisions.resolve(number, Resolution(take), author, None)

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Fields of every stored row by its key, in the definition's order."""
        with self.engine.store.reading() as cursor:
            names = ", ".join(self.engine.datasets["things"].field_names[1:])
            found = cursor.execute(f"SELECT _key, {names} FROM store.rows.things").fetchall()
        return {row[0]: row[1:] for row in found}

    def conflicts(self) -> list[dict[str, Any]]:
        """The open conflicts, oldest first."""
        items: list[dict[str, Any]] = self.engine.decisions.list(ConflictFilter())["items"]
        return items


def csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """A CSV file of rows that state the same fields; None is an empty cell."""
    listed = list(rows)
    names = list(listed[0])
    lines = [
        ",".join("" if row[name] is None else str(row[name]) for name in names) for row in listed
    ]
    return "\n".join([",".join(names), *lines]) + "\n"


def numbered(numbers: Iterable[int], **values: Any) -> list[dict[str, Any]]:
    """Rows with these keys that are alike but for `a`, which names the row."""
    return [{"id": n, "a": f"a{n}", "b": "x", "n": 1} | values for n in numbers]
