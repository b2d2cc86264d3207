"""What is wrong with a filter, and where."""

from __future__ import annotations

import unicodedata

from dataport.core.errors import UsageError

_SHOWN = 60
"""Characters of the expression that stand around the place."""
_TITLE = 80

HINT = "Compare fields with values, as in: status = 'new' AND score > 50."


def wrong(text: str, reason: str, place: int | None = None, hint: str = HINT) -> UsageError:
    """UsageError `wrong-expression`: `place` is the offset in `text` of the character at fault.

    The detail says the reason, then the position counted from 1, then shows the line of the
    expression with a caret below the place.
    """
    sentence = reason[:1].upper() + reason[1:]
    sentence += "" if sentence.endswith(("?", ".")) else "."
    if place is not None:
        sentence += f" {_position(text, place)}:\n{_pointed(text, place)}"
    short = text if len(text) <= _TITLE else text[: _TITLE - 1] + "…"
    return UsageError("wrong-expression", f"The filter {short!r} can't be used.", sentence, hint)


def _position(text: str, place: int) -> str:
    before, newline = text[:place], "\n"
    if newline not in text:
        return f"At character {place + 1}"
    column = place - (before.rfind(newline) + 1) + 1
    return f"At line {before.count(newline) + 1}, character {column}"


def _pointed(text: str, place: int) -> str:
    """The line around `place`, cut where it is long, and a caret under it."""
    first = text.rfind("\n", 0, place) + 1
    line, column = text[first:].partition("\n")[0], place - first
    left = max(0, min(column - _SHOWN // 2, len(line) - _SHOWN))
    shown = "".join(_printable(char) for char in line[left : left + _SHOWN])
    head, tail = "…" if left else "", "…" if left + _SHOWN < len(line) else ""
    room = len(head) + sum(_width(char) for char in shown[: column - left])
    return f"  {head}{shown}{tail}\n  {' ' * room}^"


def _printable(char: str) -> str:
    if char.isspace():
        return " "
    return char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _width(char: str) -> int:
    """Terminal cells of a character."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
