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
from dataport.engine.merging.matching import RESOLVED, THEIRS
from dataport.engine.merging.relations import OPEN, OURS
from dataport.engine.sql import ident, row_document
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection

ROUNDS = 20
"""Rounds in which a row may rely on what others are to become; then only on what is stored."""

_BROKEN = "plan_broken"
"""`_record, field, code, message` of broken rules, and `is_new` for those of this round."""
INVALID = "plan_invalid"
"""`_record, _key, ours, merged, details` of rows that are put aside, the last three as JSON."""

_PLANNED = ("plan_judged", "plan_inserts", "plan_matched", "plan_deletes")
_NONE_INVALID = (
    "SELECT NULL::BIGINT AS _record, NULL::VARCHAR AS _key, NULL::VARCHAR AS ours,"
    " NULL::VARCHAR AS merged, NULL::VARCHAR AS details WHERE false"
)
_NONE_BROKEN = (
    "SELECT NULL::BIGINT AS _record, NULL::VARCHAR AS field, NULL::VARCHAR AS code,"
    " NULL::VARCHAR AS message, NULL::BOOLEAN AS is_new WHERE false"
)


def set_invalid_aside(cursor: Connection, merge: MergeInput, *, is_compared: bool) -> None:
    """Move the rows that would break a rule out of `plan_judged` and `plan_inserts`.

    A row that is put aside keeps its value, which another was to have, and is not there for
    others to refer to: so this goes on until no rule is broken. Rows that were compared with
    nothing keep every rule, as the file does.
    """
    merge.runner.run(
        cursor,
        Step("put nothing aside yet", Scope.ROW, _NONE_INVALID, (), INVALID),
        Step("find nothing broken yet", Scope.ROW, _NONE_BROKEN, (), _BROKEN),
    )
    values, links = broken_values(merge), broken_links(merge, is_strict=False)
    if not is_compared or not (values or links):
        return
    is_found, number = _put_aside(cursor, merge, values + links), 1
    while is_found and links:
        links = broken_links(merge, is_strict=number >= ROUNDS)
        is_found, number = _put_aside(cursor, merge, links), number + 1


def _put_aside(cursor: Connection, merge: MergeInput, queries: list[str]) -> bool:
    """Put aside the rows that break a rule as things stand; whether there were any."""
    inputs = (*_PLANNED, RESOLVED, OURS, *_referenced(merge))
    for query in queries:
        found = f"SELECT *, true FROM ({query})"
        merge.runner.run(
            cursor, Step("find broken rules", Scope.GROUP, found, inputs, _BROKEN, Kept.MORE)
        )
    if cursor.execute(f"SELECT 1 FROM {_BROKEN} WHERE is_new LIMIT 1").fetchone() is None:
        return False
    inputs = (*_PLANNED, _BROKEN, THEIRS, OURS)
    known = f"SELECT * REPLACE (false AS is_new) FROM {_BROKEN}"
    merge.runner.run(
        cursor,
        Step("put rows aside", Scope.GROUP, _aside(merge), inputs, INVALID, Kept.MORE),
        *(
            Step(
                "take them out",
                Scope.ROW,
                f"SELECT _record FROM {INVALID}",
                (INVALID,),
                table,
                Kept.LESS,
            )
            for table in ("plan_judged", "plan_inserts")
        ),
        Step("know them", Scope.ROW, known, (_BROKEN,), _BROKEN),
    )
    return True


def _referenced(merge: MergeInput) -> list[str]:
    """Relations that the merge's foreign keys lead to."""
    completed = [each.completed for each in merge.bindings if each.completed]
    return [*completed, *(place for each in merge.bindings for place in each.places)]


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
        f" JOIN {OURS} o ON o._key = j._key"
        f" JOIN (SELECT o.* REPLACE ({merged}) FROM {OURS} o"
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
        f" '{ConflictStatus.SUPERSEDED}', false FROM {OPEN} q"
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
    return f"(SELECT * FROM {OPEN} WHERE kind = '{ConflictKind.INVALID_MERGE}')"
