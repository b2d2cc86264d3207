"""Writing rows of the store: what they were stays among the versions.

A row that changes is taken out and put in again. DuckDB would keep an update in place as room
for 2,048 values in every column and vector that it touches until the log is folded in: a few
rows in a hundred, scattered over a large table, would take as much memory as the table.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataport.engine.catalog.model import Dataset
from dataport.engine.sql import ident, idents, rows_table, versions_table
from dataport.engine.store import Connection

BEFORE = "rows_before"
"""The rows that are being changed, as they were."""


def update_rows(
    cursor: Connection,
    dataset: Dataset,
    changed: str,
    values: Mapping[str, str],
    commit: int,
    *,
    line: str = "NULL",
) -> int:
    """Change the rows whose keys `changed` (a relation with `_key`, each once) holds.

    `values` has the new value of a field, and `line` that of the file, as SQL over `u`, which
    is `changed`. How many rows there were.
    """
    keep_versions(cursor, dataset, changed, commit)
    _take_out(cursor, dataset)
    fields = dataset.field_names
    new = ", ".join(values.get(name, f"o.{ident(name)}") for name in fields)
    row = cursor.execute(
        f"INSERT INTO {rows_table(dataset.name)} (_key, _commit, _line, {idents(fields)})"
        f" SELECT o._key, {commit}, {line}, {new}"
        f" FROM {BEFORE} o JOIN {changed} u ON u._key = o._key"
    ).fetchone()
    return int(row[0]) if row else 0


def delete_rows(cursor: Connection, dataset: Dataset, keys: str, commit: int) -> int:
    """Delete the rows of `keys`, a relation of `_key`; how many there were."""
    keep_versions(cursor, dataset, keys, commit)
    return _take_out(cursor, dataset)


def keep_versions(cursor: Connection, dataset: Dataset, keys: str, commit: int) -> None:
    """Copy the present rows of `keys` (a relation of `_key`) to the versions, until `commit`."""
    fields = idents(dataset.field_names)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE {BEFORE} AS SELECT o._key, o._commit, o._line, "
        f"{idents(dataset.field_names, 'o.')} FROM {rows_table(dataset.name)} o"
        f" SEMI JOIN {keys} k ON k._key = o._key"
    )
    cursor.execute(
        f"INSERT INTO {versions_table(dataset.name)} (_key, _commit, _line, _until, {fields})"
        f" SELECT _key, _commit, _line, {commit}, {fields} FROM {BEFORE}"
    )


def _take_out(cursor: Connection, dataset: Dataset) -> int:
    row = cursor.execute(
        f"DELETE FROM {rows_table(dataset.name)} WHERE _key IN (SELECT _key FROM {BEFORE})"
    ).fetchone()
    return int(row[0]) if row else 0
