"""The life of a conflict (merge.md 5.5)."""

from __future__ import annotations

import pytest

from dataport.core.errors import StateError
from dataport.core.words import Take
from tests.engine.merging.ledger import Ledger


@pytest.fixture
def clash(ledger: Ledger) -> Ledger:
    """Both sides changed `a` of row 1: x to mine here, x to y there."""
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y", "b": "p"}])
    return ledger


def test_the_same_value_again_changes_nothing(clash: Ledger) -> None:
    """A5: no write, no second item."""
    before = clash.head()
    assert clash.send([{"id": "1", "a": "y", "b": "p"}]).is_empty
    assert (clash.head(), len(clash.conflicts(None))) == (before, 1)


def test_a_new_value_supersedes_the_old_one_in_place(clash: Ledger) -> None:
    plan = clash.send([{"id": "1", "a": "z", "b": "p"}])
    [conflict] = clash.conflicts()
    assert (plan.conflicts, conflict["base"], conflict["theirs"]) == (1, "x", "z")
    assert conflict["superseded"] == 1


def test_a_source_that_goes_back_withdraws_it(clash: Ledger) -> None:
    clash.send([{"id": "1", "a": "x", "b": "p"}])
    assert [c["status"] for c in clash.conflicts(None)] == ["withdrawn"]
    assert clash.rows()["1"]["a"] == "mine"


def test_a_file_that_agrees_with_the_store_ends_it(clash: Ledger) -> None:
    clash.send([{"id": "1", "a": "mine", "b": "p"}])
    assert [c["status"] for c in clash.conflicts(None)] == ["converged"]


def test_an_edit_that_agrees_with_the_file_ends_it(clash: Ledger) -> None:
    clash.edit("1", a="y")
    assert [c["status"] for c in clash.conflicts(None)] == ["converged"]


def test_another_field_of_the_row_moves_on_meanwhile(clash: Ledger) -> None:
    plan = clash.send([{"id": "1", "a": "y", "b": "q"}])
    assert (plan.updated, plan.conflicts) == (1, 0)
    assert clash.rows()["1"] == {"a": "mine", "b": "q"}
    assert len(clash.conflicts()) == 1


def test_an_open_conflict_shows_the_store_s_present_value(clash: Ledger) -> None:
    clash.edit("1", a="mine too")
    assert [c["ours"] for c in clash.conflicts()] == ["mine too"]


@pytest.mark.parametrize(
    ("take", "value"), [(Take.OURS, "mine"), (Take.THEIRS, "y"), (Take.BASE, "x")]
)
def test_a_resolution_is_final(clash: Ledger, take: Take, value: str) -> None:
    """A10: the source repeating itself asks nothing again."""
    clash.resolve(take)
    assert (clash.rows()["1"]["a"], clash.conflicts()) == (value, [])
    assert clash.send([{"id": "1", "a": "y", "b": "p"}]).is_empty


def test_a_resolution_can_be_undone(clash: Ledger) -> None:
    clash.resolve(Take.THEIRS)
    result = clash.undo(clash.head())
    assert result["reopened"] == 1
    assert clash.rows()["1"]["a"] == "mine"
    assert [(c["base"], c["ours"], c["theirs"]) for c in clash.conflicts()] == [("x", "mine", "y")]


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_decision_about_a_value_that_moved_is_refused(clash: Ledger, side: str) -> None:
    """merge.md 5.5: compare-and-set on what was shown, whichever side moved."""
    [shown] = clash.conflicts()
    if side == "ours":
        clash.edit("1", a="mine too")
    else:
        clash.send([{"id": "1", "a": "z", "b": "p"}])
    before = clash.head()
    with pytest.raises(StateError, match="has changed meanwhile") as caught:
        clash.settle(shown, Take.THEIRS)
    assert caught.value.detail == f'It is now "{clash.conflicts()[0][side]}".'
    assert (clash.head(), len(clash.conflicts())) == (before, 1)
    clash.settle(clash.conflicts()[0], Take.OURS)
    assert clash.conflicts() == []
    with pytest.raises(StateError, match="settled already"):
        clash.settle(shown, Take.THEIRS)


def test_all_conflicts_of_a_field_are_settled_as_one_commit(ledger: Ledger) -> None:
    ledger.send([{"id": str(n), "a": "x", "b": "x"} for n in range(5)])
    for n in range(5):
        ledger.edit(str(n), a="mine", b="mine")
    ledger.send([{"id": str(n), "a": f"y{n}", "b": "y"} for n in range(5)])
    before = ledger.head()
    assert ledger.resolve(Take.THEIRS, field="a")["resolved"] == 5
    assert ledger.head() == before + 1
    assert [row["a"] for _, row in sorted(ledger.rows().items())] == ["y0", "y1", "y2", "y3", "y4"]
    assert {c["field"] for c in ledger.conflicts()} == {"b"}


def test_two_sources_may_contest_one_cell(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}], "crm")
    ledger.send([{"id": "1", "a": "y"}], "fair")
    ledger.send([{"id": "1", "a": "z"}], "web")
    assert {c["source"] for c in ledger.conflicts()} == {"fair", "web"}
    ledger.resolve(Take.THEIRS, source="web")
    assert ledger.rows()["1"]["a"] == "z"
    assert [c["source"] for c in ledger.conflicts()] == ["fair"]
