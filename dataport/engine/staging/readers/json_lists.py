"""Which lists a JSON document holds, found by its brackets, without parsing it."""

from __future__ import annotations

import json
import re

import numpy as np
import numpy.typing as npt

from dataport.core.errors import InputError
from dataport.engine.staging.readers.json_envelope import too_deep
from dataport.engine.staging.readers.json_index import brackets

MOST_CONTAINERS = 10_000
"""Objects and lists outside any list that are looked at; an object of more is one of rows."""

_NAME = re.compile(rb'("(?:[^"\\]|\\.)*")\s*:\s*$')
_REACH = 2_000
"""Bytes that a name and its colon may take."""

Lists = dict[str, tuple[int, int]]
"""By path, where a list begins, behind its bracket, and where it ends, behind the other one."""


def find_lists(data: bytes, file: str, nesting: int) -> Lists | None:
    """The lists that objects alone hold, in order; None where the brackets don't match.

    Raises InputError where two have one path, or brackets nest deeper than `nesting` in an item.
    """
    places, steps = brackets(data)
    depth = np.cumsum(steps)
    if not places.size or depth[-1] != 0 or int(depth.min()) < 0:
        return None
    deep = np.flatnonzero(depth > nesting + 2)
    if deep.size:
        line = data.count(b"\n", 0, int(places[deep[0]])) + 1
        raise too_deep(file, nesting, line)
    found: Lists = {}
    names: list[str] = []
    at = 0
    for _ in range(MOST_CONTAINERS):
        if at >= places.size:
            break
        place, is_opening = int(places[at]), steps[at] > 0
        if not is_opening:
            names = names[:-1]
            at += 1
            continue
        name = _name_before(data, place) if at else ""
        if data[place : place + 1] == b"{":
            names = [*names, name]
            at += 1
            continue
        end = _closing(depth, at)
        path = ".".join([*names[1:], name])
        if path in found:
            raise _twice(file, path)
        found[path] = (place + 1, int(places[end]) + 1)
        at = end + 1
    return found


def _closing(depth: npt.NDArray[np.int64], at: int) -> int:
    """The bracket that closes the one at `at`."""
    step = 4_096
    start = at + 1
    while True:
        below = np.flatnonzero(depth[start : start + step] < depth[at])
        if below.size:
            return start + int(below[0])
        start, step = start + step, step * 4


def _name_before(data: bytes, place: int) -> str:
    match = _NAME.search(data[max(0, place - _REACH) : place])
    return str(json.loads(match[1])) if match else ""


def _twice(file: str, path: str) -> InputError:
    return InputError(
        "duplicate-label",
        f"{file} names {path!r} twice.",
        "It is open which of the two lists counts.",
        "Remove or rename one of them.",
    )
