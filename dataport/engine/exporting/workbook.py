"""Rows to XLSX workbooks (EXF-08, EXF-15, EXF-16).

Rows stream from the store in batches and go to the disk one by one, so that memory does not grow
with their number. The library takes one cell at a time: this is the one loop over cells there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataport.core.errors import InputError
from dataport.engine.export_marks import mark_name
from dataport.engine.exporting.sheet_columns import SheetColumn, sheet_column
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.unfit import Problem, check_texts
from dataport.engine.store import Connection

MOST_ROWS = 1_048_576
"""Of a sheet, the header among them."""
MOST_CHARACTERS = 32_767
"""Of a cell, counted as UTF-16 does."""
LONGEST_NAME = 31
"""Characters of a sheet's name."""

_BATCH = 5_000
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
    import xlsxwriter

    for sheet in sheets:
        _check(cursor, sheet)
    options = {"constant_memory": True, "tmpdir": str(path.parent), "use_zip64": True}
    rows = 0
    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        for sheet in sheets:
            rows += _write_sheet(cursor, book, sheet)
            if sheet.table.mark:
                name, text = mark_name(sheet.table.dataset), sheet.table.mark.to_text()
                book.set_custom_property(name, text, "text")
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


def _write_sheet(cursor: Connection, book: Any, sheet: Sheet) -> int:
    page, header = add_page(book, sheet.name)
    forms = [book.add_format({"num_format": column.form}) for column in sheet.columns]
    for at, (column, form) in enumerate(zip(sheet.columns, forms, strict=True)):
        hidden = {"hidden": True} if column.is_hidden else {}
        page.set_column(at, at, column.width, form, hidden)
    for at, column in enumerate(sheet.columns):
        page.write_string(0, at, column.title, header)
    number = 0
    for number, cells in enumerate(_rows(cursor, sheet), start=1):
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, str):
                page.write_string(number, at, cell, forms[at])
            elif isinstance(cell, bool):
                page.write_boolean(number, at, cell, forms[at])
            else:
                page.write_number(number, at, cell, forms[at])
    return number


def _rows(cursor: Connection, sheet: Sheet) -> Iterator[tuple[Any, ...]]:
    """The cells of each row, as Python has them: text, numbers, true and false, None."""
    values = ", ".join(
        f"{column.value or 'NULL'} AS v{at}, {column.text or 'NULL::VARCHAR'} AS t{at}"
        for at, column in enumerate(sheet.columns)
    )
    found: Any = cursor.execute(f"SELECT {values} FROM ({sheet.table.query})")
    for batch in found.to_arrow_reader(_BATCH):
        columns = [batch.column(at) for at in range(batch.num_columns)]
        yield from zip(*map(_merged, columns[::2], columns[1::2]), strict=True)


def _merged(values: Any, texts: Any) -> list[Any]:
    """A column's values, and where there is none, its texts."""
    if texts.null_count == len(texts):
        return list(values.to_pylist())
    if values.null_count == len(values):
        return list(texts.to_pylist())
    pairs = zip(values.to_pylist(), texts.to_pylist(), strict=True)
    return [text if value is None else value for value, text in pairs]


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
