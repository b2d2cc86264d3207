"""Commits: the numbered, atomic changes that everything in the store belongs to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dataport.core.clock import naive_utc, now
from dataport.core.words import Origin
from dataport.engine.sql import ident
from dataport.engine.store import Connection
from dataport.engine.table_lines import TableLines


@dataclass(frozen=True)
class Author:
    """Who asks for a change, and through which door (HIS-18, M-17)."""

    actor: str
    origin: Origin


@dataclass(frozen=True)
class CommitPart:
    """What a commit did to one dataset."""

    dataset: str
    source: str | None = None
    file: str | None = None
    sha256: str | None = None
    mode: str | None = None
    changes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Commit:
    """A commit as it is written; its parts say what it did to which dataset."""

    number: int
    kind: str
    author: Author
    message: str
    parts: tuple[CommitPart, ...]
    source: str | None = None
    job: int | None = None
    undoes: int | None = None


def with_stubs(
    dataset: str, changes: Mapping[str, int], stubs: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """What a commit did, by dataset: `changes` to one, and the rows that were added to it and to
    others since something refers to them."""
    others = {name: {"inserted": added} for name, added in stubs.items() if name != dataset}
    inserted = changes.get("inserted", 0) + stubs.get(dataset, 0)
    return {dataset: {**changes, "inserted": inserted}, **others}


def next_commit(cursor: Connection) -> int:
    """The number of the commit being made; the write lock keeps it ours."""
    return _highest(cursor, "commits", "commit") + 1


def next_conflict(cursor: Connection) -> int:
    """The first free conflict id."""
    return _highest(cursor, "conflicts", "conflict") + 1


def head(cursor: Connection) -> int:
    """The newest commit, 0 in an empty store."""
    return _highest(cursor, "commits", "commit")


def undo_links(cursor: Connection) -> dict[int, int]:
    """Every commit that is an undo, oldest first, with the commit it takes back."""
    rows = cursor.execute(
        'SELECT "commit", undoes FROM store.commits WHERE undoes IS NOT NULL ORDER BY 1'
    ).fetchall()
    return dict(rows)


def undone_commits(cursor: Connection, *more: int) -> set[int]:
    """Commits that stand undone: taken back by a commit that stands itself.

    `more` are being undone by the commit that is not written yet.
    """
    undone = set(more)
    for number, undoes in reversed(undo_links(cursor).items()):
        if number not in undone:
            undone.add(undoes)
    return undone


def _highest(cursor: Connection, table: str, column: str) -> int:
    row = cursor.execute(f"SELECT coalesce(max({ident(column)}), 0) FROM store.{table}").fetchone()
    return int(row[0]) if row else 0


CHANGE_NAMES = ("inserted", "updated", "deleted", "unchanged", "skipped", "conflicts")
NO_CHANGES: Mapping[str, int] = MappingProxyType(dict.fromkeys(CHANGE_NAMES, 0))


def write_commit(cursor: Connection, commit: Commit) -> None:
    """Write the commit, its parts and its audit line inside the caller's transaction."""
    time = naive_utc(now())
    parent = cursor.execute(
        'SELECT uid FROM store.commits WHERE "commit" = ?', [commit.number - 1]
    ).fetchone()
    device = device_id(cursor)
    cursor.execute(
        "INSERT INTO store.commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            commit.number,
            str(uuid.uuid4()),
            time,
            f"{int(time.timestamp() * 1_000_000):016d}-{device}",
            device,
            [parent[0]] if parent else [],
            commit.kind,
            commit.author.actor,
            str(commit.author.origin),
            commit.source,
            commit.job,
            commit.message,
            commit.undoes,
        ],
    )
    _write_parts(cursor, commit)
    write_audit(
        cursor,
        commit.author,
        "import" if commit.kind == "import" else "change",
        commit.kind,
        records=sum(
            part.changes.get(name, 0)
            for part in commit.parts
            for name in ("inserted", "updated", "deleted")
        ),
        datasets=[part.dataset for part in commit.parts],
        job=commit.job,
        commit=commit.number,
        metadata={"message": commit.message},
    )


def _write_parts(cursor: Connection, commit: Commit) -> None:
    for part in commit.parts:
        cursor.execute(
            "INSERT INTO store.commit_parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                commit.number,
                part.dataset,
                part.source,
                part.file,
                part.sha256,
                part.mode,
                *(part.changes.get(name, 0) for name in CHANGE_NAMES),
            ],
        )


def write_tables(cursor: Connection, commit: int, dataset: str, lines: TableLines) -> None:
    """Keep which running lines of a commit's rows are those of which table of its file."""
    for before, inside in lines.tables:
        cursor.execute(
            "INSERT INTO store.commit_tables VALUES (?, ?, ?, ?)", [commit, dataset, before, inside]
        )


def tables_of(cursor: Connection, dataset: str, commits: Iterable[int]) -> dict[int, TableLines]:
    """The same of those of `commits` that took several tables of a file to `dataset`."""
    rows = cursor.execute(
        "SELECT \"commit\", list({'before': before, 'inside': inside} ORDER BY before)"
        " FROM store.commit_tables WHERE dataset = $dataset"
        ' AND "commit" IN (SELECT unnest($commits::BIGINT[])) GROUP BY "commit"',
        {"dataset": dataset, "commits": sorted(set(commits))},
    ).fetchall()
    return {
        commit: TableLines(tuple((each["before"], each["inside"]) for each in tables))
        for commit, tables in rows
    }


def write_audit(
    cursor: Connection,
    author: Author,
    operation: str,
    operation_type: str,
    *,
    records: int | None = None,
    datasets: list[str] | None = None,
    job: int | None = None,
    commit: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Append one line to the audit trail (HIS-07..11)."""
    cursor.execute(
        "INSERT INTO store.audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            naive_utc(now()),
            author.actor,
            str(author.origin),
            operation,
            operation_type,
            records,
            datasets or [],
            job,
            commit,
            json.dumps(dict(metadata or {}), ensure_ascii=False),
        ],
    )


def device_id(cursor: Connection) -> str:
    """This installation's random id, made once per store."""
    row = cursor.execute("SELECT value FROM store.meta WHERE name = 'device'").fetchone()
    if row:
        return str(row[0])
    device = uuid.uuid4().hex[:16]
    cursor.execute("INSERT INTO store.meta VALUES ('device', ?)", [device])
    return device
