"""Four leads in a table, and a filter that picks some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import pytest

from dataport.engine.catalog.model import Dataset
from dataport.engine.expressions import check_expression, filtering

DATASET = Dataset.model_validate(
    {
        "name": "people",
        "primaryKey": ["id"],
        "fields": [
            {"name": "id"},
            {"name": "name"},
            {"name": "email", "normalise": ["trim", "lower"]},
            {"name": "status", "constraints": {"enum": ["new", "won", "Lost"]}},
            {"name": "score", "type": "integer"},
            {"name": "price", "type": "number", "precision": 10, "scale": 2},
            {"name": "is_vip", "type": "boolean"},
            {"name": "born", "type": "date"},
            {"name": "seen", "type": "datetime"},
            {"name": "opens", "type": "time"},
            {"name": "spent", "type": "duration"},
            {"name": "tags", "type": "list"},
            {"name": "custom", "type": "object"},
            {"name": "order", "type": "integer"},
        ],
    }
)

ROWS = """
    ('a', 'Zoë', 'zoe@example.org', 'new', 10, 1.50, true, DATE '1990-05-01',
        TIMESTAMP '2026-01-31 00:00:00', TIME '09:00:00', 5400000000, ['vip', 'berlin'],
        '{"tier":"gold"}', 1),
    ('b', '100% Ann', 'ann@example.org', 'won', 20, 99.99, false, DATE '1985-12-31',
        TIMESTAMP '2026-01-31 23:59:59.999999', TIME '17:30:00', 60000000, ['vip'], NULL, 2),
    ('c', 'Li_Wei', NULL, 'Lost', 50, 0.00, NULL, NULL,
        TIMESTAMP '2026-02-01 00:00:00', NULL, NULL, [], '{"tier":"tin"}', 3),
    ('d', NULL, 'D@x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""

Pick = Callable[..., str]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{f.name}" {f.sql_type}' for f in DATASET.fields)
        connection.execute(f"CREATE TABLE people ({columns})")
        connection.execute(f"INSERT INTO people VALUES {ROWS}")
        yield connection


@pytest.fixture
def pick(connection: duckdb.DuckDBPyConnection) -> Pick:
    """The ids of the rows for which a filter holds, as one word."""

    def pick(text: str, timezone: str = "UTC") -> str:
        sql = check_expression(connection, DATASET, text, timezone)
        with filtering(text):
            rows = connection.execute(f"SELECT id FROM people WHERE {sql} ORDER BY id").fetchall()
        return "".join(row[0] for row in rows)

    return pick
