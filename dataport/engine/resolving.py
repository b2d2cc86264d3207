"""Deciding conflicts: a side, or a value of one's own, for one or for all alike (merge.md 5.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataport.core.clock import naive_utc, now
from dataport.core.errors import StateError, UsageError
from dataport.core.words import ConflictKind, ConflictStatus, Take
from dataport.engine.catalog.model import Dataset
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.merging.apply import keep_conflict_versions
from dataport.engine.merging.cells import VALUE_KINDS, exploded, fields_of, member, names_in
from dataport.engine.merging.rows import delete_rows, update_rows
from dataport.engine.row_changes import refuse_shared
from dataport.engine.settling import settle_moot
from dataport.engine.sql import from_json, ident, idents, literal, rows_table
from dataport.engine.store import Connection


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

    def unfit(self) -> tuple[ConflictKind, ...]:
        """Kinds of conflicts that can't be settled so: there is no such single side."""
        return {
            Take.THEIRS: (ConflictKind.DUPLICATE_KEY,),
            Take.BASE: (
                ConflictKind.DUPLICATE_KEY,
                ConflictKind.EDIT_DELETE,
                ConflictKind.INVALID_MERGE,
            ),
        }.get(self.take or Take.OURS, ())

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
        _check_rows(cursor, how)
        _compare_returned(cursor, dataset)
        changes["updated"] = _set_cells(cursor, dataset, commit)
        changes["inserted"] = _restore(cursor, dataset, commit)
        changes["deleted"] = _delete(cursor, dataset, commit) if how.take is Take.THEIRS else 0
        refuse_shared(cursor, dataset, commit)
    keep_conflict_versions(cursor, "q.conflict IN (SELECT conflict FROM resolving)", commit)
    cursor.execute(
        f"UPDATE store.conflicts SET _commit = {commit}, status = '{ConflictStatus.RESOLVED}',"
        f" resolution = {literal(how.word())}, closed = $time"
        " WHERE conflict IN (SELECT conflict FROM resolving)",
        {"time": naive_utc(now())},
    )
    settle_moot(cursor, dataset, commit)
    row = cursor.execute("SELECT count(*) FROM resolving").fetchone()
    return {"resolved": int(row[0]) if row else 0, **changes}


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
    names = names_in(cursor, "resolving")
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
    news = {f.name: f"u.{ident(f.name)}" for f in fields}
    return update_rows(cursor, dataset, "resolved_rows", news, commit)


def _check_rows(cursor: Connection, how: Resolution) -> None:
    """Raise UsageError for a conflict about a row that can't be settled so."""
    rows = cursor.execute("SELECT DISTINCT kind FROM resolving WHERE field IS NULL").fetchall()
    kinds = {row[0] for row in rows}
    if ConflictKind.INVALID_MERGE in kinds and how.take is Take.BASE:
        raise UsageError(
            "base-for-row",
            "A row that would break a rule can be kept, taken or mended, not set back.",
            hint="Take ours or theirs, or say with --value what it should be.",
        )
    kinds -= set(VALUE_KINDS)
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


def _compare_returned(cursor: Connection, dataset: Dataset) -> None:
    """A record that was deleted here and is back is settled value by value."""
    kind = f"kind = '{ConflictKind.DELETE_EDIT}'"
    if cursor.execute(f"SELECT 1 FROM resolving WHERE {kind} LIMIT 1").fetchone():
        cursor.execute(
            f"UPDATE resolving SET kind = '{ConflictKind.EDIT_EDIT}' WHERE {kind}"
            f" AND key IN (SELECT _key FROM {rows_table(dataset.name)})"
        )


def _restore(cursor: Connection, dataset: Dataset, commit: int) -> int:
    """Bring back the records that the store deleted and the source then changed, and let in those
    that had to wait because they broke a rule; of one that several sources send, the last."""
    values = ", ".join(from_json(f, member(f, "chosen")) for f in dataset.fields)
    row = cursor.execute(
        f"INSERT INTO {rows_table(dataset.name)} (_key, _commit, _line, {idents(dataset.field_names)})"
        f" SELECT key, {commit}, line, {values} FROM resolving r"
        f" WHERE chosen IS NOT NULL AND (kind = '{ConflictKind.DELETE_EDIT}'"
        f" OR kind = '{ConflictKind.INVALID_MERGE}' AND key NOT IN"
        f" (SELECT _key FROM {rows_table(dataset.name)}))"
        " QUALIFY row_number() OVER (PARTITION BY key ORDER BY conflict DESC) = 1"
    ).fetchone()
    return int(row[0]) if row else 0


def _delete(cursor: Connection, dataset: Dataset, commit: int) -> int:
    """Delete the records that their source dropped after the store had changed them."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE resolved_deletes AS SELECT key AS _key FROM resolving"
        f" WHERE field IS NULL AND kind = '{ConflictKind.EDIT_DELETE}'"
    )
    return delete_rows(cursor, dataset, "resolved_deletes", commit)
