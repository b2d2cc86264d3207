"""How a list's columns share the width there is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
"""Cells between two columns."""


@dataclass(frozen=True)
class Column:
    """One column of a list."""

    title: str
    width: int
    """Least cells it needs."""
    grow: int = 0
    """Its share of the width that is left over."""
    is_number: bool = False
    """Numbers stand right-aligned."""
    drop: int = 0
    """Columns with a higher number go first when it is too narrow; 0 always stays."""


def share_width(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Index and cells of every column that is shown in `width` cells, in order."""
    shown = list(range(len(columns)))
    while len(shown) > 1 and _needed(columns, shown) > width:
        dropped = max(shown, key=lambda index: (columns[index].drop, index))
        if columns[dropped].drop == 0:
            break
        shown.remove(dropped)
    left = max(0, width - _needed(columns, shown))
    shares = sum(columns[index].grow for index in shown)
    result: list[tuple[int, int]] = []
    for index in shown:
        grow = columns[index].grow
        extra = left * grow // shares if grow else 0
        left, shares = left - extra, shares - grow
        result.append((index, columns[index].width + extra))
    return result


def _needed(columns: Sequence[Column], shown: Sequence[int]) -> int:
    return sum(columns[index].width for index in shown) + GAP * (len(shown) - 1)
