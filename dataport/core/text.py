"""Text that came from outside: whether it can be written down, and how it is shown if not."""

from __future__ import annotations


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
