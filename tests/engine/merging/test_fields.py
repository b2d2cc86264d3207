"""Fields of a matched row: rules F0 to F7 and every policy (merge.md 5.4, 5.6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dataport.core.words import OnMatch
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset

V, W, X = "v", "w", "x"

RULES = {
    # base, ours, theirs -> value afterwards, is it queued
    "F1 same": (V, V, V, V, False),
    "F2 ours": (V, W, V, W, False),
    "F3 theirs": (V, V, W, W, False),
    "F4 converged": (V, W, W, W, False),
    "F6 conflict": (V, W, X, W, True),
    "(v,v,-) cleared": (V, V, None, None, False),
    "(v,-,v) stays cleared by us": (V, None, V, None, False),
    "(-,-,v) filled": (None, None, V, V, False),
    "(-,v,-) ours": (None, V, None, V, False),
    "(v,-,w) conflict": (V, None, W, None, True),
    "(v,w,-) conflict": (V, W, None, W, True),
    "(v,-,-) converged": (V, None, None, None, False),
    "(-,v,w) conflict": (None, V, W, V, True),
    "(-,v,v) converged": (None, V, V, V, False),
    "(-,-,-) same": (None, None, None, None, False),
}
"""Rules F1 to F6 of merge.md 5.4 and what it writes out for NULL, here `-`."""


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "value", "is_queued"), RULES.values(), ids=RULES.keys()
)
def test_a_field_follows_its_rule(
    ledger: Ledger, base: Any, ours: Any, theirs: Any, value: Any, is_queued: bool
) -> None:
    """CON-01, V-26: F1 to F6, NULL written out."""
    ledger.send([{"id": "1", "a": base, "b": "same"}])
    if ours != base:
        ledger.edit("1", a=ours)
    plan = ledger.send([{"id": "1", "a": theirs, "b": "same"}])
    assert ledger.rows()["1"].get("a") == value
    assert plan.conflicts == int(is_queued)
    assert [(c["base"], c["ours"], c["theirs"]) for c in ledger.conflicts()] == (
        [(base, ours, theirs)] if is_queued else []
    )


FIRST_CONTACT = {
    "F7 converged": (V, V, V, False),
    "F7 store empty": (None, V, V, False),
    "F7 file empty": (V, None, V, False),
    "F7 add/add": (V, W, V, True),
    "F7 both empty": (None, None, None, False),
}


@pytest.mark.parametrize(
    ("ours", "theirs", "value", "is_queued"), FIRST_CONTACT.values(), ids=FIRST_CONTACT.keys()
)
def test_without_a_base_only_contradictions_are_queued(
    ledger: Ledger, ours: Any, theirs: Any, value: Any, is_queued: bool
) -> None:
    """F7: another source's row, met for the first time."""
    ledger.send([{"id": "1", "a": ours}], "crm")
    ledger.send([{"id": "1", "a": theirs}], "fair")
    assert ledger.rows()["1"].get("a") == value
    assert [c["kind"] for c in ledger.conflicts()] == (["add/add"] if is_queued else [])


def test_a_conflict_leaves_the_row_s_other_fields_free(ledger: Ledger) -> None:
    """F6, probe P4: the clean cell beside a conflict is merged at once."""
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.edit("1", a="y")
    ledger.send([{"id": "1", "a": "z", "b": "q"}])
    assert ledger.rows()["1"] == {"a": "y", "b": "q"}


def test_a_column_that_is_missing_says_nothing(ledger: Ledger) -> None:
    """F0: not stated is not NULL."""
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.send([{"id": "1", "b": "q"}])
    assert ledger.rows()["1"] == {"a": "x", "b": "q"}
    assert ledger.base()["1"] == {"a": "x", "b": "q"}


def test_a_cell_that_is_missing_says_nothing(ledger: Ledger) -> None:
    """F0, cell by cell: one object of a JSON file lacks a key."""
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.send([{"id": "1", "a": None}, {"id": "2"}])
    assert ledger.rows() == {"1": {}, "2": {"a": "x"}}
    assert ledger.base() == {"1": {}, "2": {"a": "x"}}


POLICIES: list[tuple[str, str | tuple[str, ...], Any, Any, Any, Any]] = [
    # field, policy, base, ours, theirs, settled value
    ("a", "store", V, W, X, W),
    ("a", "file", V, W, X, X),
    ("a", "longest", V, "long", "longer", "longer"),
    ("a", "longest", V, "bb", "aa", "bb"),
    ("a", ("fill", "store"), V, None, X, X),
    ("a", ("fill", "file"), V, W, X, X),
    ("n", "max", 1, 2, 3, 3),
    ("n", "min", 1, 2, 3, 2),
    ("n", "add_delta", 10, 12, 15, 17),
    ("tags", "union", ["p", "q"], ["q", "o"], ["p", "t"], ["o", "t"]),
    ("tags", "union_grow", ["p"], ["q"], ["t"], ["q", "t"]),
]


@pytest.mark.parametrize(("field", "policy", "base", "ours", "theirs", "value"), POLICIES)
def test_a_policy_settles_what_both_changed(
    store: Store, field: str, policy: Any, base: Any, ours: Any, theirs: Any, value: Any
) -> None:
    """merge.md 5.6."""
    ledger = Ledger(store, dataset(**{field: policy}))
    ledger.send([{"id": "1", field: base}])
    ledger.edit("1", **{field: ours})
    plan = ledger.send([{"id": "1", field: theirs}])
    assert ledger.rows()["1"][field] == value
    assert plan.conflicts == 0


def test_a_chain_ends_at_ask(store: Store) -> None:
    ledger = Ledger(store, dataset(a=("fill", "ask", "file")))
    ledger.send([{"id": "1", "a": V}])
    ledger.edit("1", a=W)
    assert ledger.send([{"id": "1", "a": X}]).conflicts == 1


def at(month: int, day: int) -> datetime:
    return datetime.fromisoformat(f"2026-{month:02}-{day:02}")


def test_newest_takes_the_side_with_the_later_time(store: Store) -> None:
    ledger = Ledger(store, dataset(a="newest(at)", at="max"))
    early, late = at(1, 1), at(2, 1)
    ledger.send([{"id": "1", "a": V, "at": early}, {"id": "2", "a": V, "at": early}])
    ledger.edit("1", a=W, at=at(3, 1))
    ledger.edit("2", a=W, at=at(1, 2))
    ledger.send([{"id": "1", "a": X, "at": late}, {"id": "2", "a": X, "at": late}])
    assert {key: row["a"] for key, row in ledger.rows().items()} == {"1": W, "2": X}


def test_newest_asks_when_both_times_are_equal(store: Store) -> None:
    ledger = Ledger(store, dataset(a="newest(at)"))
    moment = at(1, 1)
    ledger.send([{"id": "1", "a": V, "at": moment}])
    ledger.edit("1", a=W)
    assert ledger.send([{"id": "1", "a": X, "at": moment}]).conflicts == 1


@pytest.mark.parametrize(
    ("ranks", "value"), [(("crm", "fair"), V), (("fair", "crm"), W), (("fair",), V)]
)
def test_the_higher_ranked_source_wins(store: Store, ranks: tuple[str, ...], value: str) -> None:
    """`source_rank`: the store's value belongs to the source that asserts it."""
    ledger = Ledger(store, dataset(a="source_rank"))
    ledger.send([{"id": "1", "a": V}], "crm", source_ranks=ranks)
    plan = ledger.send([{"id": "1", "a": W}], "fair", source_ranks=ranks)
    assert ledger.rows()["1"]["a"] == value
    assert plan.conflicts == (1 if len(ranks) == 1 else 0)


ON_MATCH = [
    # how, ours, theirs, value, conflicts
    (OnMatch.SKIP, W, X, W, 0),
    (OnMatch.SKIP, None, X, None, 0),
    (OnMatch.OVERWRITE, W, X, X, 0),
    (OnMatch.OVERWRITE, W, V, V, 0),
    (OnMatch.OVERWRITE, W, None, None, 0),
    (OnMatch.FILL, None, X, X, 0),
    (OnMatch.FILL, W, X, W, 0),
    (OnMatch.ASK, W, X, W, 1),
    (OnMatch.ASK, W, V, W, 0),
]


@pytest.mark.parametrize(("how", "ours", "theirs", "value", "conflicts"), ON_MATCH)
def test_on_match_says_what_happens_to_known_rows(
    store: Store, how: OnMatch, ours: Any, theirs: Any, value: Any, conflicts: int
) -> None:
    """X-08, X-09, DUP-08, DUP-09: the definition's own policy is not asked."""
    ledger = Ledger(store, dataset(a="longest"))
    ledger.send([{"id": "1", "a": V}])
    if ours != V:
        ledger.edit("1", a=ours)
    plan = ledger.send([{"id": "1", "a": theirs}], on_match=how)
    assert ledger.rows()["1"].get("a") == value
    assert plan.conflicts == conflicts


def test_an_empty_value_overwrites_only_what_the_source_once_sent(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": V}], "crm")
    ledger.send([{"id": "1", "a": None}], "fair", on_match=OnMatch.OVERWRITE)
    assert ledger.rows()["1"] == {"a": V}
