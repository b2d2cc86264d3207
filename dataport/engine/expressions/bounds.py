"""Limits on what a filter may cost: none takes longer, or grows larger, than its text lets expect.

DuckDB's LIKE tries every way to place its wildcards, which takes minutes for a short pattern
with five of them; its regular expressions take one pass. Text that a filter builds is not
counted against the engine's memory limit.
"""

from __future__ import annotations

import re

from dataport.engine.catalog.model import Dataset
from dataport.engine.expressions.problem import wrong
from dataport.engine.expressions.tree import (
    Node,
    children,
    constant,
    inside_out,
    make_call,
    make_not,
    make_text,
    place_of,
    put,
    text_constant,
)

LONGEST_TEXT = 20_000
LONGEST_PATTERN = 1_000
LONGEST_PAD = 1_000
MOST_COPIES = 8
"""How many times the text of a row a filter may hold at once."""

_LIKE = {"~~": False, "~~*": True, "like_escape": False, "ilike_escape": True}
_NOT_LIKE = {"!~~": "~~", "!~~*": "~~*"}
_NOT_LIKE |= {"not_like_escape": "like_escape", "not_ilike_escape": "ilike_escape"}
_REGEXP = ("regexp_matches", "regexp_full_match")
_PADS = ("lpad", "rpad")
_JOINS = ("||", "concat", "list_value")
_TRUTHS = ("COMPARISON", "CONJUNCTION", "BETWEEN")


def check_bounds(dataset: Dataset, text: str, root: Node) -> None:
    """Raise UsageError for what could take without end; rewrite LIKE where it could."""
    growing = {field.name for field in dataset.fields if field.sql_type.startswith("VARCHAR")}
    for node in inside_out(root):
        if node["class"] != "FUNCTION":
            continue
        name = node["function_name"].lower()
        if name in _PADS:
            _check_pad(text, node)
        elif name in _REGEXP:
            _pattern(text, node, 1)
        elif name in _LIKE or name in _NOT_LIKE:
            _settle_like(text, node, name)
        elif _copies(node, growing) > MOST_COPIES:
            reason = f"it could make a text more than {MOST_COPIES} times as long as the row's"
            raise wrong(text, reason, place_of(text, node), "Compare the fields one by one.")


def _check_pad(text: str, node: Node) -> None:
    argument = node["children"][1] if len(node["children"]) > 1 else node
    length = constant(argument)
    if not isinstance(length, int) or length > LONGEST_PAD:
        reason = f"the length must be a number up to {LONGEST_PAD:,}"
        raise wrong(text, reason, place_of(text, argument))


def _pattern(text: str, node: Node, at: int) -> str:
    argument = node["children"][at] if len(node["children"]) > at else node
    pattern = text_constant(argument)
    if pattern is None:
        raise wrong(text, "the pattern must be a text in quotes", place_of(text, argument))
    if len(pattern) > LONGEST_PATTERN:
        reason = f"the pattern has more than {LONGEST_PATTERN:,} characters"
        raise wrong(text, reason, place_of(text, argument))
    return pattern


def _settle_like(text: str, node: Node, name: str) -> None:
    """Leave what one pass can match; turn the others into a regular expression."""
    pattern = _pattern(text, node, 1)
    escape = ""
    if len(node["children"]) > 2:
        escape = _pattern(text, node, 2)
        if len(escape) != 1:
            raise wrong(text, "ESCAPE takes one character", place_of(text, node["children"][2]))
    positive = _NOT_LIKE.get(name, name)
    wildcards = re.sub("%+", "%", pattern).count("%")
    if not escape and (wildcards < 2 or (positive == "~~" and "_" not in pattern)):
        return
    value = node["children"][0]
    if _LIKE[positive]:
        value = make_call("lower", [value], node)
        pattern = "".join(_lower(char) for char in pattern)
    regular = make_text(_regular(text, pattern, escape, node), node)
    call = make_call("regexp_full_match", [value, regular], node)
    put(node, make_not(call, node) if name in _NOT_LIKE else call)


def _lower(char: str) -> str:
    return char.lower() if len(char.lower()) == 1 else char


def _regular(text: str, pattern: str, escape: str, node: Node) -> str:
    """A regular expression that matches what the LIKE pattern does."""
    parts, characters = ["(?s)"], iter(pattern)
    for char in characters:
        if char == escape:
            following = next(characters, None)
            if following is None:
                raise wrong(text, "the pattern ends with its escape", place_of(text, node))
            parts.append(re.escape(following))
        else:
            parts.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
    return "".join(parts)


def _copies(node: Node, growing: set[str]) -> int:
    """How many texts of the row `node`'s value may hold, at most."""
    if node["class"] in _TRUTHS:
        return 0
    if node["class"] == "COLUMN_REF":
        return int(node["column_names"][0] in growing)
    below = [_copies(child, growing) for child in children(node)] or [0]
    name = node["function_name"].lower() if node["class"] == "FUNCTION" else ""
    if name == "replace":
        return below[0] * _growth(node)
    return sum(below) if name in _JOINS else max(below)


def _growth(node: Node) -> int:
    """How much longer REPLACE can make a text; a replacement that is not known counts as long."""
    if len(node["children"]) != 3:
        return 1
    searched, put_in = (text_constant(child) for child in node["children"][1:])
    if searched is None or put_in is None:
        return MOST_COPIES + 1
    return max(1, -(-len(put_in.encode()) // max(len(searched.encode()), 1)))
