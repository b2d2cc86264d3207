"""Every row of merge.md's table 5.3: who has the record, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from dataport.core.words import Mode
from tests.engine.merging.ledger import Ledger

Row = Mapping[str, Any] | None
X = {"a": "x", "b": "p"}
Y = {"a": "y", "b": "p"}
MINE = {"a": "mine", "b": "p"}
FILLED = {"a": "x"}


@dataclass(frozen=True)
class Case:
    """What crm sent last, what the store has, what crm's file says; then store, base, question."""

    base: Row
    ours: Row
    theirs: Row
    store: Row
    kept: Row
    """The base afterwards."""
    asks: tuple[str, ...] = ()
    mode: Mode = Mode.MERGE
    other: bool = False
    """Whether source fair sends the record too."""
    counts: Mapping[str, int] | None = None


TABLE = {
    "– – T: insert": Case(None, None, X, X, X, counts={"inserted": 1}),
    "– O –: untouched": Case(None, X, None, X, None, other=True),
    "– O –: untouched, snapshot": Case(None, X, None, X, None, mode=Mode.MIRROR, other=True),
    "– O T equal: converged, no write": Case(
        None, X, X, X, X, other=True, counts={"updated": 0, "unchanged": 1}
    ),
    "– O T differ: add/add": Case(None, X, Y, X, Y, ("add/add",), other=True),
    "– O T differ: filled": Case(None, FILLED, X, X, X, other=True, counts={"updated": 1}),
    "B – –, snapshot: both deleted": Case(X, None, None, None, None, mode=Mode.MIRROR),
    "B – –, delta: no statement": Case(X, None, None, None, X),
    "B – T same: stays deleted": Case(X, None, X, None, X, counts={"unchanged": 1}),
    "B – T same, snapshot: stays deleted": Case(X, None, X, None, X, mode=Mode.MIRROR),
    "B – T differs: delete/edit": Case(X, None, Y, None, Y, ("delete/edit",)),
    "B O –, delta: no statement": Case(X, X, None, X, X),
    "B O –, delta, edited: no statement": Case(X, MINE, None, MINE, X),
    "B O –, snapshot, another source asserts it: kept": Case(
        X, X, None, X, None, mode=Mode.MIRROR, other=True
    ),
    "B O –, snapshot, unedited: delete": Case(
        X, X, None, None, None, mode=Mode.MIRROR, counts={"deleted": 1}
    ),
    "B O –, snapshot, edited: edit/delete": Case(
        X, MINE, None, MINE, None, ("edit/delete",), mode=Mode.MIRROR
    ),
    "B O T: per field": Case(X, X, Y, Y, Y, counts={"updated": 1}),
    "B O T, edited: per field": Case(X, MINE, Y, MINE, Y, ("edit/edit",)),
}


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_a_record_follows_its_row_of_the_table(ledger: Ledger, case: Case) -> None:
    """merge.md 5.3; the last row of the table, invalid merge, is in test_invalid.py."""
    if case.base is not None:
        ledger.send([{"id": "1", **case.base}])
    if case.other:
        ledger.send([{"id": "1", **(case.ours or {})}], "fair")
    if case.base is not None and case.ours is None:
        ledger.delete("1")
    elif case.ours is not None and case.base is not None and case.ours != case.base:
        ledger.edit("1", **{name: value for name, value in case.ours.items() if name != "b"})

    rows = [{"id": "1", **case.theirs}] if case.theirs is not None else []
    plan = ledger.send(rows, stated=["a", "b"], mode=case.mode)

    assert ledger.rows().get("1") == case.store
    assert ledger.base().get("1") == case.kept
    assert tuple(c["kind"] for c in ledger.conflicts()) == case.asks
    assert plan.conflicts == len(case.asks)
    for name, number in (case.counts or {}).items():
        assert getattr(plan, name) == number
    assert ledger.send(rows, stated=["a", "b"], mode=case.mode).is_empty


def test_a_row_that_left_and_comes_back_identical_is_an_insertion(ledger: Ledger) -> None:
    """dlt #1683 lost it: the base is gone with the row."""
    ledger.send([{"id": "1", **X}], mode=Mode.MIRROR)
    ledger.send([], stated=["a", "b"], mode=Mode.MIRROR)
    plan = ledger.send([{"id": "1", **X}], mode=Mode.MIRROR)
    assert (plan.inserted, ledger.rows()) == (1, {"1": X})


def test_a_row_deleted_here_does_not_come_back_tomorrow(ledger: Ledger) -> None:
    """The base is the deletion's memory, however often the source repeats itself."""
    ledger.send([{"id": "1", **X}])
    ledger.delete("1")
    for _ in range(3):
        assert ledger.send([{"id": "1", **X}]).is_empty
    assert ledger.rows() == {}
