"""Instants are UTC inside and ISO 8601 with `Z` outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from dataport.core.clock import iso, naive_utc, now

KABUL = timezone(timedelta(hours=4, minutes=30))


def test_now_is_aware_and_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)


def test_an_instant_is_stored_in_utc_without_a_zone() -> None:
    assert naive_utc(datetime(2026, 3, 1, 4, 0, tzinfo=KABUL)) == datetime(2026, 2, 28, 23, 30)  # noqa: DTZ001 - the form under test


def test_an_instant_is_shown_with_z_and_milliseconds() -> None:
    assert iso(None) is None
    assert iso(datetime(2026, 3, 1, 4, 0, tzinfo=KABUL)) == "2026-02-28T23:30:00.000Z"
    assert iso(datetime(2026, 3, 1, 4, 0, 0, 1999)) == "2026-03-01T04:00:00.001Z"  # noqa: DTZ001 - naive values are UTC already


@given(moment=st.datetimes(timezones=st.just(KABUL), min_value=datetime(1900, 1, 2)))  # noqa: DTZ001 - Hypothesis takes naive bounds
def test_storing_and_showing_keep_the_instant(moment: datetime) -> None:
    assert naive_utc(moment).replace(tzinfo=UTC) == moment
    assert iso(naive_utc(moment)) == iso(moment)
