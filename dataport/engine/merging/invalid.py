"""Rows whose merge would break a rule that store and file both keep (merge.md 5.3).

Nothing of such a row is applied; one conflict about it names every rule that it would break.
Only rows that the plan writes are looked at.
"""

from __future__ import annotations

from dataport.core.words import ConflictKind, ConflictStatus
from dataport.engine.catalog.units import Unit
from dataport.engine.merging.broken import broken_links, broken_values
from dataport.engine.merging.cells import unit_json
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import THEIRS
from dataport.engine.sql import ident, row_document
from dataport.engine.store import Connection

ROUNDS = 20
"""Rounds in which a row may rely on what others are to become; then only on what is stored."""

_BROKEN = "plan_broken"
INVALID = "plan_invalid"
"""`_record, _key, ours, merged, details` of rows that are put aside, the last three as JSON."""


def set_invalid_aside(cursor: Connection, merge: MergeInput, *, is_compared: bool) -> None:
    """Move the rows that would break a rule out of `plan_judged` and `plan_inserts`.

    A row that is put aside keeps its value, which another was to have, and is not there for
    others to refer to: so this goes on until no rule is broken. Rows that were compared with
    nothing keep every rule, as the file does.
    """
    cursor.execute(
        f"CREATE TEMP TABLE {INVALID} (_record BIGINT, _key VARCHAR, ours VARCHAR,"
        " merged VARCHAR, details VARCHAR)"
    )
    values, links = broken_values(merge), broken_links(merge, is_strict=False)
    if not is_compared or not (values or links):
        return
    cursor.execute(
        f"CREATE TEMP TABLE {_BROKEN} (_record BIGINT, field VARCHAR, code VARCHAR,"
        " message VARCHAR, is_new BOOLEAN DEFAULT true)"
    )
    is_found, number = _put_aside(cursor, merge, values + links), 1
    while is_found and links:
        links = broken_links(merge, is_strict=number >= ROUNDS)
        is_found, number = _put_aside(cursor, merge, links), number + 1


def _put_aside(cursor: Connection, merge: MergeInput, queries: list[str]) -> bool:
    """Put aside the rows that break a rule as things stand; whether there were any."""
    for query in queries:
        cursor.execute(f"INSERT INTO {_BROKEN} (_record, field, code, message) {query}")
    if cursor.execute(f"SELECT 1 FROM {_BROKEN} WHERE is_new LIMIT 1").fetchone() is None:
        return False
    cursor.execute(f"INSERT INTO {INVALID} {_aside(merge)}")
    for table in ("plan_judged", "plan_inserts"):
        cursor.execute(f"DELETE FROM {table} WHERE _record IN (SELECT _record FROM {INVALID})")
    cursor.execute(f"UPDATE {_BROKEN} SET is_new = false")
    return True


def _aside(merge: MergeInput) -> str:
    """The rows with what they are in the store and would become, and all that they break."""
    merged = ", ".join(f"j.{ident(field.name)} AS {ident(field.name)}" for field in merge.fields)
    ours = f"CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR)"
    becoming = f"CAST({row_document(merge.dataset.fields, 'm.')} AS VARCHAR)"
    inserted = unit_json(Unit(merge.fields, None), "t", merge)
    broken = (
        "SELECT _record, CAST(to_json(list(json_object('field', field, 'code', code,"
        f" 'message', message) ORDER BY field, code)) AS VARCHAR) AS details FROM {_BROKEN}"
        f" GROUP BY _record HAVING bool_or(is_new)"
    )
    return (
        f"SELECT j._record, j._key, {ours}, {becoming}, b.details"
        f" FROM plan_judged j JOIN ({broken}) b ON b._record = j._record"
        " JOIN plan_ours o ON o._key = j._key"
        f" JOIN (SELECT o.* REPLACE ({merged}) FROM plan_ours o"
        " JOIN plan_judged j ON j._key = o._key) m ON m._key = j._key"
        f" UNION ALL SELECT t._record, t._key, NULL, {inserted}, b.details"
        f" FROM {THEIRS} t JOIN plan_inserts i ON i._record = t._record"
        f" JOIN ({broken}) b ON b._record = t._record"
    )


def invalid_conflicts(merge: MergeInput) -> str:
    """One conflict for each row put aside, as rows of `plan_conflicts`; the very same is left out."""
    base = f"CAST({row_document(merge.remembered, 'm._b.')} AS VARCHAR)"
    theirs = unit_json(Unit(merge.fields, None), "t", merge)
    details = (
        "CAST(json_object('violations', CAST(i.details AS JSON),"
        " 'merged', CAST(i.merged AS JSON)) AS VARCHAR)"
    )
    return (
        f"SELECT q.conflict, i._key, NULL, '{ConflictKind.INVALID_MERGE}',"
        f" CASE WHEN m.has_base THEN {base} END, i.ours, {theirs}, t._line,"
        f" '{ConflictStatus.OPEN}', true, {details}"
        f" FROM {INVALID} i JOIN plan_matched m ON m._record = i._record"
        f" JOIN {THEIRS} t ON t._record = i._record"
        f" LEFT JOIN {_open()} q ON q.key = i._key"
        f" WHERE q.conflict IS NULL OR q.theirs IS DISTINCT FROM {theirs}"
        f" OR q.details IS DISTINCT FROM {details}"
    )


def covered_conflicts() -> str:
    """Open conflicts about values of rows put aside: these wait as a whole from now on."""
    kinds = f"('{ConflictKind.EDIT_EDIT}', '{ConflictKind.ADD_ADD}')"
    return (
        "SELECT q.conflict, q.key, q.field, q.kind, q.base, q.ours, q.theirs, q.line,"
        f" '{ConflictStatus.SUPERSEDED}', false FROM plan_open q"
        f" SEMI JOIN {INVALID} i ON i._key = q.key WHERE q.kind IN {kinds}"
    )


def mended_conflicts(merge: MergeInput) -> str:
    """Open conflicts of this kind about rows that break no rule any more."""
    theirs = unit_json(Unit(merge.fields, None), "t", merge)
    return (
        f"SELECT q.conflict, q.key, q.field, q.kind, q.base, q.ours, {theirs}, q.line,"
        f" '{ConflictStatus.WITHDRAWN}', false FROM {_open()} q"
        " JOIN (SELECT _key, _record FROM plan_judged"
        " UNION ALL SELECT _key, _record FROM plan_inserts) j ON j._key = q.key"
        f" JOIN {THEIRS} t ON t._record = j._record"
    )


def refused_keys() -> str:
    """Keys of open conflicts about rows that never got into the store."""
    return f"SELECT key FROM {_open()} WHERE ours IS NULL"


def _open() -> str:
    return f"(SELECT * FROM plan_open WHERE kind = '{ConflictKind.INVALID_MERGE}')"
