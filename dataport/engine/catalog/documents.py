"""Where the rows of a dataset lie in a nested JSON document, and what their fields are made of.

A path names lists from the document inwards, as in `data.tickets` or `data.tickets[].notes`: the
notes of every ticket; where the document is a list itself, or has one object a line, `[].notes`.
The value of a field is named from its item on, as in `author.email`; `^.id` is the id of the item
that holds the item's list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_NAMES = r"[^.\[\]^|]+(?:\.[^.\[\]^|]+)*"
PATH = re.compile(rf"{_NAMES}(?:\[\]\.{_NAMES})*|(?:\[\]\.{_NAMES})+")
VALUE = re.compile(rf"(?:\^\.)*{_NAMES}")

Names = tuple[str, ...]


def base_of(path: str) -> str:
    """The outermost list on the way of a path; empty for the document itself."""
    return ".".join(ListPath.parse(path).base)


def lists_below(outers: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """Names in the items of some lists of values that lead to the lists at `paths`."""
    paths = tuple(paths)
    below = [
        path.removeprefix(f"{outer}[].")
        for outer in outers
        for path in paths
        if path.startswith(f"{outer}[].")
    ]
    return tuple(dict.fromkeys(re.split(r"[.\[]", path)[0] for path in below))


@dataclass(frozen=True)
class ListPath:
    """The way to some rows of a document."""

    base: Names
    """Names of the objects around the outermost list, and its own."""
    nested: tuple[Names, ...] = ()
    """From an item of each list to the next one."""

    @classmethod
    def parse(cls, text: str) -> ListPath:
        """Raises ValueError for what is no path."""
        if not PATH.fullmatch(text):
            raise ValueError(
                f"{text!r} is no path of a list; write data.tickets, or data.tickets[].notes"
            )
        first, *others = (tuple(part.split(".")) for part in text.split("[]."))
        return cls(first, tuple(others))


@dataclass(frozen=True)
class ValuePath:
    """The way to the value of a field."""

    up: int
    """From which item: 0 is the row's own, 1 the one that holds its list, and so on."""
    names: Names

    @classmethod
    def parse(cls, text: str) -> ValuePath:
        """Raises ValueError for what is no path."""
        if not VALUE.fullmatch(text):
            raise ValueError(f"{text!r} is no path of a value; write author.email, or ^.id")
        up = text.count("^.")
        return cls(up, tuple(text[2 * up :].split(".")))


@dataclass(frozen=True)
class Layout:
    """How the rows of one dataset lie in a document."""

    paths: tuple[str, ...] = ()
    """Of their lists; those that a document does not have are none of its business."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of fields, by name: the first of these paths that leads to one. Every other field is
    the item's own value of that name."""

    lists: tuple[str, ...] = ()
    """Names in an item of lists whose rows are read by themselves."""

    @property
    def consumed(self) -> frozenset[str]:
        """Names in an item that are no fields themselves: others are made of them."""
        values = (ValuePath.parse(each) for paths in self.fields.values() for each in paths)
        own = {value.names[0] for value in values if value.up == 0}
        return frozenset({*own, *self.fields, *self.lists})
