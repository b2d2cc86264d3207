"""A home whose datasets refer to one another, for tests of references."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import BulkAction, JobKind, Origin, Take
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.engine import Engine
from dataport.engine.jobs import Job
from dataport.engine.requests import BulkRequest, ImportRequest
from dataport.engine.resolving import Resolution
from dataport.engine.undoing import undo
from tests.engine.importing.working import work

USERS = """
name = "users"
primaryKey = ["email"]
[[fields]]
name = "email"
[[fields]]
name = "name"
"""

TICKETS = """
name = "tickets"
primaryKey = ["id"]
[[fields]]
name = "id"
[[fields]]
name = "title"
[[fields]]
name = "owner"
aliases = ["Owned by"]
[[foreignKeys]]
fields = ["owner"]
reference = {{ resource = "users", fields = ["email"] }}
onMissing = "{}"
"""

GOALS = """
name = "goals"
primaryKey = ["id"]
[[fields]]
name = "id"
[[fields]]
name = "parent"
[[foreignKeys]]
fields = ["parent"]
reference = {{ resource = "goals", fields = ["id"] }}
onMissing = "{}"
"""

PLACES = """
name = "places"
primaryKey = ["country", "number"]
[[fields]]
name = "country"
[[fields]]
name = "number"
type = "integer"
[[fields]]
name = "name"
"""

VISITS = """
name = "visits"
primaryKey = ["id"]
[[fields]]
name = "id"
[[fields]]
name = "land"
[[fields]]
name = "place"
type = "integer"
[[foreignKeys]]
fields = ["place", "land"]
reference = {{ resource = "places", fields = ["number", "country"] }}
onMissing = "{}"
"""


@dataclass
class Office:
    """An engine whose datasets refer to one another, and files that are sent to it."""

    engine: Engine
    files: int = 0

    def send(
        self, dataset: str, *lines: str, source: str = "crm", file: str | None = None, **asked: Any
    ) -> Job:
        """Import lines, of which the first is the header, as one file of `source`."""
        self.files += 1
        path = self.engine.home.root / (file or f"{dataset}-{self.files}.csv")
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        request = ImportRequest(path=str(path), dataset=dataset, source=source, **asked)
        job = self.engine.jobs.create(JobKind.IMPORT, request)
        return work(self.engine, job)

    def rows(self, dataset: str) -> list[list[Any]]:
        """The stored rows by key, as lists of values."""
        selection = self.engine.selection(dataset)
        rows = json.loads(self.engine.rows(selection))["rows"]
        return sorted([list(row.values()) for row in rows], key=str)

    def edit(self, dataset: str, key: str, **values: Any) -> dict[str, Any]:
        """Set fields of a record, as a person would."""
        return self.engine.edit(dataset, key, values, self.engine.author(Origin.CLI))

    def delete(self, dataset: str, where: str, *, is_dry: bool = False) -> Job:
        """Delete records, as a person would."""
        return self._change(
            BulkRequest(action=BulkAction.DELETE, dataset=dataset, where=where, dry_run=is_dry)
        )

    def update(self, dataset: str, where: str, *, is_dry: bool = False, **values: Any) -> Job:
        """Set fields of many records, as a person would."""
        return self._change(
            BulkRequest(
                action=BulkAction.UPDATE, dataset=dataset, where=where, dry_run=is_dry, set=values
            )
        )

    def _change(self, request: BulkRequest) -> Job:
        job = self.engine.jobs.create(JobKind.BULK, request)
        author = self.engine.author(Origin.CLI)
        self.engine.bulk.run(job, author, lambda *_: None, lambda _: None)
        return job

    def resolve(self, take: Take) -> dict[str, Any]:
        """Settle every open conflict alike."""
        author = self.engine.author(Origin.CLI)
        return self.engine.decisions.resolve_all(ConflictFilter(), Resolution(take), author)

    def conflicts(self) -> list[dict[str, Any]]:
        """The open conflicts, oldest first."""
        items: list[dict[str, Any]] = self.engine.decisions.list(ConflictFilter())["items"]
        return items

    def undo(self, commit: int | None, *, is_dry: bool = False) -> dict[str, Any]:
        """Take a commit back, or see what that would do."""
        author = self.engine.author(Origin.CLI)
        return undo(self.engine.store, self.engine.datasets, commit or 0, author, is_dry=is_dry)


def open_office(home: Home, way: str) -> Office:
    """An office whose every dataset has `onMissing = way`."""
    home.datasets.mkdir(parents=True, exist_ok=True)
    for text in (USERS, TICKETS, GOALS, PLACES, VISITS):
        name = text.split('"')[1]
        (home.datasets / f"{name}.toml").write_text(text.format(way), encoding="utf-8")
    engine = Engine.open(home, Settings())
    assert engine.definition_error is None
    return Office(engine)


def in_way(way: str) -> pytest.MarkDecorator:
    """The office of a test refers in this way."""
    return pytest.mark.parametrize("office", [way], indirect=True)
