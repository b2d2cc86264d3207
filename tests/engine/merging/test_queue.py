"""The life of a conflict (merge.md 5.5)."""

from __future__ import annotations

from datetime import datetime

import pytest

from dataport.core.errors import StateError, UsageError
from dataport.core.settings import PolicyRule
from dataport.core.words import Mode, Take
from dataport.engine.changes import resolve_one
from dataport.engine.resolving import Resolution
from tests.engine.merging.ledger import AUTHOR, Ledger


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


def statuses(ledger: Ledger) -> list[tuple[str, str, str | None]]:
    return [(c["kind"], c["status"], c["resolution"]) for c in ledger.conflicts(None)]


def test_a_row_that_a_mirror_drops_asks_about_the_row_alone(clash: Ledger) -> None:
    """merge.md 5.5: the source states no value any more, so the conflict about one is moot."""
    clash.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR)
    assert statuses(clash) == [
        ("edit/edit", "withdrawn", "dropped"),
        ("edit/delete", "open", None),
    ]
    assert clash.conflicts(None)[0]["reason"] == "crm no longer sends the record."
    assert (clash.rows()["1"], set(clash.base())) == ({"a": "mine", "b": "p"}, {"2"})
    clash.resolve(Take.OURS)
    assert clash.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR).is_empty
    clash.send([{"id": "1", "a": "y", "b": "p"}])
    assert [(c["kind"], c["base"], c["theirs"]) for c in clash.conflicts()] == [
        ("add/add", None, "y")
    ]


def test_undoing_the_mirror_asks_about_the_value_again(clash: Ledger) -> None:
    before = clash.queue(), clash.base()
    clash.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR)
    clash.undo(clash.head())
    assert (clash.queue(), clash.base()) == before
    assert [(c["base"], c["theirs"], c["resolution"]) for c in clash.conflicts()] == [
        ("x", "y", None)
    ]


def test_a_row_that_another_source_still_sends_leaves_nothing_to_ask(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}], "crm")
    ledger.send([{"id": "1", "a": "y"}], "fair")
    assert len(ledger.conflicts()) == 1
    ledger.send([{"id": "2", "a": "x"}], "fair", mode=Mode.MIRROR)
    assert statuses(ledger) == [("add/add", "withdrawn", "dropped")]
    assert ledger.rows()["1"] == {"a": "x"}


def test_a_row_that_is_gone_on_both_sides_leaves_nothing_to_ask(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.delete("1")
    ledger.send([{"id": "1", "a": "y"}])
    assert [c["kind"] for c in ledger.conflicts()] == ["delete/edit"]
    ledger.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR)
    assert statuses(ledger) == [("delete/edit", "converged", "dropped")]


def test_a_conflict_stays_open_while_a_rejected_row_could_be_its_own(clash: Ledger) -> None:
    """Nothing is dropped then, so nothing is moot."""
    clash.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR, unknown_keys=True)
    assert statuses(clash) == [("edit/edit", "open", None)]


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


def closed(ledger: Ledger) -> tuple[str, str]:
    """How the only conflict stands and why; closed by the newest commit."""
    [conflict] = ledger.conflicts(None)
    assert conflict["closed_by"] == ledger.head()
    assert conflict["closed"] is not None
    return conflict["status"], conflict["reason"]


def test_an_open_conflict_has_no_reason(clash: Ledger) -> None:
    [conflict] = clash.conflicts()
    assert (conflict["closed"], conflict["closed_by"], conflict["reason"]) == (None, None, None)


def test_a_settled_conflict_says_who_took_what(clash: Ledger) -> None:
    clash.resolve(Take.THEIRS)
    assert closed(clash) == ("resolved", "tester took the file's value.")


def test_a_withdrawn_conflict_says_that_its_source_went_back(clash: Ledger) -> None:
    clash.send([{"id": "1", "a": "x", "b": "p"}])
    assert closed(clash) == ("withdrawn", "crm went back to what it had sent before.")


def test_a_converged_conflict_says_which_side_moved(clash: Ledger) -> None:
    clash.send([{"id": "1", "a": "mine", "b": "p"}])
    assert closed(clash) == ("converged", "crm came to say what the store holds.")


def test_a_conflict_that_an_edit_ended_says_so(clash: Ledger) -> None:
    clash.edit("1", a="y")
    assert closed(clash) == ("converged", "The store came to hold what crm says.")


@pytest.mark.parametrize("policy", ["file", "store"])
def test_a_conflict_that_a_policy_ended_says_so(clash: Ledger, policy: str) -> None:
    clash.rules = (PolicyRule(dataset="things", source="crm", field="a", merge=policy),)
    clash.send([{"id": "1", "a": "z", "b": "p"}])
    assert closed(clash)[1] == "A policy decided it."


def test_an_undone_import_takes_its_conflict_along(clash: Ledger) -> None:
    clash.undo(clash.head())
    assert closed(clash) == ("undone", "The change that raised it was undone.")


def test_a_conflict_tells_what_it_said_before(clash: Ledger) -> None:
    """merge.md 5.5: superseded in place, with the times."""
    clash.edit("1", a="mine too")
    clash.send([{"id": "1", "a": "z", "b": "p"}])
    clash.resolve(Take.OURS)
    told = clash.conflict(1)["history"]
    assert [(v["status"], v["ours"], v["theirs"], v["resolution"]) for v in told] == [
        ("open", "mine", "y", None),
        ("open", "mine too", "z", None),
        ("resolved", "mine too", "z", "ours"),
    ]
    assert [v["commit"] for v in told] == [3, 5, 6]
    assert all(v["time"] for v in told)
    assert told[-1]["actor"] == "tester"


def test_the_values_of_a_deleted_record_are_asked_about_no_more(clash: Ledger) -> None:
    before = clash.queue()
    clash.delete("1")
    assert closed(clash) == ("superseded", "The record was deleted.")
    clash.undo(clash.head())
    assert clash.queue() == before


def test_a_record_replaced_away_takes_the_questions_of_others_along(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}], "crm")
    ledger.send([{"id": "1", "a": "y"}], "fair")
    ledger.send([{"id": "2", "a": "x"}], "web", mode=Mode.REPLACE)
    assert closed(ledger) == ("superseded", "The record was deleted.")


def test_a_deletion_that_both_sides_made_is_asked_about_no_more(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "2", "a": "x"}], mode=Mode.MIRROR)
    ledger.delete("1")
    assert closed(ledger) == ("converged", "The store came to hold what crm says.")


@pytest.fixture
def returned(ledger: Ledger) -> Ledger:
    """A record that crm changed after it was deleted here, and that fair brought back."""
    ledger.send([{"id": "1", "a": "x", "b": "x"}])
    ledger.delete("1")
    ledger.send([{"id": "1", "a": "y", "b": "x"}])
    ledger.send([{"id": "1", "a": "z"}], "fair")
    return ledger


def test_a_deleted_record_that_is_back_can_take_the_source_s_values(returned: Ledger) -> None:
    [conflict] = returned.conflicts()
    assert (conflict["kind"], conflict["ours"]["a"]) == ("delete/edit", "z")
    assert returned.resolve(Take.THEIRS)["changes"]["updated"] == 1
    assert returned.rows()["1"] == {"a": "y", "b": "x"}


def test_a_deleted_record_that_is_back_as_the_source_has_it_is_settled(returned: Ledger) -> None:
    returned.edit("1", a="y", b="x")
    assert closed(returned) == ("converged", "The store came to hold what crm says.")


def test_all_alike_leaves_what_has_no_such_side(ledger: Ledger) -> None:
    """`base` of a row that its source dropped is nothing a rule could set."""
    ledger.send([{"id": key, "a": "x"} for key in "123"])
    ledger.edit("1", a="mine")
    ledger.edit("2", a="mine")
    ledger.send([{"id": "1", "a": "y"}, {"id": "3", "a": "x"}], mode=Mode.MIRROR)
    done = ledger.resolve(Take.BASE)
    assert (done["resolved"], done["left"]) == (1, 1)
    assert [c["kind"] for c in ledger.conflicts()] == ["edit/delete"]
    assert ledger.rows()["1"]["a"] == "x"


def test_a_value_of_one_s_own_is_read_as_an_edit_is(ledger: Ledger) -> None:
    """A time that names no zone is one of the home's zone."""
    ledger.send([{"id": "1", "at": "2026-01-01 10:00:00"}])
    ledger.edit("1", at="2026-01-02 10:00:00")
    ledger.send([{"id": "1", "at": "2026-01-03 10:00:00"}])
    how = Resolution(value="2026-07-04 12:00:00")
    datasets = {"things": ledger.dataset}
    resolve_one(ledger.store, datasets, 1, how, AUTHOR, timezone="Europe/Berlin")
    assert ledger.rows()["1"]["at"] == datetime(2026, 7, 4, 10)  # noqa: DTZ001 - stored in UTC
    with pytest.raises(StateError, match="settled already"):
        resolve_one(ledger.store, datasets, 1, how, AUTHOR)


def test_a_value_of_one_s_own_has_to_be_right(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "n": 1}])
    ledger.edit("1", n=2)
    ledger.send([{"id": "1", "n": 3}])
    with pytest.raises(UsageError, match="'n' can't be set to 'many'"):
        resolve_one(ledger.store, {"things": ledger.dataset}, 1, Resolution(value="many"), AUTHOR)
    assert len(ledger.conflicts()) == 1
