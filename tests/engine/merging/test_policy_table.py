"""Every row of merge.md's table 5.6: what a policy decides, with NULL, and when both are equal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dataport.core.words import Mode
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset

ASKED = "asked"


def settled(
    store: Store, policies: dict[str, Any], base: Any, ours: Any, theirs: Any, **ranks: Any
) -> Any:
    """What the field that all three sides name becomes; ASKED when it waits for a person.

    Sides are values of one field, or rows.
    """
    field = next(iter(policies))
    rows = [side if isinstance(side, dict) else {field: side} for side in (base, ours, theirs)]
    ledger = Ledger(store, dataset(**policies))
    ledger.send([{"id": "1", **rows[0]}])
    ledger.edit("1", **rows[1])
    plan = ledger.send([{"id": "1", **rows[2]}], **ranks)
    if plan.conflicts:
        assert ledger.rows()["1"].get(field) == rows[1][field]
        return ASKED
    return ledger.rows()["1"].get(field)


def at(day: int | None) -> datetime | None:
    return datetime.fromisoformat(f"2026-01-{day:02}") if day else None


VALUES = [
    # policy, field, base, ours, theirs, settled
    ("ask", "a", "v", "w", "x", ASKED),
    ("ask", "a", "v", None, "x", ASKED),
    ("store", "a", "v", "w", "x", "w"),
    ("store", "a", "v", None, "x", None),
    ("file", "a", "v", "w", "x", "x"),
    ("file", "a", "v", "w", None, None),
    ("fill", "a", "v", None, "x", "x"),
    ("fill", "a", "v", "w", None, "w"),
    ("fill", "a", "v", "w", "x", ASKED),
    ("longest", "a", "v", "long", "longer", "longer"),
    ("longest", "a", "v", "longer ", "long", "longer "),
    ("longest", "a", "v", "  w  ", "xx", "xx"),
    ("longest", "a", "v", None, "x", "x"),
    ("longest", "a", "v", "w", None, "w"),
    ("longest", "a", "v", "aa", "bb", "bb"),
    ("longest", "a", "v", "bb", "aa", "bb"),
    ("max", "n", 1, 9, 10, 10),
    ("max", "n", 1, 10, 9, 10),
    ("max", "n", 1, None, 3, 3),
    ("max", "n", 5, 3, None, 3),
    ("max", "a", "v", "9", "10", "9"),
    ("min", "n", 99, 9, 10, 9),
    ("min", "n", 1, None, 3, 3),
    ("min", "n", 5, 7, None, 7),
    ("add_delta", "n", 10, 12, 15, 17),
    ("add_delta", "n", 10, 8, 7, 5),
    ("add_delta", "n", 10, None, 15, ASKED),
    ("add_delta", "n", 10, 12, None, ASKED),
    ("add_delta", "n", None, 12, 15, ASKED),
    ("add_delta", "n", 0, 2**63 - 2, 5, ASKED),
    ("union", "tags", ["p", "q"], ["q", "o"], ["p", "t"], ["o", "t"]),
    ("union", "tags", ["p", "q"], ["p"], ["q", "t"], ["t"]),
    ("union", "tags", ["p"], None, ["p", "t"], ["t"]),
    ("union", "tags", ["p"], ["p", "o"], None, ["o"]),
    ("union", "tags", None, ["o"], ["t"], ["o", "t"]),
    ("union_grow", "tags", ["p"], ["q"], ["t"], ["q", "t"]),
    ("union_grow", "tags", ["p"], None, ["t"], ["t"]),
    ("union_grow", "tags", ["p"], ["q"], None, ["q"]),
]


@pytest.mark.parametrize(("policy", "field", "base", "ours", "theirs", "value"), VALUES)
def test_a_policy_decides_by_the_values(
    store: Store, policy: str, field: str, base: Any, ours: Any, theirs: Any, value: Any
) -> None:
    assert settled(store, {field: policy}, base, ours, theirs) == value


@pytest.mark.parametrize("policy", ["ask", "store", "file", "fill", "longest"])
def test_equal_values_are_no_question_for_any_policy(store: Store, policy: str) -> None:
    """F4 comes first: max, min and longest of equals are no conflict."""
    assert settled(store, {"a": policy}, "v", "w", "w") == "w"


NEWEST = [
    # time of ours and theirs, who stands
    (3, 2, "w"),
    (2, 3, "x"),
    (None, 3, "x"),
    (2, None, "w"),
    (None, None, ASKED),
    (3, 3, ASKED),
]


@pytest.mark.parametrize(("ours", "theirs", "value"), NEWEST)
def test_newest_is_decided_by_the_rows_times(
    store: Store, ours: int | None, theirs: int | None, value: str
) -> None:
    """A missing time loses; two missing or equal ones ask."""
    base = {"a": "v", "at": at(1)}
    sides = {"a": "w", "at": at(ours)}, {"a": "x", "at": at(theirs)}
    assert settled(store, {"a": "newest(at)", "at": "max"}, base, *sides) == value


def test_newest_decides_for_all_fields_of_a_row_at_once(store: Store) -> None:
    ledger = Ledger(store, dataset(a="newest(at)", b="newest(at)", n="newest(at)", at="max"))
    ledger.send([{"id": "1", "a": "v", "b": "v", "n": 1, "at": at(1)}])
    ledger.edit("1", a="w", b="w", n=2, at=at(3))
    assert ledger.send([{"id": "1", "a": "x", "b": "x", "n": 3, "at": at(2)}]).conflicts == 0
    assert ledger.rows()["1"] == {"a": "w", "b": "w", "n": 2, "at": at(3)}


@pytest.mark.parametrize(("last", "value"), [((), ASKED), (("file",), "x")])
def test_a_file_that_tells_no_time_leaves_newest_undecided(
    store: Store, last: tuple[str, ...], value: str
) -> None:
    """⊥ is not NULL: the column, or the cell, is not there."""
    base = {"a": "v", "at": at(1)}
    sides = {"a": "w", "at": at(2)}, {"a": "x"}
    assert settled(store, {"a": ("newest(at)", *last)}, base, *sides) == value


def test_a_row_that_tells_no_time_leaves_newest_undecided(store: Store) -> None:
    ledger = Ledger(store, dataset(a="newest(at)", at="max"))
    ledger.send([{"id": n, "a": "v", "at": at(1)} for n in "12"])
    for key in "12":
        ledger.edit(key, a="w", at=at(2))
    plan = ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x", "at": at(3)}])
    assert [c["key"] for c in ledger.conflicts()] == ["1"]
    assert (plan.conflicts, ledger.rows()["2"]["a"]) == (1, "x")


CHAINS = [
    (("fill", "longest"), None, "x", "x"),
    (("fill", "longest"), "www", "x", "www"),
    (("fill", "ask", "file"), "w", "x", ASKED),
    (("add_delta", "store"), 2**63 - 2, 5, 2**63 - 2),
    (("newest(at)", "fill", "file"), "w", "x", "x"),
]


@pytest.mark.parametrize(("chain", "ours", "theirs", "value"), CHAINS)
def test_policies_are_asked_in_order(
    store: Store, chain: tuple[str, ...], ours: Any, theirs: Any, value: Any
) -> None:
    field = "n" if isinstance(ours, int) else "a"
    base = 0 if field == "n" else "v"
    assert settled(store, {field: chain}, base, ours, theirs) == value


RANKS = [
    # ranks from the highest, who stands where a person edited
    (("crm", "store"), "x"),
    (("store", "crm"), "w"),
    (("store",), ASKED),
    (("crm",), ASKED),
    ((), ASKED),
]


@pytest.mark.parametrize(("ranks", "value"), RANKS)
def test_source_rank_weighs_a_person_s_edit(
    store: Store, ranks: tuple[str, ...], value: str
) -> None:
    """Store edits have a rank; where one side has none, a person is asked."""
    assert settled(store, {"a": "source_rank"}, "v", "w", "x", source_ranks=ranks) == value


@pytest.mark.parametrize(
    ("ranks", "value"), [(("fair", "crm"), "f"), (("crm", "fair"), "c"), (("crm",), ASKED)]
)
def test_source_rank_weighs_the_source_that_sent_the_store_s_value(
    store: Store, ranks: tuple[str, ...], value: str
) -> None:
    ledger = Ledger(store, dataset(a="source_rank"))
    ledger.send([{"id": "1", "a": "f"}], "fair")
    plan = ledger.send([{"id": "1", "a": "c"}], "crm", source_ranks=ranks)
    found = ASKED if plan.conflicts else ledger.rows()["1"]["a"]
    assert found == value


def test_source_rank_takes_a_cleared_value_as_its_source_s_word(store: Store) -> None:
    """NULL as value: fair cleared the field, which is its word too."""
    ledger = Ledger(store, dataset(a="source_rank"))
    ledger.send([{"id": "1", "a": "f"}], "fair")
    ledger.send([{"id": "1", "a": "f"}], "crm")
    ledger.send([{"id": "1", "a": None}], "fair")
    ledger.send([{"id": "1", "a": "c"}], "crm", source_ranks=("fair", "crm"))
    assert ledger.rows()["1"] == {}


def test_a_source_that_never_spoke_of_a_field_did_not_clear_it(store: Store) -> None:
    ledger = Ledger(store, dataset(a="source_rank"))
    ledger.send([{"id": "1", "a": "f"}], "crm")
    ledger.send([{"id": "1", "b": "x"}], "fair")
    ledger.edit("1", a=None)
    plan = ledger.send([{"id": "1", "a": "c"}], "crm", source_ranks=("fair", "crm"))
    assert plan.conflicts == 1


COMMUTATIVE = ["ask", "max", "min", "longest", "fill"]


@pytest.mark.parametrize("policy", COMMUTATIVE)
def test_what_is_commutative_gives_the_same_whoever_comes_first(store: Store, policy: str) -> None:
    """A14: two sources in either order; what is asked about is so in both."""
    results = []
    for number, order in enumerate((("fair", "crm"), ("crm", "fair"))):
        ledger = Ledger(store, dataset(a=policy))
        key = str(number)
        for source in order:
            value = {"crm": "ccc", "fair": "f"}[source]
            ledger.send([{"id": key, "a": value}], source, mode=Mode.MERGE)
        asked = any(c["key"] == key for c in ledger.conflicts())
        results.append(ASKED if asked else ledger.rows()[key]["a"])
    assert results[0] == results[1]
