"""Moments as people write them: a day, or a time to the minute, the second or finer."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dataport.core.clock import naive_utc

_SPELLING = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<minute>\d{2}:\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6}))?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE,
)

_TICK = timedelta(microseconds=1)


def read_moment(text: str, zone: str) -> tuple[datetime, datetime]:
    """First and last instant of what `text` names, as the store holds instants: naive UTC.

    A day lasts from midnight to midnight, a time lasts as long as the last unit it states: so
    `17:00:05` names every instant that a screen shows as that second. Times without a zone, and
    days, are read in `zone`, an IANA name (V-04, V-28). Raises ValueError.
    """
    found = _SPELLING.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a moment")
    try:
        if found["minute"] is None:
            day = datetime.fromisoformat(found["day"]).date()
            first = datetime.combine(day, time(), ZoneInfo(zone))
            after = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
            return naive_utc(first), naive_utc(after) - _TICK
        moment = datetime.fromisoformat(found[0].upper())
        first = naive_utc(moment if found["zone"] else moment.replace(tzinfo=ZoneInfo(zone)))
        return first, first + _unit(found) - _TICK
    except OverflowError as error:
        raise ValueError(f"{text!r} is too far away") from error


def _unit(found: re.Match[str]) -> timedelta:
    """The last unit that a time states."""
    if found["fraction"]:
        return timedelta(microseconds=10 ** (6 - len(found["fraction"])))
    return timedelta(seconds=1) if found["second"] else timedelta(minutes=1)
