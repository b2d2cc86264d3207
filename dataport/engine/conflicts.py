"""The conflict queue as people see it: list, look at one, settle one or all alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dataport.core.clock import iso, naive_utc, now
from dataport.core.errors import NotFoundError, StateError, UsageError
from dataport.core.words import ConflictKind, ConflictStatus, Take
from dataport.engine.catalog.model import Dataset, Granularity
from dataport.engine.catalog.units import unit_named
from dataport.engine.conflict_story import explain, history
from dataport.engine.merging.apply import keep_conflict_versions, keep_versions
from dataport.engine.merging.cells import VALUE_KINDS, exploded, fields_of, is_about, member
from dataport.engine.row_changes import delete_rows
from dataport.engine.sql import (
    from_json,
    ident,
    idents,
    literal,
    row_document,
    rows_table,
)
from dataport.engine.store import Connection

_COLUMNS = (
    "conflict, dataset, key, field, kind, base, ours, theirs, source, job, file, line, status,"
    " superseded, resolution, opened, closed"
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

    def condition(self) -> str:
        """SQL over `q`."""
        terms = [
            f"q.{column} = {literal(value)}"
            for column, value in asdict(self).items()
            if value is not None
        ]
        return " AND ".join(terms) or "true"

    def words(self) -> str:
        """What it is about, for a commit's message: `of leads phone crm`; empty for all."""
        about = [self.dataset, self.field, self.source, self.key, self.kind]
        about += [f"job {self.job}"] if self.job is not None else []
        words = " ".join(word for word in about if word)
        return f" of {words}" if words else ""


def count_open(cursor: Connection) -> int:
    """Conflicts that wait for a person."""
    row = cursor.execute(
        f"SELECT count(*) FROM store.conflicts WHERE status = '{ConflictStatus.OPEN}'"
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

    A closed one has `closed_by`, a commit, and the `reason` as a sentence.
    """
    condition = which.condition()
    row = cursor.execute(f"SELECT count(*) FROM store.conflicts q WHERE {condition}").fetchone()
    bounds = f" LIMIT {int(limit)}" if limit is not None else ""
    bounds += f" OFFSET {int(offset)}" if offset else ""
    rows = cursor.execute(
        f"SELECT {_COLUMNS} FROM store.conflicts q WHERE {condition} ORDER BY conflict{bounds}"
    ).fetchall()
    items = [_document(row) for row in rows]
    _show_present(cursor, datasets, items)
    explain(cursor, items)
    return {"total": int(row[0]) if row else 0, "items": items}


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


@dataclass(frozen=True)
class Resolution:
    """How conflicts are settled: a side, or a value of the person's own."""

    take: Take | None = None
    value: Any = None

    def chosen(self) -> str:
        """SQL over `q` of the value that the cell or row gets, as JSON text."""
        if self.take is None:
            return "NULL" if self.value is None else literal(json.dumps(self.value))
        return f"q.{self.take.value}"

    def word(self) -> str:
        """What the conflict's record says of it."""
        return self.take.value if self.take else "value"


def resolve(
    cursor: Connection, dataset: Dataset, which: ConflictFilter, how: Resolution, commit: int
) -> dict[str, int]:
    """Settle the open conflicts of one dataset as `commit`; counts of what changed."""
    condition = f"{which.condition()} AND q.dataset = {literal(dataset.name)}"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE resolving AS SELECT q.*, {how.chosen()} AS chosen"
        f" FROM store.conflicts q WHERE {condition}"
    )
    changes = {"updated": 0, "inserted": 0, "deleted": 0}
    if how.take is not Take.OURS:
        changes["updated"] = _set_cells(cursor, dataset, commit)
        _settle_rows(cursor, dataset, how, commit, changes)
    keep_conflict_versions(cursor, "q.conflict IN (SELECT conflict FROM resolving)", commit)
    cursor.execute(
        f"UPDATE store.conflicts SET _commit = {commit}, status = '{ConflictStatus.RESOLVED}',"
        f" resolution = {literal(how.word())}, closed = $time"
        " WHERE conflict IN (SELECT conflict FROM resolving)",
        {"time": naive_utc(now())},
    )
    settle_converged(cursor, dataset, commit)
    row = cursor.execute("SELECT count(*) FROM resolving").fetchone()
    return {"resolved": int(row[0]) if row else 0, **changes}


def settle_converged(cursor: Connection, dataset: Dataset, commit: int) -> int:
    """Close the open conflicts that `commit` made moot: store and file say the same now.

    Where the definition asks about everything that both sides touched, a person decides even so.
    """
    if dataset.granularity in (Granularity.GROUP, Granularity.TOUCHED):
        return 0
    items = (
        f"(SELECT * FROM store.conflicts WHERE status = '{ConflictStatus.OPEN}'"
        f" AND dataset = {literal(dataset.name)})"
    )
    names = _names(cursor, items)
    is_gone = f"q.field IS NULL AND q.kind = '{ConflictKind.EDIT_DELETE}'"
    if not names and not cursor.execute(f"SELECT 1 FROM {items} q WHERE {is_gone}").fetchone():
        return 0
    same = " ".join(
        f"WHEN {literal(f.name)} THEN o.{ident(f.name)} IS NOT DISTINCT FROM"
        f" {from_json(f, 'x.value')}"
        for f in fields_of(dataset, names)
    )
    agreeing = (
        f"SELECT x.conflict FROM ({exploded(dataset, names, items, 'theirs')}) x"
        f" JOIN {rows_table(dataset.name)} o ON o._key = x.key WHERE o._commit = {commit}"
        f" GROUP BY x.conflict HAVING bool_and(CASE x.field {same} END)"
    )
    gone = (
        f"SELECT q.conflict FROM {items} q ANTI JOIN {rows_table(dataset.name)} o"
        f" ON o._key = q.key WHERE {is_gone}"
    )
    parts = ([agreeing] if names else []) + [gone]
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE settling AS {' UNION ALL '.join(parts)}")
    condition = "q.conflict IN (SELECT conflict FROM settling)"
    keep_conflict_versions(cursor, condition, commit)
    row = cursor.execute(
        f"UPDATE store.conflicts q SET _commit = {commit},"
        f" status = '{ConflictStatus.CONVERGED}', closed = $time WHERE {condition}",
        {"time": naive_utc(now())},
    ).fetchone()
    return int(row[0]) if row else 0


def _names(cursor: Connection, items: str) -> set[str | None]:
    """The `field`s of items that are about values."""
    rows = cursor.execute(
        f"SELECT DISTINCT field FROM {items} q WHERE field IS NOT NULL OR ({is_about(None)})"
    ).fetchall()
    return {row[0] for row in rows}


def settle_deleted(cursor: Connection, dataset: Dataset, keys: str, commit: int) -> None:
    """Close what a person's deletion of rows decides; `keys` is a relation of their `_key`.

    The source dropped the row too: they agree. A value was contested: the store's word stands,
    which is that there is none.
    """
    about = (
        f"q.status = '{ConflictStatus.OPEN}' AND q.dataset = {literal(dataset.name)}"
        f" AND q.key IN (SELECT _key FROM {keys})"
        f" AND (q.field IS NOT NULL OR q.kind = '{ConflictKind.EDIT_DELETE}' OR {is_about(None)})"
    )
    keep_conflict_versions(cursor, about, commit)
    cursor.execute(
        f"UPDATE store.conflicts q SET _commit = {commit}, closed = $time,"
        f" status = CASE WHEN q.kind = '{ConflictKind.EDIT_DELETE}'"
        f" THEN '{ConflictStatus.CONVERGED}' ELSE '{ConflictStatus.RESOLVED}' END,"
        f" resolution = CASE WHEN q.kind <> '{ConflictKind.EDIT_DELETE}' THEN '{Take.OURS}' END"
        f" WHERE {about}",
        {"time": naive_utc(now())},
    )


def check_open(item: Mapping[str, Any]) -> None:
    """Raise StateError when a conflict is settled already."""
    if item["status"] != ConflictStatus.OPEN:
        raise StateError(
            "conflict-settled",
            f"Conflict {item['id']} is settled already ({item['status']}).",
            hint="Undo the newest resolution with: dataport conflicts undo.",
        )


def check_shown(item: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    """Raise StateError when a side is no longer what a person was shown.

    `shown` holds `ours`, `theirs` or both (merge.md 5.5: a resolution is compare-and-set).
    """
    for side, place in (("ours", "store"), ("theirs", "file")):
        if side in shown and item[side] != shown[side]:
            raise StateError(
                "conflict-moved",
                f"The value of the {place} has changed meanwhile.",
                f"It is now {json.dumps(item[side], ensure_ascii=False)}.",
                "Look at the conflict again, then decide.",
            )


def _set_cells(cursor: Connection, dataset: Dataset, commit: int) -> int:
    names = _names(cursor, "resolving")
    fields = fields_of(dataset, names)
    if not fields:
        return 0
    cells = ", ".join(
        f"bool_or(field = {literal(f.name)}) AS {ident('_has_' + f.name)},"
        f" last(value ORDER BY conflict) FILTER (field = {literal(f.name)}) AS {ident(f.name)}"
        for f in fields
    )
    values = ", ".join(
        f"CASE WHEN c.{ident('_has_' + f.name)} THEN {from_json(f, 'c.' + ident(f.name))}"
        f" ELSE o.{ident(f.name)} END AS {ident(f.name)}"
        for f in fields
    )
    changed = " OR ".join(f"n.{ident(f.name)} IS DISTINCT FROM o.{ident(f.name)}" for f in fields)
    table = rows_table(dataset.name)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE resolved_rows AS SELECT n.* FROM"
        f" (SELECT o._key, {values} FROM"
        f" (SELECT key, {cells} FROM ({exploded(dataset, names, 'resolving', 'chosen')})"
        f" GROUP BY key) c"
        f" JOIN {table} o ON o._key = c.key) n JOIN {table} o ON o._key = n._key"
        f" WHERE {changed}"
    )
    keep_versions(cursor, dataset, "resolved_rows", commit)
    assignments = ", ".join(f"{ident(f.name)} = n.{ident(f.name)}" for f in fields)
    row = cursor.execute(
        f"MERGE INTO {table} o USING resolved_rows n ON o._key = n._key WHEN MATCHED THEN"
        f" UPDATE SET _commit = {commit}, _line = NULL, {assignments}"
    ).fetchone()
    return int(row[0]) if row else 0


def _settle_rows(
    cursor: Connection, dataset: Dataset, how: Resolution, commit: int, changes: dict[str, int]
) -> None:
    """Row conflicts: a row the store or the source deleted while the other changed it."""
    rows = cursor.execute("SELECT DISTINCT kind FROM resolving WHERE field IS NULL").fetchall()
    kinds = {row[0] for row in rows} - set(VALUE_KINDS)
    if kinds and how.take is None:
        raise UsageError(
            "value-for-row",
            "A conflict about a whole row can't take a value.",
            hint="Take ours, theirs or base; then edit the fields you want.",
        )
    if ConflictKind.EDIT_DELETE in kinds and how.take is Take.BASE:
        raise UsageError(
            "base-for-row",
            "A row that the source dropped can be kept or deleted, not set back.",
            hint="Take ours or theirs; then edit the fields you want.",
        )
    if ConflictKind.DUPLICATE_KEY in kinds:
        raise UsageError(
            "several-rows",
            "The file has several rows with this key, and says no single thing.",
            hint="Take ours and edit the row, or leave one of the rows in the file and import it.",
        )
    if ConflictKind.DELETE_EDIT in kinds:
        changes["inserted"] += _restore(cursor, dataset, commit)
    if ConflictKind.EDIT_DELETE in kinds and how.take is Take.THEIRS:
        changes["deleted"] += _delete(cursor, dataset, commit)


def _restore(cursor: Connection, dataset: Dataset, commit: int) -> int:
    values = ", ".join(from_json(f, member(f, "chosen")) for f in dataset.fields)
    row = cursor.execute(
        f"INSERT INTO {rows_table(dataset.name)} (_key, _commit, _line, {idents(dataset.field_names)})"
        f" SELECT key, {commit}, line, {values} FROM resolving r WHERE field IS NULL"
        f" AND kind = '{ConflictKind.DELETE_EDIT}' AND chosen IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {rows_table(dataset.name)} o WHERE o._key = r.key)"
    ).fetchone()
    return int(row[0]) if row else 0


def _delete(cursor: Connection, dataset: Dataset, commit: int) -> int:
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE resolved_deletes AS SELECT key AS _key FROM resolving"
        f" WHERE field IS NULL AND kind = '{ConflictKind.EDIT_DELETE}'"
    )
    return delete_rows(cursor, dataset, "resolved_deletes", commit)


def _document(row: Sequence[Any]) -> dict[str, Any]:
    number, dataset, key, field, kind, base, ours, theirs, source, job, file, line = row[:12]
    status, superseded, resolution, opened, closed = row[12:]
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
            item["ours"] = _shown(dataset, item["field"], row)


def _shown(dataset: Dataset, name: str | None, row: dict[str, Any] | None) -> Any:
    """What the store holds of what an item is about."""
    unit = unit_named(dataset, name) if name is not None else None
    if row is None or unit is None:
        return row if name is None else None
    values = {field.name: row[field.name] for field in unit.fields}
    return values[unit.fields[0].name] if unit.is_single else values
