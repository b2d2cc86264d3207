"""Whole rows: who has them, who dropped them, and what each mode makes of it (merge.md 5.3)."""

from __future__ import annotations

import pytest

from dataport.core.errors import UsageError
from dataport.core.words import Mode, OnMatch, Take
from tests.engine.merging.ledger import Ledger


def test_a_new_row_is_inserted(ledger: Ledger) -> None:
    plan = ledger.send([{"id": "1", "a": "x"}])
    assert (plan.inserted, ledger.rows()) == (1, {"1": {"a": "x"}})


def test_rows_of_others_are_untouched(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}], "crm")
    ledger.send([{"id": "2", "a": "y"}], "fair", mode=Mode.MIRROR)
    assert set(ledger.rows()) == {"1", "2"}


def test_an_equal_row_of_another_source_converges(ledger: Ledger) -> None:
    """Probe P7: add/add of the same row is no conflict and no second row."""
    ledger.send([{"id": "1", "a": "x"}], "crm")
    plan = ledger.send([{"id": "1", "a": "x"}], "fair")
    assert (plan.unchanged, plan.conflicts) == (1, 0)
    assert ledger.base("fair") == {"1": {"a": "x"}}


def test_a_row_deleted_here_stays_deleted_when_it_is_sent_again(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.delete("1")
    plan = ledger.send([{"id": "1", "a": "x"}])
    assert (ledger.rows(), plan.is_empty) == ({}, True)


@pytest.mark.parametrize(("take", "rows"), [(Take.OURS, {}), (Take.THEIRS, {"1": {"a": "y"}})])
def test_a_row_deleted_here_and_changed_there_is_queued(
    ledger: Ledger, take: Take, rows: object
) -> None:
    """Probe P6: neither side is lost, and either can win."""
    ledger.send([{"id": "1", "a": "x"}])
    ledger.delete("1")
    plan = ledger.send([{"id": "1", "a": "y"}])
    [conflict] = ledger.conflicts()
    assert (plan.conflicts, ledger.rows()) == (1, {})
    assert (conflict["kind"], conflict["field"], conflict["ours"]) == ("delete/edit", None, None)
    assert conflict["theirs"]["a"] == "y"
    ledger.resolve(take)
    assert ledger.rows() == rows
    assert ledger.send([{"id": "1", "a": "y"}]).is_empty


def test_a_row_the_file_leaves_out_is_not_spoken_of(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "y"}])
    ledger.send([{"id": "2", "a": "z"}])
    assert ledger.rows() == {"1": {"a": "x"}, "2": {"a": "z"}}


def test_a_mirror_deletes_what_its_source_dropped(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "y"}])
    plan = ledger.send([{"id": "2", "a": "y"}], mode=Mode.MIRROR)
    assert (plan.deleted, ledger.rows(), ledger.base()) == (
        1,
        {"2": {"a": "y"}},
        {"2": {"a": "y"}},
    )


def test_a_mirror_keeps_what_another_source_still_sends(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}], "crm")
    ledger.send([{"id": "1", "a": "x"}], "fair")
    plan = ledger.send([], "crm", stated=["a"], mode=Mode.MIRROR)
    assert (plan.deleted, set(ledger.rows()), ledger.base("crm")) == (0, {"1"}, {})


@pytest.mark.parametrize(("take", "keys"), [(Take.OURS, {"1"}), (Take.THEIRS, set())])
def test_a_row_edited_here_and_dropped_there_is_queued(
    ledger: Ledger, take: Take, keys: set[str]
) -> None:
    """Probe P5: the edit is not lost silently."""
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    plan = ledger.send([], stated=["a"], mode=Mode.MIRROR)
    [conflict] = ledger.conflicts()
    assert (plan.deleted, plan.conflicts, conflict["kind"]) == (0, 1, "edit/delete")
    ledger.resolve(take)
    assert set(ledger.rows()) == keys


def test_a_dropped_row_is_not_set_back_to_its_base(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([], stated=["a"], mode=Mode.MIRROR)
    with pytest.raises(UsageError, match="kept or deleted"):
        ledger.resolve(Take.BASE)
    assert len(ledger.conflicts()) == 1


def test_a_dropped_row_that_comes_back_withdraws_its_conflict(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([], stated=["a"], mode=Mode.MIRROR)
    ledger.send([{"id": "1", "a": "mine"}], mode=Mode.MIRROR)
    assert [c["status"] for c in ledger.conflicts(None)] == ["withdrawn"]


def test_a_mirror_spares_rows_whose_line_was_rejected(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "y"}])
    plan = ledger.send([{"id": "2", "a": "y"}], mode=Mode.MIRROR, present=["1"])
    assert (plan.deleted, set(ledger.rows())) == (0, {"1", "2"})


def test_a_mirror_deletes_nothing_while_a_key_is_unknown(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "y"}])
    plan = ledger.send([{"id": "2", "a": "y"}], mode=Mode.MIRROR, unknown_keys=True)
    assert (plan.deleted, plan.held_deletes, set(ledger.rows())) == (0, 1, {"1", "2"})


def test_replace_makes_the_dataset_the_file(ledger: Ledger) -> None:
    """DUP-06: rows of every source go, edits too."""
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "y"}], "crm")
    ledger.send([{"id": "3", "a": "z"}], "fair")
    ledger.edit("1", a="mine")
    plan = ledger.send([{"id": "1", "a": None}, {"id": "4", "a": "n"}], "crm", mode=Mode.REPLACE)
    assert (plan.inserted, plan.updated, plan.deleted) == (1, 1, 2)
    assert ledger.rows() == {"1": {}, "4": {"a": "n"}}


def test_append_leaves_known_rows_alone(ledger: Ledger) -> None:
    """DUP-06, DUP-07."""
    ledger.send([{"id": "1", "a": "x"}])
    plan = ledger.send([{"id": "1", "a": "y"}, {"id": "2", "a": "z"}], mode=Mode.APPEND)
    assert (plan.inserted, plan.skipped, plan.updated) == (1, 1, 0)
    assert ledger.rows() == {"1": {"a": "x"}, "2": {"a": "z"}}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("how", list(OnMatch))
def test_every_row_of_the_file_has_exactly_one_outcome(
    ledger: Ledger, mode: Mode, how: OnMatch
) -> None:
    """A15: inserted + updated + unchanged + skipped = rows of the file."""
    ledger.send([{"id": str(n), "a": "x", "n": n} for n in range(6)])
    ledger.edit("0", a="mine")
    ledger.delete("1")
    rows = [{"id": str(n), "a": "y" if n < 4 else "x", "n": n} for n in range(9)]
    plan = ledger.send(rows, mode=mode, on_match=how)
    assert plan.inserted + plan.updated + plan.unchanged + plan.skipped == len(rows)


def test_a_dropped_row_that_is_deleted_here_too_ends_its_conflict(ledger: Ledger) -> None:
    """merge.md 5.5: store became what the source says."""
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([], stated=["a"], mode=Mode.MIRROR)
    ledger.delete("1")
    assert [c["status"] for c in ledger.conflicts(None)] == ["converged"]


def test_a_row_deleted_here_that_its_source_drops_too_ends_its_conflict(ledger: Ledger) -> None:
    """merge.md 5.5: the source came to say what the store says."""
    ledger.send([{"id": "1", "a": "x"}])
    ledger.delete("1")
    ledger.send([{"id": "1", "a": "y"}])
    ledger.send([], stated=["a"], mode=Mode.MIRROR)
    assert [c["status"] for c in ledger.conflicts(None)] == ["converged"]
    assert (ledger.rows(), ledger.base()) == ({}, {})


def test_a_column_that_is_new_is_no_change_of_a_row_deleted_here(ledger: Ledger) -> None:
    """5.3: T = B on the fields that both state."""
    ledger.send([{"id": "1", "a": "x"}])
    ledger.delete("1")
    plan = ledger.send([{"id": "1", "a": "x", "b": "new"}])
    assert (plan.conflicts, ledger.rows()) == (0, {})
    assert ledger.base() == {"1": {"a": "x", "b": "new"}}


def test_a_restored_row_has_what_its_source_said_before_too(ledger: Ledger) -> None:
    """F0 for a row: what the file leaves unsaid is as it was sent last."""
    ledger.send([{"id": "1", "a": "x", "b": "p", "n": 1}])
    ledger.delete("1")
    ledger.send([{"id": "1", "a": "y"}, {"id": "2", "a": "y", "b": "z"}])
    ledger.resolve(Take.THEIRS)
    assert ledger.rows()["1"] == {"a": "y", "b": "p", "n": 1}
