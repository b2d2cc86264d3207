"""Filters: what may be written, and that nothing else gets through (SEC-07)."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from dataport.core.errors import UsageError
from dataport.core.paths import shipped_config
from dataport.engine.catalog.load import load_dataset
from dataport.engine.expressions import check_expression
from dataport.engine.expressions.grammar import CASTS, CLOCK, FUNCTIONS

LEADS = load_dataset(shipped_config() / "datasets" / "leads.toml")

ALLOWED = [
    "status = 'new' AND score > 50",
    "email LIKE '%@example.org' OR lower(name) IN ('a', 'b')",
    "score BETWEEN 1 AND 5",
    "phone IS NOT NULL AND NOT (score IS NULL)",
    "created_at >= '2024-01-01'",
    "created_at > TIMESTAMP '2024-01-01 00:00:00' - INTERVAL 3 DAY",
    "list_contains(tags, 'vip')",
    "'vip' IN tags",
    "CASE WHEN score > 1 THEN true ELSE false END",
    "status ILIKE 'n%'",
    "name = 'it''s' -- a comment",
]

REFUSED = [
    "1=1) UNION SELECT 1 FROM read_csv('/etc/passwd') WHERE (1=1",
    "EXISTS (SELECT 1)",
    "score > ANY (SELECT 1)",
    "score IN (SELECT score FROM rows)",
    "getenv('HOME') = 'x'",
    "current_setting('memory_limit') = 'x'",
    "read_text('/etc/passwd') = 'x'",
    "score > 1 ORDER BY 1",
    "score > 1; DROP TABLE rows",
    "row_number() OVER () > 1",
    "sum(score) > 1",
    "store.rows.leads.score > 1",
    "COLUMNS(*) = 1",
    "score > $1",
    "scor > 1",
    "score + 1",
    "score >",
    "",
]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.parametrize("text", ALLOWED)
def test_a_plain_comparison_is_allowed(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert check_expression(connection, LEADS, text).startswith("(")


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_expression(connection, LEADS, text)
    assert caught.value.code == "wrong-expression"
    assert caught.value.detail


def test_the_page_for_people_lists_all_that_is_allowed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", page))
    assert words >= FUNCTIONS | CASTS | set(CLOCK)
