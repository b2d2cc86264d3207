"""Filters: what may be written, and that nothing else gets through (SEC-07)."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataport.core.errors import UsageError
from dataport.core.paths import shipped_config
from dataport.engine.catalog.load import load_dataset
from dataport.engine.expressions import check_expression

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


def test_an_error_names_the_place_and_the_nearest_field(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'score'\?.*At character 18"):
        check_expression(connection, LEADS, "status = 'x' AND scor > 1")


PIECES = st.sampled_from(
    [
        *("score", "name", "'x'", "1", "(", ")", "=", ">", " AND ", " OR ", "NOT ", ",", "--", ";"),
        *(
            "SELECT ",
            " FROM ",
            "read_csv('f')",
            "lower(",
            "glob('*')",
            "UNION ",
            "::INT",
            "/*",
            "*/",
        ),
        *("getenv('A')", "pragma_version()", "[1]", "x -> x", "EXISTS ", "IN ", "rows", ".", "*"),
    ]
)


@settings(max_examples=1_000, deadline=None)
@given(pieces=st.lists(PIECES, max_size=12))
def test_no_mixture_reads_anything_but_the_row(
    connection: duckdb.DuckDBPyConnection,
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[str],
) -> None:
    """What passes names no table, no file and no setting."""
    try:
        sql = check_expression(connection, LEADS, "".join(pieces))
    except UsageError:
        return
    tree = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT 1 WHERE {sql}"]).fetchone()
    assert tree is not None
    for word in ("BASE_TABLE", "TABLE_FUNCTION", "SUBQUERY", "SELECT_NODE"):
        assert tree[0].count(word) == (1 if word == "SELECT_NODE" else 0), sql
