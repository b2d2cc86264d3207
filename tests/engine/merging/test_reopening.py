"""Taking back one decision, alone or of many (merge.md 5.5: a resolution can be undone)."""

from __future__ import annotations

import pytest

from dataport.core.errors import NotFoundError, StateError
from dataport.core.words import Mode, Take
from dataport.engine.blame import blame
from tests.engine.merging.ledger import Ledger


@pytest.fixture
def settled(ledger: Ledger) -> Ledger:
    """Conflicts 1 to 4 about a and b of rows 1 and 2, all settled for the file at once."""
    ledger.send([{"id": key, "a": "x", "b": "x"} for key in "12"])
    for key in "12":
        ledger.edit(key, a="mine", b="mine")
    ledger.send([{"id": key, "a": "y", "b": "y"} for key in "12"])
    ledger.resolve(Take.THEIRS)
    return ledger


def number(ledger: Ledger, key: str, field: str | None, source: str = "crm") -> int:
    [found] = [
        c["id"]
        for c in ledger.conflicts(None)
        if (c["key"], c["field"], c["source"]) == (key, field, source)
    ]
    return int(found)


def open_cells(ledger: Ledger) -> set[tuple[str, str | None]]:
    return {(c["key"], c["field"]) for c in ledger.conflicts()}


def test_one_of_many_is_taken_back_alone(settled: Ledger) -> None:
    result = settled.reopen(number(settled, "1", "a"))
    assert (result["reopened"], result["changes"]["updated"]) == (1, 1)
    assert settled.rows() == {"1": {"a": "mine", "b": "y"}, "2": {"a": "y", "b": "y"}}
    [conflict] = settled.conflicts()
    assert (conflict["base"], conflict["ours"], conflict["theirs"]) == ("x", "mine", "y")
    assert (conflict["resolution"], conflict["closed"], conflict["reason"]) == (None, None, None)


def test_the_rest_of_the_many_is_one_undo(settled: Ledger) -> None:
    settled.reopen(number(settled, "1", "a"))
    assert settled.undo_resolution()["reopened"] == 3
    assert settled.rows() == {key: {"a": "mine", "b": "mine"} for key in "12"}
    assert len(settled.conflicts()) == 4
    with pytest.raises(StateError, match="no resolution"):
        settled.undo_resolution()


def test_many_taken_back_one_by_one_leave_nothing_to_undo(settled: Ledger) -> None:
    for conflict in settled.conflicts(None):
        settled.reopen(conflict["id"])
    with pytest.raises(StateError, match="no resolution"):
        settled.undo_resolution()


def test_a_conflict_that_was_decided_alone_is_an_undo_of_that_commit(settled: Ledger) -> None:
    place = number(settled, "1", "a")
    settled.reopen(place)
    settled.resolve(Take.OURS)
    decided = settled.head()
    assert settled.reopen(place)["undoes"] == decided
    assert open_cells(settled) == {("1", "a")}


def test_taking_back_can_be_taken_back(settled: Ledger) -> None:
    before = settled.rows()
    settled.reopen(number(settled, "1", "a"))
    settled.undo(settled.head())
    assert (settled.rows(), settled.conflicts()) == (before, [])


def test_what_was_edited_since_stays(settled: Ledger) -> None:
    settled.edit("1", a="newer")
    result = settled.reopen(number(settled, "1", "a"))
    assert result["changes"]["updated"] == 0
    [conflict] = settled.conflicts()
    assert (conflict["ours"], conflict["theirs"]) == ("newer", "y")


def test_a_decision_for_the_store_changes_no_row(settled: Ledger) -> None:
    settled.undo(settled.head())
    settled.resolve(Take.OURS)
    assert settled.reopen(number(settled, "2", "b"))["changes"]["updated"] == 0
    assert (open_cells(settled), settled.rows()["2"]["b"]) == ({("2", "b")}, "mine")


def test_where_store_and_file_agree_by_now_nothing_opens(settled: Ledger) -> None:
    settled.undo(settled.head())
    settled.resolve(Take.OURS)
    settled.edit("1", a="y")
    head = settled.head()
    with pytest.raises(StateError, match="stays closed"):
        settled.reopen(number(settled, "1", "a"))
    assert (settled.head(), settled.conflicts()) == (head, [])


def test_where_the_source_has_moved_on_nothing_opens(settled: Ledger) -> None:
    """Its old word would stand beside its new one."""
    settled.send([{"id": "1", "a": "z", "b": "y"}])
    with pytest.raises(StateError, match="has sent something else"):
        settled.reopen(number(settled, "1", "a"))
    settled.reopen(number(settled, "1", "b"))


def test_what_nobody_decided_is_not_taken_back(settled: Ledger) -> None:
    settled.reopen(1)
    with pytest.raises(StateError, match="Nobody decided conflict 1: it is open"):
        settled.reopen(1)
    with pytest.raises(NotFoundError):
        settled.reopen(99)


def test_one_value_was_chosen_for_all_claims_on_a_cell(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}], "crm")
    for source, value in (("fair", "y"), ("web", "z")):
        ledger.send([{"id": "1", "a": value}, {"id": "2", "a": value}], source)
    ledger.resolve(Take.THEIRS)
    assert ledger.rows()["1"]["a"] == "z"
    assert ledger.reopen(number(ledger, "1", "a", "fair"))["reopened"] == 2
    assert (ledger.rows()["1"]["a"], ledger.rows()["2"]["a"]) == ("x", "z")
    assert {c["source"] for c in ledger.conflicts()} == {"fair", "web"}


def test_a_row_that_the_decision_brought_back_goes_again(ledger: Ledger) -> None:
    ledger.send([{"id": key, "a": "x"} for key in "12"])
    ledger.delete("1")
    ledger.delete("2")
    ledger.send([{"id": key, "a": "y"} for key in "12"])
    ledger.resolve(Take.THEIRS)
    assert ledger.reopen(number(ledger, "1", None))["changes"]["deleted"] == 1
    assert set(ledger.rows()) == {"2"}
    assert [(c["key"], c["kind"]) for c in ledger.conflicts()] == [("1", "delete/edit")]


def test_a_row_that_the_decision_deleted_comes_back(ledger: Ledger) -> None:
    ledger.send([{"id": key, "a": "x"} for key in "123"])
    ledger.edit("1", a="mine")
    ledger.edit("2", a="mine")
    ledger.send([{"id": "3", "a": "x"}], mode=Mode.MIRROR)
    ledger.resolve(Take.THEIRS)
    assert set(ledger.rows()) == {"3"}
    assert ledger.reopen(number(ledger, "1", None))["changes"]["inserted"] == 1
    assert ledger.rows()["1"] == {"a": "mine"}
    assert [(c["key"], c["kind"]) for c in ledger.conflicts()] == [("1", "edit/delete")]


def test_the_value_put_back_comes_from_where_it_came_before(settled: Ledger) -> None:
    settled.edit("2", a="y")
    settled.reopen(number(settled, "1", "a"))
    with settled.store.reading() as cursor:
        told = {item["field"]: item for item in blame(cursor, settled.dataset, "1")}
    assert (told["a"]["kind"], told["a"]["from_commit"], told["a"]["file"]) == ("reopen", 2, None)
    assert (told["b"]["kind"], told["b"]["file"]) == ("resolve", "file.csv")
