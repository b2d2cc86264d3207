"""Dropping earlier versions: what goes, what stays, and what is said about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataport.core.errors import NotFoundError, StateError, UsageError
from dataport.core.settings import HistorySettings, Settings
from dataport.core.words import Mode, Take
from dataport.engine.retention import Cut
from dataport.engine.store import Store
from dataport.engine.timeline import Timeline
from tests.engine.merging.ledger import AUTHOR, Ledger, dataset


class Home(Ledger):
    """A ledger with its timeline."""

    def __init__(self, store: Store, keep: str = "all") -> None:
        super().__init__(store, dataset())
        settings = Settings(history=HistorySettings(keep=keep))
        self.timeline = Timeline(store, lambda: settings, lambda: {"things": self.dataset})

    def prune(self, *, is_dry: bool = False, **cut: str) -> dict[str, Any]:
        return self.timeline.prune(Cut(**cut), AUTHOR, is_dry=is_dry)

    def versions(self) -> int:
        """Earlier versions that the store holds."""
        with self.store.reading() as cursor:
            row = cursor.execute("SELECT count(*) FROM store.versions.things").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def ledger(store: Store) -> Home:
    """Five commits: row 1 is sent four times and edited once, row 2 sent and deleted."""
    ledger = Home(store)
    for value in ("a", "b", "c"):
        rows = [{"id": "1", "a": value, "b": "p"}]
        ledger.send([*rows, {"id": "2", "a": "a"}] if value == "a" else rows)
    ledger.edit("1", b="mine")
    ledger.send([{"id": "1", "a": "d", "b": "p"}], mode=Mode.MIRROR)
    return ledger


def test_versions_go_and_everything_present_stays(ledger: Home) -> None:
    before = ledger.rows(), ledger.base(), ledger.queue()
    assert ledger.versions() == 5
    done = ledger.prune(before="4")
    assert (done["oldest"], done["was"], done["newest"]) == (4, 0, 5)
    # The base moved with each file, and stays in the table of bases: three versions can go.
    assert done["items"] == [{"dataset": "things", "versions": 3, "bases": 1, "still_bases": 0}]
    assert done["removed"] == 4
    assert ledger.versions() == 2
    assert (ledger.rows(), ledger.base(), ledger.queue()) == before
    assert ledger.rows_at(4) == {"1": {"a": "c", "b": "mine"}, "2": {"a": "a"}}
    ledger.undo(5)
    assert ledger.rows() == {"1": {"a": "c", "b": "mine"}, "2": {"a": "a"}}


def test_a_dry_run_counts_the_same_and_drops_nothing(ledger: Home) -> None:
    foreseen = ledger.prune(is_dry=True, keep="1 commit")
    assert (foreseen["dry_run"], ledger.versions()) == (True, 5)
    assert ledger.timeline.log(None, None)["oldest"] == 0
    assert ledger.prune(keep="1 commit") == {**foreseen, "dry_run": False}


@pytest.mark.parametrize("commit", ["0", "1", "3", "2001-01-01"])
def test_what_is_gone_is_named_with_the_oldest_that_is_not(ledger: Home, commit: str) -> None:
    ledger.prune(before="4")
    for ask in (
        lambda: ledger.timeline.diff(commit, None),
        lambda: ledger.timeline.diff("5", commit),
        lambda: ledger.timeline.diff_counts(commit, "5"),
    ):
        with pytest.raises(NotFoundError, match="no longer be read") as caught:
            ask()
        assert caught.value.code == "history-pruned"
        assert "oldest commit still readable is 4" in caught.value.hint
    assert json.loads(ledger.timeline.diff("4", "5"))["total"] == 2


@pytest.mark.parametrize("commit", [1, 4])
def test_commits_up_to_the_oldest_can_not_be_undone(ledger: Home, commit: int) -> None:
    ledger.prune(before="4")
    with pytest.raises(StateError, match=f"Commit {commit} can no longer be undone") as caught:
        ledger.undo(commit)
    assert (caught.value.code, "is 4" in caught.value.hint) == ("history-pruned", True)


def test_a_version_that_is_still_a_base_stays_unseen(store: Store) -> None:
    """The source's next file is compared with what it sent, though that was edited long ago."""
    ledger = Home(store)
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.edit("1", b="mine")
    done = ledger.prune(before="3")
    assert done["items"] == [{"dataset": "things", "versions": 1, "bases": 0, "still_bases": 1}]
    assert ledger.base() == {"1": {"a": "x"}}
    assert [item["commit"] for item in ledger.timeline.record_history("things", "1")] == [3]
    assert ledger.send([{"id": "1", "a": "x"}]).is_empty
    assert ledger.send([{"id": "1", "a": "z"}]).conflicts == 1


def test_an_undone_import_leaves_no_base_to_keep(store: Store) -> None:
    ledger = Home(store)
    ledger.send([{"id": "1", "a": "x"}])
    ledger.undo(1)
    ledger.send([{"id": "2", "a": "x"}])
    assert ledger.prune(before="3")["items"][0]["still_bases"] == 0
    assert ledger.versions() == 0


def test_open_conflicts_and_decisions_outlive_their_versions(store: Store) -> None:
    ledger = Home(store)
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "y"}])
    ledger.edit("1", b="later")
    before = ledger.conflicts()
    ledger.prune(before="4")
    assert ledger.conflicts() == before
    ledger.resolve(Take.THEIRS)
    assert ledger.rows()["1"] == {"a": "y", "b": "later"}
    ledger.undo(5)
    assert (ledger.rows()["1"]["a"], ledger.conflicts()) == ("mine", before)


def test_blame_and_history_say_where_they_end(ledger: Home) -> None:
    ledger.prune(before="3")
    blamed = {item["field"]: item for item in ledger.timeline.blame("things", "1")}
    assert [(blamed[name]["commit"], blamed[name]["boundary"]) for name in ("id", "a", "b")] == [
        (3, True),
        (5, False),
        (4, False),
    ]
    assert [blamed["id"][name] for name in ("source", "file", "line")] == [None, None, None]
    items = ledger.timeline.record_history("things", "1")
    assert [(i["commit"], i["operation"], i["boundary"]) for i in items] == [
        (5, "update", False),
        (4, "update", False),
        (3, "update", True),
    ]
    ledger.prune(before="5")
    with pytest.raises(NotFoundError, match="had none since commit 5"):
        ledger.timeline.record_history("things", "2")


def test_a_row_that_was_only_ever_inserted_is_known_to_its_beginning(store: Store) -> None:
    ledger = Home(store)
    ledger.send([{"id": "1", "a": "x"}])
    ledger.send([{"id": "2", "a": "x"}])
    ledger.prune(before="2")
    [item] = [item for item in ledger.timeline.blame("things", "1") if item["field"] == "a"]
    assert (item["commit"], item["file"], item["boundary"]) == (1, "file.csv", False)


def test_the_log_stays_and_names_the_oldest(ledger: Home) -> None:
    ledger.prune(before="4")
    document = ledger.timeline.log(None, None)
    assert (len(document["items"]), document["oldest"]) == (5, 4)


def test_the_oldest_never_moves_back(ledger: Home) -> None:
    ledger.prune(before="4")
    again = ledger.prune(before="2")
    assert (again["oldest"], again["was"], again["removed"]) == (4, 4, 0)


def test_it_is_in_the_audit_trail_and_no_commit(ledger: Home) -> None:
    """HIS-08, HIS-11: a deletion is audited; what changes no row is no commit."""
    ledger.prune(before="4")
    ledger.prune(before="4")
    assert ledger.head() == 5
    with ledger.store.reading() as cursor:
        rows = cursor.execute(
            "SELECT actor, operation, record_count, datasets, metadata FROM store.audit"
            " WHERE operation_type = 'history_prune'"
        ).fetchall()
    [(actor, operation, records, datasets, metadata)] = rows
    assert (actor, operation, records, datasets) == ("tester", "delete", 4, ["things"])
    assert json.loads(metadata) == {"oldest": 4, "was": 0, "keep": None, "before": "4"}


@pytest.mark.parametrize(
    ("cut", "oldest"),
    [
        ({"keep": "all"}, 0),
        ({"keep": "2 commits"}, 3),
        ({"keep": "0 commits"}, 5),
        ({"keep": "99 commits"}, 0),
        ({"keep": "48 hours"}, 3),
        ({"keep": "10 years"}, 0),
        ({"before": "3"}, 3),
        ({"before": "2999-01-01"}, 5),
        ({"before": "1999-01-01"}, 0),
    ],
)
def test_how_much_is_kept(ledger: Home, cut: dict[str, str], oldest: int) -> None:
    """What is to stay readable is: 48 hours reach back to the commit in force 48 hours ago."""
    with ledger.store.writing() as cursor:
        cursor.execute(
            "UPDATE store.commits SET time = CAST(now() AT TIME ZONE 'UTC' AS TIMESTAMP)"
            ' - to_hours(24 * CAST(5 - "commit" AS INTEGER) + 12)'
        )
    assert ledger.prune(**cut)["oldest"] == oldest


def test_the_setting_says_how_much_unless_somebody_does(store: Store) -> None:
    ledger = Home(store, keep="1 commit")
    for value in ("a", "b", "c"):
        ledger.send([{"id": "1", "a": value}])
    assert ledger.prune(is_dry=True, keep="2 commits")["oldest"] == 1
    assert ledger.prune()["oldest"] == 2


@pytest.mark.parametrize(
    ("cut", "code"),
    [
        ({"keep": "some"}, "wrong-keep"),
        ({"before": "soon"}, "wrong-before"),
        ({"keep": "all", "before": "1"}, "keep-or-before"),
    ],
)
def test_an_unclear_cut_is_refused(ledger: Home, cut: dict[str, str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        ledger.prune(**cut)
    assert caught.value.code == code
    with pytest.raises(NotFoundError, match="no commit 6"):
        ledger.prune(before="6")
