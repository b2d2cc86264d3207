"""The conflict queue as people see it: list, look at one, settle one or all alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dataport.core.clock import iso
from dataport.core.errors import NotFoundError
from dataport.core.words import ConflictStatus
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.units import unit_named
from dataport.engine.conflict_story import explain, history
from dataport.engine.sql import (
    literal,
    row_document,
    rows_table,
)
from dataport.engine.store import Connection

_COLUMNS = (
    "conflict, dataset, key, field, kind, base, ours, theirs, source, job, file, line, status,"
    " superseded, resolution, opened, closed, details"
)


@dataclass(frozen=True)
class ConflictFilter:
    """Which conflicts; None means any."""

    status: str | None = ConflictStatus.OPEN
    dataset: str | None = None
    field: str | None = None
    source: str | None = None
    key: str | None = None
    """As the store spells it."""
    job: int | None = None
    """The import that asked, or that sent the newest value."""
    kind: str | None = None
    conflict: int | None = None
    not_kinds: tuple[str, ...] = ()
    """Kinds that are left out."""

    def condition(self) -> str:
        """SQL over `q`."""
        columns = asdict(self)
        left_out = columns.pop("not_kinds")
        terms = [
            f"q.{column} = {literal(value)}"
            for column, value in columns.items()
            if value is not None
        ]
        terms += [f"q.kind <> {literal(kind)}" for kind in left_out]
        return " AND ".join(terms) or "true"

    def words(self) -> str:
        """What it is about, for a commit's message: `of leads phone crm`; empty for all."""
        about = [self.dataset, self.field, self.source, self.key, self.kind]
        about += [f"job {self.job}"] if self.job is not None else []
        words = " ".join(word for word in about if word)
        return f" of {words}" if words else ""


def count(cursor: Connection, which: ConflictFilter) -> int:
    """How many conflicts `which` names."""
    row = cursor.execute(
        f"SELECT count(*) FROM store.conflicts q WHERE {which.condition()}"
    ).fetchone()
    return int(row[0]) if row else 0


def list_conflicts(
    cursor: Connection,
    datasets: Mapping[str, Dataset],
    which: ConflictFilter,
    limit: int | None = None,
    offset: int = 0,
) -> dict[str, Any]:
    """`{total, items}`, oldest first; `ours` of an open one is the store's present value.

    A row that waits since it would break a rule has its `violations`, each `{field, code, message}`,
    and what it would become as `merged`; others have none.
    A closed one has `closed_by`, a commit, and the `reason` as a sentence.
    """
    bounds = f" LIMIT {int(limit)}" if limit is not None else ""
    bounds += f" OFFSET {int(offset)}" if offset else ""
    rows = cursor.execute(
        f"SELECT {_COLUMNS} FROM store.conflicts q WHERE {which.condition()}"
        f" ORDER BY conflict{bounds}"
    ).fetchall()
    items = [_document(row) for row in rows]
    _show_present(cursor, datasets, items)
    explain(cursor, items)
    return {"total": count(cursor, which), "items": items}


def get_conflict(
    cursor: Connection, datasets: Mapping[str, Dataset], number: int
) -> dict[str, Any]:
    """One conflict, with the `history` of what it said. Raises NotFoundError."""
    found = list_conflicts(cursor, datasets, ConflictFilter(status=None, conflict=number))
    if not found["items"]:
        raise NotFoundError(
            "unknown-conflict",
            f"There is no conflict {number}.",
            hint="List them: dataport conflicts list.",
        )
    return {**found["items"][0], "history": history(cursor, number)}


def _document(row: Sequence[Any]) -> dict[str, Any]:
    number, dataset, key, field, kind, base, ours, theirs, source, job, file, line = row[:12]
    status, superseded, resolution, opened, closed, details = row[12:]
    told = _parsed(details) or {}
    return {
        "id": number,
        "dataset": dataset,
        "key": key,
        "field": field,
        "kind": kind,
        "base": _parsed(base),
        "ours": _parsed(ours),
        "theirs": _parsed(theirs),
        "source": source,
        "job": job,
        "line": line,
        "status": status,
        "violations": told.get("violations", []),
        "merged": told.get("merged"),
        "file": file,
        "superseded": superseded,
        "resolution": resolution,
        "time": iso(opened),
        "closed": iso(closed),
    }


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _show_present(
    cursor: Connection, datasets: Mapping[str, Dataset], items: list[dict[str, Any]]
) -> None:
    """Open conflicts show what the store holds now, not what it held when they opened."""
    for name in {item["dataset"] for item in items} & datasets.keys():
        dataset = datasets[name]
        document = row_document(dataset.fields, "o.")
        mine = [
            item
            for item in items
            if item["dataset"] == name and item["status"] == ConflictStatus.OPEN
        ]
        keys = list({item["key"] for item in mine})
        rows = cursor.execute(
            f"SELECT o._key, CAST({document} AS VARCHAR) FROM {rows_table(name)} o"
            " WHERE o._key IN (SELECT unnest(?::VARCHAR[]))",
            [keys],
        ).fetchall()
        present = {key: json.loads(text) for key, text in rows}
        for item in mine:
            row = present.get(item["key"])
            item["merged"] = _merged_now(item, row)
            item["ours"] = _shown(dataset, item["field"], row)


def _merged_now(item: Mapping[str, Any], row: dict[str, Any] | None) -> Any:
    """What a row that waits as a whole would become: the store's present row, as it was merged."""
    merged, before = item["merged"], item["ours"]
    if merged is None or before is None or row is None:
        return merged
    return {**row, **{n: v for n, v in merged.items() if v != before.get(n)}}


def _shown(dataset: Dataset, name: str | None, row: dict[str, Any] | None) -> Any:
    """What the store holds of what an item is about."""
    unit = unit_named(dataset, name) if name is not None else None
    if row is None or unit is None:
        return row if name is None else None
    values = {field.name: row[field.name] for field in unit.fields}
    return values[unit.fields[0].name] if unit.is_single else values
