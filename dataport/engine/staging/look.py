"""Which tables a file holds, found out before anybody knows what they are for.

A file may hold several: files in an archive, sheets of a workbook, lists in a document. What a
worker is asked and what it saw travel as JSON files, as of staging.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dataport.core.errors import InputError
from dataport.engine.staging.request import CHUNK, Identity, StageLimits

LOOK_REQUEST_FILE = "look.request.json"
LOOK_FILE = "look.json"
JOINT = "::"
"""Between the name of a file in an archive and that of a table in it."""
MOST_NAMED = 20
"""Tables that an error names."""
MOST_ROWS = 50
"""Rows of each table that are shown."""


@dataclass(frozen=True)
class LookRequest:
    """One file to be looked into."""

    source_path: Path
    directory: Path
    """Where the result goes; exists and belongs to this request alone."""
    format: str | None = None
    """As of a StageRequest."""
    header_line: int | None = None
    """As of a StageRequest."""
    limits: StageLimits = field(default_factory=StageLimits)
    threads: int = 2
    chunk: int = CHUNK

    def to_json(self) -> str:
        places = {"source_path": str(self.source_path), "directory": str(self.directory)}
        return json.dumps(asdict(self) | places, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> LookRequest:
        document: dict[str, Any] = json.loads(text)
        return cls(
            **document
            | {
                "source_path": Path(document["source_path"]),
                "directory": Path(document["directory"]),
                "limits": StageLimits(**document["limits"]),
            }
        )


@dataclass(frozen=True)
class TableLook:
    """One table of a file, as far as its beginning shows it."""

    inside: str | None
    """What a StageRequest calls it: the path in an archive, the sheet of a workbook, the path of
    a list in a document, or those of one in another joined by `::`; None for the file's only
    table."""
    format: str
    """What would read it, as in a StageResult."""
    has_header: bool
    """Whether the first record names the columns, as far as can be told without a dataset."""
    columns: list[str]
    """Their names; `column_1` and so on without a header."""
    rows: list[list[str | None]]
    """The first rows as text, at most `MOST_ROWS`, each with as many cells as there are columns."""
    path: str | None = None
    """Which list of a JSON document it is, even where that is the only one."""
    sheet: str | None = None
    """Which sheet of a workbook it is, even where that is the only one."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds a header and nothing below; a list of a document has no header."""
        return self.has_header and not self.rows and self.path is None


@dataclass(frozen=True)
class Look:
    """What a file holds: the content of look.json."""

    identity: Identity
    tables: list[TableLook]
    """In the order of the file."""
    notices: list[str] = field(default_factory=list)
    """What is left out, and why."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Look:
        document: dict[str, Any] = json.loads(text)
        return cls(
            Identity(**document["identity"]),
            [TableLook(**table) for table in document["tables"]],
            document["notices"],
        )


def read_look(directory: Path) -> Look | None:
    """What was seen, None where nobody looked to the end."""
    try:
        return Look.from_json((directory / LOOK_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def no_such_table(file: str, inside: str, names: Iterable[str | None]) -> InputError:
    """The error of a table that a file does not hold."""
    shown = ", ".join([name for name in names if name][:MOST_NAMED])
    return InputError(
        "no-such-table",
        f"{file} holds no table {inside!r}.",
        hint=f"It holds: {shown}." if shown else "It holds one table; leave its name out.",
    )


def choose_table(names: Sequence[str], inside: str | None, file: str) -> tuple[str, str | None]:
    """The one of a container's names that `inside` begins with, and what is left of it.

    Raises InputError `several-tables` where one has to be named, `no-such-table` for a name that
    is none.
    """
    wanted = [name for name in names if inside is not None and _begins(inside, name)]
    if wanted:
        name = max(wanted, key=len)
        return name, (inside or "")[len(name) + len(JOINT) :] or None
    if len(names) == 1:
        return names[0], inside
    if inside is not None:
        raise no_such_table(file, inside, names)
    raise InputError(
        "several-tables",
        f"{file} holds several tables.",
        f"They are {', '.join(map(repr, names[:MOST_NAMED]))}{', …' * (len(names) > MOST_NAMED)}.",
        f"Say which one is meant: --inside {names[0]!r}.",
    )


def _begins(inside: str, name: str) -> bool:
    return inside == name or inside.startswith(name + JOINT)
