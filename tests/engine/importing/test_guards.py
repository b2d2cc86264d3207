"""Guards hold an import that looks wrong, as a whole and with its plan (merge.md 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dataport.core.paths import Home
from dataport.core.words import JobStatus, Mode, OnMatch
from dataport.engine.jobs import Job
from tests.engine.importing.desk import Desk, csv, numbered

MIRROR = {"mode": Mode.MIRROR}


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    yield desk
    desk.engine.close()


def is_held(job: Job, *words: str) -> bool:
    assert all(word in job.message for word in words), job.message
    return job.status is JobStatus.WAITING


def test_many_deletions_hold_a_mirror(desk: Desk) -> None:
    desk.send(csv(numbered(range(1100))), **MIRROR)
    job = desk.send(csv(numbered(range(56, 1100))), **MIRROR)
    assert is_held(job, "leaves out 56 of 1,100 rows that crm sent")
    assert (job.changes or {})["deleted"] == 56
    assert len(desk.rows()) == 1100
    assert desk.approve(job).status is JobStatus.COMPLETED
    assert len(desk.rows()) == 1044


@pytest.mark.parametrize(("rows", "kept"), [(1100, 1045), (100, 50), (90, 46)])
def test_deletions_up_to_the_larger_of_both_bounds_do_not(desk: Desk, rows: int, kept: int) -> None:
    """max(50, 5 %)."""
    desk.send(csv(numbered(range(rows))), **MIRROR)
    assert not is_held(desk.send(csv(numbered(range(kept))), **MIRROR))
    assert len(desk.rows()) == kept


def test_a_mirror_of_half_the_rows_is_held(desk: Desk) -> None:
    """Row count -50 %, although fewer than 50 rows would be deleted."""
    desk.send(csv(numbered(range(60))), **MIRROR)
    assert is_held(desk.send(csv(numbered(range(29))), **MIRROR), "29 rows, far fewer than the 60")


def test_rejected_rows_are_rows_of_the_file_all_the_same(desk: Desk) -> None:
    desk.send(csv(numbered(range(60))), **MIRROR)
    broken = csv(numbered(range(29))) + "".join(f"{n},a,x,wrong\n" for n in range(29, 60))
    assert not is_held(desk.send(broken, **MIRROR))


def test_a_file_with_other_keys_is_held(desk: Desk) -> None:
    """Key overlap below 50 %: perhaps the wrong file."""
    desk.send(csv(numbered(range(300))), **MIRROR)
    job = desk.send(csv(numbered(range(200, 450))), **MIRROR)
    assert is_held(job, "150 of 250 rows have keys that crm never sent", "the right file?")
    desk.approve(job)
    assert len(desk.rows()) == 250


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (range(1000, 1100), {}),
        (range(200, 395), {}),
        (range(1000, 1300), {}),
        (range(1000, 1300), {"mode": Mode.APPEND}),
        (range(1000, 1300), {"on_match": OnMatch.SKIP}),
    ],
    ids=["few", "half known", "none known", "append", "skip"],
)
def test_new_rows_alone_are_no_wrong_file(desk: Desk, rows: range, options: Any) -> None:
    desk.send(csv(numbered(range(300))))
    assert not is_held(desk.send(csv(numbered(rows)), **options))


def test_another_source_may_begin_with_whatever_it_has(desk: Desk) -> None:
    desk.send(csv(numbered(range(300))), "crm")
    assert not is_held(desk.send(csv(numbered(range(1000, 1300))), "fair"))


def test_a_column_that_breaks_is_held(desk: Desk) -> None:
    """One column cleared in more than 5 % of the rows."""
    desk.send(csv(numbered(range(500))))
    broken = [row | ({"n": None} if row["id"] < 26 else {}) for row in numbered(range(500))]
    job = desk.send(csv(broken))
    assert is_held(job, "clears n in 26 of 500 rows")
    desk.approve(job)
    assert desk.rows()["0"] == ("a0", "x", None)


@pytest.mark.parametrize(
    ("rows", "cleared"), [(500, 25), (30, 20)], ids=["5 % of the rows", "20 rows"]
)
def test_a_few_cleared_cells_are_not(desk: Desk, rows: int, cleared: int) -> None:
    desk.send(csv(numbered(range(rows))))
    emptied = [row | ({"n": None} if row["id"] < cleared else {}) for row in numbered(range(rows))]
    assert not is_held(desk.send(csv(emptied)))


def test_a_missing_column_clears_nothing(desk: Desk) -> None:
    """F0: it says nothing of any row."""
    desk.send(csv(numbered(range(100))))
    without = [{"id": row["id"], "a": row["a"]} for row in numbered(range(100))]
    assert not is_held(desk.send(csv(without)))
    assert desk.rows()["0"] == ("a0", "x", 1)


def test_a_file_that_contradicts_most_of_the_store_is_held(desk: Desk) -> None:
    """More than 20 % of its rows conflicting."""
    desk.send(csv(numbered(range(100))), "crm")
    other = [
        row | ({"a": "other", "b": "y"} if row["id"] < 21 else {}) for row in numbered(range(100))
    ]
    job = desk.send(csv(other), "fair")
    assert is_held(job, "21 of 100 rows contradict")
    assert desk.conflicts() == []
    desk.approve(job)
    assert len(desk.conflicts()) == 42


@pytest.mark.parametrize(("rows", "contested"), [(105, 21), (25, 20)], ids=["20 %", "20 rows"])
def test_a_few_contradictions_are_not(desk: Desk, rows: int, contested: int) -> None:
    desk.send(csv(numbered(range(rows))), "crm")
    other = [
        row | ({"a": "other"} if row["id"] < contested else {}) for row in numbered(range(rows))
    ]
    assert not is_held(desk.send(csv(other), "fair"))
    assert len(desk.conflicts()) == contested


def test_every_reason_is_named(desk: Desk) -> None:
    desk.send(csv(numbered(range(400))), **MIRROR)
    for number in range(100):
        desk.edit(str(number), b="mine") if number < 41 else None
    wrong = numbered(range(41), b="y", n=None) + numbered(range(1000, 1110))
    job = desk.send(csv(wrong), **MIRROR)
    assert is_held(
        job,
        "leaves out 359 of 400",
        "151 rows, far fewer",
        "110 of 151 rows have keys",
        "clears n in 41 of 151",
        "41 of 151 rows contradict",
    )


def test_a_dry_run_and_an_empty_plan_are_not_held(desk: Desk) -> None:
    desk.send(csv(numbered(range(200))), **MIRROR)
    job = desk.send(csv(numbered(range(10))), **MIRROR, dry_run=True)
    assert job.status is JobStatus.COMPLETED
    assert not is_held(desk.send(csv(numbered(reversed(range(200)))), **MIRROR))


@pytest.mark.parametrize("settings", ["[guards]\ncleared = 1", "[guards]\nfewest_rows = 30"])
def test_the_settings_move_the_bounds(home: Home, settings: str) -> None:
    desk = Desk(home, settings=settings)
    try:
        desk.send(csv(numbered(range(30))))
        assert not is_held(desk.send(csv(numbered(range(30), n=None))))
    finally:
        desk.engine.close()
