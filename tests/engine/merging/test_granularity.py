"""How strict a dataset is about rows that both sides changed (merge.md 2.3, 5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.core.words import Mode, OnMatch, Take
from dataport.engine.changes import resolve_one
from dataport.engine.resolving import Resolution
from dataport.engine.store import Store
from tests.engine.merging.ledger import AUTHOR, Ledger, defined

LEVELS = ("cell", "group", "row", "touched")

BASE = {"a": "x", "b": "p", "n": 1}
ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "untouched": ({}, {}),
    "ours only": ({"a": "y"}, {}),
    "theirs only": ({}, {"a": "y"}),
    "other cells": ({"a": "y"}, {"b": "q"}),
    "same cell, same value": ({"a": "y"}, {"a": "y"}),
    "same cell, other value": ({"a": "y"}, {"a": "z"}),
    "all alike": ({"a": "y", "b": "q"}, {"a": "y", "b": "q"}),
    "one alike, one only theirs": ({"a": "y"}, {"a": "y", "b": "q"}),
}
"""What each side does to rows that all begin as BASE."""

CONFLICTING = {
    "cell": {"same cell, other value"},
    "group": {
        "same cell, same value",
        "same cell, other value",
        "all alike",
        "one alike, one only theirs",
    },
    "row": {"other cells", "same cell, other value", "one alike, one only theirs"},
    "touched": {
        "other cells",
        "same cell, same value",
        "same cell, other value",
        "all alike",
        "one alike, one only theirs",
    },
}
"""Dolt's fieldDivergent, fieldTouched, documentDivergent and documentTouched."""


def played(store: Store, level: str) -> Ledger:
    ledger = Ledger(store, defined(granularity=level))
    ledger.send([{"id": key, **BASE} for key in ROWS])
    for key, (ours, _) in ROWS.items():
        if ours:
            ledger.edit(key, **ours)
    ledger.send([{"id": key, **BASE, **theirs} for key, (_, theirs) in ROWS.items()])
    return ledger


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_asks_about_its_rows(store: Store, level: str) -> None:
    assert {c["key"] for c in played(store, level).conflicts()} == CONFLICTING[level]


def test_the_levels_count_what_their_names_say(store: Store) -> None:
    """The last paragraph of merge.md 5.4, in small: of rows that both sides edited, `touched`
    asks about all, `row` leaves out those that agree now, `cell` asks about different values of
    one cell, and `group` about these and the cells that agree now."""
    both = {key for key, (ours, theirs) in ROWS.items() if ours and theirs}
    agreeing = {key for key, (ours, theirs) in ROWS.items() if ours and ours == theirs}
    assert CONFLICTING["touched"] == both
    assert CONFLICTING["row"] == both - agreeing
    assert CONFLICTING["cell"] == {"same cell, other value"}
    agreeing_cells = {"same cell, same value", "all alike", "one alike, one only theirs"}
    assert CONFLICTING["group"] == CONFLICTING["cell"] | agreeing_cells


@pytest.mark.parametrize(
    ("policies", "conflicts", "value"), [({}, 1, "x"), ({"at": "max"}, 0, "y")]
)
def test_a_time_stamp_with_a_policy_does_not_make_every_row_a_conflict(
    store: Store, policies: dict[str, str], conflicts: int, value: str
) -> None:
    """The largest single saving of merge.md 5.4: `updated_at: max`."""
    ledger = Ledger(store, defined(granularity="row", policies=policies))
    ledger.send([{"id": "1", "a": "x", "at": "2026-01-01"}])
    ledger.edit("1", at="2026-01-03")
    plan = ledger.send([{"id": "1", "a": "y", "at": "2026-01-02"}])
    assert (plan.conflicts, ledger.rows()["1"]["a"]) == (conflicts, value)


@pytest.mark.parametrize("level", ["row", "touched"])
def test_a_row_that_is_asked_about_waits_as_a_whole(store: Store, level: str) -> None:
    ledger = Ledger(store, defined(granularity=level))
    ledger.send([{"id": "1", **BASE}])
    ledger.edit("1", a="mine")
    plan = ledger.send([{"id": "1", **BASE, "b": "q"}])
    [conflict] = ledger.conflicts()
    assert (plan.updated, plan.conflicts) == (0, 1)
    assert (conflict["field"], conflict["kind"]) == (None, "edit/edit")
    assert conflict["base"] == BASE
    assert conflict["theirs"] == BASE | {"b": "q"}
    assert ledger.rows()["1"] == BASE | {"a": "mine"}


@pytest.mark.parametrize(
    ("take", "row"),
    [
        (Take.OURS, BASE | {"a": "mine"}),
        (Take.THEIRS, BASE | {"b": "q"}),
        (Take.BASE, BASE),
    ],
)
def test_a_row_is_taken_as_a_whole(store: Store, take: Take, row: dict[str, Any]) -> None:
    ledger = Ledger(store, defined(granularity="row"))
    ledger.send([{"id": "1", **BASE}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", **BASE, "b": "q"}])
    ledger.resolve(take)
    assert (ledger.rows()["1"], ledger.conflicts()) == (row, [])
    assert ledger.send([{"id": "1", **BASE, "b": "q"}]).is_empty


def test_fields_of_a_row_can_be_set(store: Store) -> None:
    ledger = Ledger(store, defined(granularity="row"))
    ledger.send([{"id": "1", **BASE}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", **BASE, "b": "q"}])
    [conflict] = ledger.conflicts()
    how = Resolution(value={"b": "both"})
    resolve_one(ledger.store, {"things": ledger.dataset}, conflict["id"], how, AUTHOR)
    assert ledger.rows()["1"] == {"a": "mine", "b": "both", "n": 1}


def test_a_row_s_conflict_lives_like_any_other(store: Store) -> None:
    """merge.md 5.5: repeated, superseded, withdrawn, converged."""
    ledger = Ledger(store, defined(granularity="row"))
    ledger.send([{"id": "1", **BASE}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", **BASE, "b": "q"}])
    assert ledger.send([{"id": "1", **BASE, "b": "q"}]).is_empty
    ledger.send([{"id": "1", **BASE, "b": "r"}])
    [conflict] = ledger.conflicts()
    assert (conflict["base"], conflict["superseded"]) == (BASE, 1)
    ledger.send([{"id": "1", **BASE}])
    ledger.send([{"id": "1", **BASE, "b": "q"}])
    ledger.edit("1", a="x", b="q")
    assert [c["status"] for c in ledger.conflicts(None)] == ["withdrawn", "converged"]


def test_what_both_touched_waits_until_somebody_looked(store: Store) -> None:
    """`touched` is about the edits, not about the values: agreeing by chance ends nothing."""
    ledger = Ledger(store, defined(granularity="touched"))
    ledger.send([{"id": "1", **BASE}])
    ledger.edit("1", a="y")
    ledger.send([{"id": "1", **BASE, "a": "y", "b": "q"}])
    ledger.edit("1", b="q")
    assert len(ledger.conflicts()) == 1
    ledger.resolve(Take.OURS)
    assert ledger.send([{"id": "1", **BASE, "a": "y", "b": "q"}]).is_empty


@pytest.mark.parametrize("level", LEVELS)
def test_at_first_contact_equal_rows_converge(store: Store, level: str) -> None:
    """P7 at every level: nobody changed anything yet."""
    ledger = Ledger(store, defined(granularity=level))
    ledger.send([{"id": "1", **BASE}], "crm")
    plan = ledger.send([{"id": "1", **BASE}], "fair")
    assert (plan.unchanged, plan.conflicts) == (1, 0)


@pytest.mark.parametrize("level", LEVELS)
def test_at_first_contact_different_rows_are_asked_about(store: Store, level: str) -> None:
    """P8 at every level."""
    ledger = Ledger(store, defined(granularity=level))
    ledger.send([{"id": "1", **BASE}], "crm")
    ledger.send([{"id": "1", **BASE, "a": "other"}], "fair")
    assert [c["kind"] for c in ledger.conflicts()] == ["add/add"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("mode", [Mode.MERGE, Mode.MIRROR])
def test_the_same_file_again_is_no_work(store: Store, level: str, mode: Mode) -> None:
    """A5 at every level, with open conflicts."""
    ledger = played(store, level)
    again = [{"id": key, **BASE, **theirs} for key, (_, theirs) in ROWS.items()]
    assert ledger.send(again, mode=mode).is_empty


@pytest.mark.parametrize("level", LEVELS)
def test_an_import_is_undone_exactly(store: Store, level: str) -> None:
    """A9 at every level: an undo weighs cells, so later edits of others survive."""
    ledger = Ledger(store, defined(granularity=level))
    ledger.send([{"id": "1", **BASE}])
    ledger.send([{"id": "1", **BASE, "a": "y"}])
    ledger.edit("1", b="mine")
    ledger.undo(2)
    assert ledger.rows()["1"] == BASE | {"b": "mine"}


@pytest.mark.parametrize("level", LEVELS)
def test_filling_fills_cells_at_every_level(store: Store, level: str) -> None:
    """On match `fill` is a rule about values, not about who edited a row."""
    ledger = Ledger(store, defined(granularity=level))
    ledger.send([{"id": "1", "a": "x", "b": None}], "crm")
    ledger.send([{"id": "1", "a": "other", "b": "q"}], "fair", on_match=OnMatch.FILL)
    assert ledger.rows()["1"] == {"a": "x", "b": "q"}
