"""A plan kept for review: one Parquet file with a row for everything the plan would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataport.core.words import ConflictKind, Operation
from dataport.engine.merging.fields import CONFLICT, code_column
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.sql import ident, literal, row_document
from dataport.engine.store import Connection

PREVIEW_FILE = "plan.parquet"
CONFLICTS = "conflict"
"""Value of the operation filter that keeps rows with something to decide."""


def write_preview(cursor: Connection, merge: MergeInput, directory: Path) -> None:
    """Write the planned rows to `directory`: changes first, then by key; unchanged left out."""
    queries = [_matched(merge), _row_conflicts(merge), _deleted(merge), _inserted(merge)]
    union = " UNION ALL BY NAME ".join(queries)
    cursor.execute(
        f"COPY (SELECT row_number() OVER (ORDER BY rank, _key) AS n, * EXCLUDE (rank)"
        f" FROM ({union})) TO {literal(str(directory / PREVIEW_FILE))} (FORMAT parquet)"
    )


def read_preview(
    cursor: Connection,
    directory: Path,
    *,
    operation: str | None = None,
    field: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> tuple[int, str | None, list[dict[str, Any]]]:
    """`(total, next, items)` of a kept plan; `after` and `next` are places in its order."""
    conditions = ["true"]
    if operation == CONFLICTS:
        conditions.append("len(conflicts) > 0")
    elif operation:
        conditions.append(f"operation = {literal(operation)}")
    if field:
        conditions.append(
            f"(list_contains(changed, {literal(field)}) OR list_contains(conflicts, {literal(field)}))"
        )
    source = f"read_parquet({literal(str(directory / PREVIEW_FILE))})"
    where = " AND ".join(conditions)
    row = cursor.execute(f"SELECT count(*) FROM {source} WHERE {where}").fetchone()
    rows = cursor.execute(
        "SELECT n, _key, operation, line, before, after, changed, conflicts"
        f" FROM {source} WHERE {where} AND n > {int(after)} ORDER BY n LIMIT {int(limit) + 1}"
    ).fetchall()
    shown = rows[:limit]
    following = str(shown[-1][0]) if len(rows) > limit and shown else None
    return int(row[0]) if row else 0, following, [_item(row) for row in shown]


def _item(row: tuple[Any, ...]) -> dict[str, Any]:
    _, key, operation, line, before, after, changed, conflicts = row
    return {
        "key": key,
        "operation": operation,
        "line": line,
        "before": json.loads(before) if before else None,
        "after": json.loads(after) if after else None,
        "changed": changed or [],
        "conflicts": conflicts or [],
    }


def _named(merge: MergeInput, test: str) -> str:
    """A list of the stated fields for which `test`, a format with the field's name, holds."""
    cases = [
        f"CASE WHEN {test.format(code=code_column(f), name=ident(f.name))} THEN {literal(f.name)} END"
        for f in merge.fields
    ]
    return f"list_filter([{', '.join(cases)}], x -> x IS NOT NULL)"


def _matched(merge: MergeInput) -> str:
    merged = ", ".join(f"j.{ident(f.name)} AS {ident(f.name)}" for f in merge.fields)
    before = f"CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR)"
    after = f"CAST({row_document(merge.dataset.fields, 'm.')} AS VARCHAR)"
    operation = f"CASE WHEN j.is_changed THEN '{Operation.UPDATE}' ELSE '{Operation.UNCHANGED}' END"
    if merge.inserts_only:
        operation, condition = f"'{Operation.SKIP}'", "true"
    else:
        conflicts = " OR ".join(f"j.{code_column(f)} = '{CONFLICT}'" for f in merge.fields)
        condition = f"j.is_changed OR {conflicts or 'false'}"
    return (
        f"SELECT 0 AS rank, j._key, {operation} AS operation, j._line AS line, {before} AS before,"
        f" {after} AS after, {_named(merge, 'j.{name} IS DISTINCT FROM o.{name}')} AS changed,"
        f" {_named(merge, 'j.{code} = ' + literal(CONFLICT))} AS conflicts"
        " FROM plan_judged j JOIN plan_ours o ON o._key = j._key"
        f" JOIN (SELECT o.* REPLACE ({merged}) FROM plan_ours o"
        " JOIN plan_judged j ON j._key = o._key) m ON m._key = j._key"
        f" WHERE {condition}"
    )


def _row_conflicts(merge: MergeInput) -> str:
    """Rows that wait as a whole: nothing happens to them, `conflicts` names every field."""
    names = "[" + ", ".join(literal(field.name) for field in merge.fields) + "]"
    return (
        f"SELECT 1 AS rank, key AS _key, '{Operation.UNCHANGED}' AS operation, line,"
        f" ours AS before, CASE WHEN kind <> '{ConflictKind.DUPLICATE_KEY}' THEN theirs END AS after, CAST([] AS VARCHAR[]) AS changed, {names} AS conflicts"
        " FROM plan_conflicts WHERE field IS NULL AND is_news"
    )


def _deleted(merge: MergeInput) -> str:
    before = f"CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR)"
    return (
        f"SELECT 2 AS rank, o._key, '{Operation.DELETE}' AS operation, CAST(NULL AS BIGINT) AS line,"
        f" {before} AS before, CAST(NULL AS VARCHAR) AS after, CAST([] AS VARCHAR[]) AS changed,"
        " CAST([] AS VARCHAR[]) AS conflicts"
        " FROM plan_ours o SEMI JOIN plan_deletes d ON d._key = o._key"
    )


def _inserted(merge: MergeInput) -> str:
    after = f"CAST({row_document(merge.fields, 't.')} AS VARCHAR)"
    return (
        f"SELECT 3 AS rank, t._key, '{Operation.INSERT}' AS operation, t._line AS line,"
        f" CAST(NULL AS VARCHAR) AS before, {after} AS after,"
        f" {_named(merge, 't.{name} IS NOT NULL')} AS changed, CAST([] AS VARCHAR[]) AS conflicts"
        f" FROM {RESOLVED} t SEMI JOIN plan_inserts i ON i._record = t._record"
    )
