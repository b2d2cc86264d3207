"""Bounds in a definition: whether they are values of the field that they bound."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

_READ: dict[str, tuple[Callable[[str], object], str]] = {
    "integer": (float, "42"),
    "number": (float, "1.5"),
    "date": (date.fromisoformat, "2026-01-31"),
    "datetime": (datetime.fromisoformat, "2026-01-31 17:00:00"),
    "time": (time.fromisoformat, "17:00:00"),
}
"""How bounds are read, by the type of their field, and one to show."""


def wrong_bound(kind: str, bounds: tuple[object, ...]) -> str | None:
    """What is wrong with the bounds of a field of type `kind`; None where nothing is."""
    if kind not in _READ:
        return None
    read, shown = _READ[kind]
    for bound in bounds:
        try:
            read(str(bound)) if bound is not None else None
        except ValueError:
            return f"is bounded by {bound!r}, which is no {kind}; write it like {shown}"
    return None
