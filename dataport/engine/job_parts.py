"""What a job does to one dataset, and what several of them come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any


@dataclass(kw_only=True)
class JobPart:
    """What a job does to one dataset, from one file. A job of one dataset is its own only part."""

    dataset: str | None = None
    source: str | None = None
    file: str | None = None
    inside: str | None = None
    """Which table of the file; None where that was not said, as it has one only."""
    tables: list[str] = field(default_factory=list)
    """Instead: the tables of the file that are read as one."""
    strays: list[str] = field(default_factory=list)
    """What is said of the tables that are left out, whenever the file is read."""
    unread: list[str] = field(default_factory=list)
    """What is said of tables of the file that nobody knows: they may hold any row."""
    mapping: str | None = None
    """Name of the mapping that was named, or found before the file was read."""
    mapped_by: str | None = None
    """Name of the one that its columns were read by, which its header may have told."""
    columns: dict[str, str] = field(default_factory=dict)
    """Field to column, where names alone don't tell and likeness does."""
    rows: dict[str, int] | None = None
    changes: dict[str, int] | None = None
    commit: int | None = None
    """None where it changed nothing, whatever the other parts did."""
    rejects_file: str | None = None
    message: str = ""
    notices: list[str] = field(default_factory=list)
    identity: dict[str, int] | None = None
    """Size, mtime_ns and inode of the file that was read."""
    excluded: list[str] = field(default_factory=list)
    """Keys of rows that a person left out of the plan."""
    left_out: int = 0
    """Rows of the plan that have one of those keys."""
    returned: int | None = None
    """Job of the export that the file is, edited."""

    @property
    def place(self) -> str | None:
        """The file, and the table in it, as the history names them."""
        return f"{self.file}::{self.inside}" if self.file and self.inside else self.file

    @property
    def name(self) -> str:
        """The same without the way to it."""
        return PurePath(self.file or "").name + (f"::{self.inside}" if self.inside else "")

    def part_document(self) -> dict[str, Any]:
        """The part as every front end shows it."""
        mapping = self.mapped_by or self.mapping
        return {
            "dataset": self.dataset,
            "source": self.source,
            "file": self.file,
            **({"inside": self.inside} if self.inside is not None else {}),
            **({"tables": list(self.tables)} if self.tables else {}),
            **({"mapping": mapping} if mapping is not None else {}),
            "rows": self.rows,
            "changes": self.changes,
            "commit": self.commit,
            "rejects_file": self.rejects_file,
            "message": self.message,
            "notices": list(self.notices),
        }


def sum_of(counts: Iterable[Mapping[str, int] | None]) -> dict[str, int] | None:
    """Counts by name, added up; None where there are none yet."""
    known = [each for each in counts if each is not None]
    if not known:
        return None
    names = dict.fromkeys(name for each in known for name in each)
    return {name: sum(each.get(name, 0) for each in known) for name in names}
