"""No filter learns anything but the row it looks at, whatever it is made of (SEC-07).

The proof looks at outcomes, not at refusals: every filter runs in two worlds that hold the same
rows but other secrets, with nothing but the filter's own checks between it and them. What it
picks, or the error it ends with, must be the same in both; and no file and no table changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings

from dataport.core.errors import UsageError
from dataport.engine.catalog.model import Dataset
from dataport.engine.expressions import check_expression, filtering
from tests.property.hostile import CORPUS, filters

DATASET = Dataset.model_validate(
    {
        "name": "leads",
        "primaryKey": ["id"],
        "fields": [
            {"name": "id"},
            {"name": "name"},
            {"name": "score", "type": "integer"},
            {"name": "seen", "type": "datetime"},
            {"name": "tags", "type": "list"},
        ],
    }
)

SECRETS = ("7301", "9946")
"""One for each world; digits, so that they survive a cast."""

SETUP = """
    ATTACH ':memory:' AS store;
    CREATE SCHEMA store.rows;
    CREATE SCHEMA store.bases;
    CREATE TABLE store.rows.leads
        (_key VARCHAR, id VARCHAR, name VARCHAR, score BIGINT, seen TIMESTAMP, tags VARCHAR[]);
    INSERT INTO store.rows.leads VALUES
        ('k1', 'L-1', 'Zoë', 5, TIMESTAMP '2026-01-01', ['vip']), ('k2', 'L-2', NULL, 7, NULL, []);
    CREATE TABLE store.rows.secret AS SELECT '{secret}' AS name, {secret} AS score;
    CREATE TABLE store.bases.leads AS SELECT '{secret}' AS name;
    CREATE TABLE secret AS SELECT '{secret}' AS name;
    CREATE MACRO leak() AS '{secret}';
    CREATE MACRO leak_table() AS TABLE SELECT '{secret}' AS name;
    CREATE SEQUENCE counter START {secret};
    SET VARIABLE secret = '{secret}';
    SET GLOBAL home_directory = '/{secret}'
"""


@dataclass(frozen=True)
class World:
    """One set of secrets, and a connection that reaches them all."""

    secret: str
    directory: Path
    connection: duckdb.DuckDBPyConnection

    def outcome(self, text: str) -> str:
        """What a filter leads to, with this world's directory and environment."""
        os.chdir(self.directory)
        os.environ["SECRET"] = self.secret
        try:
            sql = check_expression(self.connection, DATASET, text)
            with filtering(text):
                rows = self.connection.execute(
                    f"SELECT id FROM (SELECT * FROM store.rows.leads) AS rows WHERE {sql}"
                ).fetchall()
        except UsageError as error:
            return str(error)
        return str(sorted(rows))

    def state(self) -> tuple[object, ...]:
        """Everything that a filter could change."""
        ask = self.connection.execute
        return (
            sorted((str(path), path.read_bytes()) for path in self.directory.rglob("*")),
            ask("SELECT database_name, schema_name, table_name FROM duckdb_tables()").fetchall(),
            ask("SELECT * FROM store.rows.leads ORDER BY id").fetchall(),
            ask("SELECT last_value FROM duckdb_sequences()").fetchall(),
            ask("SELECT name, value FROM duckdb_settings() ORDER BY 1").fetchall(),
            ask("SELECT database_name, path FROM duckdb_databases()").fetchall(),
            ask("SELECT getvariable('secret')").fetchall(),
        )


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    before, made = Path.cwd(), []
    for secret in SECRETS:
        directory = tmp_path_factory.mktemp("world")
        for ending in ("csv", "txt", "json"):
            (directory / f"canary.{ending}").write_text(f'{{"name": "{secret}"}}\n')
        connection = duckdb.connect()
        connection.execute(SETUP.format(secret=secret))
        made.append(World(secret, directory, connection))
    yield made
    os.chdir(before)
    os.environ.pop("SECRET", None)
    for world in made:
        world.connection.close()


@pytest.fixture(scope="module")
def states(worlds: list[World]) -> list[tuple[object, ...]]:
    """The worlds as they were before the first filter."""
    return [world.state() for world in worlds]


def same_outcome(worlds: list[World], text: str) -> str:
    """What a filter leads to in every world."""
    first, second = (world.outcome(text) for world in worlds)
    assert first == second
    return first


def test_the_worlds_are_told_apart_by_whatever_reaches_a_secret(worlds: list[World]) -> None:
    """The test itself would see a leak."""
    for sql in (
        "SELECT content FROM read_text('canary.txt')",
        "SELECT name FROM store.rows.secret",
        "SELECT leak()",
        "SELECT getvariable('secret')",
        "SELECT current_setting('home_directory')",
    ):
        found = []
        for world in worlds:
            os.chdir(world.directory)
            found.append(world.connection.execute(sql).fetchall())
        assert found[0] != found[1]


@pytest.mark.parametrize("text", CORPUS)
def test_what_is_known_to_be_hostile_is_refused(
    worlds: list[World], states: list[tuple[object, ...]], text: str
) -> None:
    assert same_outcome(worlds, text).startswith("The filter ")
    assert [world.state() for world in worlds] == states


@settings(max_examples=1_000, deadline=None)
@given(text=filters())
@pytest.mark.timeout(600)
def test_no_filter_tells_the_worlds_apart_or_changes_them(
    worlds: list[World], states: list[tuple[object, ...]], text: str
) -> None:
    same_outcome(worlds, text)
    assert [world.state() for world in worlds] == states
