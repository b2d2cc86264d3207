"""Rows as of a commit or a time (design section 9)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataport.core.errors import NotFoundError, UsageError
from dataport.core.words import Mode
from dataport.engine.selection import Selection, rows_document
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """Five commits about rows 1 and 2, at noon of five days; row 2 was deleted and came back."""
    ledger = Ledger(store, dataset())
    ledger.send([{"id": "1", "a": "x"}, {"id": "2", "a": "x"}])
    ledger.edit("1", a="y")
    ledger.send([{"id": "1", "a": "x"}], mode=Mode.MIRROR)
    ledger.send([{"id": "2", "a": "back"}])
    ledger.edit("1", b="later")
    with store.writing() as cursor:
        cursor.execute(
            "UPDATE store.commits SET time = TIMESTAMP '2026-01-10 12:00:00.123456'"
            ' + to_days(CAST("commit" AS INTEGER) - 1)'
        )
    return ledger


def rows(ledger: Ledger, as_of: str | None, zone: str = "UTC") -> dict[str, tuple[Any, Any]]:
    """Fields a and b by key."""
    selection = Selection(ledger.dataset, fields=("id", "a", "b"), as_of=as_of, timezone=zone)
    with ledger.store.reading() as cursor:
        document = json.loads(rows_document(cursor, selection))
    assert document["total"] == len(document["rows"])
    return {row["id"]: (row["a"], row["b"]) for row in document["rows"]}


STATES: list[dict[str, tuple[Any, Any]]] = [
    {},
    {"1": ("x", None), "2": ("x", None)},
    {"1": ("y", None), "2": ("x", None)},
    {"1": ("y", None)},
    {"1": ("y", None), "2": ("back", None)},
    {"1": ("y", "later"), "2": ("back", None)},
]


@pytest.mark.parametrize("commit", range(6))
def test_every_commit_can_be_read_and_0_is_before_the_first(ledger: Ledger, commit: int) -> None:
    assert rows(ledger, str(commit)) == STATES[commit]


def test_the_newest_commit_is_the_present(ledger: Ledger) -> None:
    assert rows(ledger, "5") == rows(ledger, None)


@pytest.mark.parametrize(
    ("moment", "commit"),
    [
        ("2026-01-09", 0),
        ("1999-12-31T23:59:59Z", 0),
        ("2026-01-10T11:59:59Z", 0),
        ("2026-01-10", 1),
        ("2026-01-11T12:00:00.122Z", 1),
        ("2026-01-11T12:00:00.123Z", 2),
        ("2026-01-11T12:00:00Z", 2),
        ("2026-01-12T11:00:00Z", 2),
        ("2026-01-12 12:00", 3),
        ("2026-01-12T14:30:00+02:00", 3),
        ("2999-01-01", 5),
    ],
)
def test_a_time_means_the_newest_commit_until_then(
    ledger: Ledger, moment: str, commit: int
) -> None:
    """The log shows times to the second or the millisecond: each includes its commit."""
    assert rows(ledger, moment) == STATES[commit]


@pytest.mark.parametrize(
    ("moment", "zone", "commit"),
    [
        ("2026-01-11T12:00:30", "UTC", 2),
        ("2026-01-11T12:00:30", "Europe/Berlin", 1),
        ("2026-01-11T07:00:00", "America/New_York", 2),
        ("2026-01-11", "Pacific/Kiritimati", 1),
        ("2026-01-11T12:00:30Z", "Europe/Berlin", 2),
    ],
)
def test_times_without_a_zone_are_read_in_the_homes(
    ledger: Ledger, moment: str, zone: str, commit: int
) -> None:
    """V-04, design section 14."""
    assert rows(ledger, moment, zone) == STATES[commit]


@pytest.mark.parametrize("number", ["6", "20260131", "99999999999999999999"])
def test_a_commit_that_does_not_exist_is_named(ledger: Ledger, number: str) -> None:
    with pytest.raises(NotFoundError, match=f"no commit {number}") as caught:
        rows(ledger, number)
    assert "newest is 5" in caught.value.detail


@pytest.mark.parametrize("text", ["", "-1", "1.5", "yesterday", "2026-13-01", "2026-01-31T"])
def test_what_is_neither_commit_nor_time_is_refused(ledger: Ledger, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        rows(ledger, text)
    assert caught.value.code == "wrong-as-of"


def test_an_empty_store_has_no_commit_to_read(store: Store) -> None:
    empty = Ledger(store, dataset())
    assert rows(empty, "0") == rows(empty, "2026-01-01") == {}
    with pytest.raises(NotFoundError, match="no commit 1"):
        rows(empty, "1")
