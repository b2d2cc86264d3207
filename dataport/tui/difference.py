"""Which parts of two texts differ."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

Span = tuple[int, int]

_LONGEST = 600
"""Characters up to which two texts are compared in full; beyond, only their ends are."""
_NOISE = 0.4
"""Below this likeness marks would be confetti: the whole middle is marked instead."""


def differing(text: str, other: str) -> list[Span]:
    """The spans of `text` that `other` lacks, as half-open index pairs in order."""
    if text == other or not text:
        return []
    start, end = _common_ends(text, other)
    middle, other_middle = text[start : len(text) - end], other[start : len(other) - end]
    if not middle:
        return []
    spans = [(start, start + len(middle))]
    if max(len(middle), len(other_middle)) <= _LONGEST:
        matcher = SequenceMatcher(None, middle, other_middle, autojunk=False)
        if matcher.ratio() >= _NOISE:
            spans = [
                (start + first, start + last)
                for tag, first, last, _, _ in matcher.get_opcodes()
                if tag != "equal" and first != last
            ]
    return _whole_characters(text, spans)


def _common_ends(text: str, other: str) -> tuple[int, int]:
    shorter = min(len(text), len(other))
    start = 0
    while start < shorter and text[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and text[-1 - end] == other[-1 - end]:
        end += 1
    return start, end


def _whole_characters(text: str, spans: list[Span]) -> list[Span]:
    """Spans widened so that none begins or ends inside a combined character."""
    widened: list[Span] = []
    for first, last in spans:
        begin, stop = first, last
        while begin > 0 and _joins(text, begin):
            begin -= 1
        while stop < len(text) and _joins(text, stop):
            stop += 1
        if widened and begin <= widened[-1][1]:
            widened[-1] = (widened[-1][0], max(stop, widened[-1][1]))
        else:
            widened.append((begin, stop))
    return widened


def _joins(text: str, index: int) -> bool:
    """Whether the character at `index` is drawn together with the one before it."""
    character = text[index]
    joiners = ("\u200d", "\ufe0e", "\ufe0f")
    is_modifier = 0x1F3FB <= ord(character) <= 0x1F3FF
    return (
        unicodedata.combining(character) != 0
        or is_modifier
        or character in joiners
        or text[index - 1] == "\u200d"
    )
