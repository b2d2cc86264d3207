"""Keys: canonical text, derived keys, rows without one, duplicates inside a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import duckdb
import pytest

from dataport.engine.catalog.model import Duplicates
from dataport.engine.staging.keys import derived_sql, key_sql, key_text, value_text


def test_a_row_without_a_key_gets_one_from_other_fields(read, leads):
    """V-01."""
    text = "lead_id,email,phone,name,company\n,A@b.co,,,\n,a@B.co ,,X,\n,,,X,Y\nL1,,,,\n,,,X,\n"
    staged = read(text, leads)
    keys = staged.rows("_line, _key, _derived")
    assert [(line, key) for line, key, _ in keys] == [(2, None), (4, None), (5, "L1")]
    digest = duckdb.sql("""SELECT '~' || sha256('["email","a@b.co"]')[:20]""").fetchone()
    assert keys[0][2] == digest[0]
    assert staged.rejects("_line, code, class") == [
        (3, "primary-key", "duplicate"),
        (6, "primary-key", "error"),
    ]
    assert staged.result.null_keys == 1


def test_a_row_that_can_be_matched_needs_no_key(read, make):
    dataset = make({"name": "id"}, {"name": "email"}, match=[["id"], ["email"]])
    staged = read("id,email\n,a@b.co\n,\n", dataset)
    assert staged.rows("_key, _derived, email") == [(None, None, "a@b.co")]
    assert staged.rejects() == [(3, "primary-key")]


@pytest.mark.parametrize(
    ("duplicates", "stands"), [("first", ["a"]), ("last", ["c"]), ("newest", ["b"]), ("ask", [])]
)
def test_which_of_several_rows_stands(read, make, duplicates, stands):
    """DUP; design 6."""
    dataset = make(
        {"name": "id"},
        {"name": "v"},
        {"name": "at", "type": "date"},
        dateField="at",
        duplicates=duplicates,
    )
    staged = read("id,v,at\n1,a,2026-01-01\n1,b,2026-03-01\n1,c,2026-02-01\n", dataset)
    assert [value for (value,) in staged.rows("v")] == stands
    assert staged.result.rows.duplicate == 3 - len(stands)
    assert staged.result.rows.rejected == 0
    assert all("line" in message.lower() for (message,) in staged.rejects("message"))


def test_what_is_asked_about_is_put_aside_with_its_values(read, make):
    """Merge.md 5.2: none of the rows stands; copies of one row contradict nobody."""
    dataset = make({"name": "id"}, {"name": "n", "type": "integer"}, duplicates="ask")
    text = '[{"id":1,"n":1},{"id":2,"n":5},{"id":1,"n":null},{"id":2,"n":5}]'
    staged = read(text, dataset, "a.json")
    assert staged.rows("_record, _key, n") == [(2, "2", 5)]
    path = staged.directory / "disputed.parquet"
    disputed = duckdb.sql(f"SELECT _record, _line, _key, _absent, n FROM '{path}' ORDER BY 1")
    assert disputed.fetchall() == [(1, 1, "1", None, 1), (3, 1, "1", None, None)]
    assert staged.result.disputed == 2
    assert staged.rejects("_record, code, class") == [
        (1, "primary-key.differs", "duplicate"),
        (3, "primary-key.differs", "duplicate"),
        (4, "primary-key", "duplicate"),
    ]


def test_rows_that_state_different_fields_are_one_statement(read, make):
    """Merge.md 5.1, 5.2: what is absent contradicts nothing, and nothing that is stated is lost."""
    fields = ({"name": "id"}, {"name": "n", "type": "integer"}, {"name": "t"}, {"name": "x"})
    dataset = make(*fields, duplicates="ask")
    rows = ['{"id":1}', '{"id":1,"n":1}', '{"id":1,"t":null}', '{"id":1,"n":1}']
    rows += ['{"id":2,"n":1}', '{"id":2,"t":"a"}', '{"id":2,"n":2}', '{"id":3,"t":"b","x":"c"}']
    staged = read("\n".join(rows), dataset, "a.ndjson")
    assert staged.rows("_record, _key, n, t, _absent") == [
        (1, "1", 1, None, ["x"]),
        (8, "3", None, "b", ["n"]),
    ]
    assert (staged.result.rows.duplicate, staged.result.disputed) == (6, 3)
    codes = ["primary-key"] * 3 + ["primary-key.differs"] * 3
    assert staged.rejects("code") == [(code,) for code in codes]


def test_what_the_first_of_several_rows_does_not_state_is_unique_all_the_same(read, make):
    fields = ({"name": "id"}, {"name": "u", "constraints": {"unique": True}})
    dataset = make(*fields, duplicates="ask")
    text = '[{"id":1},{"id":1,"u":"a"},{"id":2,"u":"a"}]'
    staged = read(text, dataset, "a.json")
    assert staged.rows("_key, u") == [("1", "a")]
    assert (3, "constraint-error.unique") in staged.rejects("_record, code")


def test_many_disputed_lines_are_not_all_named(read, make):
    dataset = make({"name": "id"}, {"name": "v"}, duplicates="ask")
    staged = read("id,v\n" + "".join(f"1,{at}\n" for at in range(9)), dataset)
    assert {message.partition(" have")[0] for (message,) in staged.rejects("message")} == {
        "Lines 2, 3, 4, 5, 6, …"
    }


def test_a_rejected_row_is_no_duplicate(read, leads):
    staged = read("lead_id,email\n1,bad\n1,a@b.co\n", leads)
    assert staged.rows("_line") == [(3,)]
    assert staged.rejects("_line, _key, class") == [(2, "1", "error")]
    assert staged.result.null_keys == 0


@pytest.mark.parametrize(("buckets", "chunk"), [(3, 1 << 21), (8, 1000), (64, 77)])
@pytest.mark.parametrize("duplicates", [Duplicates.FIRST, Duplicates.ASK])
def test_the_result_does_not_depend_on_buckets_and_chunks(read, leads, buckets, chunk, duplicates):
    """Design 16."""
    leads = leads.model_copy(update={"duplicates": duplicates})
    lines = [f"{at % 700 or ''},u{at % 900}@b.co,n{at}" for at in range(2_016)]
    text = "lead_id,email,name\n" + "\n".join(lines)
    whole = read(text, leads)
    expected = (whole.result, whole.rows(), whole.rejects("*"))
    split = read(text, leads, buckets=buckets, chunk=chunk)
    assert split.result.rows.duplicate > 1_000
    assert (
        replace(split.result, identity=whole.result.identity),
        split.rows(),
        split.rejects("*"),
    ) == expected


@pytest.mark.parametrize(
    "value",
    [
        "x",
        'a"b\\c\n\x1f',
        7,
        -1.5,
        1e22,
        1.5e-7,
        True,
        Decimal("1.50"),
        date(2026, 1, 2),
        datetime.fromisoformat("2026-01-02 03:04:05"),
        datetime.fromisoformat("2026-01-02 03:04:05.250"),
        time(9, 30),
    ],
)
def test_key_text_is_the_same_in_sql_and_python(make, value):
    kinds = {str: "string", int: "integer", float: "number", bool: "boolean", date: "date"}
    kinds |= {datetime: "datetime", time: "time", Decimal: "number"}
    field = {"name": "a", "type": kinds[type(value)]}
    field |= {"scale": 2} if isinstance(value, Decimal) else {}
    for key in (["a"], ["a", "b"]):
        dataset = make(field, {"name": "b"}, primaryKey=key)
        sql = key_sql(dataset, lambda name: name)
        row = duckdb.execute(
            f"SELECT {sql} FROM (SELECT ?::{dataset.field('a').sql_type} AS a, 'z' AS b)", [value]
        ).fetchone()
        assert row is not None
        assert row[0] == key_text(dataset, [value, "z"][: len(key)])


def test_other_values_have_a_text_too():
    assert value_text(timedelta(seconds=1)) == "1000000"
    assert value_text(["a", "b"]) == "[a, b]"
    with pytest.raises(TypeError):
        value_text(None)


def test_only_a_single_text_key_is_derived(make):
    dataset = make({"name": "id", "type": "integer"}, {"name": "e"}, deriveKey=[["e"]])
    assert derived_sql(dataset, ["id", "e"], lambda name: name) is None
