"""What a field is in a sheet: a real number, date or truth where that reads back as the same value.

A spreadsheet keeps numbers to fifteen digits, days from March 1900 on, and times without a zone.
What does not fit into that is written as text, which reads back as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.catalog.packages import SheetField
from dataport.engine.exporting.cells import text_cell, typed_cell
from dataport.engine.sql import ident, literal

_TEXT, _GENERAL, _DAY, _MOMENT = "@", "General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"

_DIGITS = 15
_FIRST_DAY = "DATE '1900-03-01'"
"""Before it, programs don't agree on the numbers of days."""
_LAST_DAY = "DATE '9999-12-31'"
_EPOCH = "1899-12-30"

_WIDTHS = {
    FieldType.INTEGER: 12,
    FieldType.NUMBER: 14,
    FieldType.BOOLEAN: 10,
    FieldType.DATE: 12,
    FieldType.DATETIME: 20,
    FieldType.TIME: 10,
    FieldType.DURATION: 12,
    FieldType.OBJECT: 40,
    FieldType.ANY: 40,
}
_USUAL_WIDTH = 24


@dataclass(frozen=True)
class SheetColumn:
    """One field on a sheet. Of a cell, at most one of value and text is not NULL."""

    field: Field
    title: str
    width: float
    """In characters, as spreadsheets count."""
    form: str
    """Format of numbers: how values are shown, and what is typed into new cells becomes."""
    value: str | None = None
    """SQL of a number or a boolean."""
    text: str | None = None
    """SQL of a text."""
    is_hidden: bool = False


def sheet_column(field: Field, timezone: str) -> SheetColumn:
    """The column of a field by its own name. Times that name no zone are of `timezone`."""
    width, name = _WIDTHS.get(field.type, _USUAL_WIDTH), ident(field.name)
    match field.type:
        case FieldType.BOOLEAN:
            return SheetColumn(field, field.name, width, _GENERAL, value=name)
        case FieldType.INTEGER | FieldType.NUMBER:
            number = f"CASE WHEN {_is_exact(field)} THEN CAST({name} AS DOUBLE) END"
            form = _GENERAL
        case FieldType.DATE:
            is_told = f"{name} BETWEEN {_FIRST_DAY} AND {_LAST_DAY}"
            number, form = f"CASE WHEN {is_told} THEN {name} - DATE '{_EPOCH}' END", _DAY
        case FieldType.DATETIME:
            number, form = _moment(name, timezone), _MOMENT
        case _:
            return SheetColumn(field, field.name, width, _TEXT, text=typed_cell(field))
    text = f"CASE WHEN ({number}) IS NULL THEN {text_cell(field)} END"
    return SheetColumn(field, field.name, width, form, number, text)


def shown_column(field: Field, shown: SheetField, timezone: str) -> SheetColumn:
    """The column of a field as the sheet of a package shows it."""
    column = sheet_column(field, timezone)
    if shown.words:
        false, true = map(literal, shown.words)
        text = f"CASE {ident(field.name)} WHEN true THEN {true} WHEN false THEN {false} END"
        column = replace(column, value=None, text=text)
    elif shown.is_text:
        column = replace(column, form=_TEXT, value=None, text=typed_cell(field))
    return replace(column, title=shown.title, width=shown.width)


def _is_exact(field: Field) -> str:
    """SQL that is true where a number has few enough digits."""
    name = ident(field.name)
    if field.type is FieldType.INTEGER:
        most = 10**_DIGITS - 1
        return f"{name} BETWEEN -{most} AND {most}"
    if field.scale is None:
        is_normal = f"abs({name}) BETWEEN 1e-307 AND 9e307"
        is_short = f"TRY_CAST(printf('%.{_DIGITS}g', {name}) AS DOUBLE) = {name}"
        return f"{name} = 0 OR ({is_normal} AND {is_short})"
    # What is closer to 0 would be read with an exponent, which no DECIMAL has.
    most = f"{'9' * _DIGITS}e-{field.scale}"
    return f"{name} = 0 OR CAST(abs({name}) AS DOUBLE) BETWEEN 1e-4 AND {most}"


def _moment(name: str, timezone: str) -> str:
    """SQL of an instant as days and their fraction, where its local time says which it is."""
    zone = literal(timezone)
    local = f"timezone({zone}, timezone('UTC', {name}))"
    is_told = (
        f"{name} BETWEEN {_FIRST_DAY} + 1 AND {_LAST_DAY} - 1"
        f" AND {name} = date_trunc('second', {name})"
        f" AND timezone('UTC', timezone({zone}, {local})) = {name}"
    )
    micros = f"epoch_us({local}) - epoch_us(TIMESTAMP '{_EPOCH} 00:00:00')"
    return f"CASE WHEN {is_told} THEN ({micros}) / 86400000000.0 END"
