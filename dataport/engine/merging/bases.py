"""What a source sent last, per key: the base of its next merge.

A row that a file inserted is its own base, and nothing is stored twice: one record says that
this source's bases are, by default, the rows that this commit inserted. A base that has moved
since holds its values itself, in the table of bases, and stands before the default; so does a
mark that there is no base any more. Whoever drops versions leaves those that are bases
(see `retention`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dataport.engine.catalog.model import Dataset
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import THEIRS
from dataport.engine.merging.relations import DROPPED_BEFORE
from dataport.engine.sql import (
    base_versions_table,
    bases_table,
    ident,
    idents,
    literal,
    rows_table,
    versions_table,
)
from dataport.engine.steps import Scope, Step
from dataport.engine.store import Connection
from dataport.engine.united import is_absent


def base_query(dataset: Dataset, source: str) -> str:
    """A query for the bases of one source: `_key`, every field, and `_is_row`, true where the
    store's row has not changed since and so equals its base."""
    fields = dataset.field_names
    table, mine = bases_table(dataset.name), f"_source = {literal(source)}"
    columns = f"_key, {idents(fields)}"
    moved = f"SELECT {columns}, false AS _is_row FROM {table} WHERE {mine} AND NOT _is_gone"
    inserted = f"SELECT {columns}, _is_row FROM ({_inserted_query(dataset, source)})"
    return f"{moved} UNION ALL {inserted}"


def stated_fields(cursor: Connection, dataset: Dataset, source: str) -> tuple[str, ...]:
    """The fields that `source` has ever stated, in the dataset's order."""
    rows = cursor.execute(
        "SELECT DISTINCT field FROM store.stated"
        " WHERE dataset = ? AND source = ? AND until IS NULL",
        [dataset.name, source],
    ).fetchall()
    names = {row[0] for row in rows}
    return tuple(name for name in dataset.field_names if name in names)


def sources_of(cursor: Connection, dataset: Dataset) -> list[str]:
    """Every source that has sent rows of `dataset`."""
    rows = cursor.execute(
        "SELECT DISTINCT source FROM store.stated WHERE dataset = ? ORDER BY 1", [dataset.name]
    ).fetchall()
    return [row[0] for row in rows]


def newest_base(cursor: Connection, dataset: Dataset, source: str) -> int | None:
    """The last commit that moved, dropped or put back a base of `source`; None before the first."""
    mine = f"_source = {literal(source)}"
    inserted = f"dataset = {literal(dataset.name)} AND source = {literal(source)}"
    row = cursor.execute(
        "SELECT max(moved) FROM ("
        f"SELECT max(_commit) AS moved FROM {bases_table(dataset.name)} WHERE {mine}"
        f" UNION ALL SELECT max(_until) FROM {base_versions_table(dataset.name)} WHERE {mine}"
        f' UNION ALL SELECT max(greatest("commit", coalesce(until, 0))) FROM store.insertions'
        f" WHERE {inserted})"
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def write_bases(cursor: Connection, merge: MergeInput, commit: int, *, only_inserts: bool) -> None:
    """The base of every accepted row becomes what the file states, queued values included.

    `only_inserts` says that the plan inserts every incoming row.
    """
    is_first = only_inserts and not _knows_any(cursor, merge)
    merge.runner.run(cursor, _no_rows() if is_first else _moved_rows(merge))
    _keep_versions(cursor, merge, commit)
    _rewrite(cursor, merge, commit)
    cursor.execute(
        "INSERT INTO store.insertions SELECT ?, ?, ?, NULL WHERE EXISTS"
        " (SELECT 1 FROM plan_inserts ANTI JOIN plan_moved USING (_key))",
        [merge.dataset.name, merge.source, commit],
    )
    _remember_stated(cursor, merge, commit)


def _knows_any(cursor: Connection, merge: MergeInput) -> bool:
    """Whether the source has a base of one of the rows, or ever dropped one of any row."""
    rows = "plan_candidates" if merge.is_two_way else "plan_delta"
    return any(
        cursor.execute(f"SELECT 1 FROM {known} LIMIT 1").fetchone()
        for known in (f"{rows} WHERE has_base", DROPPED_BEFORE)
    )


def _no_rows() -> Step:
    """What `_moved_rows` finds where all rows are new, without looking each of them up."""
    sql = "SELECT _key, _record, has_base, _b FROM plan_delta WHERE false"
    return Step("move no base", Scope.KEY, sql, ("plan_delta",), "plan_moved")


def _moved_rows(merge: MergeInput) -> Step:
    """Rows whose base has to hold its values.

    All that change a base; new rows that their source once dropped, since its first insertion
    of them is still on record; and known rows that the commit writes although their source
    repeats itself, since they would pass for insertions.
    """
    sql = (
        "SELECT _key, _record, has_base, _b FROM plan_delta"
        " WHERE has_base OR _key NOT IN (SELECT _key FROM plan_inserts)"
        f" OR _key IN (SELECT _key FROM {DROPPED_BEFORE})"
    )
    inputs = ["plan_delta", "plan_inserts", DROPPED_BEFORE]
    if merge.is_two_way:
        inputs += ["plan_candidates", "plan_judged"]
        sql += (
            " UNION ALL SELECT _key, _record, has_base, _b FROM plan_candidates"
            " WHERE has_base AND _key NOT IN (SELECT _key FROM plan_delta) AND ("
            "_key IN (SELECT _key FROM plan_inserts)"
            " OR _key IN (SELECT _key FROM plan_judged WHERE is_changed))"
        )
    return Step("find moved bases", Scope.KEY, sql, tuple(inputs), "plan_moved")


def _keep_versions(cursor: Connection, merge: MergeInput, commit: int) -> None:
    dataset, source = merge.dataset, literal(merge.source)
    columns = f"_source, _key, _commit, _is_gone, {idents(dataset.field_names)}"
    superseded = "_key IN (SELECT _key FROM plan_moved UNION ALL SELECT _key FROM plan_dropped)"
    cursor.execute(
        f"INSERT INTO {base_versions_table(dataset.name)} ({columns}, _until)"
        f" SELECT {columns}, {commit} FROM {bases_table(dataset.name)}"
        f" WHERE _source = {source} AND {superseded}"
    )
    cursor.execute(
        f"DELETE FROM {bases_table(dataset.name)} WHERE _source = {source} AND {superseded}"
    )


def _rewrite(cursor: Connection, merge: MergeInput, commit: int) -> None:
    """Write the moved bases, and a mark for each that is dropped; unstated fields keep theirs."""
    names, table = [field.name for field in merge.remembered], bases_table(merge.dataset.name)
    values = ", ".join(_moved_value(merge, name) for name in names)
    source = literal(merge.source)
    cursor.execute(
        f"INSERT INTO {table} (_source, _key, _commit, _is_gone, {idents(names)})"
        f" SELECT {source}, m._key, {commit}, false, {values}"
        f" FROM plan_moved m JOIN {THEIRS} t ON t._record = m._record"
    )
    cursor.execute(
        f"INSERT INTO {table} (_source, _key, _commit, _is_gone)"
        f" SELECT {source}, _key, {commit}, true FROM plan_dropped"
    )


def _moved_value(merge: MergeInput, name: str) -> str:
    if name not in merge.stated:
        return f"m._b.{ident(name)}"
    if name not in merge.partial:
        return f"t.{ident(name)}"
    return f"CASE WHEN {is_absent(name)} THEN m._b.{ident(name)} ELSE t.{ident(name)} END"


def _inserted_query(dataset: Dataset, source: str) -> str:
    """Rows of the insertions that stand as bases, with the commit that inserted them."""
    fields = dataset.field_names
    table, mine = bases_table(dataset.name), f"_source = {literal(source)}"
    commits = (
        f'SELECT "commit" FROM store.insertions WHERE dataset = {literal(dataset.name)}'
        f" AND source = {literal(source)} AND until IS NULL"
    )
    return " UNION ALL ".join(
        f"SELECT r._key, r._commit, {is_row} AS _is_row, {idents(fields, 'r.')} FROM {past} r"
        f" WHERE r._commit IN ({commits})"
        f" AND r._key NOT IN (SELECT _key FROM {table} WHERE {mine})"
        for past, is_row in (
            (rows_table(dataset.name), True),
            (versions_table(dataset.name), False),
        )
    )


def undo_bases(
    cursor: Connection, dataset: Dataset, undone: int, commit: int, root: int, *, is_back: bool
) -> None:
    """Put back the bases that commit `undone` moved and nobody has moved since.

    The rows that `root` inserted are bases again if `is_back`, else until `commit` is undone.
    """
    table, past = bases_table(dataset.name), base_versions_table(dataset.name)
    columns = _columns(dataset.field_names)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE undo_bases AS"
        f" SELECT p.* FROM {past} p WHERE p._until = {undone} AND NOT EXISTS"
        f" (SELECT 1 FROM {table} b WHERE b._source = p._source AND b._key = p._key"
        f" AND b._commit <> {undone})"
    )
    cursor.execute(
        f"INSERT INTO {past} ({columns}, _commit, _until)"
        f" SELECT {columns}, _commit, {commit} FROM {table} WHERE _commit = {undone}"
    )
    cursor.execute(f"DELETE FROM {table} WHERE _commit = {undone}")
    cursor.execute(
        f"INSERT INTO {table} ({columns}, _commit) SELECT {columns}, {commit} FROM undo_bases"
    )
    until = "NULL" if is_back else str(commit)
    changed = cursor.execute(
        f"UPDATE store.insertions SET until = {until}"
        f' WHERE dataset = {literal(dataset.name)} AND "commit" = {root}'
    ).fetchone()
    if is_back and changed and changed[0]:
        for source in sources_of(cursor, dataset):
            _settle_doubles(cursor, dataset, source, commit)


def _settle_doubles(cursor: Connection, dataset: Dataset, source: str, commit: int) -> None:
    """Where two standing insertions are about one row, the later is the base."""
    names = dataset.field_names
    cursor.execute(
        f"INSERT INTO {bases_table(dataset.name)} ({_columns(names)}, _commit)"
        f" SELECT {literal(source)}, _key, false, {idents(names)}, {commit} FROM"
        f" (SELECT *, row_number() OVER (PARTITION BY _key ORDER BY _commit DESC) AS place,"
        f" count(*) OVER (PARTITION BY _key) AS places"
        f" FROM ({_inserted_query(dataset, source)})) WHERE place = 1 AND places > 1"
    )


def _columns(names: Sequence[str]) -> str:
    return f"_source, _key, _is_gone, {idents(names)}"


def _remember_stated(cursor: Connection, merge: MergeInput, commit: int) -> None:
    cursor.execute(
        "INSERT INTO store.stated SELECT ?, ?, unnest(?::VARCHAR[]), ?, NULL",
        [merge.dataset.name, merge.source, list(merge.stated), commit],
    )
