"""Which of a table's first rows names its columns: titles and notes may stand above it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Row = Sequence[str | None]

SEARCHED = 30
"""Rows, besides empty ones, that a header is looked for in."""

_VALUE = re.compile(r"[-+]?[\d.,:/ T-]*\d[\d.,:/ TZ%-]*|[^@\s]+@[^@\s]+\.\w+|\S*://\S+")
"""Numbers, dates, times, e-mail addresses and links: what no column is called."""


def is_header(first: Row) -> bool:
    """Whether a row could name columns: words, no two the same, no plain value among them."""
    words = [cell.strip() for cell in first if cell and cell.strip()]
    return (
        len(words) > len(first) / 2
        and len(set(words)) == len(words)
        and not any(_VALUE.fullmatch(cell) for cell in words)
    )


def likely_header(rows: Sequence[Row]) -> int | None:
    """The place of the row that names the columns, as far as the rows alone can tell.

    It is the first that is as wide as the others, where nothing in it is a plain value.
    """
    at = first_wide(rows)
    return at if rows and is_header(trimmed(rows[at])) else None


def first_wide(rows: Sequence[Row]) -> int:
    """The place of the first row that is about as wide as the others: those above are titles."""
    filled = [_filled(row) for row in rows[:SEARCHED]]
    widest = max(filled, default=0)
    wide = (at for at, n in enumerate(filled) if 2 * n > widest and (n > 1 or widest == 1))
    return next(wide, 0)


def labelled_header(rows: Sequence[Row], is_label: Callable[[str], bool]) -> int | None:
    """The place of the row with the most cells that name a field, None where no row has any.

    One such cell among others is none: a word that names a field may stand in any text. Below a
    row in which every column has something, only one of nothing but words can be the header, and
    none can where that row names a field.
    """
    best, most, is_below = None, 0, False
    filled = [_filled(row) for row in rows[:SEARCHED]]
    for at, row in enumerate(rows[:SEARCHED]):
        labels = sum(is_label(cell) for cell in row if cell and cell.strip())
        is_many = labels > most and (labels > 1 or filled[at] == 1)
        if is_many and (not is_below or is_header(trimmed(row))):
            best, most = at, labels
        is_below |= filled[at] == max(filled)
        if is_below and labels:
            break
    return best


def _filled(row: Row) -> int:
    return sum(bool(cell and cell.strip()) for cell in row)


def trimmed(row: Row) -> Row:
    """A row without the empty cells at its end."""
    end = max((at + 1 for at, cell in enumerate(row) if cell and cell.strip()), default=0)
    return row[:end]
