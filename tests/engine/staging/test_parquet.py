"""Parquet: typed values come through text without loss (IMF-13)."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.request import StageLimits

HOUR = 3_600_000_000
NOON = dt.datetime.fromisoformat("2026-03-29 12:00:00.123456")


def parquet(columns: dict[str, pa.Array], **words) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, **words)
    return target.getvalue()


@pytest.fixture
def things(make):
    return make(
        {"name": "id", "type": "integer"},
        {"name": "name"},
        {"name": "share", "type": "number"},
        {"name": "price", "type": "number", "precision": 18, "scale": 4},
        {"name": "open", "type": "boolean"},
        {"name": "day", "type": "date"},
        {"name": "seen", "type": "datetime"},
        {"name": "hour", "type": "time"},
        {"name": "took", "type": "duration"},
        {"name": "tags", "type": "list"},
        {"name": "extra", "type": "object"},
    )


def refused(read, content, dataset, **words) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, dataset, "file.parquet", **words)
    return caught.value


def test_every_type_is_read_back_as_it_was(read, things) -> None:
    content = parquet(
        {
            "id": pa.array([1, 2, 2**62], pa.int64()),
            "name": pa.array(["Ann", "line\nbreak", None]),
            "share": pa.array([0.1 + 0.2, 1e300, -2.0], pa.float64()),
            "price": pa.array([Decimal("1.2300"), None, Decimal("-99999999999999.9999")]),
            "open": pa.array([True, False, None]),
            "day": pa.array([dt.date(2026, 1, 2), dt.date(1, 1, 1), None]),
            "seen": pa.array([NOON, None, NOON], pa.timestamp("us", "Europe/Berlin")),
            "hour": pa.array([dt.time(1, 2, 3), None, None]),
            "took": pa.array([27 * HOUR + 1, -HOUR // 2, None], pa.duration("us")),
            "tags": pa.array([["a", "b;c"], [], None]),
            "extra": pa.array([{"x": [1]}, None, {"x": []}]),
        },
        row_group_size=2,
    )
    staged = read(content, things, "file.parquet")
    assert staged.rejects() == []
    assert staged.rows('_line, id, name, share, price, "open", day') == [
        (1, 1, "Ann", 0.1 + 0.2, Decimal("1.2300"), True, dt.date(2026, 1, 2)),
        (2, 2, "line\nbreak", 1e300, None, False, dt.date(1, 1, 1)),
        (3, 2**62, None, -2.0, Decimal("-99999999999999.9999"), None, None),
    ]
    assert staged.rows("seen, hour, took, tags, extra") == [
        (NOON, dt.time(1, 2, 3), 27 * HOUR + 1, ["a", "b;c"], '{"x":[1]}'),
        (None, None, -HOUR // 2, [], None),
        (NOON, None, None, None, '{"x":[]}'),
    ]
    assert (staged.result.format, staged.result.rows.read) == ("parquet", 3)
    assert len(staged.result.sha256) == 64


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array([7.0], pa.float32()), "7"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.array([2**63], pa.uint64()), str(2**63)),
        (pa.array([NOON], pa.timestamp("ns")), "2026-03-29 12:00:00.123456"),
        (pa.array([b"caf\xc3\xa9"]), "café"),
        (pa.array([b"\xff\x00"]), "/wA="),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array(["x"], pa.large_string()), "x"),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), '{"k":1}'),
    ],
    ids=str,
)
def test_other_types_become_text(read, make, array, text) -> None:
    dataset = make({"name": "id"}, {"name": "value"})
    content = parquet({"id": pa.array(["1"]), "value": array})
    assert read(content, dataset, "file.parquet").rows("value") == [(text,)]


def test_rows_that_can_not_be_taken_are_told_by_their_number(read, things) -> None:
    content = parquet({"id": pa.array(["1", "x", "3"]), "name": pa.array(["a", "b", "c"])})
    staged = read(content, things, "file.parquet")
    assert staged.rows("_record, _line, id") == [(1, 1, 1), (3, 3, 3)]
    assert staged.rejects("_record, _line, code, value") == [(2, 2, "type-error.integer", "x")]
    text = (staged.directory / "rejects.csv").read_text(encoding="utf-8")
    back = read(text.replace(",x,b", ",2,b"), things, "file.rejects.csv")
    assert back.rows("id, name") == [(2, "b")]


def test_limits_and_damage(read, things) -> None:
    content = parquet({"id": pa.array(range(9)), "name": pa.nulls(9, pa.string())})
    assert refused(read, content, things, limits=StageLimits(rows=8)).code == "too-many-rows"
    assert refused(read, content, things, limits=StageLimits(columns=1)).code == "too-many-columns"
    assert refused(read, content, things, inside="x").code == "no-such-table"
    assert refused(read, content[:-9], things).code == "source-error"
    assert refused(read, content[:20] + bytes(40) + content[60:], things).code == "source-error"
    assert refused(read, parquet({"id": pa.array([], pa.int8())}), things).code == "no-rows"
    long = parquet({"id": pa.array([1]), "name": pa.array(["x" * 999])})
    staged = read(long, things, "file.parquet", limits=StageLimits(field_size=99))
    assert staged.rejects("code") == [("field-too-long",)]
