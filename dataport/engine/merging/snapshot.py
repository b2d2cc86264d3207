"""What planning sees of the store: the relations that its steps read besides the file's.

No step names a table of the store itself, so that the same steps can run on a copy of these
relations, elsewhere and in pieces (design section 16).
"""

from __future__ import annotations

from dataport.core.words import ConflictKind, ConflictStatus
from dataport.engine.export_sources import is_export
from dataport.engine.merging.bases import base_query, sources_of, stated_fields
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.policies import STORE_RANK
from dataport.engine.merging.relations import (
    ANSWERED,
    ASSERTED,
    BASE,
    DROPPED_BEFORE,
    NO_OURS,
    OPEN,
    OURS,
    RANKED,
)
from dataport.engine.sql import bases_table, idents, literal, rows_table
from dataport.engine.store import Connection


def see_store(cursor: Connection, merge: MergeInput) -> None:
    """Make the relations of `relations` that this merge has a use for."""
    dataset = merge.dataset
    views = {
        BASE: f"SELECT *, true AS _here FROM {merge.base}",
        OURS: f"SELECT *, true AS _here FROM {rows_table(dataset.name)}",
        NO_OURS: f"SELECT * FROM {OURS} WHERE false",
        DROPPED_BEFORE: f"SELECT _key FROM {bases_table(dataset.name)}"
        f" WHERE _source = {literal(merge.source)} AND _is_gone",
    }
    if merge.asks:
        views[ANSWERED] = _answered(merge)
    if merge.deletes:
        views[ASSERTED] = _asserted(cursor, merge)
    if merge.uses_ranks:
        views[RANKED] = _ranked(cursor, merge)
    for name, query in views.items():
        cursor.execute(f"CREATE TEMP VIEW {name} AS {query}")
    cursor.execute(f"CREATE TEMP TABLE {OPEN} AS {_open(merge)}")


def _open(merge: MergeInput) -> str:
    # An undo is no source that could repeat or take back what another undo said.
    source = "false" if merge.source is None else f"source = {literal(merge.source)}"
    return (
        "SELECT *, key AS _key FROM store.conflicts"
        f" WHERE status = '{ConflictStatus.OPEN}' AND {source}"
        f" AND dataset = {literal(merge.dataset.name)}"
    )


def _answered(merge: MergeInput) -> str:
    return (
        "SELECT *, key AS _key FROM (SELECT * FROM store.conflicts"
        f" WHERE dataset = {literal(merge.dataset.name)} AND source = {literal(merge.source)}"
        f" AND kind = '{ConflictKind.DUPLICATE_KEY}'"
        " QUALIFY row_number() OVER (PARTITION BY key ORDER BY conflict DESC) = 1)"
        f" WHERE status IN ('{ConflictStatus.OPEN}', '{ConflictStatus.RESOLVED}')"
    )


def _asserted(cursor: Connection, merge: MergeInput) -> str:
    """Of an export that comes back nobody else can speak, nor does it go on to speak of others'
    rows."""
    others = {source for source in sources_of(cursor, merge.dataset) if not is_export(source)}
    if merge.source is None or is_export(merge.source):
        others = set()
    sent = [
        f"SELECT _key FROM ({base_query(merge.dataset, source)})"
        for source in sorted(others - {merge.source})
    ]
    return " UNION ALL ".join(sent) or f"SELECT _key FROM {OURS} WHERE false"


def _ranked(cursor: Connection, merge: MergeInput) -> str:
    fields = idents(merge.dataset.field_names)
    none = "CAST(NULL AS INTEGER) AS _rank, CAST([] AS VARCHAR[]) AS _said"
    parts = [f"SELECT _key, {fields}, {none} FROM {OURS} WHERE false"]
    for rank, source in enumerate(merge.source_ranks):
        if source in (merge.source, STORE_RANK):
            continue
        said = stated_fields(cursor, merge.dataset, source)
        if said:
            listed = ", ".join(literal(name) for name in said)
            parts.append(
                f"SELECT _key, {fields}, {rank}, [{listed}]"
                f" FROM ({base_query(merge.dataset, source)})"
            )
    return " UNION ALL ".join(parts)
