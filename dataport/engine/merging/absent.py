"""Rows that the file leaves out, where the mode says that this means something (merge.md 5.3)."""

from __future__ import annotations

from dataport.core.words import Mode
from dataport.engine.merging.disputes import DISPUTES
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.merging.relations import ASSERTED, BASE, OURS
from dataport.engine.sql import differs, struct
from dataport.engine.steps import Scope, Step
from dataport.engine.store import Connection

_LEFT_OUT = "plan_left_out"
_NOBODY = "SELECT _key FROM plan_gone WHERE false"
_DOUBTFUL = "FROM plan_gone WHERE has_ours AND NOT is_asserted"
_EDITED = f"SELECT _key, _b, _o {_DOUBTFUL} AND NOT is_unedited"


def plan_absent(cursor: Connection, merge: MergeInput) -> int:
    """Make `plan_deletes`, `plan_dropped` and `plan_gone_edited`; returns deletes held back.

    While a rejected row's key is unknown it could be any row: then nothing is deleted, and the
    number of rows that would have been is returned.
    """
    merge.runner.run(cursor, _leave_out(cursor, merge))
    is_any = cursor.execute(f"SELECT 1 FROM {_LEFT_OUT} LIMIT 1").fetchone() is not None
    merge.runner.run(cursor, _gone(merge, is_any=is_any))
    if not merge.deletes or merge.has_unknown_keys:
        merge.runner.run(cursor, *_outcomes(_NOBODY, _NOBODY, f"{_EDITED} AND false"))
        counted = "SELECT count(*) FROM plan_gone WHERE has_ours"
        held: int = merge.runner.totals(cursor, "count what is held", counted, ("plan_gone",))[0]
        return held
    dropped = _NOBODY if merge.source is None else "SELECT _key FROM plan_gone WHERE has_base"
    deletes = f"SELECT _key {_DOUBTFUL} AND is_unedited"
    merge.runner.run(cursor, *_outcomes(deletes, dropped, _EDITED))
    return 0


def _outcomes(deletes: str, dropped: str, edited: str) -> list[Step]:
    return [
        Step("tell what is gone", Scope.ROW, sql, ("plan_gone",), output)
        for output, sql in (
            ("plan_deletes", deletes),
            ("plan_dropped", dropped),
            ("plan_gone_edited", edited),
        )
    ]


def _leave_out(cursor: Connection, merge: MergeInput) -> Step:
    """Keys that the source or, where all of the store is at stake, the store has and no row of
    the file names. None where the mode makes nothing of that."""
    name, is_all = "find what is left out", merge.mode is Mode.REPLACE
    if not merge.deletes or (not is_all and names_every_base(cursor, merge)):
        none = f"SELECT _key FROM {BASE} WHERE false"
        return Step(name, Scope.ROW, none, (BASE,), _LEFT_OUT)
    spoken_for = [RESOLVED, *(each for each in (merge.present, merge.excluded) if each)]
    if merge.asks:
        spoken_for.append(DISPUTES)
    absent = "".join(
        f" ANTI JOIN {each} p{number} ON p{number}._key = k._key"
        for number, each in enumerate(spoken_for)
    )
    known = f"SELECT _key FROM {BASE}"
    if is_all:
        known = f"SELECT _key FROM {OURS} UNION {known}"
    sql = f"SELECT k._key FROM ({known}) k{absent}"
    return Step(name, Scope.KEY, sql, (*spoken_for, OURS, BASE), _LEFT_OUT)


def names_every_base(cursor: Connection, merge: MergeInput) -> bool:
    """Whether there are no more bases than rows that have one: a count instead of a join."""
    bases, incoming, new = merge.runner.totals(
        cursor,
        "count bases",
        f"SELECT (SELECT count(*) FROM {BASE}), (SELECT count(*) FROM {RESOLVED}),"
        " (SELECT count(*) FROM plan_delta WHERE NOT has_base)",
        (BASE, RESOLVED, "plan_delta"),
    )
    return bool(bases == merge.repeated + incoming - new)


def _gone(merge: MergeInput, *, is_any: bool) -> Step:
    """What is known of each row that is left out, if there `is_any`."""
    inputs = [_LEFT_OUT, OURS, BASE]
    some = "" if is_any else " WHERE false"
    asserted, unedited = "false", "true"
    if merge.deletes and merge.mode is not Mode.REPLACE:
        asserted = f"k._key IN (SELECT _key FROM {ASSERTED})"
        inputs.append(ASSERTED)
        unedited = f"NOT {differs(merge.base_fields, 'o', 'b')}"
    fields = merge.dataset.fields
    sql = (
        "SELECT k._key, coalesce(o._here, false) AS has_ours,"
        " coalesce(b._here, false) AS has_base,"
        f" {asserted} AS is_asserted, {unedited} AS is_unedited,"
        f" {struct(fields, 'b')} AS _b, {struct(fields, 'o')} AS _o"
        f" FROM {_LEFT_OUT} k LEFT JOIN (SELECT * FROM {OURS}{some}) o ON o._key = k._key"
        f" LEFT JOIN (SELECT * FROM {BASE}{some}) b ON b._key = k._key"
    )
    return Step("find what is gone", Scope.KEY, sql, tuple(inputs), "plan_gone")
