"""Rows without a key, matched by other fields: e-mail, then phone (V-01, V-02; merge.md 5.3)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataport.core.paths import Home
from dataport.core.words import Mode
from dataport.engine.jobs import Job
from tests.engine.importing.desk import Desk, csv, numbered

PEOPLE = """
name = "things"
primaryKey = ["id"]
match = [["id"], ["email"], ["phone"]]
deriveKey = [["email"], ["phone"], ["name"]]
[[fields]]
name = "id"
[[fields]]
name = "email"
normalise = ["trim", "lower"]
[[fields]]
name = "phone"
[[fields]]
name = "name"
"""


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    desk.redefine(PEOPLE)
    desk.send("id,email,phone,name\nA,a@x.org,1,Ann\nB,b@x.org,2,Bo\nC,,3,Cy\nD,,3,Di\n")
    yield desk
    desk.engine.close()


def told(job: Job, words: str) -> bool:
    return any(words in notice for notice in job.notices)


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ("A@x.org ,,Anna", "A"),
        ("new@x.org,1,Anna", "A"),
        (",2,Bob", "B"),
        ("a@x.org,2,Anna", "A"),
    ],
    ids=["e-mail", "phone where the e-mail is unknown", "phone", "e-mail before phone"],
)
def test_a_row_takes_the_key_of_the_record_it_agrees_with(desk: Desk, row: str, key: str) -> None:
    before = set(desk.rows())
    job = desk.send(f"email,phone,name\n{row}\n", "fair")
    assert set(desk.rows()) == before
    assert (job.changes or {})["inserted"] == 0
    assert {c["key"] for c in desk.conflicts()} == {key}


def test_where_several_agree_none_is_chosen(desk: Desk) -> None:
    """The group decides nothing, and the job says so; the row gets a key of its own."""
    job = desk.send("email,phone,name\n,3,Someone\n", "fair")
    assert (job.changes or {})["inserted"] == 1
    assert told(job, "1 row without a key could be several records by email, phone")
    assert desk.send("email,phone,name\n,3,Someone\n\n", "fair").commit is None


def test_an_ambiguous_e_mail_leaves_the_phone_to_decide(desk: Desk) -> None:
    desk.send("id,email,phone,name\nE,twice@x.org,5,Ed\nF,twice@x.org,6,Flo\n")
    job = desk.send("email,phone,name\ntwice@x.org,6,Flora\n", "fair")
    assert (job.changes or {})["inserted"] == 0
    assert not told(job, "could be several")
    assert {c["key"] for c in desk.conflicts()} == {"F"}


def test_a_row_may_agree_with_another_row_of_its_file(desk: Desk) -> None:
    job = desk.send("id,email,phone,name\nN,n@x.org,9,Nan\n,n@x.org,,Nan\n", "fair")
    assert (job.rows or {})["duplicate"] == 1
    assert {"A", "B", "C", "D", "N"} == set(desk.rows())


def test_a_row_that_agrees_with_none_keeps_the_key_made_for_it(desk: Desk) -> None:
    """A5: the made key is the same every time."""
    desk.send("email,phone,name\nnew@x.org,,New\n", "fair")
    [made] = set(desk.rows()) - set("ABCD")
    assert made.startswith("~")
    job = desk.send("email,phone,name\nnew@x.org,77,New\n", "fair")
    assert ((job.changes or {})["inserted"], set(desk.rows())) == (0, {*"ABCD", made})


MIRROR = {"mode": Mode.MIRROR}


@pytest.fixture
def sheet(home: Home) -> Iterator[Desk]:
    desk = Desk(home)
    yield desk
    desk.engine.close()


def test_rows_that_may_have_a_new_key_are_shown_and_not_merged(sheet: Desk) -> None:
    """merge.md 5.3: at least 80 % of the other fields agree."""
    rows = numbered(range(6))
    sheet.send(csv(rows), **MIRROR)
    sheet.edit("1", b="x")
    moved = [row | ({"id": 100 + row["id"]} if row["id"] < 2 else {}) for row in rows]
    job = sheet.send(csv(moved), **MIRROR)
    assert ((job.changes or {})["deleted"], (job.changes or {})["inserted"]) == (2, 2)
    assert told(job, "Key changed? 2 deleted rows agree with inserted ones: 0 → 100, 1 → 101.")


def test_a_plan_made_again_says_only_what_holds_by_then(sheet: Desk) -> None:
    rows = numbered(range(6))
    sheet.send(csv(rows), **MIRROR)
    moved = [row | ({"id": 100 + row["id"]} if row["id"] < 1 else {}) for row in rows]
    job = sheet.send(csv(moved), **MIRROR, hold=True)
    assert told(job, "Key changed? 1 deleted row agrees with an inserted one: 0 → 100.")
    sheet.edit("0", a="other", n=2)
    job = sheet.approve(job)
    assert not told(job, "Key changed?")


@pytest.mark.parametrize(
    "values",
    [{"a": "other", "b": "y"}, {"a": "other", "b": None, "n": None}, {"a": "a0", "b": "y", "n": 2}],
    ids=["1 of 3", "none", "again 1 of 3"],
)
def test_rows_that_differ_more_are_not_taken_for_one(
    sheet: Desk, values: dict[str, object]
) -> None:
    sheet.send(csv(numbered(range(3))), **MIRROR)
    job = sheet.send(csv([*numbered(range(1, 3)), *numbered([100], **values)]), **MIRROR)
    assert not told(job, "Key changed?")


def test_a_file_that_lacks_a_column_it_had_says_so(sheet: Desk) -> None:
    """merge.md 5.2: ⊥ for every row, with a notice."""
    sheet.send(csv(numbered(range(3))))
    without = [{"id": row["id"], "a": "new"} for row in numbered(range(3))]
    job = sheet.send(csv(without))
    assert told(job, "says nothing of b, n, which crm sent before")
    assert sheet.rows()["0"] == ("new", "x", 1)
    assert not told(sheet.send(csv(without), "fair"), "says nothing")
