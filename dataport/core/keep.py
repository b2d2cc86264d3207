"""How much of the past is kept, as settings and people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}

_SPELLING = re.compile(r"(\d{1,6})\s*(commit|hour|day|week|month|year)s?", re.IGNORECASE)


@dataclass(frozen=True)
class Keep:
    """The newest so many commits, or those of the last while; everything where both are None."""

    commits: int | None = None
    span: timedelta | None = None


def parse_keep(text: str) -> Keep:
    """`all`, `500 commits`, or `90 days`; a month has 30 days, a year 365. Raises ValueError."""
    if text.strip().lower() == "all":
        return Keep()
    found = _SPELLING.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text!r} does not say how much to keep; write 'all', '500 commits' or '90 days'"
        )
    number, unit = int(found[1]), found[2].lower()
    if unit == "commit":
        return Keep(commits=number)
    if unit == "hour":
        return Keep(span=timedelta(hours=number))
    return Keep(span=timedelta(days=number * _DAYS[unit]))
