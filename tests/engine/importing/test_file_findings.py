"""What is found in a file before it is merged (merge.md 5.2). Guards are in test_guards.py, keys
that come twice with different rows in test_duplicates.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataport.core.errors import DataportError
from dataport.core.paths import Home
from dataport.core.words import JobStatus, Mode
from dataport.engine.jobs import Job
from tests.engine.importing.desk import THINGS, Desk

FIRST = "id,a,b,n\n1,x,p,1\n2,x,p,2\n3,x,p,3\n"
MIRROR = {"mode": Mode.MIRROR}


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    desk.send(FIRST)
    yield desk
    desk.engine.close()


def rows_of(job: Job) -> tuple[int, int, int]:
    """Valid, rejected and duplicate rows."""
    rows = job.rows or {}
    return rows["valid"], rows["rejected"], rows["duplicate"]


def rejects(desk: Desk, job: Job) -> list[tuple[int, str]]:
    items = desk.engine.rejects(job.job, 100, 0)["items"]
    return [(item["line"], item["code"]) for item in items]


def test_a_file_without_the_key_changes_nothing(desk: Desk) -> None:
    """Key column unmapped or missing: nothing is read into the store."""
    before = desk.rows()
    with pytest.raises(DataportError) as caught:
        desk.send("number,a\n1,y\n")
    assert "id" in str(caught.value)
    assert desk.rows() == before


@pytest.mark.parametrize("cell", ["", " "])
def test_a_row_without_a_key_is_rejected_with_its_line_and_nothing_is_deleted(
    desk: Desk, cell: str
) -> None:
    """In a snapshot the row could be any of those it leaves out."""
    job = desk.send(f"id,a,b,n\n1,y,p,1\n{cell},x,p,2\n", **MIRROR)
    assert rows_of(job) == (1, 1, 0)
    assert rejects(desk, job) == [(3, "primary-key")]
    assert desk.rows() == {"1": ("y", "p", 1), "2": ("x", "p", 2), "3": ("x", "p", 3)}
    assert any("nothing was deleted" in notice for notice in job.notices)


def test_a_key_that_is_no_value_of_its_type_is_rejected_so_too(home: Home) -> None:
    desk = Desk(home)
    try:
        desk.redefine(THINGS.format("").replace('name = "id"', 'name = "id"\ntype = "integer"'))
        desk.send(FIRST)
        job = desk.send("id,a,b,n\n1,x,p,1\ntwo,x,p,2\n", **MIRROR)
        assert rejects(desk, job)[0][0] == 3
        assert set(desk.rows()) == {"1", "2", "3"}
    finally:
        desk.engine.close()


def test_a_key_twice_with_the_same_fields_is_one_row(desk: Desk) -> None:
    job = desk.send("id,a,b,n\n1,y,p,1\n1,y,p,1\n1,y,p,1\n")
    assert rows_of(job) == (1, 0, 2)
    assert desk.rows()["1"] == ("y", "p", 1)


@pytest.mark.parametrize(("which", "value"), [("first", "y"), ("last", "z")])
def test_a_key_twice_with_other_fields_follows_the_definition(
    home: Home, which: str, value: str
) -> None:
    desk = Desk(home, keys=f'duplicates = "{which}"')
    try:
        job = desk.send("id,a,b,n\n1,y,p,1\n1,z,p,1\n")
        assert rows_of(job) == (1, 0, 1)
        assert desk.rows()["1"][0] == value
    finally:
        desk.engine.close()


def test_a_row_that_fails_a_check_is_present_but_unstated(desk: Desk) -> None:
    """It is neither updated nor deleted, and its base stays."""
    job = desk.send("id,a,b,n\n1,y,p,one\n2,y,p,2\n", **MIRROR)
    assert (rows_of(job), rejects(desk, job)[0][0]) == ((1, 1, 0), 2)
    assert desk.rows() == {"1": ("x", "p", 1), "2": ("y", "p", 2)}
    assert desk.send(FIRST + "\n").commit is not None
    assert desk.rows()["1"] == ("x", "p", 1)


def test_a_column_that_is_no_field_is_left_out_with_a_notice(desk: Desk) -> None:
    job = desk.send("id,a,b,n,shoe size\n1,y,p,1,44\n")
    assert any("shoe size" in notice for notice in job.notices)
    assert desk.rows()["1"] == ("y", "p", 1)


def test_a_column_that_is_missing_is_unstated_in_every_row(desk: Desk) -> None:
    """⊥, never NULL: neither row nor base changes in it."""
    job = desk.send("id,a\n1,y\n2,x\n3,x\n")
    assert desk.rows()["1"] == ("y", "p", 1)
    assert any("says nothing of b, n" in notice for notice in job.notices)
    desk.edit("1", b="mine")
    desk.send(FIRST.replace("1,x", "1,y"))
    assert desk.rows()["1"] == ("y", "mine", 1)


def test_the_same_bytes_again_are_no_work(desk: Desk) -> None:
    job = desk.send(FIRST)
    assert (job.status, job.commit) == (JobStatus.COMPLETED, None)
    assert "Already imported" in job.message


@pytest.mark.parametrize("mode", [Mode.MERGE, Mode.MIRROR])
def test_the_same_rows_in_other_bytes_change_nothing(desk: Desk, mode: Mode) -> None:
    """A5, A6: neither the order of rows nor that of columns says anything."""
    job = desk.send("n,b,a,id\n3,p,x,3\n1,p,x,1\n2,p,x,2\n", mode=mode)
    assert (job.commit, (job.changes or {})["unchanged"]) == (None, 3)
