"""The conflict queue's part of a plan: what opens, what is superseded, what settles itself.

An open conflict keeps the base it began with. While it is open that base stands for its cell,
so that a source which goes back to its old value withdraws the conflict instead of opening
another (merge.md 5.5).
"""

from __future__ import annotations

from collections.abc import Iterator

from dataport.core.words import ConflictKind, ConflictStatus, Mode
from dataport.engine.catalog.model import Field
from dataport.engine.catalog.units import Unit
from dataport.engine.merging.cells import asks_about, exploded, fields_of, is_about, unit_json
from dataport.engine.merging.disputes import DISPUTES, dispute_conflicts, settled_disputes
from dataport.engine.merging.fields import CONFLICT, code_column, is_unstated
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.invalid import (
    INVALID,
    covered_conflicts,
    invalid_conflicts,
    mended_conflicts,
    refused_keys,
)
from dataport.engine.merging.matching import MET, RESOLVED, THEIRS
from dataport.engine.merging.relations import ANSWERED, BASE, OPEN, OURS
from dataport.engine.sql import document_value, ident, literal, row_document
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection

OPEN_CELLS = "plan_open_cells"

_NO_CONFLICTS = (
    "SELECT NULL::BIGINT AS conflict, NULL::VARCHAR AS key, NULL::VARCHAR AS field,"
    " NULL::VARCHAR AS kind, NULL::VARCHAR AS base, NULL::VARCHAR AS ours,"
    " NULL::VARCHAR AS theirs, NULL::BIGINT AS line, NULL::VARCHAR AS status,"
    " NULL::BOOLEAN AS is_news, NULL::VARCHAR AS details WHERE false"
)
"""`details` is what a conflict says beyond its values, as JSON; only some kinds have it."""

_ABOUT_ROW = (
    f"q.field IS NULL AND q.kind IN ('{ConflictKind.DELETE_EDIT}', '{ConflictKind.EDIT_DELETE}')"
)
"""True of conflicts about a row that one side deleted and the other changed."""


def open_cells(cursor: Connection, merge: MergeInput) -> tuple[Field, ...]:
    """Make the relation of the bases of the cells that this source's open conflicts are about.

    Returns the fields that have such cells.
    """
    names = _open_names(cursor)
    fields = fields_of(merge.dataset, names)
    if fields:
        cells = ", ".join(
            f"bool_or(field = {literal(f.name)}) AS {ident('_has_' + f.name)},"
            f" max(value) FILTER (field = {literal(f.name)}) AS {ident(f.name)}"
            for f in fields
        )
        cells += f", key IN ({refused_keys()}) AS _is_refused"
        sql = (
            f"SELECT key AS _key, {cells}"
            f" FROM ({exploded(merge.dataset, names, OPEN, 'base')}) GROUP BY key"
        )
        merge.runner.run(cursor, Step("see open cells", Scope.KEY, sql, (OPEN,), OPEN_CELLS))
    return fields


def _open_names(cursor: Connection) -> set[str | None]:
    """The `field`s of open items that are about values."""
    rows = cursor.execute(
        f"SELECT DISTINCT field FROM {OPEN} q WHERE field IS NOT NULL OR ({is_about(None)})"
    ).fetchall()
    return {row[0] for row in rows}


def plan_conflicts(cursor: Connection, merge: MergeInput) -> None:
    """Make `plan_conflicts` from the judged and the absent rows."""
    none = Step("ask nothing yet", Scope.ROW, _NO_CONFLICTS, (), "plan_conflicts")
    asked = [
        (name, f"SELECT *, NULL AS details FROM ({sql})") for name, sql in _questions(cursor, merge)
    ]
    if cursor.execute(f"SELECT 1 FROM {INVALID} LIMIT 1").fetchone():
        asked.append(("invalid rows", invalid_conflicts(merge)))
    steps = [
        Step(f"ask about {name}", Scope.KEY, sql, _inputs(merge), "plan_conflicts", Kept.MORE)
        for name, sql in asked
    ]
    merge.runner.run(cursor, none, *steps)


def _inputs(merge: MergeInput) -> tuple[str, ...]:
    asked = (DISPUTES, ANSWERED) if merge.asks else ()
    left_out = [each for each in (merge.present, merge.excluded) if each]
    rows = (RESOLVED, THEIRS, MET, BASE, OURS, OPEN)
    planned = ("plan_judged", "plan_inserts", "plan_matched", "plan_delta", INVALID)
    gone = ("plan_gone_edited", "plan_dropped")
    return (*rows, *planned, *gone, *asked, *left_out)


def _questions(cursor: Connection, merge: MergeInput) -> Iterator[tuple[str, str]]:
    """What opens or closes conflicts, as queries by what they are about."""
    for unit in _conflicting_units(cursor, merge):
        yield "values", _values(merge, unit)
    if merge.asks:
        yield "contradicting rows", dispute_conflicts(merge)
        yield "rows that contradict each other no more", settled_disputes(merge, RESOLVED)
    if cursor.execute(f"SELECT 1 FROM {OPEN} LIMIT 1").fetchone() is not None:
        yield "rows that are valid again", mended_conflicts(merge)
        yield "values of invalid rows", covered_conflicts()
        names = _open_names(cursor)
        for unit in merge.units:
            if unit.name in names:
                yield "settled values", _settled(merge, unit)
        if not merge.inserts_only:
            yield "rows that came back", _returned_rows()
    gone = "SELECT 1 FROM plan_matched WHERE NOT has_ours AND has_base LIMIT 1"
    is_replaced = merge.inserts_only or merge.mode is Mode.REPLACE
    if not is_replaced and cursor.execute(gone).fetchone():
        yield "rows changed after they were deleted", _edited_after_delete(merge)
    if merge.deletes:
        yield "rows deleted after they were changed", _deleted_after_edit(merge)
        yield "dropped rows", _dropped()


def _conflicting_units(cursor: Connection, merge: MergeInput) -> list[Unit]:
    if not merge.units:
        return []
    tests = ", ".join(f"bool_or({_code(unit)} = '{CONFLICT}')" for unit in merge.units)
    row = cursor.execute(f"SELECT {tests} FROM plan_judged").fetchone() or ()
    return [unit for unit, found in zip(merge.units, row, strict=True) if found]


def _code(unit: Unit) -> str:
    return code_column(unit.fields[0])


def _sides(merge: MergeInput, unit: Unit) -> str:
    base = unit_json(unit, "_b", merge)
    if not unit.is_single:
        base = f"CASE WHEN j.has_base THEN {base} END"
    return ", ".join([base, *(unit_json(unit, side, merge) for side in ("_o", "t"))])


_JUDGED = (
    "plan_judged j JOIN (SELECT _record, _b FROM plan_matched) m ON m._record = j._record"
    f" JOIN {MET} t ON t._record = j._record"
)


def _values(merge: MergeInput, unit: Unit) -> str:
    """Values that both sides changed; those already queued with this very value are left out."""
    known = merge.source is None or any(f.name in merge.base_fields for f in unit.fields)
    edited = (
        f"CASE WHEN j.has_base THEN '{ConflictKind.EDIT_EDIT}' ELSE '{ConflictKind.ADD_ADD}' END"
    )
    kind = edited if known else f"'{ConflictKind.ADD_ADD}'"
    return (
        f"SELECT q.conflict, j._key, {literal(unit.name)}, coalesce(q.kind, {kind}),"
        f" {_sides(merge, unit)}, j._line, '{ConflictStatus.OPEN}', true"
        f" FROM {_JUDGED}"
        f" LEFT JOIN (SELECT * FROM {OPEN} q WHERE {asks_about(unit)}) q ON q.key = j._key"
        f" WHERE j.{_code(unit)} = '{CONFLICT}' AND"
        f" (q.conflict IS NULL OR q.theirs IS DISTINCT FROM {unit_json(unit, 't', merge)})"
    )


def _settled(merge: MergeInput, unit: Unit) -> str:
    """Open conflicts that the file ends: it agrees with the store, or takes its change back.

    A mode that settles differences by rule takes nothing back.
    """
    unstated = [is_unstated(field, merge) for field in unit.fields]
    said = " OR ".join(f"NOT {test}" if test else "true" for test in unstated)
    names = [ident(field.name) for field in unit.fields]
    agrees = " AND ".join(
        f"({test or 'false'} OR j.{name} IS NOT DISTINCT FROM t.{name})"
        for name, test in zip(names, unstated, strict=True)
    )
    settled = f" AND ({agrees})" if merge.is_two_way else ""
    return (
        f"SELECT q.conflict, q.key, q.field, q.kind, {_sides(merge, unit)}, q.line,"
        f" CASE WHEN {agrees} THEN '{ConflictStatus.CONVERGED}'"
        f" ELSE '{ConflictStatus.WITHDRAWN}' END, false"
        f" FROM {_JUDGED} JOIN {OPEN} q ON q.key = j._key"
        f" WHERE {asks_about(unit)} AND j.{_code(unit)} <> '{CONFLICT}' AND ({said}){settled}"
    )


def _edited_after_delete(merge: MergeInput) -> str:
    """Rows that the store deleted and the source then changed.

    A field that it states for the first time is no change of the row it knows.
    """
    base = f"CAST({row_document(merge.remembered, 'm._b.')} AS VARCHAR)"
    theirs = f"CAST({_said_last(merge)} AS VARCHAR)"
    changed = [_is_changed(field, merge) for field in merge.fields if field in merge.known]
    return (
        f"SELECT q.conflict, m._key, NULL, '{ConflictKind.DELETE_EDIT}', coalesce(q.base, {base}),"
        f" NULL, {theirs}, t._line,"
        f" CASE WHEN q.base = {theirs} THEN '{ConflictStatus.WITHDRAWN}'"
        f" ELSE '{ConflictStatus.OPEN}' END, q.base IS DISTINCT FROM {theirs}"
        f" FROM plan_matched m JOIN plan_delta d ON d._record = m._record"
        f" JOIN {MET} t ON t._record = m._record"
        f" LEFT JOIN {_row_items(ConflictKind.DELETE_EDIT)} q ON q.key = m._key"
        f" WHERE NOT m.has_ours AND m.has_base AND q.theirs IS DISTINCT FROM {theirs}"
        f" AND ({' OR '.join(changed) or 'false'})"
    )


def _said_last(merge: MergeInput) -> str:
    """The row as the source has it: what the file leaves unsaid is as it was sent before."""
    members = []
    for field in merge.remembered:
        name = ident(field.name)
        value = f"t.{name}" if field in merge.fields else f"m._b.{name}"
        unstated = is_unstated(field, merge)
        if unstated:
            value = f"CASE WHEN {unstated} THEN m._b.{name} ELSE {value} END"
        members.append(f"{literal(field.name)}, {document_value(field, value)}")
    return f"json_object({', '.join(members)})"


def _is_changed(field: Field, merge: MergeInput) -> str:
    name, unstated = ident(field.name), is_unstated(field, merge)
    changed = f"t.{name} IS DISTINCT FROM d._b.{name}"
    return f"({changed} AND NOT {unstated})" if unstated else changed


def _row_items(kind: ConflictKind) -> str:
    return f"(SELECT * FROM {OPEN} WHERE field IS NULL AND kind = '{kind}')"


def _deleted_after_edit(merge: MergeInput) -> str:
    """Rows that the source dropped after the store had changed them."""
    fields = [field for field in merge.dataset.fields if field.name in merge.base_fields]
    base = f"CAST({row_document(fields, 'g._b.')} AS VARCHAR)"
    ours = f"CAST({row_document(merge.dataset.fields, 'g._o.')} AS VARCHAR)"
    return (
        f"SELECT q.conflict, g._key, NULL, '{ConflictKind.EDIT_DELETE}', {base}, {ours}, NULL,"
        f" NULL, '{ConflictStatus.OPEN}', true"
        " FROM plan_gone_edited g"
        f" LEFT JOIN {_row_items(ConflictKind.EDIT_DELETE)} q ON q.key = g._key"
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
        f" FROM {OPEN} q SEMI JOIN plan_dropped d ON d._key = q.key"
        f" WHERE NOT ({_ABOUT_ROW} AND q.key IN (SELECT _key FROM plan_gone_edited))"
    )


def _returned_rows() -> str:
    """Rows whose deletion was queued and which the source sends again."""
    return (
        "SELECT q.conflict, q.key, q.field, q.kind, q.base, q.ours, q.theirs, q.line,"
        f" '{ConflictStatus.WITHDRAWN}', false"
        f" FROM {OPEN} q JOIN {RESOLVED} t ON t._key = q.key"
        f" WHERE q.field IS NULL AND q.kind = '{ConflictKind.EDIT_DELETE}'"
    )
