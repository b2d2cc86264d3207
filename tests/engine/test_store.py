"""The store: migrations up and down, who may open it, and what a definition may change."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from dataport.core.errors import ConfigError, StoreError
from dataport.core.paths import Home
from dataport.engine import store as store_module
from dataport.engine.catalog.model import Dataset
from dataport.engine.migrations import LATEST, current_version, migrate
from dataport.engine.sql import rows_table
from dataport.engine.store import Store
from dataport.engine.tables import ensure_tables


def tables(cursor: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    return set(
        cursor.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'store'"
        ).fetchall()
    )


def test_migrations_go_up_and_down(store: Store) -> None:
    """DOC-02."""
    with store.reading() as cursor:
        up = tables(cursor)
        assert current_version(cursor) == LATEST
        migrate(cursor, 0)
        assert (current_version(cursor), tables(cursor)) == (0, set())
        migrate(cursor)
        assert (current_version(cursor), tables(cursor)) == (LATEST, up)


def test_a_newer_store_is_refused_and_not_changed(home: Home) -> None:
    Store.open(home).close()
    with duckdb.connect(str(home.store)) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
    with pytest.raises(StoreError) as caught:
        Store.open(home)
    assert (caught.value.code, "999" in caught.value.detail) == ("store-too-new", True)
    with duckdb.connect(str(home.store), read_only=True) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone() == (
            "999",
        )


def test_a_damaged_store_is_an_error_that_says_what_to_do(home: Home) -> None:
    home.store_directory.mkdir(parents=True, exist_ok=True)
    home.store.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreError) as caught:
        Store.open(home)
    assert caught.value.code == "store-unreadable"
    assert "backup" in caught.value.hint


def test_one_process_opens_the_store(home: Home, store: Store) -> None:
    code = (
        "import sys; from dataport.core.paths import Home; from dataport.engine.store import Store\n"
        "try: Store.open(Home.at(sys.argv[1]))\n"
        "except Exception as error: print(error.code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(home.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "store-in-use"


def test_the_store_reads_no_file_outside_its_directories(store: Store) -> None:
    with store.reading() as cursor, pytest.raises(duckdb.PermissionException):
        cursor.execute("SELECT * FROM read_text('/etc/hostname')")


def things(**types: str) -> Dataset:
    fields = [{"name": name, "type": kind} for name, kind in {"id": "string", **types}.items()]
    return Dataset.model_validate({"name": "things", "primaryKey": "id", "fields": fields})


def test_a_field_may_be_added_to_rows(store: Store) -> None:
    with store.writing() as cursor:
        ensure_tables(cursor, things(a="string"))
        cursor.execute(f"INSERT INTO {rows_table('things')} VALUES ('1', 1, 2, '1', 'x')")
    with store.writing() as cursor:
        ensure_tables(cursor, things(a="string", b="integer"))
        row = cursor.execute(f"SELECT a, b FROM {rows_table('things')}").fetchone()
    assert row == ("x", None)


@pytest.mark.parametrize("later", [things(), things(a="integer")])
def test_what_would_be_lost_is_said_and_nothing_is_changed(store: Store, later: Dataset) -> None:
    with store.writing() as cursor:
        ensure_tables(cursor, things(a="string"))
        cursor.execute(f"INSERT INTO {rows_table('things')} VALUES ('1', 1, 2, '1', 'x')")
    lost = "1 present value and 0 earlier values would be lost"
    with pytest.raises(ConfigError, match=lost), store.writing() as cursor:
        ensure_tables(cursor, later)
    with store.reading() as cursor:
        assert cursor.execute(f"SELECT a FROM {rows_table('things')}").fetchone() == ("x",)


def test_a_field_without_values_may_go(store: Store) -> None:
    with store.writing() as cursor:
        ensure_tables(cursor, things(a="string"))
        ensure_tables(cursor, things())
        names = [row[0] for row in cursor.execute(f"DESCRIBE {rows_table('things')}").fetchall()]
    assert "a" not in names


def test_a_store_that_was_opened_again_is_folded_after_updates(home: Home) -> None:
    """A transaction that is left open anywhere would hold the log, and the memory, for good."""
    Store.open(home).close()
    store = Store.open(home)
    try:
        for value in ("x", "y"):
            with store.noting() as cursor:
                cursor.execute(
                    "UPDATE store.meta SET value = value || ? WHERE name <> ?", [value, "schema"]
                )
                cursor.execute("INSERT INTO store.meta VALUES ('note', ?)", [value])
        assert home.store.with_name(f"{home.store.name}.wal").stat().st_size > 0
        assert store.fold()
    finally:
        store.close()


def test_a_large_log_is_known_and_gone_once_folded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.fold()
    assert not store.has_large_log()
    monkeypatch.setattr(store_module, "LARGE_LOG", 1)
    with store.noting() as cursor:
        cursor.execute("INSERT INTO store.meta VALUES ('note', 'x')")
    assert store.has_large_log()
    assert store.fold()
    assert not store.has_large_log()


def test_a_log_is_not_folded_while_somebody_changes_rows(store: Store) -> None:
    """Merging holds the write lock; another thread asks."""
    with store.writing(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.fold).result() is False
