"""Moments as people write them (V-04, V-28)."""

from __future__ import annotations

import pytest

from dataport.core.moments import read_moment


def spelled(text: str, zone: str = "UTC") -> tuple[str, str]:
    first, last = read_moment(text, zone)
    return first.isoformat(), last.isoformat()


def test_a_day_is_whole_in_its_zone() -> None:
    assert spelled("2026-01-31") == ("2026-01-31T00:00:00", "2026-01-31T23:59:59.999999")
    assert spelled("2026-01-31", "Asia/Tokyo") == (
        "2026-01-30T15:00:00",
        "2026-01-31T14:59:59.999999",
    )


def test_the_day_the_clocks_change_has_23_hours() -> None:
    assert spelled("2026-03-29", "Europe/Berlin") == (
        "2026-03-28T23:00:00",
        "2026-03-29T21:59:59.999999",
    )


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-01-31T17:00", "2026-01-31T16:00:00", "2026-01-31T16:00:59.999999"),
        ("2026-01-31 17:00:05", "2026-01-31T16:00:05", "2026-01-31T16:00:05.999999"),
        ("2026-01-31T17:00:05Z", "2026-01-31T17:00:05", "2026-01-31T17:00:05.999999"),
        ("2026-01-31t17:00:05.25z", "2026-01-31T17:00:05.250000", "2026-01-31T17:00:05.259999"),
        ("2026-01-31T17:00:05,123456Z", "2026-01-31T17:00:05.123456", None),
        ("2026-01-31T17:00:00-05:30", "2026-01-31T22:30:00", "2026-01-31T22:30:00.999999"),
        (" 2026-01-31T17:00:00+0100 ", "2026-01-31T16:00:00", "2026-01-31T16:00:00.999999"),
    ],
)
def test_a_time_lasts_as_long_as_the_unit_it_ends_with(
    text: str, first: str, last: str | None
) -> None:
    assert spelled(text, "Europe/Berlin") == (first, last or first)


@pytest.mark.parametrize(
    "text",
    ["", "today", "2026-02-30", "2026-1-3", "20260131", "17:00", "2026-01-31T25:00", "9999-12-31"],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|day|hour|far|isoformat|month"):
        read_moment(text, "UTC")
