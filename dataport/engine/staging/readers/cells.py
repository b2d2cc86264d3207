"""Cells as the text that a CSV export of them would hold."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

ERRORS = (
    *("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"),
    *("#SPILL!", "#CALC!", "#GETTING_DATA", "Err:502", "Err:508", "Err:522"),
)
"""What a cell shows where its formula has no value."""

_EXACT = 2**53
"""Whole numbers up to here are what they seem to be; Excel keeps 15 digits of larger ones."""


def as_text(value: Any) -> str | None:
    """The text of one cell; None for an empty one.

    A whole number has no decimals, dates and times are ISO 8601 with a blank between them, a
    duration is H:MM:SS however many hours it has.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dt.timedelta):
        return _duration(value)
    if isinstance(value, dt.datetime):
        return _rounded(value).isoformat(" ")
    return str(value)


def as_json(value: Any) -> str | None:
    """The text of a value that may hold others: those are JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def texts(values: Sequence[Any]) -> list[str | None]:
    """The texts of a column's cells."""
    if set(map(type, values)) <= {str, type(None)}:
        return [value or None for value in values]
    return [as_text(value) for value in values]


def _number(value: float) -> str:
    if value.is_integer():
        return str(int(value)) if abs(value) < _EXACT else f"{Decimal(repr(value)):f}"
    return repr(value)


def _rounded(value: dt.datetime) -> dt.datetime:
    """To the millisecond: a spreadsheet keeps a time as the fraction of a day, with its error."""
    near = value + dt.timedelta(microseconds=500)
    return near.replace(microsecond=near.microsecond // 1000 * 1000)


def _duration(value: dt.timedelta) -> str:
    thousandths = round(value / dt.timedelta(milliseconds=1))
    seconds, rest = divmod(abs(thousandths), 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    fraction = f".{rest:03d}" if rest else ""
    return f"{'-' if thousandths < 0 else ''}{hours}:{minute:02d}:{second:02d}{fraction}"
