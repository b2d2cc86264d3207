"""Undo: exact where nothing came later, a three-way merge where something did (merge.md A9)."""

from __future__ import annotations

import pytest

from dataport.core.errors import NotFoundError, StateError
from dataport.core.words import Mode, Take
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset


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


def test_undos_of_undos_go_on_and_on(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    there = state(ledger)
    ledger.undo(1)
    gone = state(ledger)
    for expected in (there, gone, there, gone):
        ledger.undo(ledger.head())
        assert state(ledger) == expected


def test_undoing_a_resolution_brings_value_and_conflict_back(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}])
    before = state(ledger)
    ledger.resolve(Take.THEIRS)
    result = ledger.undo(ledger.head())
    assert (result["reopened"], state(ledger)) == (1, before)


def test_undoing_a_resolution_keeps_what_was_edited_since(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y", "b": "p"}])
    ledger.resolve(Take.THEIRS)
    ledger.edit("1", b="later")
    ledger.undo(4)
    assert ledger.rows()["1"] == {"a": "mine", "b": "later"}
    assert [c["theirs"] for c in ledger.conflicts()] == ["y"]


def test_undoing_an_edit_restores_one_value(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    before = state(ledger)
    ledger.edit("1", a="mine")
    ledger.undo(2)
    assert state(ledger) == before


def test_a_deleted_row_that_came_again_is_asked_about(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x", "b": "p"}])
    ledger.delete("1")
    ledger.send([{"id": "1", "a": "new"}], "fair")
    ledger.undo(2)
    assert ledger.rows()["1"] == {"a": "new", "b": "p"}
    assert [(c["field"], c["kind"], c["theirs"]) for c in ledger.conflicts()] == [
        ("a", "add/add", "x")
    ]


def test_undoing_the_first_statement_of_a_field_forgets_that_it_was_stated(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.edit("2", b="mine")
    ledger.send([{"id": "1", "b": "p"}])
    ledger.undo(3)
    plan = ledger.send([{"id": "1", "a": "x"}], mode=Mode.MIRROR)
    # The source never spoke of b: its row 2 counts as unedited, and goes as the source wants.
    assert (plan.deleted, plan.conflicts) == (1, 0)


@pytest.mark.parametrize("policy", ["file", "max", "longest", "fill", "newest(at)"])
def test_policies_weigh_sources_and_not_undos(store: Store, policy: str) -> None:
    """Later edits survive: a rule that favours the file must not let an undo overwrite them."""
    ledger = Ledger(store, dataset(a=policy))
    ledger.send([{"id": "1", "a": "zzz", "at": "2026-01-02"}])
    ledger.send([{"id": "1", "a": None, "at": "2026-01-01"}], stated=["a", "at"])
    ledger.resolve(Take.THEIRS)
    ledger.edit("1", a="mine")
    ledger.undo(2)
    assert ledger.rows()["1"]["a"] == "mine"
    assert [(c["ours"], c["theirs"]) for c in ledger.conflicts()] == [("mine", "zzz")]


def test_policies_that_keep_both_sides_settle_an_undo(store: Store) -> None:
    ledger = Ledger(store, dataset(n="add_delta", tags="union"))
    ledger.send([{"id": "1", "n": 10, "tags": ["a"]}])
    ledger.send([{"id": "1", "n": 13, "tags": ["a", "b"]}])
    ledger.edit("1", n=20, tags=["a", "b", "mine"])
    ledger.undo(2)
    assert ledger.rows()["1"] == {"n": 17, "tags": ["a", "mine"]}
    assert ledger.conflicts() == []


def test_a_dry_run_counts_and_changes_nothing(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.send([{"id": "1", "a": "y"}, {"id": "2", "a": "y"}, {"id": "3", "a": "y"}])
    ledger.edit("1", a="mine")
    before = (state(ledger), ledger.head())
    foreseen = ledger.undo(2, is_dry=True)
    assert (state(ledger), ledger.head()) == before
    assert foreseen["commit"] is None
    counts = {name: foreseen["changes"][name] for name in ("updated", "deleted", "conflicts")}
    assert counts == {"updated": 1, "deleted": 1, "conflicts": 1}
    done = ledger.undo(2)
    assert {**foreseen, "commit": 4, "dry_run": False} == done


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


def test_what_is_undone_by_another_way_is_not_undone_again(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.undo(1)
    ledger.undo(2)
    ledger.undo(1)
    with pytest.raises(StateError, match="undone already, by commit 4"):
        ledger.undo(3)
    ledger.undo(4)
    assert ledger.rows() == {"1": {"a": "x"}}


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


@pytest.fixture
def settled(ledger: Ledger) -> Ledger:
    """Commit 3 of job 3 asked about `a`, commit 4 settled that for the file."""
    ledger.send([{"id": "1", "a": "x"}], job=1)
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}], job=3)
    ledger.resolve(Take.THEIRS)
    return ledger


def statuses(ledger: Ledger) -> list[str]:
    return [item["status"] for item in ledger.conflicts(None)]


def test_a_resolution_outlives_the_import_that_asked(settled: Ledger) -> None:
    """A decision is a later change like any other (A9), so undoing the import keeps it."""
    settled.undo(3)
    assert (settled.rows()["1"]["a"], statuses(settled)) == ("y", ["resolved"])


def test_a_conflict_of_an_undone_import_does_not_open_again(settled: Ledger) -> None:
    """merge.md 5.5: a conflict is a source's statement, and nobody makes this one any more."""
    settled.undo(3)
    result = settled.undo(4)
    assert (settled.rows()["1"]["a"], statuses(settled)) == ("mine", ["undone"])
    assert result["reopened"] == 0


def test_it_opens_with_its_import_again(settled: Ledger) -> None:
    settled.undo(3)
    settled.undo(4)
    assert settled.undo(5)["reopened"] == 1
    assert [(c["base"], c["ours"], c["theirs"]) for c in settled.conflicts()] == [
        ("x", "mine", "y")
    ]


def test_a_decision_brought_back_is_a_decision_again(settled: Ledger) -> None:
    settled.undo(3)
    settled.undo(4)
    settled.undo(6)
    assert (settled.rows()["1"]["a"], statuses(settled)) == ("y", ["resolved"])


def test_the_value_of_an_undone_file_gives_way_to_the_one_before(ledger: Ledger) -> None:
    """Settled, reopened, then its newest statement undone: the older one is asked about."""
    ledger.send([{"id": "1", "a": "x"}], job=1)
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}], job=3)
    ledger.send([{"id": "1", "a": "z"}], job=4)
    ledger.resolve(Take.THEIRS)
    ledger.undo(5)
    ledger.undo(4)
    [conflict] = ledger.conflicts()
    assert (conflict["ours"], conflict["theirs"], conflict["job"]) == ("mine", "y", 3)
    ledger.undo(7)
    assert [c["theirs"] for c in ledger.conflicts()] == ["z"]


def test_undoing_back_and_forth_ends_where_it_says(ledger: Ledger) -> None:
    """An undo of an undo of an undo leaves the commit undone, and says so."""
    ledger.send([{"id": "1", "a": "x"}])
    for commit in (1, 2, 3):
        ledger.undo(commit)
    assert ledger.rows() == {}
    with pytest.raises(StateError, match="undone already, by commit 2"):
        ledger.undo(1)


def opened(ledger: Ledger) -> list[int]:
    return [item["id"] for item in ledger.conflicts()]


@pytest.fixture
def sent_again(ledger: Ledger) -> Ledger:
    """A file that asked (commit 3), its undo (4), and the file once more (5)."""
    ledger.send([{"id": "1", "a": "x"}], job=1)
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}], job=2)
    ledger.undo(3)
    ledger.send([{"id": "1", "a": "y"}], job=3)
    return ledger


def test_an_import_brought_back_after_its_file_came_again_asks_once(sent_again: Ledger) -> None:
    """Never two open conflicts of one source about one cell (merge.md 5.5)."""
    sent_again.undo(4)
    assert opened(sent_again) == [2]
    [first, _] = sent_again.conflicts(None)
    assert first["reason"] == "A later conflict with crm is about the same."


def test_what_was_decided_about_the_later_one_is_not_asked_again(sent_again: Ledger) -> None:
    sent_again.resolve(Take.OURS)
    sent_again.undo(4)
    assert opened(sent_again) == []
    sent_again.edit("1", b="other")
    sent_again.undo(sent_again.head())
    assert opened(sent_again) == []


def test_the_earlier_one_is_asked_about_if_the_later_import_is_undone(sent_again: Ledger) -> None:
    sent_again.undo(4)
    sent_again.undo(5)
    assert opened(sent_again) == [1]
    sent_again.undo(7)
    assert opened(sent_again) == [2]


def test_a_decision_taken_back_is_not_asked_beside_what_came_since(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}], job=1)
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}], job=2)
    ledger.resolve(Take.OURS)
    ledger.send([{"id": "1", "a": "z"}], job=3)
    ledger.undo(4)
    assert opened(ledger) == [2]


def test_conflicts_of_others_close_when_a_mirror_deletes_the_record(ledger: Ledger) -> None:
    """merge.md 5.5: nothing is left to ask, and each says why; undoing it asks again."""
    ledger.send([{"id": "1", "a": "x"}, {"id": "2"}], mode=Mode.MIRROR)
    ledger.send([{"id": "1", "a": "y"}], "export:3")
    ledger.send([{"id": "2"}], mode=Mode.MIRROR)
    [item] = ledger.conflicts(None)
    assert (item["source"], item["status"]) == ("export:3", "superseded")
    assert (item["reason"], item["closed_by"]) == ("The record was deleted.", 3)
    ledger.undo(3)
    assert opened(ledger) == [1]
