"""Text for people: counts in words, and what came from outside and may be no text at all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def is_text(text: str) -> bool:
    """Whether `text` is all characters; a byte that is no UTF-8 stands in it as a lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def legible(text: str) -> str:
    """`text` with a sign in the place of what is no character."""
    return "".join("�" if "\ud800" <= char <= "\udfff" else char for char in text)


def nearest_hint(word: str, known: Iterable[str]) -> str:
    """A hint about a word that is none of the `known` ones: the nearest of them, or all."""
    names = sorted(known)
    nearest = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"Did you mean {nearest[0]!r}?" if nearest else f"Known: {', '.join(names) or 'none'}."


def are(number: int) -> str:
    """The verb of so many things: `1 row is`, `2 rows are`."""
    return "is" if number == 1 else "are"


def counted(number: int | None, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 row`, `1,200 rows`, `2 entries`; None counts as 0."""
    number = number or 0
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: int) -> str:
    """Bytes as people say them: `900 bytes`, `2.5 MB`; a KB is 1,024 bytes (EXF-27)."""
    if number < 1024:
        return counted(number, "byte")
    amount = float(number)
    for unit in ("KB", "MB", "GB"):
        amount /= 1024
        if amount < 1024:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TB"
