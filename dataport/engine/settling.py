"""Conflicts that close by themselves, because a commit left nothing to decide (merge.md 5.5)."""

from __future__ import annotations

from dataport.core.clock import naive_utc, now
from dataport.core.words import ASKED_LATER, DELETED, ConflictKind, ConflictStatus
from dataport.engine.catalog.model import Dataset, Granularity
from dataport.engine.merging.apply import keep_conflict_versions
from dataport.engine.merging.cells import exploded, fields_of, names_in
from dataport.engine.sql import from_json, ident, literal, rows_table, versions_table
from dataport.engine.store import Connection


def settle_moot(cursor: Connection, dataset: Dataset, commit: int) -> int:
    """Close the open conflicts that `commit` made moot; how many there were.

    Store and file say the same now, or the record is gone: then its source's wish to delete it
    is met, and its contested values are superseded.
    """
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE settling_open AS SELECT * FROM store.conflicts"
        f" WHERE status = '{ConflictStatus.OPEN}' AND dataset = {literal(dataset.name)}"
    )
    if cursor.execute("SELECT 1 FROM settling_open LIMIT 1").fetchone() is None:
        return 0
    return _settle_gone(cursor, dataset, commit) + _settle_agreeing(cursor, dataset, commit)


def ask_once(cursor: Connection, commit: int) -> int:
    """Close the conflicts that `commit` opened anew, or made older than one it opened, while a
    later one stands for them; how many there were.

    A source's later word about a cell, or a row, is the one to decide about. Should it be taken
    back, the earlier is asked about again.
    """
    asked = (
        f"SELECT q.conflict FROM store.conflicts q WHERE q.status = '{ConflictStatus.OPEN}'"
        f" AND {asked_later(f'(q._commit = {commit} OR x._commit = {commit})')}"
    )
    return _close(cursor, asked, commit, f"'{ConflictStatus.UNDONE}'", f"'{ASKED_LATER}'")


def asked_later(condition: str = "true") -> str:
    """SQL that is true of a conflict `q` if a later one `x` of its source is about the same and
    stands, open or decided; `condition` may narrow down which."""
    standing = ", ".join(
        literal(status.value)
        for status in (ConflictStatus.OPEN, ConflictStatus.RESOLVED, ConflictStatus.CONVERGED)
    )
    disputed = f"= '{ConflictKind.DUPLICATE_KEY}'"
    return (
        "EXISTS (SELECT 1 FROM store.conflicts x WHERE x.conflict > q.conflict"
        " AND x.dataset = q.dataset AND x.key = q.key AND x.source = q.source"
        " AND x.field IS NOT DISTINCT FROM q.field"
        f" AND (x.kind {disputed}) = (q.kind {disputed})"
        f" AND x.status IN ({standing}) AND {condition})"
    )


def _settle_agreeing(cursor: Connection, dataset: Dataset, commit: int) -> int:
    """Conflicts about values that the store has as the file says them.

    Where the definition asks about everything that both sides touched, a person decides even so.
    """
    if dataset.granularity in (Granularity.GROUP, Granularity.TOUCHED):
        return 0
    # A record that was deleted here and is back is compared as a whole.
    items = (
        f"(SELECT * REPLACE (CASE WHEN kind = '{ConflictKind.DELETE_EDIT}'"
        f" THEN '{ConflictKind.EDIT_EDIT}' ELSE kind END AS kind) FROM settling_open)"
    )
    names = names_in(cursor, items)
    if not names:
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
    return _close(cursor, agreeing, commit, f"'{ConflictStatus.CONVERGED}'", "NULL")


def _settle_gone(cursor: Connection, dataset: Dataset, commit: int) -> int:
    """Conflicts about records that the commit deleted."""
    wish = f"kind = '{ConflictKind.EDIT_DELETE}'"
    # One that asks whether to bring the record back is still to be decided, and so is one about
    # rows of a file that contradict each other.
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE settling_gone AS SELECT q.conflict, q.key, q.kind"
        f" FROM settling_open q SEMI JOIN {versions_table(dataset.name)} v"
        f" ON v._key = q.key AND v._until = {commit} WHERE q.kind NOT IN"
        f" ('{ConflictKind.DELETE_EDIT}', '{ConflictKind.DUPLICATE_KEY}')"
    )
    if cursor.execute("SELECT 1 FROM settling_gone LIMIT 1").fetchone() is None:
        return 0
    gone = (
        f"SELECT g.conflict FROM settling_gone g ANTI JOIN {rows_table(dataset.name)} o"
        " ON o._key = g.key"
    )
    return _close(
        cursor,
        gone,
        commit,
        f"CASE WHEN {wish} THEN '{ConflictStatus.CONVERGED}'"
        f" ELSE '{ConflictStatus.SUPERSEDED}' END",
        f"CASE WHEN NOT {wish} THEN '{DELETED}' END",
    )


def _close(cursor: Connection, conflicts: str, commit: int, status: str, resolution: str) -> int:
    """Close the conflicts that the query `conflicts` names, with these SQL expressions."""
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE settling AS {conflicts}")
    condition = "q.conflict IN (SELECT conflict FROM settling)"
    keep_conflict_versions(cursor, condition, commit)
    row = cursor.execute(
        f"UPDATE store.conflicts q SET _commit = {commit}, status = {status},"
        f" resolution = {resolution}, closed = $time WHERE {condition}",
        {"time": naive_utc(now())},
    ).fetchone()
    return int(row[0]) if row else 0
