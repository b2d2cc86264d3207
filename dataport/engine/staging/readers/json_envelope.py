"""Where the list of objects lies in a JSON document, and what stands around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dataport.core.errors import InputError
from dataport.core.text import counted

_KEY = re.compile(r'\s*,?\s*("(?:[^"\\]|\\.)*")\s*:\s*')


@dataclass(frozen=True)
class Array:
    """The list of objects of one document."""

    start: int
    """Characters of the document before its first item."""
    names: tuple[str, ...] | None
    """Names in the object around it, up to its own; None where it is the whole document."""


def find_array(text: str, file: str, nesting: int) -> Array | None:
    """The list that the head of a document holds; None for NDJSON.

    Raises InputError for an object with several lists of objects, or with a name twice.
    """
    blank = len(text) - len(text.lstrip())
    if text[blank] == "[":
        return Array(blank + 1, None)
    if is_lines(text):
        return None
    try:
        members = list(_members(text, blank + 1))
    except RecursionError as error:
        raise too_deep(file, nesting) from error
    found = [at for at, (_, start) in enumerate(members) if start is not None]
    if not found:
        return None
    check_names([name for name, _ in members], file)
    if len(found) > 1:
        raise InputError(
            "format-error",
            f"{file} holds several lists.",
            hint="Keep one list of objects in the file.",
        )
    return Array(members[found[0]][1] or 0, tuple(name for name, _ in members[: found[0] + 1]))


def is_lines(text: str) -> bool:
    """Whether a text has one object a line, rather than being one document."""
    first, _, rest = text.lstrip().partition("\n")
    return bool(rest.strip()) and _is_object(first)


def names_after(tail: bytes) -> list[str] | None:
    """Names between a list and the end of the object around it; None where `tail` is no such end."""
    try:
        members = json.loads(b'{"":0' + tail, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    return [str(name) for name, _ in members[1:]]


def check_names(names: list[str], file: str) -> None:
    """Raise InputError if a name stands twice in the object around the list."""
    twice = [name for at, name in enumerate(names) if name in names[:at]]
    if twice:
        raise InputError(
            "duplicate-label",
            f"{file} names {twice[0]!r} twice.",
            "It is open which of the two values counts.",
            "Remove or rename one of them.",
        )


def too_deep(file: str, nesting: int, line: int | None = None) -> InputError:
    """The error of brackets nested deeper than `nesting`."""
    return InputError(
        "nested-too-deep",
        f"{file} is nested too deeply.",
        f"{f'Line {line:,}' if line else 'A value'} lies in more than {counted(nesting, 'bracket')}.",
        "Export flat rows, or raise limits.nesting in the configuration.",
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return line.lstrip().startswith("{") and line.rstrip().endswith("}")


def _members(text: str, at: int) -> Iterator[tuple[str, int | None]]:
    """Names in the object that begins before `at`, each with the place of the first item where its
    value is an array of objects. Ends with the text."""
    decoder = json.JSONDecoder()
    while key := _KEY.match(text, at):
        at = key.end()
        is_list = re.match(r"\[\s*\{", text[at : at + 4096])
        try:
            name = str(json.loads(key[1]))
        except ValueError:
            return
        yield name, at + 1 if is_list else None
        try:
            _, at = decoder.raw_decode(text, at)
        except ValueError:
            return
