"""Taking back the decision about one conflict, also when many were settled at once.

A conflict that a commit settled alone is opened again by undoing that commit. Of many, only what
was decided about this cell, or this row, goes back: other sources' claims on it with it, since
one value stood for all of them. What was changed here since stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataport.core.errors import StateError
from dataport.core.words import ConflictKind, ConflictStatus
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.catalog.units import unit_named
from dataport.engine.commits import (
    NO_CHANGES,
    Author,
    Commit,
    CommitPart,
    next_commit,
    write_commit,
)
from dataport.engine.conflicts import get_conflict
from dataport.engine.merging.apply import keep_conflict_versions
from dataport.engine.merging.bases import base_query
from dataport.engine.merging.rows import delete_rows, update_rows
from dataport.engine.reference_checks import reference_notices
from dataport.engine.settling import ask_once, settle_moot
from dataport.engine.sql import (
    differs,
    ident,
    idents,
    literal,
    row_document,
    rows_table,
    versions_table,
)
from dataport.engine.store import Connection, Store
from dataport.engine.undoing import undo


def reopen(
    store: Store,
    datasets: Mapping[str, Dataset],
    conflict: int,
    author: Author,
    message: str = "",
) -> dict[str, Any]:
    """Open a decided conflict again, its value as it was; `{commit, changes, reopened, ...}`.

    Raises NotFoundError for an unknown conflict, StateError when nobody decided it, or when
    its source or the store have come to say something that leaves nothing to ask.
    """
    text = message or f"Open conflict {conflict} again"
    with store.reading() as cursor:
        item = get_conflict(cursor, datasets, conflict)
        _check(cursor, datasets, item)
        is_alone = _is_settled_alone(cursor, item)
    if is_alone:
        return undo(store, datasets, item["closed_by"], author, text)
    dataset = find_dataset(datasets, item["dataset"])
    with store.writing() as cursor:
        item = get_conflict(cursor, datasets, conflict)
        _check(cursor, datasets, item)
        commit = next_commit(cursor)
        about = _about(cursor, item)
        changes = {
            **NO_CHANGES,
            **_put_back(cursor, dataset, item, commit, is_row=about.is_row),
        }
        reopened = _open(cursor, about.condition, commit) - ask_once(cursor, commit)
        settle_moot(cursor, dataset, commit)
        _check_news(get_conflict(cursor, datasets, conflict))
        notices = reference_notices(cursor, datasets, dataset.name, commit)
        part = CommitPart(dataset.name, changes=changes)
        write_commit(cursor, Commit(commit, "reopen", author, text, (part,)))
    return {
        "commit": commit,
        "undoes": None,
        "dry_run": False,
        "changes": changes,
        "conflicts": 0,
        "reopened": reopened,
        "notices": notices,
    }


def _check(cursor: Connection, datasets: Mapping[str, Dataset], item: Mapping[str, Any]) -> None:
    """Raise StateError unless a decision stands that can be taken back alone."""
    if item["status"] != ConflictStatus.RESOLVED:
        raise StateError(
            "not-decided",
            f"Nobody decided conflict {item['id']}: it is {item['status']}.",
            item["reason"] or "",
        )
    row = cursor.execute(
        'SELECT kind FROM store.commits WHERE "commit" = ?', [item["closed_by"]]
    ).fetchone()
    if row is None or row[0] not in ("resolve", "undo"):
        raise StateError(
            "decided-by-commit",
            f"Conflict {item['id']} was settled by what commit {item['closed_by']} did.",
            hint=f"Take that back: dataport undo {item['closed_by']}.",
        )
    if _has_moved_on(cursor, find_dataset(datasets, item["dataset"]), item):
        raise StateError(
            "source-moved-on",
            f"{item['source']} has sent something else since conflict {item['id']} was decided.",
            hint="What it says now is merged already; edit the record if it should say otherwise.",
        )


def _check_news(item: Mapping[str, Any]) -> None:
    if item["status"] != ConflictStatus.OPEN or item["ours"] == item["theirs"]:
        raise StateError(
            "nothing-to-ask",
            f"Conflict {item['id']} stays closed.",
            "Store and file have come to say the same.",
        )


def _has_moved_on(cursor: Connection, dataset: Dataset, item: Mapping[str, Any]) -> bool:
    """Whether the source's last word is no longer the one that was decided about."""
    if item["source"] is None or item["kind"] == ConflictKind.DUPLICATE_KEY:
        return False
    if _is_asked_again(cursor, item):
        return True
    row = cursor.execute(
        f"SELECT CAST({row_document(dataset.fields, 'b.')} AS VARCHAR)"
        f" FROM ({base_query(dataset, item['source'])}) b WHERE b._key = ?",
        [item["key"]],
    ).fetchone()
    is_dropped = item["kind"] == ConflictKind.EDIT_DELETE
    if row is None or is_dropped:
        return (row is None) is not is_dropped
    sent = json.loads(row[0])
    unit = unit_named(dataset, item["field"]) if item["field"] else None
    if unit is not None and unit.is_single:
        return bool(sent[unit.fields[0].name] != item["theirs"])
    return any(sent.get(name) != value for name, value in (item["theirs"] or {}).items())


def _is_asked_again(cursor: Connection, item: Mapping[str, Any]) -> bool:
    row = cursor.execute(
        "SELECT count(*) FROM store.conflicts q WHERE status = ? AND dataset = ? AND key = ?"
        " AND source = ? AND field IS NOT DISTINCT FROM ?",
        [ConflictStatus.OPEN, item["dataset"], item["key"], item["source"], item["field"]],
    ).fetchone()
    return row != (0,)


@dataclass(frozen=True)
class _About:
    """What one commit decided about a cell or a row."""

    condition: str
    """SQL over `q`: the conflicts it settled by that."""
    is_row: bool


def _about(cursor: Connection, item: Mapping[str, Any]) -> _About:
    record = (
        f"q._commit = {item['closed_by']} AND q.dataset = {literal(item['dataset'])}"
        f" AND q.key = {literal(item['key'])} AND q.status IN"
        f" ('{ConflictStatus.RESOLVED}', '{ConflictStatus.CONVERGED}')"
    )
    # What is decided about the row as a whole can't be told from its cells.
    row = cursor.execute(
        f"SELECT count(*) FROM store.conflicts q WHERE {record} AND q.field IS NULL"
    ).fetchone()
    if row != (0,):
        return _About(record, is_row=True)
    return _About(f"{record} AND q.field = {literal(item['field'])}", is_row=False)


def _is_settled_alone(cursor: Connection, item: Mapping[str, Any]) -> bool:
    """Whether the commit that settled the conflict settled nothing else."""
    row = cursor.execute(
        f"SELECT count(*) FROM store.conflicts q WHERE _commit = ?"
        f" AND NOT ({_about(cursor, item).condition})",
        [item["closed_by"]],
    ).fetchone()
    return row == (0,)


def _open(cursor: Connection, condition: str, commit: int) -> int:
    """Open the conflicts that `condition` names; how many there were."""
    keep_conflict_versions(cursor, condition, commit)
    row = cursor.execute(
        f"UPDATE store.conflicts q SET _commit = {commit}, status = '{ConflictStatus.OPEN}',"
        f" resolution = NULL, closed = NULL WHERE {condition}"
    ).fetchone()
    return int(row[0]) if row else 0


def _put_back(
    cursor: Connection, dataset: Dataset, item: Mapping[str, Any], commit: int, *, is_row: bool
) -> dict[str, int]:
    """Give the cell, or the row, what it had before the decision, unless it was changed since."""
    undone, key = item["closed_by"], literal(item["key"])
    columns = idents(dataset.field_names)
    rows, past = rows_table(dataset.name), versions_table(dataset.name)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE reopen_before AS SELECT _key, _line, {columns} FROM {past}"
        f" WHERE _key = {key} AND _until = {undone} AND _commit <> {undone}"
    )
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE reopen_after AS SELECT _key, {columns} FROM {rows}"
        f" WHERE _key = {key} AND _commit = {undone} UNION ALL SELECT _key, {columns} FROM {past}"
        f" WHERE _key = {key} AND _commit = {undone} AND _until > {undone}"
    )
    if is_row:
        return _put_row_back(cursor, dataset, undone, commit)
    unit = unit_named(dataset, item["field"])
    return {"updated": _put_cells_back(cursor, dataset, unit.fields if unit else (), commit)}


def _put_row_back(cursor: Connection, dataset: Dataset, undone: int, commit: int) -> dict[str, int]:
    """A row that the decision deleted comes back, one that it brought goes, one it changed is
    as it was."""
    rows, columns = rows_table(dataset.name), idents(dataset.field_names)
    inserted = cursor.execute(
        f"INSERT INTO {rows} (_key, _commit, _line, {columns})"
        f" SELECT _key, {commit}, _line, {columns} FROM reopen_before"
        f" WHERE _key NOT IN (SELECT _key FROM {rows})"
    ).fetchone()
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE reopen_gone AS SELECT _key FROM {rows}"
        f" WHERE _commit = {undone} AND _key IN (SELECT _key FROM reopen_after)"
        " AND _key NOT IN (SELECT _key FROM reopen_before)"
    )
    deleted = delete_rows(cursor, dataset, "reopen_gone", commit)
    updated = _put_cells_back(cursor, dataset, dataset.fields, commit)
    return {"inserted": int(inserted[0]) if inserted else 0, "deleted": deleted, "updated": updated}


def _put_cells_back(
    cursor: Connection, dataset: Dataset, fields: Sequence[Field], commit: int
) -> int:
    """Fields that the decision changed and that are still as it left them all go back."""
    names = [field.name for field in fields]
    rows = rows_table(dataset.name)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE reopen_cells AS SELECT b._key, b._line, {idents(names, 'b.')}"
        " FROM reopen_before b JOIN reopen_after a ON a._key = b._key"
        f" JOIN {rows} o ON o._key = b._key"
        f" WHERE {differs(names, 'b', 'a')} AND NOT {differs(names, 'o', 'a')}"
    )
    values = {name: f"u.{ident(name)}" for name in names}
    return update_rows(cursor, dataset, "reopen_cells", values, commit, line="u._line")
