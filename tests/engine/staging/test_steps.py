"""Declared SQL steps: scopes, purity, buckets (design 16)."""

from __future__ import annotations

import duckdb
import pytest

from dataport.engine.steps import LocalRunner, Scope, Step, StepError


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE TEMP TABLE given AS SELECT CASE WHEN i % 11 > 0 THEN 'k' || i % 37 END AS _key,"
            " i AS n FROM range(1000) t(i)"
        )
        opened.execute("CREATE TEMP TABLE words AS SELECT 'k1' AS word")
        yield opened


@pytest.mark.parametrize("buckets", [1, 3, 8, 64])
def test_key_steps_give_the_same_in_any_number_of_buckets(connection, buckets):
    sums = Step(
        "sums",
        Scope.KEY,
        "WITH seen AS (SELECT * FROM given) SELECT _key, sum(n) AS total FROM seen GROUP BY _key",
        ("given",),
        "sums",
    )
    marked = Step(
        "marked",
        Scope.KEY,
        "SELECT g.*, s.total, _key IN (SELECT word FROM words) AS known"
        " FROM given g JOIN sums s USING (_key)",
        ("given", "sums", "words"),
        "marked",
    )
    LocalRunner(buckets).run(connection, sums, marked)
    expected = connection.execute(
        "SELECT _key, n, sum(n) OVER (PARTITION BY _key), _key = 'k1' FROM given"
        " WHERE _key IS NOT NULL ORDER BY n"
    ).fetchall()
    assert connection.execute("FROM marked ORDER BY n").fetchall() == expected
    assert connection.execute("SELECT count(*) FROM sums").fetchone() == (38,)


def test_row_steps_may_not_look_at_other_rows(connection):
    for sql in (
        "SELECT sum(n) AS s FROM given",
        "SELECT count(*) AS s FROM given",
        "SELECT row_number() OVER () AS s FROM given",
        "SELECT n, lag(n) OVER (ORDER BY n) AS s FROM given",
        "SELECT _key FROM given GROUP BY _key",
        "SELECT (SELECT max(n) FROM given) AS s FROM given",
    ):
        with pytest.raises(StepError, match="single rows"):
            LocalRunner().run(connection, Step("bad", Scope.ROW, sql, ("given",), "out"))


@pytest.mark.parametrize("call", ["now()", "random()", "uuid()", "nextval('s')", "current_date"])
def test_no_step_may_give_another_result_the_next_time(connection, call):
    step = Step("bad", Scope.GROUP, f"SELECT {call} AS x FROM given", ("given",), "out")
    with pytest.raises(StepError, match="repeat"):
        LocalRunner().run(connection, step)


def test_a_step_is_one_select(connection):
    for sql in ("DROP TABLE given", "SELECT 1; SELECT 2", "SELEC 1"):
        with pytest.raises(StepError):
            LocalRunner().run(connection, Step("bad", Scope.GROUP, sql, (), "out"))


def test_row_and_other_steps_run_whole(connection):
    steps = [
        Step(
            "twice",
            Scope.ROW,
            "SELECT _key, lower(_key) AS k, 2 * n AS n FROM given",
            ("given",),
            "twice",
        ),
        Step("total", Scope.SUM, "SELECT sum(n) AS total FROM twice", ("twice",), "total"),
    ]
    LocalRunner(8).run(connection, *steps)
    assert connection.execute("FROM total").fetchone() == (999_000,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM words",
        "SELECT * FROM given WHERE _key IN (SELECT word FROM words)",
        "SELECT * FROM store.rows.leads",
        "SELECT * FROM temp.main.given",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM query('SELECT 1')",
    ],
)
def test_a_step_reads_its_inputs_and_nothing_else(connection, sql):
    with pytest.raises(StepError, match="no input"):
        LocalRunner().run(connection, Step("bad", Scope.GROUP, sql, ("given",), "out"))


@pytest.mark.parametrize(
    "call", ["current_setting('threads')", "getvariable('x')", "current_user", "version()"]
)
def test_no_step_asks_the_session(connection, call):
    step = Step("bad", Scope.GROUP, f"SELECT {call} AS x FROM given", ("given",), "out")
    with pytest.raises(StepError, match="repeat"):
        LocalRunner().run(connection, step)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT first(n) AS x FROM given",
        "SELECT list(n) AS x FROM given GROUP BY _key",
        "SELECT string_agg(_key, ',') AS x FROM given",
        "SELECT row_number() OVER (PARTITION BY _key) AS x FROM given",
        "SELECT n FROM given LIMIT 3",
    ],
)
def test_no_step_depends_on_the_order_in_which_rows_come(connection, sql):
    with pytest.raises(StepError, match="order"):
        LocalRunner().run(connection, Step("bad", Scope.GROUP, sql, ("given",), "out"))


def test_a_step_may_name_what_it_makes_itself(connection):
    sql = "WITH own AS (FROM given WHERE n < 3) SELECT list(n ORDER BY n) AS found FROM own"
    LocalRunner().run(connection, Step("own", Scope.GROUP, sql, ("given",), "out"))
    assert connection.execute("FROM out").fetchone() == ([0, 1, 2],)


def test_what_is_written_and_counted_is_checked_too(connection, tmp_path):
    step = Step("bad", Scope.GROUP, "SELECT random() AS x FROM given", ("given",), "out")
    with pytest.raises(StepError, match="repeat"):
        LocalRunner().write(connection, step, tmp_path / "out.parquet", "FORMAT parquet")
    with pytest.raises(StepError, match="no input"):
        LocalRunner().totals(connection, "bad", "SELECT count(*) FROM words", ("given",))
    assert not (tmp_path / "out.parquet").exists()
