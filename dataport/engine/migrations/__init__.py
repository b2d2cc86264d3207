"""Versioned steps of the store's own schema, each up and down (DOC-02).

Tables use only what a DuckLake catalog has too: no keys, indexes, sequences or generated
columns; ids are made by the engine and uniqueness is the plan's to guarantee.
"""

from __future__ import annotations

from importlib.resources import files

import duckdb

from dataport.core.errors import StoreError

LATEST = 5
"""Schema version that this program writes."""


def current_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Schema version of the attached store; 0 for a new, empty one."""
    found = connection.execute(
        "SELECT count(*) FROM duckdb_tables()"
        " WHERE database_name = 'store' AND schema_name = 'main' AND table_name = 'meta'"
    ).fetchone()
    if not found or not found[0]:
        return 0
    row = connection.execute("SELECT value FROM store.meta WHERE name = 'schema'").fetchone()
    return int(row[0]) if row else 0


def migrate(connection: duckdb.DuckDBPyConnection, target: int = LATEST) -> int:
    """Bring the store to schema `target`, a transaction a step; returns the version it had.

    Raises StoreError `store-too-new` when a later program wrote the store.
    """
    version = before = current_version(connection)
    if version > LATEST:
        raise StoreError(
            "store-too-new",
            "A newer Dataport wrote this store.",
            f"The store has schema {version}; this program knows schemas up to {LATEST}.",
            "Update Dataport. The store was not changed.",
        )
    while version != target:
        step = version + 1 if version < target else version
        direction = "up" if version < target else "down"
        version = step if direction == "up" else step - 1
        _run(connection, step, direction, version)
    return before


def _run(connection: duckdb.DuckDBPyConnection, step: int, direction: str, version: int) -> None:
    script = files(__name__).joinpath(f"{step:04d}.{direction}.sql").read_text(encoding="utf-8")
    connection.execute("BEGIN")
    try:
        connection.execute(script)
        if version:
            connection.execute("DELETE FROM store.meta WHERE name = 'schema'")
            connection.execute("INSERT INTO store.meta VALUES ('schema', ?)", [str(version)])
        connection.execute("COMMIT")
    except duckdb.Error:
        connection.execute("ROLLBACK")
        raise
