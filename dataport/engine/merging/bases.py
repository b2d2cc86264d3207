"""What a source sent last, per key: the base of its next merge.

A row that a file inserted is its own base, so nothing is stored twice: the base then names, in
`_row_commit`, the commit whose row it is, and is read from the rows or their versions. Every
other base holds its values itself. Whoever thins out versions has to write the bases that
name them out first.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataport.engine.catalog.model import Dataset
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import THEIRS
from dataport.engine.sql import (
    base_versions_table,
    bases_table,
    ident,
    idents,
    literal,
    rows_table,
    versions_table,
)
from dataport.engine.store import Connection


def base_query(dataset: Dataset, source: str) -> str:
    """A query for the bases of one source: `_key` and every field."""
    fields = dataset.field_names
    mine = f"_source = {literal(source)}"
    own = (
        f"SELECT _key, {idents(fields)} FROM {bases_table(dataset.name)}"
        f" WHERE {mine} AND _row_commit IS NULL"
    )
    named = [
        f"SELECT r._key, {idents(fields, 'r.')} FROM {table} r"
        f" JOIN (SELECT _key, _row_commit FROM {bases_table(dataset.name)}"
        f" WHERE {mine} AND _row_commit IS NOT NULL) b"
        " ON b._key = r._key AND b._row_commit = r._commit"
        for table in (rows_table(dataset.name), versions_table(dataset.name))
    ]
    return " UNION ALL ".join([own, *named])


def write_bases(cursor: Connection, merge: MergeInput, commit: int) -> None:
    """The base of every accepted row becomes what the file states, queued values included."""
    _keep_versions(cursor, merge, commit)
    known = cursor.execute("SELECT 1 FROM plan_delta WHERE has_base LIMIT 1").fetchone()
    if known:
        _rewrite(cursor, merge, commit)
    if merge.deletes:
        cursor.execute(
            f"DELETE FROM {bases_table(merge.dataset.name)} WHERE _source = {literal(merge.source)}"
            " AND _key IN (SELECT _key FROM plan_dropped)"
        )
    _add(cursor, merge, commit)
    _remember_stated(cursor, merge, commit)


def _keep_versions(cursor: Connection, merge: MergeInput, commit: int) -> None:
    dataset = merge.dataset
    superseded = (
        "SELECT _key FROM plan_delta WHERE has_base UNION ALL SELECT _key FROM plan_dropped"
    )
    cursor.execute(
        f"INSERT INTO {base_versions_table(dataset.name)}"
        f" (_source, _key, _commit, _row_commit, _until, {idents(dataset.field_names)})"
        f" SELECT b._source, b._key, b._commit, b._row_commit, {commit},"
        f" {idents(dataset.field_names, 'b.')}"
        f" FROM {bases_table(dataset.name)} b SEMI JOIN ({superseded}) k ON k._key = b._key"
        f" WHERE b._source = {literal(merge.source)}"
    )


def _rewrite(cursor: Connection, merge: MergeInput, commit: int) -> None:
    """Bases that the file moves hold their values from now on; unstated fields keep theirs.

    They are written anew rather than updated: most columns of a base that only named its row
    are empty, and updating them would rewrite whole row groups.
    """
    names, table = merge.dataset.field_names, bases_table(merge.dataset.name)
    values = ", ".join(_moved(merge, name) for name in names)
    source = literal(merge.source)
    cursor.execute(
        f"DELETE FROM {table} WHERE _source = {source}"
        " AND _key IN (SELECT _key FROM plan_delta WHERE has_base)"
    )
    cursor.execute(
        f"INSERT INTO {table} (_source, _key, _commit, {idents(names)})"
        f" SELECT {source}, d._key, {commit}, {values}"
        f" FROM plan_delta d JOIN {THEIRS} t ON t._record = d._record WHERE d.has_base"
    )


def _moved(merge: MergeInput, name: str) -> str:
    if name not in merge.stated:
        return f"d._b.{ident(name)}"
    if name not in merge.partial:
        return f"t.{ident(name)}"
    return (
        f"CASE WHEN coalesce(list_contains(t._absent, {literal(name)}), false)"
        f" THEN d._b.{ident(name)} ELSE t.{ident(name)} END"
    )


def _add(cursor: Connection, merge: MergeInput, commit: int) -> None:
    """Bases of rows that the source sends for the first time."""
    table, source = bases_table(merge.dataset.name), literal(merge.source)
    names = [field.name for field in merge.fields]
    cursor.execute(
        f"INSERT INTO {table} (_source, _key, _commit, _row_commit)"
        f" SELECT {source}, _key, {commit}, {commit} FROM plan_inserts"
    )
    others = cursor.execute(
        "SELECT (SELECT count(*) FROM plan_delta WHERE NOT has_base)"
        " > (SELECT count(*) FROM plan_inserts)"
    ).fetchone()
    if not (others and others[0]):
        return
    cursor.execute(
        f"INSERT INTO {table} (_source, _key, _commit, {idents(names)})"
        f" SELECT {source}, t._key, {commit}, {_first_values(merge, names)} FROM {THEIRS} t"
        " SEMI JOIN (SELECT _record FROM plan_delta WHERE NOT has_base) d ON d._record = t._record"
        " ANTI JOIN plan_inserts i ON i._record = t._record"
    )


def _first_values(merge: MergeInput, names: Sequence[str]) -> str:
    return ", ".join(
        f"CASE WHEN NOT coalesce(list_contains(t._absent, {literal(name)}), false)"
        f" THEN t.{ident(name)} END"
        if name in merge.partial
        else f"t.{ident(name)}"
        for name in names
    )


def _remember_stated(cursor: Connection, merge: MergeInput, commit: int) -> None:
    for name in merge.stated:
        if name not in merge.base_fields:
            cursor.execute(
                "INSERT INTO store.stated VALUES (?, ?, ?, ?)",
                [merge.dataset.name, merge.source, name, commit],
            )
