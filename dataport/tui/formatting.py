"""Numbers, times, words and values as the screens show them. Pure; widths are in cells."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

from dataport.core.text import counted

EMPTY = "∅"
"""Stands for a value that is not there, so that it differs from an empty text."""

STATUS_GLYPHS = {
    "pending": "○",
    "processing": "▶",
    "waiting": "◆",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "⊘",
}
LINK_GLYPHS = {
    "connecting": "◌",
    "starting": "◐",
    "ready": "●",
    "draining": "◑",
    "gone": "✗",
}
OPERATION_GLYPHS = {
    "insert": "+",
    "update": "~",
    "delete": "-",
    "skip": "·",
    "conflict": "!",
    "left out": "○",
}

KIND_SENTENCES = {
    "edit/edit": "Changed in the Store and in the File",
    "add/add": "First time this source names it, and the values differ",
    "delete/edit": "Deleted in the Store, changed in the File",
    "edit/delete": "Changed in the Store, left out of the File",
    "dup_key": "The same key stands in the File more than once",
    "invalid merge": "The merged row would break a rule",
}

_EIGHTHS = " ▏▎▍▌▋▊▉"
_PICTURES = {"\n": "↵", "\r": "␍", "\t": "⇥"}


def count(number: int | None) -> str:
    """`12340` as `12,340`; nothing where the number isn't known yet."""
    return "" if number is None else f"{number:,}"


def compact(number: int) -> str:
    """A count in at most four cells: `940`, `12k`, `3M`."""
    if number < 1_000:
        return str(number)
    return f"{number // 1_000}k" if number < 1_000_000 else f"{number // 1_000_000}M"


def duration(seconds: float | None) -> str:
    """Seconds as `0.4 s`, `12 s`, `3 min 05 s` or `1 h 02 min`."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rate(rows_a_second: float) -> str:
    """Rows a second, rounded as people say it."""
    return f"{round(rows_a_second):,} rows/s"


def moment(iso: str) -> str:
    """An API instant in the terminal's zone, as `2026-11-21 07:56`."""
    if not iso:
        return ""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return iso


def bar(fraction: float, width: int) -> str:
    """A progress bar of `width` cells; `fraction` is between 0 and 1."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
    return drawn + "░" * (width - len(drawn))


def visible(text: str) -> str:
    """`text` with control and direction-overriding characters made visible, else verbatim.

    Data must not move the cursor, ring the bell or turn the rest of a line around.
    """
    if text.isprintable():
        return text
    return "".join(_picture(character) for character in text)


def _picture(character: str) -> str:
    if character in _PICTURES:
        return _PICTURES[character]
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return f"‹U+{code:04X}›"
    return " " if unicodedata.category(character) in ("Zl", "Zp") else character


def value_text(value: Any) -> str:
    """A field's value on one line: texts verbatim, lists and objects as JSON."""
    if value is None:
        return EMPTY
    if isinstance(value, str):
        return visible(value)
    return visible(json.dumps(value, ensure_ascii=False))


def edit_text(value: Any) -> str:
    """A value as it is put into an editor."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(
        value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) else None
    )


def parse_edit(text: str, sample: Any) -> Any:
    """The value that an edited text means, given a value of the same field.

    Texts stay as typed. Everything else is read as JSON. Raises ValueError with a
    sentence for the person.
    """
    if sample is None or isinstance(sample, str):
        return text
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"This is not JSON (line {error.lineno}, column {error.colno}): {error.msg}."
        ) from error
    wanted = _shape(sample)
    if value is not None and _shape(value) != wanted:
        raise ValueError(f"This field holds {wanted}; what you typed is {_shape(value)}.")
    return value


def _shape(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "text"


def file_name(path: str) -> str:
    """The last part of a path."""
    return visible(path.rstrip("/").rsplit("/", 1)[-1])


def shorten(path: str, width: int) -> str:
    """A path in at most `width` cells; its end is what tells paths apart."""
    if cell_len(path) <= width:
        return path
    tail = path
    while tail and cell_len(tail) > width - 1:
        tail = tail[1:]
    return f"…{tail}" if width > 0 else ""


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def plan_sentence(counts: Mapping[str, int]) -> str:
    """The counts of a plan in words: `3 inserts, 12 updates`; zero counts left out."""
    words = (
        ("insert", "insert"),
        ("update", "update"),
        ("delete", "delete"),
        ("unchanged", "unchanged row"),
        ("skip", "skipped row"),
        ("conflicts", "conflict"),
    )
    parts = [counted(counts[key], word) for key, word in words if counts.get(key)]
    if excluded := counts.get("excluded"):
        parts.append(f"{counted(excluded, 'row')} left out")
    return ", ".join(parts) or "no rows"
