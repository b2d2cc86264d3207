"""How the columns of a reject file lie, for writing one and for knowing one again (ERR-13)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

REJECT_COLUMNS = ("line", "row", "field", "code", "message", "value")
"""What a reject file puts before the source's own columns."""
LINE, ROW, FIELD, CODE, _, VALUE = range(len(REJECT_COLUMNS))

_NAME = re.compile(r"(.+)\.rejects(?:-\d+)?\.csv")

ABSENT = "absent_columns"
"""Column behind the source's own where rows don't have all of them: which they don't have."""

BROKEN = "broken_row"
"""Last column of a reject file with rows that could not be cut into cells: their text."""


def rejects_of(name: str) -> str | None:
    """The stem of the file whose rejected rows a file of this name holds; None for another file."""
    match = _NAME.fullmatch(name)
    return match[1] if match else None


@dataclass(frozen=True)
class RejectLayout:
    """Where the columns of a reject file are."""

    start: int
    """Position of the source's first own column."""
    stop: int
    """Position behind the source's last own column."""
    absent: int | None
    """Position of the column that lists what a row does not have."""
    broken: int | None
    """Position of the column with the text of broken rows."""


def reject_layout(columns: Sequence[str]) -> RejectLayout | None:
    """The layout of a file with these columns; None where it is no reject file."""
    start = len(REJECT_COLUMNS)
    if tuple(columns[:start]) != REJECT_COLUMNS:
        return None
    stop, found = len(columns), dict[str, int]()
    for name in (BROKEN, ABSENT):
        if stop > start and re.fullmatch(rf"{name}(_\d+)?", columns[stop - 1]):
            stop -= 1
            found[name] = stop
    return RejectLayout(start, stop, found.get(ABSENT), found.get(BROKEN))


def own_columns(columns: Sequence[str]) -> Sequence[str]:
    """The columns that the source itself has, in a reject file or not."""
    layout = reject_layout(columns)
    return columns[layout.start : layout.stop] if layout else columns
