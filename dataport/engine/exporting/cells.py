"""SQL of values as the text of a cell: what reading a file back takes for the same value."""

from __future__ import annotations

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import ident, instant_text, literal
from dataport.engine.staging.clean import ESCAPED, SHOWN_ERROR

MISREAD = r"(?i)^(\[.*|-|null|n/a|na|none)$"
"""Items that would come back as another list, or as no value: they are written as JSON."""

_FORMULA_START = r"'*[=+\-@\t\r]"
"""What a spreadsheet would run instead of showing, behind any apostrophes put before it."""


def text_cell(field: Field) -> str:
    """A field as text, without any escape; NULL stays NULL."""
    name = ident(field.name)
    match field.type:
        case FieldType.DATETIME:
            return instant_text(name)
        case FieldType.DURATION:
            return hours(name)
        case FieldType.LIST:
            return _items(field)
        case FieldType.STRING | FieldType.OBJECT | FieldType.ANY:
            return name
        case _:
            return f"CAST({name} AS VARCHAR)"


def csv_cell(field: Field) -> str:
    """A field as a cell that no spreadsheet takes for a formula.

    Such text gets an apostrophe in front, which reading the file back takes off again. Numbers
    and phone numbers keep their sign.
    """
    text = text_cell(field)
    is_free = field.type is FieldType.STRING and field.format != "phone"
    if is_free or field.type is FieldType.LIST:
        return _with_apostrophe(text, rf"^{_FORMULA_START}|{ESCAPED}")
    return text


def typed_cell(field: Field) -> str:
    """A field as text in a sheet, which tells text from formulas by itself.

    Only what reading back would take for an escape, or for a failed formula, gets an apostrophe.
    """
    return _escaped(field, f"{ESCAPED}|{SHOWN_ERROR}")


def escaped_cell(field: Field) -> str:
    """A field as text where nothing but what looks like an escape needs one."""
    return _escaped(field, ESCAPED)


def _escaped(field: Field, pattern: str) -> str:
    text, is_text = text_cell(field), field.type in (FieldType.STRING, FieldType.LIST)
    return _with_apostrophe(text, pattern) if is_text else text


def hours(name: str) -> str:
    """SQL of a duration as H:MM:SS, with a fraction only where it has one."""
    size = f"abs({name})"
    fraction = f"CASE WHEN {size} % 1000000 = 0 THEN '' ELSE printf('.%06d', {size} % 1000000) END"
    clock = f"printf('%d:%02d:%02d', {size} // 3600000000, {size} // 60000000 % 60, {size} // 1000000 % 60)"
    return f"CASE WHEN {name} < 0 THEN '-' ELSE '' END || {clock} || {fraction}"


def _items(field: Field) -> str:
    """SQL of a list: its items with the delimiter between them, or JSON where that is no list."""
    name, delimiter = ident(field.name), literal(field.delimiter)
    text = f"list_aggregate({name}, 'string_agg', {delimiter})"
    splits = f"list_contains(list_transform({name}, x -> contains(x, {delimiter})), true)"
    misread = f"regexp_matches({text}, {literal(MISREAD)})"
    as_json = f"len({name}) = 0 OR {splits} OR {misread}"
    return f"CASE WHEN {as_json} THEN CAST(to_json({name}) AS VARCHAR) ELSE {text} END"


def _with_apostrophe(text: str, pattern: str) -> str:
    return (
        f"CASE WHEN regexp_matches({text}, {literal(pattern)}) THEN '''' || {text} ELSE {text} END"
    )
