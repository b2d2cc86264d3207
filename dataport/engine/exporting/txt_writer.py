"""TXT: aligned columns with bars between them, which reading takes back as a table (EXF-03, V-15).

A cell stands between blanks. One that holds a bar, a quote or a line break has quotes in the places
of these, so that the columns stay aligned; its padding is trimmed off by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataport.engine.catalog.model import Field, Normalise
from dataport.engine.exporting.cells import csv_cell, text_cell
from dataport.engine.exporting.lines import write_lines
from dataport.engine.exporting.table import Table
from dataport.engine.sql import literal
from dataport.engine.staging.clean import TEXTUAL
from dataport.engine.store import Connection

WIDEST = 40
"""Characters to which cells are padded; longer ones push the rest of their line to the right."""

_SPECIAL = '[|"\r\n]'
_SEPARATORS = '[|",;\t\r\n]'
"""Of a table of one column, whose separator a reader could only guess."""


def write_txt(cursor: Connection, table: Table, path: Path) -> int:
    """A header with the names of the fields, and a line a row."""
    widths = _widths(cursor, table)
    special = _SEPARATORS if len(table.fields) == 1 else _SPECIAL
    last = len(table.fields) - 1
    cells = [
        _cell(field, special, None if at == last else width)
        for at, (field, width) in enumerate(zip(table.fields, widths, strict=True))
    ]
    header = [
        f" {field.name}" if at == last else f" {field.name.ljust(width)} "
        for at, (field, width) in enumerate(zip(table.fields, widths, strict=True))
    ]
    line = " || '|' || ".join(cells)
    query = f"SELECT {line} || '\n' FROM ({table.query})"
    return write_lines(cursor, query, path, "|".join(header) + "\n", "")


def _widths(cursor: Connection, table: Table) -> Sequence[int]:
    longest = ", ".join(f"max(length({text_cell(field)}))" for field in table.fields)
    found = cursor.execute(f"SELECT {longest} FROM ({table.query})").fetchone() or ()
    return [
        max(len(field.name), min(length or 0, WIDEST))
        for field, length in zip(table.fields, found, strict=True)
    ]


def _cell(field: Field, special: str, width: int | None) -> str:
    """SQL of a cell with what stands around it; the last one of a line is not padded.

    Where blanks count, the text stands in quotes alone, and nothing stands for no value.
    """
    text = text_cell(field)
    quoted = f"replace({csv_cell(field)}, '\"', '\"\"')"
    if field.type in TEXTUAL and Normalise.TRIM not in field.normalise:
        return f"coalesce('\"' || {quoted} || '\"', '')"
    is_special = f"regexp_matches({text}, {literal(special)})"
    in_quotes = f"'\"' || {_padded(quoted, width)} || '\"'"
    plain = _padded(f"coalesce({text}, '')", width)
    end = "" if width is None else " || ' '"
    return f"CASE WHEN {is_special} THEN {in_quotes} ELSE ' ' || {plain}{end} END"


def _padded(text: str, width: int | None) -> str:
    return text if width is None else f"{text} || repeat(' ', {width} - length({text}))"
