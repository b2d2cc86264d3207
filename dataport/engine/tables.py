"""The store's tables of each dataset, kept in step with its definition."""

from __future__ import annotations

from dataport.core.clock import naive_utc, now
from dataport.core.errors import ConfigError
from dataport.core.text import counted
from dataport.engine.catalog.model import Dataset
from dataport.engine.sql import (
    base_versions_table,
    bases_table,
    columns_ddl,
    ident,
    rows_table,
    versions_table,
)
from dataport.engine.store import Connection

_LAYOUTS = (
    (rows_table, "_key VARCHAR, _commit BIGINT, _line BIGINT"),
    (versions_table, "_key VARCHAR, _commit BIGINT, _line BIGINT, _until BIGINT"),
    (bases_table, "_source VARCHAR, _key VARCHAR, _commit BIGINT, _is_gone BOOLEAN"),
    (
        base_versions_table,
        "_source VARCHAR, _key VARCHAR, _commit BIGINT, _is_gone BOOLEAN, _until BIGINT",
    ),
)


def ensure_tables(connection: Connection, dataset: Dataset) -> None:
    """Create the tables of `dataset`, or add the columns of fields it gained.

    Runs inside the caller's transaction. Raises ConfigError when a field that holds values was
    removed or changed its type, and says what would be lost; nothing is changed then.
    """
    definition = dataset.model_dump_json(by_alias=True)
    row = connection.execute(
        "SELECT definition FROM store.datasets WHERE name = ?", [dataset.name]
    ).fetchone()
    if row is None:
        for table, system in _LAYOUTS:
            connection.execute(
                f"CREATE TABLE {table(dataset.name)} ({system}, {columns_ddl(dataset)})"
            )
    elif row[0] == definition:
        return
    else:
        _alter(connection, dataset, Dataset.model_validate_json(row[0]))
        connection.execute("DELETE FROM store.datasets WHERE name = ?", [dataset.name])
    connection.execute(
        "INSERT INTO store.datasets VALUES (?, ?, ?)",
        [dataset.name, definition, naive_utc(now())],
    )


def _alter(connection: Connection, dataset: Dataset, before: Dataset) -> None:
    types = {field.name: field.sql_type for field in before.fields}
    kept = {field.name: field.sql_type for field in dataset.fields}
    for name, sql_type in types.items():
        if kept.get(name) != sql_type:
            _refuse_loss(connection, dataset, name, sql_type, kept.get(name))
    if before.primary_key != dataset.primary_key and _count(connection, dataset.name):
        raise ConfigError(
            "key-changed",
            f"Dataset {dataset.name!r}: its primaryKey can't change while it holds rows.",
            f"It was {', '.join(before.primary_key)}.",
            "Change it back, or export the rows, empty the dataset and import them again.",
        )
    for field in dataset.fields:
        if types.get(field.name) != field.sql_type:
            for table, _ in _LAYOUTS:
                name = ident(field.name)
                if field.name in types:
                    connection.execute(f"ALTER TABLE {table(dataset.name)} DROP COLUMN {name}")
                connection.execute(
                    f"ALTER TABLE {table(dataset.name)} ADD COLUMN {name} {field.sql_type}"
                )
    for name in types.keys() - kept.keys():
        for table, _ in _LAYOUTS:
            connection.execute(f"ALTER TABLE {table(dataset.name)} DROP COLUMN {ident(name)}")


def _refuse_loss(
    connection: Connection, dataset: Dataset, name: str, old: str, new: str | None
) -> None:
    held = connection.execute(
        f"SELECT count({ident(name)}) FROM {rows_table(dataset.name)}"
    ).fetchone()
    past = connection.execute(
        f"SELECT count({ident(name)}) FROM {versions_table(dataset.name)}"
    ).fetchone()
    values, versions = (held or (0,))[0], (past or (0,))[0]
    if not values and not versions:
        return
    change = f"would change from {old} to {new}" if new else "is no longer defined"
    raise ConfigError(
        "values-would-be-lost",
        f"Dataset {dataset.name!r}: field {name!r} {change}.",
        f"{counted(values, 'present value')} and {counted(versions, 'earlier value')} would be lost.",
        "Put the field back as it was, or export its values and clear them first.",
    )


def _count(connection: Connection, dataset: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {rows_table(dataset)}").fetchone()
    return int(row[0]) if row else 0
