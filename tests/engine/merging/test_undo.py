"""Undo: exact where nothing came later, a three-way merge where something did (merge.md A9)."""

from __future__ import annotations

import pytest

from dataport.core.errors import NotFoundError, StateError
from dataport.core.words import Mode, Take
from tests.engine.merging.ledger import Ledger


def state(ledger: Ledger) -> tuple[object, ...]:
    return ledger.rows(), ledger.base("crm"), ledger.base("fair"), ledger.queue()


def test_undoing_an_import_restores_rows_bases_and_queue(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}, {"id": "3", "a": "x"}])
    ledger.edit("1", a="mine")
    before = state(ledger)
    ledger.send([{"id": "1", "a": "y"}, {"id": "2", "a": "y"}, {"id": "4", "a": "n"}])
    ledger.undo(ledger.head())
    assert state(ledger) == before


def test_undoing_a_mirror_brings_deleted_rows_back(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    before = state(ledger)
    ledger.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR)
    ledger.undo(ledger.head())
    assert state(ledger) == before


def test_an_undo_can_be_undone(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.send([{"id": "1", "a": "y"}, {"id": "2", "a": "n"}])
    after = state(ledger)
    ledger.undo(2)
    ledger.undo(3)
    assert state(ledger) == after


def test_the_source_may_send_again_what_was_undone(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.send([{"id": "1", "a": "y"}])
    ledger.undo(2)
    plan = ledger.send([{"id": "1", "a": "y"}])
    assert (plan.updated, ledger.rows()["1"]["a"]) == (1, "y")


def test_later_edits_survive(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.send([{"id": "1", "a": "y", "b": "p"}])
    ledger.edit("1", b="mine")
    ledger.undo(2)
    assert ledger.rows()["1"] == {"a": "x", "b": "mine"}
    assert ledger.conflicts() == []


def test_a_later_edit_of_the_same_value_becomes_a_conflict(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.send([{"id": "1", "a": "y"}])
    ledger.edit("1", a="mine")
    result = ledger.undo(2)
    [conflict] = ledger.conflicts()
    assert result["conflicts"] == 1
    assert (conflict["base"], conflict["ours"], conflict["theirs"]) == ("y", "mine", "x")
    ledger.resolve(Take.THEIRS)
    assert ledger.rows()["1"]["a"] == "x"


def test_an_inserted_row_that_was_edited_since_is_asked_about(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.undo(1)
    assert ledger.rows() == {"1": {"a": "mine"}}
    assert [c["kind"] for c in ledger.conflicts()] == ["edit/delete"]


def test_an_older_commit_can_be_undone_under_newer_ones(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.send([{"id": "1", "a": "y"}])
    ledger.send([{"id": "2", "a": "z"}])
    ledger.undo(2)
    assert ledger.rows() == {"1": {"a": "x"}, "2": {"a": "z"}}


def test_a_commit_is_undone_once(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.undo(1)
    with pytest.raises(StateError, match="undone already, by commit 2"):
        ledger.undo(1)


def test_an_unknown_commit_is_an_error(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match="no commit 7"):
        ledger.undo(7)


def test_a_conflict_that_was_settled_and_reopened_goes_with_its_import(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}])
    ledger.resolve(Take.OURS)
    ledger.undo(4)
    assert len(ledger.conflicts()) == 1
    ledger.undo(3)
    assert [c["status"] for c in ledger.conflicts(None)] == ["undone"]


def test_one_undo_leaves_the_open_conflict_of_another_alone(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "x", "b": "q"}])
    ledger.edit("1", a="mine too")
    ledger.undo(2)
    [before] = ledger.conflicts()
    ledger.undo(3)
    [after] = ledger.conflicts()
    assert (after["theirs"], after["status"]) == (before["theirs"], "open")
