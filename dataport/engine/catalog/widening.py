"""Types that a field may change to without losing a value: integer, then number, then string.

A value is converted to what the same cell of a file gives under the new type, so that bases stay
comparable and a source that repeats itself changes nothing. A type whose text is written in
several ways, such as a moment, widens to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dataport.engine.catalog.model import Field, FieldType

_NUMBER = r"-?[0-9][0-9.eE+-]*"


@dataclass(frozen=True)
class Widening:
    """How values of one type become those of a wider one."""

    convert: Callable[[str], str]
    """SQL of the new value, from SQL of the old one; NULL where it does not fit."""
    rewrite: tuple[tuple[str, str], ...] = ()
    """The same for a value written as JSON: patterns and what takes their place, in order."""


def widening(before: Field, after: Field) -> Widening | None:
    """How `before` widens to `after`; None where its values may be lost or read differently."""
    if after.sql_type == "VARCHAR" and after.type is FieldType.STRING:
        return _to_text(before)
    if after.type is not FieldType.NUMBER:
        return None
    if before.type is FieldType.INTEGER:
        return _integer_to_number(after)
    if before.scale is not None and after.scale is not None and before.type is FieldType.NUMBER:
        return _to_more_decimals(before.scale, after)
    return None


def keeps_key_text(before: Field, after: Field) -> bool:
    """Whether the key text of every value is the same in the wider type."""
    return after.type is FieldType.STRING and before.sql_type != "DOUBLE"


def _to_text(before: Field) -> Widening | None:
    quoted = (rf"^({_NUMBER}|true|false)$", r'"\1"')
    if before.sql_type == "DOUBLE":
        # A file spells 5 without a point.
        return Widening(
            lambda value: rf"regexp_replace(CAST({value} AS VARCHAR), '\.0$', '')",
            ((r"^(-?[0-9]+)\.0$", r"\1"), quoted),
        )
    if before.type in (FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN):
        return Widening(_cast("VARCHAR"), (quoted,))
    if before.type in (FieldType.DATE, FieldType.TIME):
        return Widening(_cast("VARCHAR"))
    return None


def _integer_to_number(after: Field) -> Widening | None:
    if after.scale is None:
        # Beyond 2^53 a double has no room for every integer.
        exact = "CASE WHEN abs({0}) <= 9007199254740992 THEN CAST({0} AS DOUBLE) END"
        return Widening(exact.format, ((r"^(-?[0-9]+)$", r"\1.0"),))
    return _to_more_decimals(0, after)


def _to_more_decimals(scale: int, after: Field) -> Widening | None:
    more = (after.scale or 0) - scale
    if more < 0:
        return None
    point = "." if scale == 0 and more else ""
    zeros = ((r"^(-?[0-9.]+)$", rf"\1{point}{'0' * more}"),) if more else ()
    return Widening(lambda value: f"TRY_CAST({value} AS {after.sql_type})", zeros)


def _cast(sql_type: str) -> Callable[[str], str]:
    return lambda value: f"CAST({value} AS {sql_type})"
