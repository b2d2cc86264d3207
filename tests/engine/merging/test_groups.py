"""Fields that belong together are one: compared, merged and queued as a whole (merge.md 5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.core.errors import UsageError
from dataport.core.settings import PolicyRule
from dataport.core.words import Mode, OnMatch, Take
from dataport.engine.changes import resolve_one
from dataport.engine.resolving import Resolution
from dataport.engine.store import Store
from tests.engine.merging.ledger import AUTHOR, Ledger, defined


def address(a: str | None = "Main St", b: str | None = "10001", n: int | None = 1) -> Any:
    return {"a": a, "b": b, "n": n}


@pytest.fixture
def ledger(store: Store) -> Ledger:
    ledger = Ledger(store, defined(groups=(("a", "b", "n"),)))
    ledger.send([{"id": "1", **address()}])
    return ledger


def stored(ledger: Ledger) -> Any:
    return address(None, None, None) | ledger.rows()["1"]


def test_edits_of_different_fields_of_a_group_contradict_each_other(ledger: Ledger) -> None:
    """F6 for a tuple: half of each address would be nobody's."""
    ledger.edit("1", a="Mine St")
    plan = ledger.send([{"id": "1", **address(b="20002")}])
    [conflict] = ledger.conflicts()
    assert (plan.conflicts, plan.updated, conflict["field"]) == (1, 0, "a+b+n")
    assert conflict["base"] == address()
    assert conflict["ours"] == address("Mine St")
    assert conflict["theirs"] == address(b="20002")
    assert stored(ledger) == address("Mine St")


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        ({}, {}, address()),
        ({"a": "Mine St"}, {}, address("Mine St")),
        ({}, {"b": "20002", "n": None}, address(b="20002", n=None)),
        ({"b": "20002"}, {"b": "20002"}, address(b="20002")),
        ({"b": None}, {}, address(b=None)),
    ],
    ids=["F1", "F2", "F3", "F4", "F2 NULL"],
)
def test_a_group_follows_the_rules_of_a_field(
    ledger: Ledger, ours: Any, theirs: Any, result: Any
) -> None:
    if ours:
        ledger.edit("1", **ours)
    plan = ledger.send([{"id": "1", **address(**theirs)}])
    assert (stored(ledger), plan.conflicts) == (result, 0)


@pytest.mark.parametrize(
    ("first", "second", "result", "conflicts"),
    [
        (address(), address(), address(), 0),
        (address(None, None, None), address(), address(), 0),
        (address(), address(None, None, None), address(), 0),
        (address(n=None), address(b=None), address(n=None), 1),
    ],
    ids=["converged", "ours empty", "file empty", "add/add"],
)
def test_at_first_contact_a_group_is_empty_or_not_as_a_whole(
    store: Store, first: Any, second: Any, result: Any, conflicts: int
) -> None:
    """F7 for a tuple: two halves are not filled into one."""
    ledger = Ledger(store, defined(groups=(("a", "b", "n"),)))
    ledger.send([{"id": "1", **first}], "crm")
    plan = ledger.send([{"id": "1", **second}], "fair")
    assert (stored(ledger), plan.conflicts) == (result, conflicts)
    assert [c["kind"] for c in ledger.conflicts()] == ["add/add"] * conflicts


def test_fields_beside_the_group_are_merged_at_once(ledger: Ledger) -> None:
    """P4 for a tuple."""
    ledger.edit("1", a="Mine St")
    ledger.send([{"id": "1", **address(b="20002"), "tags": ["p"]}])
    assert ledger.rows()["1"]["tags"] == ["p"]


@pytest.mark.parametrize(
    ("take", "result"),
    [
        (Take.OURS, address("Mine St")),
        (Take.THEIRS, address(b="20002", n=None)),
        (Take.BASE, address()),
    ],
)
def test_a_side_is_taken_as_a_whole(ledger: Ledger, take: Take, result: Any) -> None:
    ledger.edit("1", a="Mine St")
    ledger.send([{"id": "1", **address(b="20002", n=None)}])
    ledger.resolve(take)
    assert (stored(ledger), ledger.conflicts()) == (result, [])
    assert ledger.send([{"id": "1", **address(b="20002", n=None)}]).is_empty


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ('{"a": "Our St", "b": "3", "n": 4}', address("Our St", "3", 4)),
        ({"b": "30003", "n": None}, address("Mine St", "30003", None)),
    ],
)
def test_a_value_is_an_object_whose_missing_fields_stay(
    ledger: Ledger, value: Any, result: Any
) -> None:
    ledger.edit("1", a="Mine St")
    ledger.send([{"id": "1", **address(b="20002")}])
    [conflict] = ledger.conflicts()
    resolve_one(
        ledger.store, {"things": ledger.dataset}, conflict["id"], Resolution(value=value), AUTHOR
    )
    assert stored(ledger) == result
    assert ledger.send([{"id": "1", **address(b="20002")}]).is_empty


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, "wrong-value") for value in ("text", "{}", "[1]", None, '{"n": "one"}')),
        ('{"c": 1}', "unknown-field"),
    ],
)
def test_another_value_is_refused(ledger: Ledger, value: Any, code: str) -> None:
    ledger.edit("1", a="Mine St")
    ledger.send([{"id": "1", **address(b="20002")}])
    [conflict] = ledger.conflicts()
    with pytest.raises(UsageError) as caught:
        resolve_one(
            ledger.store,
            {"things": ledger.dataset},
            conflict["id"],
            Resolution(value=value),
            AUTHOR,
        )
    assert caught.value.code == code
    assert len(ledger.conflicts()) == 1


def test_a_group_s_conflict_lives_like_any_other(ledger: Ledger) -> None:
    """merge.md 5.5: repeated, superseded, withdrawn, converged."""
    ledger.edit("1", a="Mine St")
    ledger.send([{"id": "1", **address(b="20002")}])
    assert ledger.send([{"id": "1", **address(b="20002")}]).is_empty
    ledger.send([{"id": "1", **address(b="30003")}])
    [conflict] = ledger.conflicts()
    assert (conflict["base"], conflict["superseded"]) == (address(), 1)
    assert conflict["theirs"] == address(b="30003")
    ledger.send([{"id": "1", **address()}])
    ledger.send([{"id": "1", **address(b="20002")}])
    ledger.edit("1", a="Main St", b="20002")
    assert [c["status"] for c in ledger.conflicts(None)] == ["withdrawn", "converged"]


@pytest.mark.parametrize(
    ("policy", "result"),
    [
        ("store", address("Mine St")),
        ("file", address(b="20002")),
        ("newest(at)", address(b="20002")),
    ],
)
def test_a_policy_chooses_a_side_for_the_whole_group(
    store: Store, policy: str, result: Any
) -> None:
    ledger = Ledger(store, defined(groups=(("a", "b", "n"),), policies={"at": "max"}))
    ledger.rules = (PolicyRule(dataset="things", field="a+b+n", merge=policy),)
    ledger.send([{"id": "1", **address(), "at": "2026-01-01"}])
    ledger.edit("1", a="Mine St")
    plan = ledger.send([{"id": "1", **address(b="20002"), "at": "2026-01-02"}])
    kept = {name: ledger.rows()["1"].get(name) for name in "abn"}
    assert (kept, plan.conflicts) == (result, 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (address(None, None, None), address(b="20002"), address(b="20002")),
        (address("Mine St"), address(None, None, None), address("Mine St")),
    ],
)
def test_fill_takes_the_side_that_is_not_empty(
    store: Store, ours: Any, theirs: Any, result: Any
) -> None:
    ledger = Ledger(store, defined(groups=(("a", "b", "n"),), policies={"a": "fill"}))
    ledger.send([{"id": "1", **address()}])
    ledger.edit("1", **ours)
    plan = ledger.send([{"id": "1", **theirs}])
    assert (stored(ledger), plan.conflicts) == (result, 0)


def test_a_file_with_part_of_a_group_speaks_of_that_part(ledger: Ledger) -> None:
    """F0: a column that is not there says nothing, in a group too."""
    ledger.edit("1", n=9)
    plan = ledger.send([{"id": "1", "a": "Main St", "b": "20002"}])
    assert (stored(ledger), plan.conflicts) == (address(b="20002", n=9), 0)


def test_a_row_with_part_of_a_group_speaks_of_that_part(ledger: Ledger) -> None:
    """F0, cell by cell, as in JSON."""
    ledger.send([{"id": "2", **address()}])
    ledger.edit("1", b="mine", n=9)
    ledger.edit("2", n=9)
    plan = ledger.send([{"id": "1", "a": "Main St", "b": "20002"}, {"id": "2", **address(b="3")}])
    found = {c["key"]: (c["base"], c["ours"], c["theirs"]) for c in ledger.conflicts()}
    assert plan.conflicts == 2
    part = {"a": "Main St", "b": "20002"}
    assert found["1"] == ({"a": "Main St", "b": "10001"}, address(b="mine", n=9), part)
    assert found["2"] == (address(), address(n=9), address(b="3"))
    ledger.resolve(Take.THEIRS)
    assert stored(ledger) == address(b="20002", n=9)


@pytest.mark.parametrize(
    ("how", "result"),
    [
        (OnMatch.OVERWRITE, address(b="20002", n=None)),
        (OnMatch.FILL, address("Mine St")),
        (OnMatch.SKIP, address("Mine St")),
    ],
)
def test_matches_settled_by_rule_are_settled_as_a_whole(
    ledger: Ledger, how: OnMatch, result: Any
) -> None:
    ledger.edit("1", a="Mine St")
    ledger.send([{"id": "1", **address(b="20002", n=None)}], on_match=how)
    assert stored(ledger) == result


def test_an_import_with_groups_is_undone_exactly(ledger: Ledger) -> None:
    """A9."""
    ledger.edit("1", a="Mine St")
    before = stored(ledger), ledger.base(), ledger.queue()
    ledger.send([{"id": "1", **address(b="20002")}, {"id": "2", **address()}], mode=Mode.MERGE)
    ledger.undo(ledger.head())
    assert (stored(ledger), ledger.base(), ledger.queue()) == before
