"""Date ranges of a selection (V-28)."""

from __future__ import annotations

import json

import pytest

from dataport.core.errors import UsageError
from dataport.engine.selection import Selection, rows_document
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset


@pytest.fixture
def ledger(store: Store) -> Ledger:
    ledger = Ledger(store, dataset().model_copy(update={"date_field": "at"}))
    times = ["2026-01-09T23:30:00", "2026-01-10T12:00:05.5", "2026-01-10T23:30:00"]
    ledger.send([{"id": str(number), "at": time} for number, time in enumerate(times, 1)])
    return ledger


def found(
    ledger: Ledger, since: str | None, until: str | None = None, zone: str = "UTC"
) -> list[str]:
    selection = Selection(ledger.dataset, fields=("id",), since=since, until=until, timezone=zone)
    with ledger.store.reading() as cursor:
        return [row["id"] for row in json.loads(rows_document(cursor, selection))["rows"]]


def test_both_ends_are_included_and_a_day_is_whole(ledger: Ledger) -> None:
    assert found(ledger, "2026-01-10") == ["2", "3"]
    assert found(ledger, None, "2026-01-10T12:00:05") == ["1", "2"]
    assert found(ledger, "2026-01-10", "2026-01-10") == ["2", "3"]


def test_days_are_the_homes(ledger: Ledger) -> None:
    """V-04: a naive time is one of the home's zone."""
    assert found(ledger, "2026-01-10", "2026-01-10", "Europe/Berlin") == ["1", "2"]
    assert found(ledger, "2026-01-10T23:00:00", None, "America/New_York") == []


def test_what_is_no_date_is_refused(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="'soon' is not a date"):
        found(ledger, "soon")
