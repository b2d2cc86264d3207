"""Rows that a merge would make break a rule which both sides keep (merge.md 5.3, `invalid merge`)."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.core.errors import StateError, UsageError
from dataport.core.words import Mode, Take
from dataport.engine.catalog.model import Dataset
from dataport.engine.changes import resolve_one
from dataport.engine.merging.invalid import ROUNDS
from dataport.engine.resolving import Resolution
from dataport.engine.store import Store
from tests.engine.merging.ledger import AUTHOR, Ledger, dataset


def ruled(constraints: dict[str, dict[str, Any]], **policies: str) -> Dataset:
    """The dataset `things` with constraints on some of its fields."""
    document = dataset(**policies).model_dump()
    for field in document["fields"]:
        field["constraints"] = constraints.get(field["name"], {})
    return Dataset.model_validate(document)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """Three rows; `a` is unique."""
    ledger = Ledger(store, ruled({"a": {"unique": True}}))
    ledger.send([{"id": n, "a": f"a{n}", "b": "x"} for n in "123"])
    return ledger


def settle(ledger: Ledger, value: Any) -> None:
    [conflict] = ledger.conflicts()
    how = Resolution(value=value)
    resolve_one(ledger.store, {"things": ledger.dataset}, conflict["id"], how, AUTHOR)


def test_a_row_that_would_share_a_unique_value_waits_as_a_whole(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    plan = ledger.send([{"id": "2", "a": "new", "b": "y"}, {"id": "3", "a": "a3", "b": "y"}])
    [conflict] = ledger.conflicts()
    assert (plan.updated, plan.conflicts, plan.unchanged) == (1, 1, 1)
    assert (conflict["key"], conflict["field"], conflict["kind"]) == ("2", None, "invalid merge")
    assert (conflict["base"]["a"], conflict["ours"]["a"]) == ("a2", "a2")
    assert conflict["theirs"] == {"id": "2", "a": "new", "b": "y"}
    [violation] = conflict["violations"]
    assert (violation["field"], violation["code"]) == ("a", "constraint-error.unique")
    assert violation["message"] == 'a must be unique: "new" is also that of 1.'
    assert ledger.rows()["2"] == {"a": "a2", "b": "x"}
    assert ledger.rows()["3"] == {"a": "a3", "b": "y"}
    assert ledger.base()["2"] == {"a": "new", "b": "y"}


def test_a_new_row_may_break_a_rule_too(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    plan = ledger.send([{"id": "9", "a": "new"}, {"id": "8", "a": "a8"}])
    [conflict] = ledger.conflicts()
    assert (plan.inserted, plan.conflicts) == (1, 1)
    assert (conflict["key"], conflict["base"], conflict["ours"]) == ("9", None, None)
    assert set(ledger.rows()) == {"1", "2", "3", "8"}


def test_a_row_that_stays_may_keep_what_another_was_to_have(ledger: Ledger) -> None:
    """2 can't have `new`, so it keeps `a2`, so 3 can't have that."""
    ledger.edit("1", a="new")
    ledger.send([{"id": "2", "a": "new"}, {"id": "3", "a": "a2"}])
    assert {c["key"] for c in ledger.conflicts()} == {"2", "3"}
    assert {key: row["a"] for key, row in ledger.rows().items()} == {
        "1": "new",
        "2": "a2",
        "3": "a3",
    }


def test_a_long_row_of_such_rows_comes_to_an_end(store: Store) -> None:
    """Each is to get the value of the next, and the last one's is another's by now."""
    ledger, numbers = Ledger(store, ruled({"a": {"unique": True}})), range(3 * ROUNDS)
    ledger.send([{"id": str(n), "a": f"a{n}"} for n in [*numbers, "last"]])
    ledger.edit("last", a=f"a{len(numbers)}")
    before = ledger.rows()
    plan = ledger.send([{"id": str(n), "a": f"a{n + 1}"} for n in numbers])
    assert (plan.updated, plan.conflicts) == (0, len(numbers))
    assert ledger.rows() == before


def test_a_row_that_waits_as_a_whole_is_asked_about_once(ledger: Ledger) -> None:
    """Its open conflicts about values are part of it, and are asked again once it is mended."""
    ledger.edit("1", a="new")
    ledger.edit("2", b="mine")
    ledger.send([{"id": "2", "a": "a2", "b": "y"}])
    ledger.send([{"id": "2", "a": "new", "b": "z"}])
    assert [(c["field"], c["kind"]) for c in ledger.conflicts()] == [(None, "invalid merge")]
    [first, _] = ledger.conflicts(None)
    assert first["status"] == "superseded"
    assert first["reason"].startswith("The record waits as a whole")
    ledger.send([{"id": "2", "a": "free", "b": "z"}])
    assert ledger.queue() == {("2", "b", "crm", '"x"', '"z"')}
    assert ledger.rows()["2"] == {"a": "free", "b": "mine"}


def test_what_a_rule_left_as_it_was_breaks_nothing(store: Store) -> None:
    """A policy for the store gives the row no new value: the other row alone must wait."""
    ledger = Ledger(store, ruled({"a": {"unique": True}}, a="store"))
    ledger.send([{"id": n, "a": f"a{n}", "b": "x"} for n in "12"])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "theirs", "b": "y"}, {"id": "2", "a": "mine", "b": "y"}])
    assert [c["key"] for c in ledger.conflicts()] == ["2"]
    assert ledger.rows()["1"] == {"a": "mine", "b": "y"}


def test_rows_may_swap_their_values(ledger: Ledger) -> None:
    plan = ledger.send([{"id": "1", "a": "a2"}, {"id": "2", "a": "a1"}])
    assert (plan.updated, plan.conflicts) == (2, 0)


def test_a_value_may_be_taken_from_a_row_that_goes(ledger: Ledger) -> None:
    rows = [{"id": n, "a": f"a{n}", "b": "x"} for n in "13"]
    plan = ledger.send([*rows, {"id": "4", "a": "a2", "b": "x"}], mode=Mode.MIRROR)
    assert (plan.deleted, plan.inserted, plan.conflicts) == (1, 1, 0)


def test_missing_values_are_not_shared(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": None}])
    plan = ledger.send([{"id": "2", "a": None}, {"id": "4", "a": None}])
    assert plan.conflicts == 0


def test_what_was_broken_before_is_not_the_file_s_to_answer_for(ledger: Ledger) -> None:
    ledger.edit("1", a="a2")
    plan = ledger.send([{"id": "2", "a": "a2", "b": "y"}])
    assert (plan.updated, plan.conflicts) == (1, 0)


@pytest.mark.parametrize(
    ("field", "policy", "limits", "values", "code"),
    [
        ("n", "add_delta", {"maximum": 15}, (10, 13, 14), "constraint-error.maximum"),
        ("n", "add_delta", {"minimum": 5}, (10, 7, 6), "constraint-error.minimum"),
        ("tags", "union", {"maxLength": 2}, (["p"], ["p", "q"], ["p", "r"]), "maxLength"),
        ("tags", "union_grow", {"maxLength": 2}, (["p"], ["p", "q"], ["p", "r"]), "maxLength"),
    ],
)
def test_a_computed_value_is_checked_as_a_cell_is(
    store: Store, field: str, policy: str, limits: Any, values: Any, code: str
) -> None:
    """merge.md 3.4: nobody has seen the value before."""
    ledger = Ledger(store, ruled({field: limits}, **{field: policy}))
    base, ours, theirs = values
    ledger.send([{"id": "1", field: base, "b": "x"}])
    ledger.edit("1", **{field: ours})
    ledger.send([{"id": "1", field: theirs, "b": "y"}])
    [conflict] = ledger.conflicts()
    assert code in conflict["violations"][0]["code"]
    assert ledger.rows()["1"] == {field: ours, "b": "x"}
    settle(ledger, {field: theirs})
    assert ledger.rows()["1"] == {field: theirs, "b": "y"}


def test_every_broken_rule_is_named(store: Store) -> None:
    """dolt #5719: not the last one only."""
    rules = {"a": {"unique": True}, "b": {"unique": True}, "n": {"maximum": 15}}
    ledger = Ledger(store, ruled(rules, n="add_delta"))
    ledger.send([{"id": n, "a": f"a{n}", "b": f"b{n}", "n": 10} for n in "12"])
    ledger.edit("1", a="new a", b="new b")
    ledger.edit("2", n=13)
    ledger.send([{"id": "2", "a": "new a", "b": "new b", "n": 14}])
    [conflict] = ledger.conflicts()
    assert [v["field"] for v in conflict["violations"]] == ["a", "b", "n"]


def test_keeping_the_store_is_final(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    ledger.send([{"id": "2", "a": "new", "b": "y"}, {"id": "9", "a": "new", "b": "y"}])
    assert ledger.resolve(Take.OURS)["resolved"] == 2
    assert ledger.rows()["2"] == {"a": "a2", "b": "x"}
    assert ledger.send(
        [{"id": "2", "a": "new", "b": "y"}, {"id": "9", "a": "new", "b": "y"}]
    ).is_empty
    assert "9" not in ledger.rows()


def test_the_file_s_row_can_be_taken_once_it_breaks_nothing(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    ledger.send([{"id": "2", "a": "new", "b": "y"}, {"id": "9", "a": "new 9", "b": "y"}])
    with pytest.raises(StateError, match="must be unique"):
        ledger.resolve(Take.THEIRS)
    assert len(ledger.conflicts()) == 1
    ledger.edit("1", a="newer")
    ledger.resolve(Take.THEIRS)
    assert ledger.rows()["2"] == {"a": "new", "b": "y"}


def test_a_refused_row_can_be_let_in(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    ledger.send([{"id": "9", "a": "new", "b": "y"}])
    ledger.edit("1", a="newer")
    assert ledger.resolve(Take.THEIRS)["changes"]["inserted"] == 1
    assert ledger.rows()["9"] == {"a": "new", "b": "y"}
    assert ledger.send([{"id": "9", "a": "new", "b": "y"}]).is_empty


def test_the_merged_row_can_be_mended(ledger: Ledger) -> None:
    """The fields that the value does not name become what the merge made of them."""
    ledger.edit("1", a="new")
    ledger.edit("2", n=7)
    ledger.send([{"id": "2", "a": "new", "b": "y"}])
    settle(ledger, '{"a": "other"}')
    assert ledger.rows()["2"] == {"a": "other", "b": "y", "n": 7}
    ledger.send([{"id": "9", "a": "new", "b": "z"}])
    settle(ledger, {"a": "nine"})
    assert ledger.rows()["9"] == {"a": "nine", "b": "z"}


def test_a_mended_row_keeps_the_rules(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    ledger.send([{"id": "2", "a": "new", "b": "y"}])
    with pytest.raises(StateError, match="must be unique"):
        settle(ledger, {"a": "a3"})
    with pytest.raises(UsageError, match="not about a field 'c'"):
        settle(ledger, {"c": "?"})
    with pytest.raises(UsageError, match="not set back"):
        ledger.resolve(Take.BASE)


def test_a_mended_row_is_that_of_the_moment(ledger: Ledger) -> None:
    """Edits since the file was merged stay; the key may be said again, but not changed."""
    ledger.edit("1", a="new")
    ledger.send([{"id": "2", "a": "new", "b": "y"}])
    ledger.edit("2", n=9)
    [conflict] = ledger.conflicts()
    assert (conflict["merged"]["n"], conflict["merged"]["b"]) == (9, "y")
    with pytest.raises(UsageError, match="not about a field 'id'"):
        settle(ledger, {"id": "7", "a": "other"})
    settle(ledger, conflict["merged"] | {"a": "other"})
    assert ledger.rows()["2"] == {"a": "other", "b": "y", "n": 9}


def test_a_computed_value_has_to_be_mended_too(store: Store) -> None:
    ledger = Ledger(store, ruled({"n": {"maximum": 15}}, n="add_delta"))
    ledger.send([{"id": "1", "n": 10, "b": "x"}])
    ledger.edit("1", n=13)
    ledger.send([{"id": "1", "n": 14, "b": "y"}])
    with pytest.raises(UsageError, match="more than 15"):
        settle(ledger, {"b": "z"})
    settle(ledger, {"b": "z", "n": 15})
    assert ledger.rows()["1"] == {"n": 15, "b": "z"}


def test_a_row_that_two_sources_send_comes_in_once(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    for source in ("crm", "fair"):
        ledger.send([{"id": "9", "a": "new", "b": source}], source)
    ledger.edit("1", a="newer")
    assert ledger.resolve(Take.THEIRS)["changes"]["inserted"] == 1
    assert ledger.rows()["9"] == {"a": "new", "b": "fair"}


def test_the_next_file_mends_withdraws_or_supersedes(ledger: Ledger) -> None:
    """merge.md 5.5, point 3."""
    ledger.edit("1", a="new")
    ledger.send([{"id": "2", "a": "new", "b": "y"}])
    assert ledger.send([{"id": "2", "a": "new", "b": "y"}]).is_empty
    ledger.send([{"id": "2", "a": "new", "b": "z"}])
    [conflict] = ledger.conflicts()
    assert (conflict["superseded"], conflict["base"]["b"]) == (1, "x")
    ledger.send([{"id": "2", "a": "free", "b": "z"}])
    assert ledger.rows()["2"] == {"a": "free", "b": "z"}
    ledger.send([{"id": "2", "a": "new", "b": "z"}])
    ledger.send([{"id": "2", "a": "free", "b": "z"}])
    assert [c["status"] for c in ledger.conflicts(None)] == ["withdrawn", "withdrawn"]
    assert [c["reason"] for c in ledger.conflicts(None)] == [
        "The merged row breaks no rule any more.",
        "crm went back to what it had sent before.",
    ]


def test_a_refused_row_comes_in_with_the_next_file_that_keeps_the_rules(ledger: Ledger) -> None:
    ledger.edit("1", a="new")
    ledger.send([{"id": "9", "a": "new", "b": "y"}])
    plan = ledger.send([{"id": "9", "a": "nine", "b": "y"}])
    assert (plan.inserted, plan.withdrawn) == (1, 1)
    assert ledger.rows()["9"] == {"a": "nine", "b": "y"}
    assert ledger.base()["9"] == {"a": "nine", "b": "y"}


def test_an_import_with_refused_rows_is_undone_exactly(ledger: Ledger) -> None:
    """A9."""
    ledger.edit("1", a="new")
    before = ledger.rows(), ledger.base(), ledger.queue()
    ledger.send([{"id": "2", "a": "new", "b": "y"}, {"id": "9", "a": "new", "b": "y"}])
    after = ledger.rows(), ledger.base(), ledger.queue()
    head = ledger.head()
    ledger.undo(head)
    assert (ledger.rows(), ledger.base(), ledger.queue()) == before
    ledger.undo(head + 1)
    assert (ledger.rows(), ledger.base(), ledger.queue()) == after


def test_an_undo_does_not_break_a_rule_either(ledger: Ledger) -> None:
    ledger.send([{"id": "2", "a": "moved", "b": "x"}])
    head = ledger.head()
    ledger.edit("1", a="a2")
    ledger.undo(head)
    assert ledger.rows()["2"]["a"] == "moved"
    assert [c["kind"] for c in ledger.conflicts()] == ["invalid merge"]
