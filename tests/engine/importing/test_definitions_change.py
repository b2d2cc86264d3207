"""Definitions that change while a dataset holds rows, bases and open conflicts (design section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from dataport.core.errors import ConfigError
from dataport.core.paths import Home
from dataport.core.words import JobStatus, Phase
from tests.engine.importing.desk import Desk, csv


def typed(kind: str, **options: Any) -> str:
    """`integer`, or `number/2` for a number of two decimals."""
    name, _, scale = kind.partition("/")
    more = f"scale = {scale}\n" if scale else ""
    return f"""
name = "things"
primaryKey = ["id"]
[[fields]]
name = "id"
type = "{options.get("key", "string")}"
[[fields]]
name = "v"
type = "{name}"
{more}{options.get("more", "")}
"""


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    yield desk
    desk.engine.close()


WIDER = [
    # from, to, what the file says, what is stored then
    ("integer", "number", ("5", "-7", "0"), (5.0, -7.0, 0.0)),
    ("integer", "string", ("5", "-7", "0"), ("5", "-7", "0")),
    ("integer", "number/2", ("5", "-7", "0"), (Decimal(5), Decimal(-7), Decimal(0))),
    ("number", "string", ("5", "1.25", "-0.5"), ("5", "1.25", "-0.5")),
    ("number/2", "number/4", ("5.25", "-7", "0"), (Decimal("5.25"), Decimal(-7), Decimal(0))),
    ("number/2", "string", ("5.25", "-7.00", "0.10"), ("5.25", "-7.00", "0.10")),
    ("date", "string", ("2026-01-31", "2026-02-01", "1999-12-31"), None),
    ("time", "string", ("09:30:00", "10:00:00", "23:59:59"), None),
]


@pytest.mark.parametrize(("before", "after", "cells", "stored"), WIDER)
def test_a_wider_type_keeps_values_bases_and_conflicts(
    desk: Desk, before: str, after: str, cells: Any, stored: Any
) -> None:
    """A source that repeats itself changes nothing; one that takes its word back withdraws it."""
    first, mine, theirs = cells
    desk.redefine(typed(before))
    desk.send(csv([{"id": 1, "v": first}, {"id": 2, "v": first}]))
    desk.edit("1", v=mine)
    desk.send(csv([{"id": 1, "v": theirs}, {"id": 2, "v": theirs}]))
    assert [c["key"] for c in desk.conflicts()] == ["1"]

    desk.redefine(typed(after))
    kept = stored or cells
    assert desk.rows() == {"1": (kept[1],), "2": (kept[2],)}
    job = desk.send("\n" + csv([{"id": 2, "v": theirs}, {"id": 1, "v": theirs}]))
    assert (job.commit, len(desk.conflicts())) == (None, 1)
    [conflict] = desk.conflicts()
    assert conflict["ours"] == pytest.approx(kept[1]) if stored else conflict["ours"] == kept[1]

    desk.send(csv([{"id": 1, "v": first}, {"id": 2, "v": theirs}]))
    assert (desk.conflicts(), desk.rows()["1"]) == ([], (kept[1],))


def test_a_boolean_may_become_text(desk: Desk) -> None:
    desk.redefine(typed("boolean"))
    desk.send(csv([{"id": 1, "v": "true"}]))
    desk.redefine(typed("string"))
    assert desk.send("id,v\n1,true\n\n").commit is None
    assert desk.rows() == {"1": ("true",)}


def test_types_may_widen_one_after_the_other(desk: Desk) -> None:
    desk.redefine(typed("integer"))
    desk.send(csv([{"id": 1, "v": 5}]))
    for kind in ("number", "string"):
        desk.redefine(typed(kind))
        assert desk.send(f"id,v\n1,5{chr(10) * len(kind)}").commit is None
    assert desk.rows() == {"1": ("5",)}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("string", "integer", "can't become integer: it is string"),
        ("number", "integer", "can't become integer: it is number"),
        ("string", "number", "can't become number: it is string"),
        ("number/2", "number", "it is number of 18 digits, 2 of them decimals"),
        ("number/2", "number/1", "can't become number of 18 digits, 1 of them decimals"),
        ("datetime", "string", "can't become string: it is datetime"),
        ("date", "datetime", "can't become datetime: it is date"),
    ],
)
def test_a_narrower_type_is_refused_and_nothing_changes(
    desk: Desk, before: str, after: str, words: str
) -> None:
    cell = {"datetime": "2026-01-01 10:00:00", "date": "2026-01-01"}.get(before, "5")
    desk.redefine(typed(before))
    desk.send(csv([{"id": 1, "v": cell}]))
    rows = desk.rows()
    with pytest.raises(ConfigError, match="field 'v'") as caught:
        desk.redefine(typed(after))
    assert words in caught.value.title
    assert "1 present value and 0 earlier values would be lost" in caught.value.detail
    assert "integer, then number, then string" in caught.value.hint
    assert desk.rows() == rows
    assert desk.engine.datasets["things"].field("v").type == before.partition("/")[0]


def test_a_narrower_type_is_fine_where_no_value_is(desk: Desk) -> None:
    desk.redefine(typed("string"))
    desk.send(csv([{"id": 1, "v": None}]))
    desk.redefine(typed("integer"))
    desk.send(csv([{"id": 1, "v": 7}]))
    assert desk.rows() == {"1": (7,)}


@pytest.mark.parametrize(
    ("after", "cell"), [("number", 2**53 + 1), ("number/2", 10**17)], ids=["double", "decimal"]
)
def test_a_value_that_the_wider_type_can_t_hold_is_named(desk: Desk, after: str, cell: int) -> None:
    desk.redefine(typed("integer"))
    desk.send(csv([{"id": 1, "v": cell}]))
    with pytest.raises(ConfigError, match="can't become number") as caught:
        desk.redefine(typed(after))
    assert str(cell) in caught.value.detail
    assert desk.rows() == {"1": (cell,)}


def test_a_key_may_widen_where_its_text_stays(desk: Desk) -> None:
    desk.redefine(typed("string", key="integer"))
    desk.send(csv([{"id": 1, "v": "x"}]))
    with pytest.raises(ConfigError, match="field 'id' can't become number"):
        desk.redefine(typed("string", key="number"))
    desk.redefine(typed("string"))
    assert desk.send("id,v\n1,x\n\n").commit is None
    desk.send(csv([{"id": "one", "v": "y"}]))
    assert desk.rows() == {"1": ("x",), "one": ("y",)}


def test_earlier_versions_widen_too(desk: Desk) -> None:
    """Design section 9: any commit can still be read and undone."""
    desk.redefine(typed("integer"))
    desk.send(csv([{"id": 1, "v": 5}]))
    desk.send(csv([{"id": 1, "v": 6}]))
    desk.redefine(typed("string"))
    versions = desk.engine.timeline.record_history("things", "1")
    assert [version["values"]["v"] for version in versions] == ["6", "5"]


def test_a_job_that_waits_is_read_again_by_the_new_definition(desk: Desk) -> None:
    desk.redefine(typed("integer"))
    desk.send(csv([{"id": 1, "v": 5}]))
    job = desk.send(csv([{"id": 1, "v": 5}, {"id": 2, "v": 6}]), hold=True)
    desk.redefine(typed("string"))
    job = desk.approve(job)
    if job.status is JobStatus.WAITING:
        job = desk.approve(job)
    assert (job.changes or {})["updated"] == 0
    assert desk.rows() == {"1": ("5",), "2": ("6",)}


def test_a_row_that_waits_as_a_whole_widens_too(desk: Desk) -> None:
    """Invalid merge: what was sent, what is stored and what the merge made of it."""
    unique = "constraints = { unique = true }\n"
    desk.redefine(typed("integer", more=unique))
    desk.send(csv([{"id": 1, "v": 5}, {"id": 2, "v": 6}]))
    desk.edit("1", v=7)
    desk.send(csv([{"id": 2, "v": 7}]))
    desk.redefine(typed("string", more=unique))
    [conflict] = desk.conflicts()
    sides = {side: conflict[side]["v"] for side in ("base", "ours", "theirs", "merged")}
    assert sides == {"base": "6", "ours": "6", "theirs": "7", "merged": "7"}
    assert desk.send("id,v\n2,7\n\n").commit is None
    desk.send(csv([{"id": 2, "v": "free"}]))
    assert (desk.conflicts(), desk.rows()["2"]) == ([], ("free",))


def test_a_file_that_was_read_by_the_old_definition_is_read_again(desk: Desk) -> None:
    """The definition changed between reading the file and merging it."""
    desk.redefine(typed("integer"))
    desk.send(csv([{"id": 1, "v": 5}]))

    def change(_: Phase, done: int, total: int | None) -> None:
        del done, total
        if desk.engine.datasets["things"].field("v").type == "integer":
            desk.redefine(typed("string"))

    job = desk.send("id,v\n1,005\n2,six\n", on_progress=change)
    assert job.rows == {"read": 2, "valid": 2, "rejected": 0, "duplicate": 0}
    assert desk.rows() == {"1": ("005",), "2": ("six",)}


GAINED = typed("string", more='[[fields]]\nname = "w"\n')


@pytest.mark.parametrize(
    ("ours", "theirs", "stands", "kinds"),
    [
        (None, "t", "t", []),
        ("o", "o", "o", []),
        ("o", None, "o", []),
        ("o", "t", "o", ["add/add"]),
    ],
    ids=["store empty", "converged", "file empty", "contradiction"],
)
def test_a_field_gained_since_has_no_base(
    desk: Desk, ours: str | None, theirs: str | None, stands: str, kinds: list[str]
) -> None:
    """F7: the source's base says nothing of a field that did not exist."""
    desk.redefine(typed("string"))
    desk.send(csv([{"id": 1, "v": "x"}]))
    desk.redefine(GAINED)
    if ours:
        desk.edit("1", w=ours)
    desk.send(csv([{"id": 1, "v": "x", "w": theirs}]))
    assert desk.rows() == {"1": ("x", stands)}
    assert [c["kind"] for c in desk.conflicts()] == kinds


def test_a_file_without_the_gained_field_says_nothing_of_it(desk: Desk) -> None:
    desk.redefine(typed("string"))
    desk.send(csv([{"id": 1, "v": "x"}]))
    desk.redefine(GAINED)
    desk.edit("1", w="mine")
    assert desk.send(csv([{"id": 1, "v": "y"}])).commit is not None
    assert desk.rows() == {"1": ("y", "mine")}
