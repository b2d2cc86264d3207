"""The conflict queue's part of a plan: what opens, what is superseded, what settles itself.

An open conflict keeps the base it began with. While it is open that base stands for its cell,
so that a source which goes back to its old value withdraws the conflict instead of opening
another (merge.md 5.5).
"""

from __future__ import annotations

from dataport.core.words import ConflictKind, ConflictStatus, Mode
from dataport.engine.catalog.model import Field
from dataport.engine.merging.disputes import dispute_conflicts, settled_disputes
from dataport.engine.merging.fields import CONFLICT, code_column
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED, THEIRS
from dataport.engine.sql import ident, json_value, literal, row_document
from dataport.engine.store import Connection

OPEN_CELLS = "plan_open_cells"

_COLUMNS = (
    "conflict BIGINT, key VARCHAR, field VARCHAR, kind VARCHAR, base VARCHAR, ours VARCHAR,"
    " theirs VARCHAR, line BIGINT, status VARCHAR, is_news BOOLEAN"
)

_ABOUT_ROW = f"q.field IS NULL AND q.kind <> '{ConflictKind.DUPLICATE_KEY}'"
"""True of conflicts about a row that one side deleted and the other changed."""


def open_cells(cursor: Connection, merge: MergeInput) -> tuple[Field, ...]:
    """Make `plan_open`, this source's open conflicts, and the bases of the cells they are about.

    Returns the fields that have such cells.
    """
    # An undo is no source that could repeat or take back what another undo said.
    source = "false" if merge.source is None else f"source = {literal(merge.source)}"
    cursor.execute(
        "CREATE TEMP TABLE plan_open AS SELECT * FROM store.conflicts"
        f" WHERE status = '{ConflictStatus.OPEN}' AND {source}"
        f" AND dataset = {literal(merge.dataset.name)}"
    )
    rows = cursor.execute("SELECT DISTINCT field FROM plan_open WHERE field IS NOT NULL").fetchall()
    names = {row[0] for row in rows}
    fields = tuple(field for field in merge.dataset.fields if field.name in names)
    if fields:
        cells = ", ".join(
            f"bool_or(field = {literal(f.name)}) AS {ident('_has_' + f.name)},"
            f" max(base) FILTER (field = {literal(f.name)}) AS {ident(f.name)}"
            for f in fields
        )
        cursor.execute(
            f"CREATE TEMP TABLE {OPEN_CELLS} AS SELECT key AS _key, {cells}"
            " FROM plan_open GROUP BY key"
        )
    return fields


def plan_conflicts(cursor: Connection, merge: MergeInput) -> None:
    """Make `plan_conflicts` from the judged and the absent rows."""
    cursor.execute(f"CREATE TEMP TABLE plan_conflicts ({_COLUMNS})")
    has_open = cursor.execute("SELECT 1 FROM plan_open LIMIT 1").fetchone() is not None
    queries = [_cells(field) for field in _conflicting_fields(cursor, merge)]
    if merge.asks:
        queries += [dispute_conflicts(merge), settled_disputes(merge, RESOLVED)]
    if has_open:
        queries += [_settled_cells(merge, field) for field in merge.fields]
        if not merge.inserts_only:
            queries.append(_returned_rows())
    gone = "SELECT 1 FROM plan_matched WHERE NOT has_ours AND has_base LIMIT 1"
    if not merge.inserts_only and cursor.execute(gone).fetchone():
        queries.append(_edited_after_delete(merge))
    if merge.deletes:
        queries.append(_deleted_after_edit(merge))
        queries.append(_dropped())
    for query in queries:
        cursor.execute(f"INSERT INTO plan_conflicts {query}")


def _conflicting_fields(cursor: Connection, merge: MergeInput) -> list[Field]:
    if not merge.fields:
        return []
    tests = ", ".join(f"bool_or({code_column(f)} = '{CONFLICT}')" for f in merge.fields)
    row = cursor.execute(f"SELECT {tests} FROM plan_judged").fetchone() or ()
    return [field for field, found in zip(merge.fields, row, strict=True) if found]


def _sides(field: Field) -> str:
    name = ident(field.name)
    return ", ".join(json_value(field, f"{side}.{name}") for side in ("_b", "_o", "t"))


_JUDGED = (
    "plan_judged j JOIN plan_matched m ON m._record = j._record"
    f" JOIN {THEIRS} t ON t._record = j._record"
)


def _cells(field: Field) -> str:
    """Values that both sides changed; those already queued with this very value are left out."""
    theirs = json_value(field, f"t.{ident(field.name)}")
    return (
        f"SELECT q.conflict, j._key, {literal(field.name)},"
        f" coalesce(q.kind, CASE WHEN j.has_base THEN '{ConflictKind.EDIT_EDIT}'"
        f" ELSE '{ConflictKind.ADD_ADD}' END),"
        f" {_sides(field)}, j._line, '{ConflictStatus.OPEN}', true"
        f" FROM {_JUDGED}"
        f" LEFT JOIN plan_open q ON q.key = j._key AND q.field = {literal(field.name)}"
        f" WHERE j.{code_column(field)} = '{CONFLICT}'"
        f" AND (q.conflict IS NULL OR q.theirs IS DISTINCT FROM {theirs})"
    )


def _settled_cells(merge: MergeInput, field: Field) -> str:
    """Open conflicts that the file ends: it agrees with the store, or takes its change back.

    A mode that settles differences by rule takes nothing back.
    """
    name = ident(field.name)
    unstated = (
        f" AND NOT coalesce(list_contains(t._absent, {literal(field.name)}), false)"
        if field.name in merge.partial
        else ""
    )
    agrees = f" AND j.{name} IS NOT DISTINCT FROM t.{name}" if merge.is_two_way else ""
    return (
        f"SELECT q.conflict, q.key, q.field, q.kind, {_sides(field)}, q.line,"
        f" CASE WHEN j.{name} IS NOT DISTINCT FROM t.{name} THEN '{ConflictStatus.CONVERGED}'"
        f" ELSE '{ConflictStatus.WITHDRAWN}' END, false"
        f" FROM {_JUDGED}"
        f" JOIN plan_open q ON q.key = j._key AND q.field = {literal(field.name)}"
        f" WHERE j.{code_column(field)} <> '{CONFLICT}'{unstated}{agrees}"
    )


def _edited_after_delete(merge: MergeInput) -> str:
    """Rows that the store deleted and the source then changed."""
    if merge.mode is Mode.REPLACE:
        return "SELECT * FROM plan_conflicts WHERE false"
    theirs = f"CAST({row_document(merge.fields, 't.')} AS VARCHAR)"
    base = f"coalesce(q.base, CAST({row_document(merge.fields, 'm._b.')} AS VARCHAR))"
    return (
        f"SELECT q.conflict, m._key, NULL, '{ConflictKind.DELETE_EDIT}', {base}, NULL, {theirs},"
        f" t._line, CASE WHEN q.base = {theirs} THEN '{ConflictStatus.WITHDRAWN}'"
        f" ELSE '{ConflictStatus.OPEN}' END, q.base IS DISTINCT FROM {theirs}"
        f" FROM plan_matched m JOIN plan_delta d ON d._record = m._record"
        f" JOIN {THEIRS} t ON t._record = m._record"
        f" LEFT JOIN plan_open q ON q.key = m._key AND {_ABOUT_ROW}"
        f" WHERE NOT m.has_ours AND m.has_base AND q.theirs IS DISTINCT FROM {theirs}"
    )


def _deleted_after_edit(merge: MergeInput) -> str:
    """Rows that the source dropped after the store had changed them."""
    fields = [field for field in merge.dataset.fields if field.name in merge.base_fields]
    base = f"CAST({row_document(fields, 'b.')} AS VARCHAR)"
    ours = f"CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR)"
    return (
        f"SELECT q.conflict, g._key, NULL, '{ConflictKind.EDIT_DELETE}', {base}, {ours}, NULL,"
        f" NULL, '{ConflictStatus.OPEN}', true"
        " FROM plan_gone_edited g JOIN plan_base b ON b._key = g._key"
        " JOIN plan_ours o ON o._key = g._key"
        f" LEFT JOIN plan_open q ON q.key = g._key AND {_ABOUT_ROW}"
    )


def _dropped() -> str:
    """Open conflicts about rows that the source no longer sends.

    It states none of their values any more; whether the row goes is asked anew where it was
    edited here. Of a row that is gone here too there is nothing left to ask.
    """
    return (
        "SELECT q.conflict, q.key, q.field, q.kind, q.base, q.ours, q.theirs, q.line,"
        f" CASE WHEN q.kind = '{ConflictKind.DELETE_EDIT}' THEN '{ConflictStatus.CONVERGED}'"
        f" ELSE '{ConflictStatus.WITHDRAWN}' END, false"
        " FROM plan_open q SEMI JOIN plan_dropped d ON d._key = q.key"
        f" WHERE NOT ({_ABOUT_ROW} AND q.key IN (SELECT _key FROM plan_gone_edited))"
    )


def _returned_rows() -> str:
    """Rows whose deletion was queued and which the source sends again."""
    return (
        "SELECT q.conflict, q.key, q.field, q.kind, q.base, q.ours, q.theirs, q.line,"
        f" '{ConflictStatus.WITHDRAWN}', false"
        f" FROM plan_open q JOIN {RESOLVED} t ON t._key = q.key"
        f" WHERE q.field IS NULL AND q.kind = '{ConflictKind.EDIT_DELETE}'"
    )
