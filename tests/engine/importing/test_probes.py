"""The probes of merge.md 2.1, where daff, git, SQLite sessions and Dolt go wrong.

Base is the row (1, x, p) that crm sent, beside one that nobody touches; ours is the store after a person's work, theirs crm's
next file, a mirror where it leaves the row out. P10 and P11 are not in the page's table.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataport.core.paths import Home
from dataport.core.words import Mode, Take
from tests.engine.importing.desk import Desk

BASE = "id,a,b\n1,x,p\n9,k,k\n"
GONE = "id,a,b\n9,k,k\n"
MIRROR = {"mode": Mode.MIRROR}


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    desk.send(BASE)
    yield desk
    desk.engine.close()


def stored(desk: Desk) -> dict[str, tuple[str | None, str | None]]:
    return {key: (row[0], row[1]) for key, row in desk.rows().items() if key != "9"}


def asked(desk: Desk) -> list[tuple[str | None, str]]:
    """Field and kind of the open conflicts."""
    return [(c["field"], c["kind"]) for c in desk.conflicts()]


def test_p1_both_set_the_same_value(desk: Desk) -> None:
    """SQLite reports a conflict."""
    desk.edit("1", a="y")
    job = desk.send("id,a,b\n1,y,p\n")
    assert (stored(desk), asked(desk)) == ({"1": ("y", "p")}, [])
    assert (job.changes or {})["updated"] == 0


def test_p2_each_changes_another_cell(desk: Desk) -> None:
    """git conflicts: it compares lines."""
    desk.edit("1", a="y")
    desk.send("id,a,b\n1,x,q\n")
    assert (stored(desk), asked(desk)) == ({"1": ("y", "q")}, [])


def test_p3_one_cell_set_to_different_values(desk: Desk) -> None:
    """daff writes markers into the cell; here the store's value stays as it is."""
    desk.edit("1", a="y")
    desk.send("id,a,b\n1,z,p\n")
    assert (stored(desk), asked(desk)) == ({"1": ("y", "p")}, [("a", "edit/edit")])


@pytest.mark.parametrize(("take", "row"), [(Take.OURS, ("y", "q")), (Take.THEIRS, ("z", "q"))])
def test_p4_a_clean_cell_beside_a_conflict(desk: Desk, take: Take, row: tuple[str, str]) -> None:
    """SQLite and Dolt give one verdict for the row: `ours` drops theirs' b=q."""
    desk.edit("1", a="y")
    desk.send("id,a,b\n1,z,q\n")
    assert (stored(desk), asked(desk)) == ({"1": ("y", "q")}, [("a", "edit/edit")])
    desk.resolve(desk.conflicts()[0]["id"], take)
    assert (stored(desk), asked(desk)) == ({"1": row}, [])


@pytest.mark.parametrize(("take", "left"), [(Take.OURS, {"1": ("y", "p")}), (Take.THEIRS, {})])
def test_p5_ours_edits_and_theirs_deletes(
    desk: Desk, take: Take, left: dict[str, tuple[str, str]]
) -> None:
    """daff deletes silently and the edit is lost."""
    desk.edit("1", a="y")
    desk.send(GONE, **MIRROR)
    assert (stored(desk), asked(desk)) == ({"1": ("y", "p")}, [(None, "edit/delete")])
    desk.resolve(desk.conflicts()[0]["id"], take)
    assert (stored(desk), asked(desk)) == (left, [])


@pytest.mark.parametrize(("take", "left"), [(Take.OURS, {}), (Take.THEIRS, {"1": ("z", "p")})])
def test_p6_ours_deletes_and_theirs_edits(
    desk: Desk, take: Take, left: dict[str, tuple[str, str]]
) -> None:
    """daff deletes silently; in SQLite theirs can never win."""
    desk.delete("1")
    desk.send("id,a,b\n1,z,p\n")
    assert (stored(desk), asked(desk)) == ({}, [(None, "delete/edit")])
    desk.resolve(desk.conflicts()[0]["id"], take)
    assert (stored(desk), asked(desk)) == (left, [])


def test_p7_both_add_the_same_row(desk: Desk) -> None:
    """daff has the key twice, SQLite a conflict."""
    desk.send("id,a,b\n2,n,n\n", "fair")
    job = desk.send("id,a,b\n2,n,n\n")
    assert (stored(desk)["2"], asked(desk)) == (("n", "n"), [])
    assert (job.changes or {})["unchanged"] == 1


def test_p8_both_add_different_rows(desk: Desk) -> None:
    """daff has two rows with one key; cells that agree are no question."""
    desk.send("id,a,b\n2,n,n\n", "fair")
    desk.send("id,a,b\n2,m,n\n")
    assert (stored(desk)["2"], asked(desk)) == (("n", "n"), [("a", "add/add")])
    assert len(desk.rows()) == 3


def test_p9_both_delete(desk: Desk) -> None:
    """SQLite reports the row as not found."""
    desk.delete("1")
    desk.send(GONE, **MIRROR)
    assert (stored(desk), asked(desk)) == ({}, [])


def test_p12_theirs_clears_a_cell(desk: Desk) -> None:
    desk.send("id,a,b\n1,,p\n")
    assert (stored(desk), asked(desk)) == ({"1": (None, "p")}, [])


def test_p13_ours_cleared_the_cell_and_theirs_has_a_new_value(desk: Desk) -> None:
    """Everybody conflicts, rightly; nothing is written into the cell."""
    desk.edit("1", a=None)
    desk.send("id,a,b\n1,z,p\n")
    assert (stored(desk), asked(desk)) == ({"1": (None, "p")}, [("a", "edit/edit")])
    assert [c["ours"] for c in desk.conflicts()] == [None]
