"""Bulk update, assignment and deletion: all the records named, as one commit, or none (BLK)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dataport.core.errors import CancelledError, DataportError, NotFoundError, UsageError
from dataport.core.words import JobKind, Mode, Phase
from dataport.engine.history import log, record_history
from dataport.engine.requests import BulkRequest
from tests.engine.bulk.conftest import BulkLedger
from tests.engine.merging.ledger import AUTHOR


def changes(job: Any) -> dict[str, int]:
    return {name: number for name, number in job.changes.items() if number}


def test_an_update_changes_what_differs_and_versions_only_that(people: BulkLedger) -> None:
    """BLK-01, BLK-04: rows that have the value already are counted, not written."""
    job = people.change("update", "n >= 2", values={"a": "z", "tags": "p;q"}, message="why")
    assert (job.rows, changes(job), job.commit) == ({"matched": 2}, {"updated": 2}, 2)
    assert people.ledger.rows()["2"] == {"a": "z", "n": 2, "tags": ["p", "q"]}
    again = people.change("update", "n >= 1", values={"a": "z", "tags": "p;q"})
    assert (changes(again), again.commit) == ({"updated": 1, "unchanged": 2}, 3)
    with people.ledger.store.reading() as cursor:
        dataset = people.ledger.dataset
        assert [item["commit"] for item in record_history(cursor, dataset, "2")] == [2, 1]
        newest = log(cursor, limit=2)
    assert [item["message"] for item in newest] == ["Bulk update of things: a, tags", "why"]
    assert [item["job"] for item in newest] == [again.job, job.job]


def test_where_nothing_changes_there_is_no_commit(people: BulkLedger) -> None:
    for where in ("n = 1", "n = 99"):
        job = people.change("update", where, values={"a": "x"})
        assert (job.commit, job.message) == (None, "Nothing to change.")
    assert people.ledger.head() == 1


def test_values_are_checked_as_an_edit_s_are(people: BulkLedger) -> None:
    before = people.ledger.rows()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"a": "w"}, "wrong-value"),
        ({"a": None}, "wrong-value"),
        ({"n": "101"}, "wrong-value"),
        ({"n": "1.5"}, "wrong-value"),
        ({"id": "9"}, "key-is-fixed"),
        ({"c": "9"}, "unknown-field"),
        ({"at": "2026-01-31"}, "unique-field"),
    ]
    for values, code in wrong:
        with pytest.raises(UsageError) as caught:
            people.change("update", "true", values=values)
        assert caught.value.code == code
    assert (people.ledger.rows(), people.ledger.head()) == (before, 1)
    people.change("update", "n = 1", values={"at": "2026-01-31", "b": ""})
    people.change("update", "true", values={"at": None})


def test_an_assignment_sets_the_field_that_the_definition_names(people: BulkLedger) -> None:
    """BLK-02."""
    job = people.change("assign", "n > 1", values={"b": "ada"})
    assert changes(job) == {"updated": 2}
    people.change("assign", keys=["2"], values={"b": None})
    assert {key: row.get("b") for key, row in people.ledger.rows().items()} == {
        "1": None, "2": None, "3": "ada",
    }  # fmt: skip
    for values in ({"a": "x"}, {"b": "ada", "a": "x"}, {}):
        with pytest.raises(UsageError):
            people.change("assign", "true", values=values)


def test_a_deletion_is_undone_exactly(people: BulkLedger) -> None:
    """BLK-03."""
    before = people.ledger.rows()
    job = people.change("delete", "n <> 2")
    assert (changes(job), list(people.ledger.rows())) == ({"deleted": 2}, ["2"])
    assert people.ledger.rows_at(1) == before
    people.ledger.undo(job.commit or 0)
    assert people.ledger.rows() == before


def test_an_undo_keeps_what_was_edited_since(people: BulkLedger) -> None:
    job = people.change("update", "true", values={"a": "x", "b": "new"})
    people.ledger.edit("2", b="later")
    people.ledger.undo(job.commit or 0)
    rows = people.ledger.rows()
    assert [rows[key]["a"] for key in "123"] == ["x", "y", "z"]
    assert (rows["1"].get("b"), rows["2"]["b"]) == (None, "later")


def test_keys_of_no_record_are_listed_and_nothing_happens(people: BulkLedger) -> None:
    """VAL-24."""
    before = people.ledger.rows()
    with pytest.raises(NotFoundError) as caught:
        people.change("delete", keys=["1", " 9 ", "", "8", "9"])
    assert caught.value.code == "unknown-keys"
    assert (caught.value.title[:16], caught.value.detail) == ("2 keys are of no", "8, 9.")
    many = [f"k{number:03}" for number in range(150)]
    with pytest.raises(NotFoundError, match="k099, and 50 more") as caught:
        people.change("update", keys=many, values={"a": "x"})
    assert "k100" not in caught.value.detail
    assert (people.ledger.rows(), people.ledger.head()) == (before, 1)


def test_a_key_counts_once_and_white_space_around_it_does_not(people: BulkLedger) -> None:
    job = people.change("update", keys=["1", "\t1 \r", 2, None], values={"b": "x"})
    assert (job.rows, changes(job)) == ({"matched": 2}, {"updated": 2})
    assert job.notices == ["1 key named more than once."]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"where": None}, "keys-or-where"),
        ({"where": "true", "keys": ["1"]}, "keys-or-where"),
        ({"where": "m = 1"}, "wrong-expression"),
        ({"keys": [" ", None]}, "no-keys"),
        ({"where": "true", "values": {}}, "nothing-to-set"),
    ],
)
def test_what_is_not_clear_is_refused(people: BulkLedger, how: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        people.change("update", **{"values": {"b": "x"}, **how})
    assert caught.value.code == code
    with pytest.raises(UsageError):
        people.change("delete", "true", values={"b": "x"})


def test_a_dry_run_counts_what_the_run_then_does(people: BulkLedger) -> None:
    before = people.ledger.rows()
    for action, values in (("update", {"a": "y"}), ("delete", {})):
        dry = people.change(action, "n > 1", values=values, dry_run=True)
        assert (dry.commit, dry.status, people.ledger.rows()) == (None, "completed", before)
        real = people.change(action, "n > 1", values=values)
        assert (dry.rows, dry.changes) == (real.rows, real.changes)
        people.ledger.undo(real.commit or 0)


def test_a_change_of_more_or_fewer_records_than_expected_is_refused(people: BulkLedger) -> None:
    with pytest.raises(DataportError) as caught:
        people.change("delete", "n > 1", expect=3)
    assert caught.value.code == "selection-moved"
    assert len(people.ledger.rows()) == 3
    assert changes(people.change("delete", "n > 1", expect=2)) == {"deleted": 2}


def test_a_job_that_was_interrupted_does_the_same_again(people: BulkLedger) -> None:
    """Its keys were kept; nothing of it was visible before (design section 10)."""
    request = BulkRequest(action="update", dataset="things", by_keys=True, values={"b": "x"})
    job = people.jobs.create(
        JobKind.BULK, request, lambda job: people.bulk.keep_keys(job, ["1", "3"])
    )

    def stop_at(last: Phase) -> Callable[..., None]:
        def stop(phase: Phase, *_: object) -> None:
            if phase is last:
                raise CancelledError

        return stop

    for phase in (Phase.PLAN, Phase.APPLY):
        with pytest.raises(CancelledError):
            people.bulk.run(job, AUTHOR, stop_at(phase), lambda _: None)
    assert people.ledger.head() == 1
    found = people.jobs.unfinished()[0]
    people.bulk.run(found, AUTHOR, lambda *_: None, lambda _: None)
    assert (changes(found), people.jobs.get(job.job).commit) == ({"updated": 2}, 2)


def test_an_update_to_the_file_s_value_settles_its_conflict(people: BulkLedger) -> None:
    """merge.md 5.5: the store became what the source says."""
    people.ledger.edit("1", b="mine")
    people.ledger.send([{"id": "1", "b": "theirs"}])
    assert len(people.ledger.conflicts()) == 1
    job = people.change("update", "n = 1", values={"b": "theirs"})
    assert people.ledger.conflicts() == []
    people.ledger.undo(job.commit or 0)
    assert len(people.ledger.conflicts()) == 1


def test_a_deletion_settles_the_conflicts_of_its_rows_and_undo_asks_again(
    people: BulkLedger,
) -> None:
    """Of a contested value nothing is left to ask; a row that both sides dropped has converged."""
    people.ledger.edit("1", b="mine")
    people.ledger.send([{"id": "1", "b": "theirs"}])
    people.ledger.edit("3", b="mine")
    people.ledger.send([{"id": "1", "b": "theirs"}, {"id": "2"}], mode=Mode.MIRROR)
    open_before = people.ledger.queue()
    assert {(key, field) for key, field, *_ in open_before} == {("1", "b"), ("3", None)}
    job = people.change("delete", "n IN (1, 3)")
    closed = {item["key"]: item for item in people.ledger.conflicts(status=None)}
    assert (closed["1"]["status"], closed["1"]["resolution"]) == ("superseded", "deleted")
    assert closed["3"]["status"] == "converged"
    people.ledger.undo(job.commit or 0)
    assert people.ledger.queue() == open_before


def test_a_source_that_repeats_itself_does_not_bring_deleted_rows_back(people: BulkLedger) -> None:
    """merge.md 5.3: unchanged by the source, the row stays deleted; changed, it is asked about."""
    people.change("delete", "n = 1")
    people.ledger.send([{"id": "1", "a": "x", "n": 1}])
    assert "1" not in people.ledger.rows()
    people.ledger.send([{"id": "1", "a": "y", "n": 1}])
    assert [item["kind"] for item in people.ledger.conflicts()] == ["delete/edit"]
