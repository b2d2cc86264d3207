"""The store's tables of each dataset, kept in step with its definition."""

from __future__ import annotations

from dataport.core.clock import naive_utc, now
from dataport.core.errors import ConfigError
from dataport.core.text import counted
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.catalog.widening import Widening, keeps_key_text, widening
from dataport.engine.merging.cells import rewritten_items
from dataport.engine.sql import (
    base_versions_table,
    bases_table,
    columns_ddl,
    ident,
    rows_table,
    versions_table,
)
from dataport.engine.store import Connection, count_rows

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
    """Create the tables of `dataset`, or bring them in step with a definition that changed.

    Fields that are new get their columns, and those whose type is wider now keep their values.
    Runs inside the caller's transaction. Raises ConfigError when a field that holds values was
    removed or got a type that can't hold them, and says what would be lost; nothing is changed
    then.
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


def is_in_force(cursor: Connection, dataset: Dataset) -> bool:
    """Whether the tables of `dataset` have its fields and types: nobody redefined it meanwhile."""
    row = cursor.execute(
        "SELECT definition FROM store.datasets WHERE name = ?", [dataset.name]
    ).fetchone()
    return row is not None and columns_ddl(Dataset.model_validate_json(row[0])) == columns_ddl(
        dataset
    )


def _alter(connection: Connection, dataset: Dataset, before: Dataset) -> None:
    _refuse_other_key(connection, dataset, before)
    old = {field.name: field for field in before.fields}
    new = {field.name: field for field in dataset.fields}
    wider: list[tuple[Field, Widening]] = []
    for name, field in old.items():
        after = new.get(name)
        if after is not None and after.sql_type == field.sql_type:
            continue
        way = _way(dataset, field, after)
        if way is not None and after is not None:
            _refuse_misfits(connection, dataset, after, way)
            wider.append((after, way))
        else:
            _refuse_loss(connection, dataset, field, after)
    for field, way in wider:
        _widen(connection, dataset, field, way)
    widened = {field.name for field, _ in wider}
    for name in old.keys() - widened:
        if name not in new or new[name].sql_type != old[name].sql_type:
            _each(connection, dataset, f"DROP COLUMN {ident(name)}")
            del old[name]
    for name in new.keys() - old.keys():
        _each(connection, dataset, f"ADD COLUMN {ident(name)} {new[name].sql_type}")


def _way(dataset: Dataset, before: Field, after: Field | None) -> Widening | None:
    if after is None or (before.name in dataset.primary_key and not keeps_key_text(before, after)):
        return None
    return widening(before, after)


def _widen(connection: Connection, dataset: Dataset, field: Field, way: Widening) -> None:
    name = ident(field.name)
    change = f"ALTER COLUMN {name} TYPE {field.sql_type} USING {way.convert(name)}"
    _each(connection, dataset, change)
    for statement in rewritten_items(dataset, field, way.rewrite):
        connection.execute(statement)


def _each(connection: Connection, dataset: Dataset, change: str) -> None:
    for table, _ in _LAYOUTS:
        connection.execute(f"ALTER TABLE {table(dataset.name)} {change}")


def _refuse_other_key(connection: Connection, dataset: Dataset, before: Dataset) -> None:
    if before.primary_key != dataset.primary_key and count_rows(
        connection, rows_table(dataset.name)
    ):
        raise ConfigError(
            "key-changed",
            f"Dataset {dataset.name!r}: its primaryKey can't change while it holds rows.",
            f"It was {', '.join(before.primary_key)}.",
            "Change it back, or export the rows, empty the dataset and import them again.",
        )


def _refuse_misfits(connection: Connection, dataset: Dataset, field: Field, way: Widening) -> None:
    """A wider type may still be too small for some values, as a number of few digits is."""
    name = ident(field.name)
    wrong = f"{name} IS NOT NULL AND ({way.convert(name)}) IS NULL"
    tables = " UNION ALL ".join(
        f"SELECT {name} FROM {table(dataset.name)} WHERE {wrong}" for table, _ in _LAYOUTS
    )
    row = connection.execute(f"SELECT count(*), min({name}) FROM ({tables})").fetchone()
    if row and row[0]:
        raise ConfigError(
            "values-would-be-lost",
            f"Dataset {dataset.name!r}: field {field.name!r} can't become {_words(field)}.",
            f"It does not hold {counted(row[0], 'value')}, such as {row[1]}.",
            "Choose a type with more digits, or make it a string.",
        )


def _refuse_loss(
    connection: Connection, dataset: Dataset, field: Field, after: Field | None
) -> None:
    name = ident(field.name)
    counts = ", ".join(
        f"(SELECT count({name}) FROM {table(dataset.name)})"
        for table in (rows_table, versions_table)
    )
    values, versions = connection.execute(f"SELECT {counts}").fetchone() or (0, 0)
    if not values and not versions:
        return
    change = "is no longer defined"
    if after is not None:
        change = f"can't become {_words(after)}: it is {_words(field)}"
    raise ConfigError(
        "values-would-be-lost",
        f"Dataset {dataset.name!r}: field {field.name!r} {change}.",
        f"{counted(values, 'present value')} and {counted(versions, 'earlier value')} would be lost.",
        "Put the field back as it was, or export its values and clear them first. A type can only"
        " become wider: integer, then number, then string.",
    )


def _words(field: Field) -> str:
    """A field's type as its definition spells it."""
    digits = ""
    if field.sql_type.startswith("DECIMAL"):
        digits = f" of {field.precision or 18} digits, {field.scale} of them decimals"
    return f"{field.type}{digits}"
