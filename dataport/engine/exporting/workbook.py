"""Rows to XLSX workbooks (EXF-08, EXF-15, EXF-16).

The library, which takes one cell at a time, makes the workbook without its rows: sheets, headers,
formats and properties. SQL makes the rows, which stream to the disk, so that neither memory nor the
interpreter's time grows with their number.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataport.core.errors import InputError
from dataport.engine.export_marks import mark_name
from dataport.engine.exporting.packing import pack
from dataport.engine.exporting.sheet_columns import SheetColumn, sheet_column
from dataport.engine.exporting.sheet_rows import sheet_rows
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.unfit import Problem, check_texts
from dataport.engine.store import Connection

MOST_ROWS = 1_048_576
"""Of a sheet, the header among them."""
MOST_CHARACTERS = 32_767
"""Of a cell, counted as UTF-16 does."""
LONGEST_NAME = 31
"""Characters of a sheet's name."""

_PATTERN = re.compile('(<row r="2".*?</row>)')
_STYLE = re.compile(' s="([0-9]+)"')
_EXTENT = re.compile("<dimension [^>]*/>")
_HEADER = {"bold": True, "bg_color": "#E0E0E0"}
"""Format of header cells."""


def _is_long(text: str) -> str:
    # Characters beyond the first 65,536 count twice.
    beyond = f"length(regexp_replace({text}, '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g'))"
    is_long = f"length({text}) + {beyond} > {MOST_CHARACTERS}"
    return f"CASE WHEN strlen({text}) > {MOST_CHARACTERS} THEN {is_long} END"


_PROBLEMS = (
    Problem(
        "cell-too-long", f"is longer than the {MOST_CHARACTERS:,} characters of a cell", _is_long
    ),
    Problem(
        "character-unfit",
        "holds U+FFFE or U+FFFF, which no cell of XLSX can",
        lambda text: f"regexp_matches({text}, '[\\x{{FFFE}}\\x{{FFFF}}]')",
    ),
)


@dataclass(frozen=True)
class Sheet:
    """One table of a workbook."""

    name: str
    table: Table
    columns: Sequence[SheetColumn]

    @classmethod
    def of(cls, table: Table) -> Sheet:
        """All fields of a table, by their names, on a sheet with the name of the dataset."""
        columns = [sheet_column(field, table.timezone) for field in table.fields]
        return cls(table.dataset, table, columns)


def write_xlsx(cursor: Connection, table: Table, path: Path) -> int:
    """A workbook with one sheet; text stays text, whatever it looks like."""
    return write_workbook(cursor, [Sheet.of(table)], path)


def write_workbook(cursor: Connection, sheets: Sequence[Sheet], path: Path) -> int:
    """Write `sheets`, and the marks of their tables. Raises InputError where one holds no more."""
    for sheet in sheets:
        _check(cursor, sheet)
    parts = path.with_name(path.name + ".parts")
    try:
        with zipfile.ZipFile(io.BytesIO(_frame(sheets))) as frame:
            frame.extractall(parts)
            names = frame.namelist()
        rows = 0
        for number, sheet in enumerate(sheets, start=1):
            rows += _fill(cursor, parts / f"xl/worksheets/sheet{number}.xml", sheet)
        pack({name: parts / name for name in names}, path)
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    return rows


def add_page(book: Any, name: str) -> tuple[Any, Any]:
    """A worksheet below a header that stays in view, and the format of the header's cells.

    Names of sheets are short, and differ in more than the case of letters.
    """
    taken, number = {page.get_name().lower() for page in book.worksheets()}, 1
    short = name[:LONGEST_NAME]
    while short.lower() in taken:
        number += 1
        short = f"{name[: LONGEST_NAME - len(str(number)) - 1]} {number}"
    page = book.add_worksheet(short)
    page.freeze_panes(1, 0)
    # A spreadsheet would mark each id of digits as a number that was stored as text.
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
    return page, book.add_format(_HEADER)


def _frame(sheets: Sequence[Sheet]) -> bytes:
    """The workbook with a header on each sheet, and below it a row of empty cells: the pattern."""
    import xlsxwriter

    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        for sheet in sheets:
            _write_frame(book, sheet)
            if sheet.table.mark:
                name, text = mark_name(sheet.table.dataset), sheet.table.mark.to_text()
                book.set_custom_property(name, text, "text")
    return target.getvalue()


def _write_frame(book: Any, sheet: Sheet) -> None:
    page, header = add_page(book, sheet.name)
    for at, column in enumerate(sheet.columns):
        form = book.add_format({"num_format": column.form})
        hidden = {"hidden": True} if column.is_hidden else {}
        page.set_column(at, at, column.width, form, hidden)
        page.write_string(0, at, column.title, header)
        page.write_blank(1, at, None, form)


def _fill(cursor: Connection, part: Path, sheet: Sheet) -> int:
    """Put a sheet's rows in the place of the pattern, whose cells tell their formats."""
    from xlsxwriter.utility import xl_range

    frame = part.read_text(encoding="utf-8")
    before, pattern, after = _PATTERN.split(frame, maxsplit=1)
    styles = _STYLE.findall(pattern)
    extent = xl_range(0, 0, sheet.table.rows, len(sheet.columns) - 1)
    count = 0
    with part.open("wb") as file:
        file.write(_EXTENT.sub(f'<dimension ref="{extent}"/>', before).encode())
        for rows, octets in sheet_rows(cursor, sheet.table.query, sheet.columns, styles):
            file.write(octets)
            count += rows
        file.write(after.encode())
    return count


def _check(cursor: Connection, sheet: Sheet) -> None:
    """Raise InputError for more rows or longer text than a sheet holds, or for what it can't."""
    table = sheet.table
    if table.rows >= MOST_ROWS:
        raise InputError(
            "too-many-rows",
            f"{table.rows:,} rows of {table.dataset} don't fit on a sheet.",
            f"A sheet of XLSX holds {MOST_ROWS - 1:,} rows and a header.",
            "Export as csv, json or parquet, or fewer rows with --where, --from or --until.",
        )
    texts = {each.field.name: each.text for each in sheet.columns if each.text}
    check_texts(cursor, table, texts, _PROBLEMS)
