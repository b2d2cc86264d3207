"""A plan kept for review: one Parquet file with a row for everything the plan would do."""

from __future__ import annotations

from pathlib import Path

from dataport.core.words import ConflictKind, Operation
from dataport.engine.catalog.units import SIGN
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.merging.relations import OURS
from dataport.engine.sql import ident, literal, row_document
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection

PREVIEW_FILE = "plan.parquet"

ROWS_PER_GROUP = 20_480
"""Rows that a reader of one page has to decode."""

_NONE = "CAST([] AS VARCHAR[])"
_NO_DOCUMENT = "CAST(NULL AS VARCHAR)"


def write_preview(
    cursor: Connection,
    merge: MergeInput,
    path: Path,
    first: int = 1,
    left_out: str | None = None,
) -> int:
    """Write the planned rows to `path`: changes first, then by key; unchanged ones left out.

    `left_out` is a relation of rows of another preview, to be shown as they are. Returns how many
    rows there are. Columns: `n` from `first` on, `_key`, `operation`, `line`, the table `inside` the
    file where it holds several, `before` and `after` as JSON text, the
    `changed` fields, the fields with `conflicts`, how many conflicts are `queued`, and whether
    the row `is_incoming`, or one that the file leaves out.
    """
    asked = (
        "SELECT key AS _key,"
        f" flatten(list(string_split(field, {literal(SIGN)}) ORDER BY field)"
        " FILTER (field IS NOT NULL)) AS fields,"
        " bool_or(field IS NULL) AS is_row,"
        " count(*) AS queued FROM plan_conflicts WHERE is_news GROUP BY key"
    )
    queries = [_matched(merge), _row_conflicts(merge), _deleted(merge), _inserted(merge)]
    planned = ["plan_judged", "plan_conflicts", "plan_deletes", "plan_inserts"]
    if left_out:
        queries.append(_left_out(left_out))
        planned.append(left_out)
    shown = " UNION ALL BY NAME ".join(queries)
    number = f"{int(first) - 1} + row_number() OVER (ORDER BY rank, _key)"
    placed = f"SELECT {number} AS n, * EXCLUDE (rank) FROM plan_shown"
    merge.runner.run(
        cursor,
        Step("gather questions", Scope.GROUP, asked, ("plan_conflicts",), "plan_asked"),
        Step(
            "show each row",
            Scope.GROUP,
            shown,
            (*planned, "plan_asked", OURS, RESOLVED),
            "plan_shown",
            Kept.VIEW,
        ),
    )
    place = Step("place them", Scope.GROUP, placed, ("plan_shown",), PREVIEW_FILE)
    options = f"FORMAT parquet, ROW_GROUP_SIZE {ROWS_PER_GROUP}"
    return merge.runner.write(cursor, place, path, options)


def _matched(merge: MergeInput) -> str:
    merged = ", ".join(f"j.{ident(f.name)} AS {ident(f.name)}" for f in merge.fields)
    before = f"CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR)"
    after = f"CAST({row_document(merge.dataset.fields, 'm.')} AS VARCHAR)"
    operation = f"CASE WHEN j.is_changed THEN '{Operation.UPDATE}' ELSE '{Operation.UNCHANGED}' END"
    condition = "j.is_changed OR a.queued IS NOT NULL"
    if merge.inserts_only:
        operation, condition = f"'{Operation.SKIP}'", "true"
    return (
        f"SELECT 0 AS rank, j._key, {operation} AS operation, {_placed(merge, 'j._line')}, {before} AS before,"
        f" {after} AS after, {_changed(merge, 'j.{} IS DISTINCT FROM o.{}')} AS changed,"
        f" {_conflicts(merge)} AS conflicts, coalesce(a.queued, 0) AS queued, true AS is_incoming"
        f" FROM plan_judged j JOIN {OURS} o ON o._key = j._key"
        f" JOIN (SELECT o.* REPLACE ({merged}) FROM {OURS} o"
        " JOIN plan_judged j ON j._key = o._key) m ON m._key = j._key"
        f" LEFT JOIN plan_asked a ON a._key = j._key WHERE {condition}"
    )


def _row_conflicts(merge: MergeInput) -> str:
    """Rows that wait as a whole: nothing happens to them, `conflicts` names every field."""
    return (
        f"SELECT 1 AS rank, c.key AS _key, '{Operation.UNCHANGED}' AS operation, {_placed(merge, 'c.line')},"
        f" c.ours AS before, CASE WHEN c.kind <> '{ConflictKind.DUPLICATE_KEY}' THEN c.theirs END"
        f" AS after, {_NONE} AS changed,"
        f" {_conflicts(merge)} AS conflicts, a.queued,"
        f" c.key IN (SELECT _key FROM {RESOLVED}) AS is_incoming"
        " FROM plan_conflicts c JOIN plan_asked a ON a._key = c.key"
        " WHERE c.field IS NULL AND c.is_news AND c.key NOT IN (SELECT _key FROM plan_judged)"
    )


def _deleted(merge: MergeInput) -> str:
    before = f"CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR)"
    return (
        f"SELECT 2 AS rank, o._key, '{Operation.DELETE}' AS operation, CAST(NULL AS BIGINT) AS line,"
        f" {before} AS before, {_NO_DOCUMENT} AS after, {_NONE} AS changed, {_NONE} AS conflicts,"
        " 0 AS queued, false AS is_incoming"
        f" FROM {OURS} o SEMI JOIN plan_deletes d ON d._key = o._key"
    )


def _inserted(merge: MergeInput) -> str:
    after = f"CAST({row_document(merge.fields, 't.')} AS VARCHAR)"
    return (
        f"SELECT 3 AS rank, t._key, '{Operation.INSERT}' AS operation, {_placed(merge, 't._line')},"
        f" {_NO_DOCUMENT} AS before, {after} AS after,"
        f" {_changed(merge, 't.{} IS NOT NULL')} AS changed, {_NONE} AS conflicts, 0 AS queued,"
        " true AS is_incoming"
        f" FROM {RESOLVED} t SEMI JOIN plan_inserts i ON i._record = t._record"
    )


def _placed(merge: MergeInput, line: str) -> str:
    """Where a row stands in the file: `line`, and the table `inside`."""
    return f"{merge.table_lines.line(line)} AS line, {merge.table_lines.inside(line)} AS inside"


def _left_out(rows: str) -> str:
    """Rows of another preview, each among those of its kind."""
    rank = f"CASE operation WHEN '{Operation.DELETE}' THEN 2 WHEN '{Operation.INSERT}' THEN 3 ELSE 0 END"
    return f"SELECT {rank} AS rank, * EXCLUDE (n) FROM {rows}"


def _changed(merge: MergeInput, test: str) -> str:
    """A list of the stated fields for which `test`, a format with the field's name, holds."""
    cases = [
        f"CASE WHEN {test.format(ident(f.name), ident(f.name))} THEN {literal(f.name)} END"
        for f in merge.fields
    ]
    return f"list_filter([{', '.join(cases)}], x -> x IS NOT NULL)"


def _conflicts(merge: MergeInput) -> str:
    """The fields that `a`, a row of what is to be decided, asks about."""
    names = "[" + ", ".join(literal(field.name) for field in merge.fields) + "]"
    return (
        f"CASE WHEN a.is_row THEN {names}"
        f" ELSE list_filter({names}, x -> coalesce(list_contains(a.fields, x), false)) END"
    )
