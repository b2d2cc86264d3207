"""The probes of merge.md 2.2, where csv-diff, daff, pandas, Polars and DuckDB's sniffer disagree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataport.core.paths import Home
from dataport.core.words import Mode
from dataport.engine.jobs import Job
from tests.engine.importing.desk import Desk

OLD = "id,a,b,n\n1,x,p,1\n2,,q,7\n3,07,r,8\n"


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    desk.send(OLD)
    yield desk
    desk.engine.close()


def did(job: Job) -> dict[str, int]:
    """What a file did, without what it did not do."""
    return {name: number for name, number in (job.changes or {}).items() if number}


def test_an_empty_cell_is_no_value_quoted_or_not(desk: Desk) -> None:
    """`,,` and `,"",` are one thing, whatever a reader makes of them: a mapping decides."""
    assert did(desk.send(OLD.replace("2,,q", '2,"",q'))) == {"unchanged": 3}
    assert desk.rows()["2"] == (None, "q", 7)


def test_numbers_are_compared_as_numbers_and_texts_as_texts(desk: Desk) -> None:
    """`7` and `07` are one number and two texts; white space around either is none of it."""
    assert did(desk.send("id,a,b,n\n1,x,p,1\n2,,q,07\n3,07,r, 8\n")) == {"unchanged": 3}
    assert did(desk.send("id,a,b,n\n1,x, p,1\n2,,q,7\n3,7,r,8\n")) == {"updated": 1, "unchanged": 2}
    assert desk.rows()["3"] == ("7", "r", 8)


@pytest.mark.parametrize("mode", [Mode.MERGE, Mode.MIRROR])
def test_other_orders_of_rows_and_columns_are_no_change(desk: Desk, mode: Mode) -> None:
    job = desk.send("b,n,id,a\nr,8,3,07\np,1,1,x\nq,7,2,\n", mode=mode)
    assert (did(job), job.commit) == ({"unchanged": 3}, None)


def test_a_column_that_is_added_or_dropped_changes_no_value(desk: Desk) -> None:
    """Added ones are named, dropped ones say nothing: both are told, neither is a change."""
    job = desk.send("id,a,n,size\n1,x,1,44\n2,,7,45\n3,07,8,46\n")
    assert did(job) == {"unchanged": 3}
    assert any("size" in notice for notice in job.notices)
    assert any("says nothing of b" in notice for notice in job.notices)
    assert desk.rows()["1"] == ("x", "p", 1)


def test_a_renamed_column_is_one_dropped_and_one_added_until_it_is_mapped(home: Home) -> None:
    """A label is guessed from names, titles and aliases, never from the cells below it."""
    desk = Desk(home)
    desk.send(OLD)
    renamed = OLD.replace("id,a,b,n", "id,a,letter,n").replace("1,x,p", "1,x,P")
    job = desk.send(renamed)
    assert did(job) == {"unchanged": 3}
    assert any("letter" in notice for notice in job.notices)
    text = (home.datasets / "things.toml").read_text(encoding="utf-8")
    desk.redefine(text.replace('name = "b"', 'name = "b"\naliases = ["letter"]'))
    assert did(desk.send(renamed + "\n")) == {"updated": 1, "unchanged": 2}
    assert desk.rows()["1"] == ("x", "P", 1)
    desk.engine.close()


@pytest.mark.parametrize("mode", [Mode.MERGE, Mode.MIRROR])
def test_a_key_twice_multiplies_no_row(desk: Desk, mode: Mode) -> None:
    """Counted and named with its line; nothing is updated by the copy that does not stand."""
    job = desk.send(OLD + "1,other,p,1\n", mode=mode)
    assert (did(job), (job.rows or {})["duplicate"]) == ({"unchanged": 3}, 1)
    [item] = desk.engine.rejects(job.job, 10, 0)["items"]
    assert (item["line"], item["class"]) == (5, "duplicate")
    assert len(desk.rows()) == 3


@pytest.mark.parametrize("mode", [Mode.MERGE, Mode.MIRROR])
def test_an_empty_key_is_neither_an_insertion_nor_a_deletion(desk: Desk, mode: Mode) -> None:
    """Presence is a flag, never a test of the key: the row is rejected, with its line."""
    job = desk.send(OLD + ",new,s,9\n", mode=mode)
    assert (did(job), (job.rows or {})["rejected"]) == ({"unchanged": 3}, 1)
    assert set(desk.rows()) == {"1", "2", "3"}
