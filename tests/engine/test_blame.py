"""Who last set each value, and from where it came (design sections 9 and 12)."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.core.errors import NotFoundError
from dataport.core.words import Mode, Take
from dataport.engine.blame import blame
from dataport.engine.history import record_history
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset


class Jobs(Ledger):
    """A ledger whose imports are jobs, each with a file of its own: `1.csv`, `2.csv`, ..."""

    def file(self, rows: list[dict[str, Any]], source: str = "crm", **how: Any) -> int:
        """Import; the commit's number."""
        commit = self.head() + 1
        self.send(rows, source, job=commit, file=f"{commit}.csv", **how)
        assert self.head() == commit
        return commit

    def blame(self, key: str) -> dict[str, dict[str, Any]]:
        with self.store.reading() as cursor:
            return {item.pop("field"): item for item in blame(cursor, self.dataset, key)}

    def where(self, key: str, field: str) -> tuple[Any, ...]:
        """Commit and kind, then source, file, line and commit of the value itself."""
        item = self.blame(key)[field]
        names = ("commit", "kind", "source", "file", "line", "from_commit")
        return tuple(item[name] for name in names)


@pytest.fixture
def ledger(store: Store) -> Jobs:
    return Jobs(store, dataset())


def test_every_field_names_the_commit_that_set_it_not_the_last_to_touch_the_row(
    ledger: Jobs,
) -> None:
    ledger.file([{"id": "0", "a": "0"}, {"id": "1", "a": "x", "b": "p", "n": 1}])
    ledger.edit("1", b="mine")
    ledger.file([{"id": "1", "a": "y", "b": "p", "n": 1}])
    assert ledger.where("1", "a") == (3, "import", "crm", "3.csv", 2, 3)
    assert ledger.where("1", "b") == (2, "edit", None, None, None, 2)
    assert ledger.where("1", "n") == (1, "import", "crm", "1.csv", 3, 1)
    items = ledger.blame("1")
    assert list(items) == list(ledger.dataset.field_names)
    assert (items["a"]["value"], items["b"]["value"], items["n"]["value"]) == ("y", "mine", 1)
    assert items["a"]["actor"] == "tester"
    assert items["a"]["time"].endswith("Z")


def test_a_value_that_went_and_came_back_was_set_when_it_came_back(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x", "b": "p"}])
    ledger.file([{"id": "1", "a": "y", "b": "p"}])
    ledger.file([{"id": "1", "a": "x", "b": "p"}])
    assert ledger.where("1", "a")[0] == 3
    assert ledger.where("1", "b")[0] == 1


def test_a_deletion_interrupts_every_value(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.file([{"id": "2", "a": "x"}], mode=Mode.MIRROR)
    ledger.file([{"id": "2", "a": "x"}, {"id": "1", "a": "x"}])
    assert ledger.where("1", "a") == (3, "import", "crm", "3.csv", 3, 3)
    assert ledger.where("2", "a")[0] == 1


def test_a_cleared_value_names_who_cleared_it(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x", "b": "p"}])
    ledger.file([{"id": "1", "a": None, "b": "p"}])
    assert ledger.blame("1")["a"]["value"] is None
    assert ledger.where("1", "a")[:2] == (2, "import")


def conflicting(ledger: Jobs) -> None:
    """Commit 3 asked: file 3.csv says z in line 2, somebody wrote y, the source had sent x."""
    ledger.file([{"id": "1", "a": "x"}])
    ledger.edit("1", a="y")
    ledger.file([{"id": "1", "a": "z"}])


def test_a_decision_for_the_file_names_itself_and_the_file(ledger: Jobs) -> None:
    conflicting(ledger)
    assert ledger.where("1", "a") == (2, "edit", None, None, None, 2)
    ledger.resolve(Take.THEIRS)
    assert ledger.where("1", "a") == (4, "resolve", "crm", "3.csv", 2, 3)


def test_a_decision_for_the_store_leaves_the_blame_alone(ledger: Jobs) -> None:
    conflicting(ledger)
    ledger.resolve(Take.OURS)
    assert ledger.where("1", "a") == (2, "edit", None, None, None, 2)


def test_a_decision_for_what_was_sent_last_names_the_file_that_sent_it(ledger: Jobs) -> None:
    conflicting(ledger)
    ledger.resolve(Take.BASE)
    assert ledger.where("1", "a") == (4, "resolve", "crm", "1.csv", 2, 1)


def test_a_decision_that_stands_again_is_still_a_decision(ledger: Jobs) -> None:
    conflicting(ledger)
    ledger.resolve(Take.THEIRS)
    ledger.undo(4)
    assert ledger.where("1", "a") == (5, "undo", None, None, None, 2)
    ledger.undo(5)
    assert ledger.where("1", "a") == (6, "undo", "crm", "3.csv", 2, 3)


def test_of_two_conflicts_decided_at_once_the_newer_gave_the_value(ledger: Jobs) -> None:
    conflicting(ledger)
    ledger.file([{"id": "1", "a": "w"}], "fair")
    ledger.resolve(Take.THEIRS)
    assert ledger.where("1", "a") == (5, "resolve", "fair", "4.csv", 2, 4)


def test_a_row_that_a_decision_brought_back_comes_from_the_file(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x"}])
    ledger.delete("1")
    ledger.file([{"id": "1", "a": "y"}])
    ledger.resolve(Take.THEIRS)
    assert ledger.where("1", "a") == (4, "resolve", "crm", "3.csv", 2, 3)


def test_an_undo_names_itself_and_where_the_value_had_come_from(ledger: Jobs) -> None:
    ledger.file([{"id": "0"}, {"id": "1", "a": "x", "b": "p"}])
    ledger.file([{"id": "1", "a": "y", "b": "p"}])
    ledger.undo(2)
    assert ledger.where("1", "a") == (3, "undo", "crm", "1.csv", 3, 1)
    assert ledger.where("1", "b") == (1, "import", "crm", "1.csv", 3, 1)
    ledger.undo(3)
    assert ledger.where("1", "a") == (4, "undo", "crm", "2.csv", 2, 2)


def test_an_undone_deletion_brings_every_value_back_from_where_it_was(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x", "b": "p"}])
    ledger.edit("1", b="mine")
    ledger.delete("1")
    ledger.undo(3)
    assert ledger.where("1", "a") == (4, "undo", "crm", "1.csv", 2, 1)
    assert ledger.where("1", "b") == (4, "undo", None, None, None, 2)


def test_a_conflict_with_an_undo_leads_back_to_the_file_too(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x"}])
    ledger.file([{"id": "1", "a": "y"}])
    ledger.edit("1", a="mine")
    ledger.undo(2)
    ledger.resolve(Take.THEIRS)
    assert ledger.rows()["1"]["a"] == "x"
    assert ledger.where("1", "a") == (5, "resolve", "crm", "1.csv", 2, 1)


def test_an_undo_that_made_a_new_value_is_its_own_origin(store: Store) -> None:
    ledger = Jobs(store, dataset(n="add_delta"))
    ledger.file([{"id": "1", "n": 10}])
    ledger.file([{"id": "1", "n": 13}])
    ledger.edit("1", n=20)
    ledger.undo(2)
    assert ledger.rows()["1"] == {"n": 17}
    assert ledger.where("1", "n") == (4, "undo", None, None, None, 4)


def test_a_record_that_is_gone_or_never_was_is_said_to_be_so(ledger: Jobs) -> None:
    ledger.file([{"id": "1", "a": "x"}])
    ledger.delete("1")
    with pytest.raises(NotFoundError) as caught:
        ledger.blame("1")
    assert (caught.value.code, caught.value.detail) == ("record-deleted", "Commit 2 deleted it.")
    with pytest.raises(NotFoundError, match="never had"):
        ledger.blame("7")


def test_history_names_a_line_only_beside_its_file(ledger: Jobs) -> None:
    """An undo brings a row back with the line it once had: a line of no file of the undo's."""
    ledger.file([{"id": "1", "a": "x"}])
    ledger.file([{"id": "1", "a": "y"}])
    ledger.undo(2)
    ledger.delete("1")
    with ledger.store.reading() as cursor:
        items = record_history(cursor, ledger.dataset, "1")
    assert [(i["commit"], i["operation"], i["file"], i["line"]) for i in items] == [
        (4, "delete", None, None),
        (3, "update", None, None),
        (2, "update", "2.csv", 2),
        (1, "insert", "1.csv", 2),
    ]
