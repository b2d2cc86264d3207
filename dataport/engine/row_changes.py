"""Changes that a person makes to rows, one or a million: their old versions stay.

`keys` always names a relation of `_key` that the cursor sees.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataport.core.errors import StateError
from dataport.engine.catalog.model import Dataset
from dataport.engine.merging.rows import update_rows
from dataport.engine.sql import from_json, ident, literal, rows_table, versions_table
from dataport.engine.store import Connection

Values = Mapping[str, str | None]
"""New values by field, as the JSON text that `values.check_values` gives; None clears."""


def set_fields(cursor: Connection, dataset: Dataset, keys: str, values: Values, commit: int) -> int:
    """Write `values` to those rows that don't have them already; how many there were."""
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {_differing(dataset, keys, values)}")
    changed = update_rows(cursor, dataset, "differing", _typed(dataset, values), commit)
    refuse_shared(cursor, dataset, commit)
    return changed


def refuse_shared(cursor: Connection, dataset: Dataset, commit: int) -> None:
    """Raise StateError where `commit` gave a row a unique value that another has."""
    table, past = rows_table(dataset.name), versions_table(dataset.name)
    for field in dataset.unique_fields:
        name = ident(field.name)
        found = cursor.execute(
            f"SELECT o._key, CAST(o.{name} AS VARCHAR), min(x._key) FROM {table} o"
            f" JOIN {table} x ON x.{name} = o.{name} WHERE o._commit = {commit}"
            f" AND x._key <> o._key AND NOT EXISTS (SELECT 1 FROM {past} v"
            f" WHERE v._key = o._key AND v._until = {commit} AND v.{name} = o.{name})"
            " GROUP BY ALL ORDER BY 1 LIMIT 1"
        ).fetchone()
        if found is not None:
            key, value, other = found
            raise StateError(
                "not-unique",
                f"{field.name!r} of {key} can't be {value!r}: it must be unique.",
                f"It is also that of {other}. Nothing was changed.",
                "Change the other record first, or choose another value.",
            )


def _differing(dataset: Dataset, keys: str, values: Values) -> str:
    tests = [f"o.{ident(n)} IS DISTINCT FROM {sql}" for n, sql in _typed(dataset, values).items()]
    return (
        f"SELECT o._key FROM {rows_table(dataset.name)} o SEMI JOIN {keys} k ON k._key = o._key"
        f" WHERE {' OR '.join(tests) or 'false'}"
    )


def _typed(dataset: Dataset, values: Values) -> dict[str, str]:
    """SQL of each new value, of its field's type."""
    return {
        field.name: from_json(field, f"CAST({literal(values[field.name])} AS VARCHAR)")
        for field in dataset.fields
        if field.name in values
    }
