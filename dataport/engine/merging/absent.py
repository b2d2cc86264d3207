"""Rows that the file leaves out, where the mode says that this means something (merge.md 5.3)."""

from __future__ import annotations

from dataport.core.words import Mode
from dataport.engine.export_sources import is_export
from dataport.engine.merging.bases import base_query, sources_of
from dataport.engine.merging.disputes import DISPUTES
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.sql import differs, struct
from dataport.engine.store import Connection

_NONE = "SELECT CAST(NULL AS VARCHAR) AS _key WHERE false"

_EDITED = (
    "SELECT _key, _b, _o FROM plan_gone WHERE has_ours AND NOT is_asserted AND NOT is_unedited"
)


def plan_absent(cursor: Connection, merge: MergeInput) -> int:
    """Make `plan_deletes`, `plan_dropped` and `plan_gone_edited`; returns deletes held back.

    While a rejected row's key is unknown it could be any row: then nothing is deleted, and the
    number of rows that would have been is returned.
    """
    if not merge.deletes:
        _make(cursor, deletes=_NONE, dropped=_NONE, edited=_NONE)
        return 0
    cursor.execute(f"CREATE TEMP TABLE plan_left_out AS {_left_out(cursor, merge)}")
    cursor.execute(f"CREATE TEMP TABLE plan_gone AS {_gone(cursor, merge)}")
    if merge.has_unknown_keys:
        row = cursor.execute("SELECT count(*) FROM plan_gone WHERE has_ours").fetchone()
        _make(cursor, deletes=_NONE, dropped=_NONE, edited=f"{_EDITED} AND false")
        return int(row[0]) if row else 0
    _make(
        cursor,
        deletes="SELECT _key FROM plan_gone WHERE has_ours AND NOT is_asserted AND is_unedited",
        dropped=_NONE if merge.source is None else "SELECT _key FROM plan_gone WHERE has_base",
        edited=_EDITED,
    )
    return 0


def _make(cursor: Connection, *, deletes: str, dropped: str, edited: str) -> None:
    for name, query in (
        ("plan_deletes", deletes),
        ("plan_dropped", dropped),
        ("plan_gone_edited", edited),
    ):
        cursor.execute(f"CREATE TEMP TABLE {name} AS {query}")


def _left_out(cursor: Connection, merge: MergeInput) -> str:
    """Keys that the source or, where all of the store is at stake, the store has and no row of
    the file names."""
    if merge.mode is not Mode.REPLACE and _names_every_base(cursor, merge):
        return _NONE
    spoken_for = [RESOLVED, *(each for each in (merge.present, merge.excluded) if each)]
    if merge.asks:
        spoken_for.append(DISPUTES)
    absent = "".join(
        f" ANTI JOIN {each} p{number} ON p{number}._key = k._key"
        for number, each in enumerate(spoken_for)
    )
    return f"SELECT k._key FROM ({_known_keys(merge)}) k{absent}"


def _names_every_base(cursor: Connection, merge: MergeInput) -> bool:
    """Whether there are no more bases than rows that have one: a count instead of a join."""
    row = cursor.execute(
        f"SELECT (SELECT count(*) FROM plan_base), (SELECT count(*) FROM {RESOLVED}),"
        " (SELECT count(*) FROM plan_delta WHERE NOT has_base)"
    ).fetchone()
    bases, incoming, new = row or (0, 0, 0)
    return bool(bases == merge.repeated + incoming - new)


def _gone(cursor: Connection, merge: MergeInput) -> str:
    if merge.mode is Mode.REPLACE:
        asserted, unedited = "false", "true"
    else:
        asserted = _asserted(cursor, merge)
        unedited = f"NOT {differs(merge.base_fields, 'o', 'b')}"
    fields = merge.dataset.fields
    return (
        "SELECT k._key, coalesce(o._here, false) AS has_ours,"
        " coalesce(b._here, false) AS has_base,"
        f" {asserted} AS is_asserted, {unedited} AS is_unedited,"
        f" {struct(fields, 'b')} AS _b, {struct(fields, 'o')} AS _o"
        " FROM plan_left_out k LEFT JOIN plan_ours o ON o._key = k._key"
        " LEFT JOIN plan_base b ON b._key = k._key"
    )


def _known_keys(merge: MergeInput) -> str:
    if merge.mode is Mode.REPLACE:
        return "SELECT _key FROM plan_ours UNION SELECT _key FROM plan_base"
    return "SELECT _key FROM plan_base"


def _asserted(cursor: Connection, merge: MergeInput) -> str:
    """True where another source still sends the row.

    Of an export that comes back nobody else can speak, nor does it go on to speak of others' rows.
    """
    sources = sources_of(cursor, merge.dataset)
    others = {source for source in sources if not is_export(source)} - {merge.source}
    if merge.source is None or is_export(merge.source) or not others:
        return "false"
    sent = " UNION ALL ".join(
        f"SELECT _key FROM ({base_query(merge.dataset, source)})" for source in sorted(others)
    )
    return f"k._key IN ({sent})"
