"""XLSX and ODS: the sheets of a workbook, and the values that their cells show."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from dataport.core.errors import InputError
from dataport.engine.staging.column_names import (
    ColumnNames,
    above_notice,
    find_column_names,
    header_of_line,
    no_such_header,
)
from dataport.engine.staging.headers import SEARCHED, trimmed
from dataport.engine.staging.look import MOST_ROWS, choose_table, no_such_table
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.mapping import fold
from dataport.engine.staging.readers.cells import texts
from dataport.engine.staging.readers.error_cells import error_cells
from dataport.engine.staging.readers.marks import workbook_mark
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.text_rows import BATCH, TextRows
from dataport.engine.staging.request import StageLimits, StageRequest
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.unpacking import Meter, broken_as_error, measure

Numbered = tuple[int, list[Any]]
"""A row's physical number, from 1, and its cells."""


@contextmanager
def opened(source: SourceFile, limits: StageLimits) -> Iterator[calamine.CalamineWorkbook]:
    """A workbook whose parts, unpacked, keep within `limits`. Raises InputError."""
    name = source.path.name
    meter = Meter(name, source.identity.size, limits)
    with broken_as_error(name), source.open() as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > limits.members:
            raise _unreadable(name, f"It has {len(members):,} parts.")
        for member in members:
            with archive.open(member) as stream:
                measure(stream, meter)
    try:
        with calamine.CalamineWorkbook.from_path(str(source.place)) as book:
            yield book
    except calamine.PasswordError as error:
        raise _unreadable(name, "It is protected by a password.") from error
    except calamine.CalamineError as error:
        raise _unreadable(name, f"{str(error).rstrip('.')}.") from error
    except BaseException as error:
        # What the library did not expect is no subclass of Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(name, "Its parts contradict each other.") from error


def sheets(book: calamine.CalamineWorkbook) -> list[str]:
    """The visible sheets that hold anything, in order; all of them where that is only one."""
    names = [
        meta.name
        for meta in book.sheets_metadata
        if meta.typ == calamine.SheetTypeEnum.WorkSheet
        and meta.visible == calamine.SheetVisibleEnum.Visible
    ]
    if len(names) < 2:
        return names or list(book.sheet_names)
    return [name for name in names if book.get_sheet_by_name(name).height]


def first_rows(book: calamine.CalamineWorkbook, name: str) -> list[tuple[int, list[str | None]]]:
    """The first rows of a sheet that hold anything, as text, each with its number."""
    rows = itertools.islice(_rows(book, name), MOST_ROWS + SEARCHED)
    return [(number, texts(cells)) for number, cells in rows]


def read_workbook(source: SourceFile, request: StageRequest, kind: str) -> Reading:
    """The rows of one sheet, each with its number in the sheet. Raises InputError."""
    with opened(source, request.limits) as book:
        name = _chosen(book, request, source.path.name)
        errors = error_cells(source, name) if kind == "xlsx" else {}
        rows = _rows(book, name, errors)
        head = list(itertools.islice(rows, SEARCHED))
        if not head:
            raise no_rows(source.path.name)
        found = _columns(head, request)
        line = head[found.row][0]
        target = TextRows(request)
        width = len(found.names)
        rest = itertools.chain(head[found.row + found.has_header :], rows)
        while batch := list(itertools.islice(rest, BATCH)):
            width = _add(target, batch, width)
    columns = [*found.names, *(f"column_{at}" for at in range(len(found.names) + 1, width + 1))]
    spool = target.finish()
    if spool.total == 0:
        raise no_rows(source.path.name)
    with header_of_line(line if found.has_header else None):
        mapped = columns_as_fields(columns, request)
    return Reading(
        format=kind,
        encoding="utf-8",
        delimiter=None,
        has_header=found.has_header,
        columns=tuple(columns),
        mapped=mapped,
        spool=spool,
        sql=target.sql(len(columns)),
        limit=request.limits.field_size if spool.longest > request.limits.field_size else None,
        has_error_cells=True,
        notices=[above_notice(line)] if found.row and mapped.by is None else [],
        mark=workbook_mark(source, request.dataset.name),
    )


def _chosen(book: calamine.CalamineWorkbook, request: StageRequest, file: str) -> str:
    """The sheet that was named, else the only one, else the only one called like the dataset."""
    inside, dataset = request.inside, request.dataset
    if inside is not None:
        if inside not in book.sheet_names:
            raise no_such_table(file, inside, book.sheet_names)
        return inside
    names = sheets(book)
    if not names:
        raise no_rows(file)
    titles = {fold(dataset.name), fold(dataset.title)}
    called = [name for name in names if fold(name) in titles]
    return choose_table(called if len(called) == 1 else names, None, file)[0]


def _rows(
    book: calamine.CalamineWorkbook, name: str, errors: dict[tuple[int, int], str] | None = None
) -> Iterator[Numbered]:
    """The rows of a sheet that are not empty; where a formula failed, the cell says how."""
    sheet = book.get_sheet_by_name(name)
    left = sheet.start[1] if sheet.start else 0
    failed: dict[int, dict[int, str]] = {}
    for (row, column), text in (errors or {}).items():
        failed.setdefault(row, {})[column - left] = text
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        for at, text in failed.get(number, {}).items():
            if 0 <= at < len(cells):
                cells[at] = text
        if any(cell not in ("", None) for cell in cells):
            yield number, cells


def _columns(head: Sequence[Numbered], request: StageRequest) -> ColumnNames:
    """What the columns are called; empty cells behind the last name are none."""
    rows, numbers = _cut([texts(cells) for _, cells in head]), [number for number, _ in head]
    line = request.header_line
    if line is not None and line not in numbers:
        raise no_such_header(line, len(head))
    found = find_column_names(rows, request, None if line is None else numbers.index(line))
    names = list(found.names)
    while names and not names[-1]:
        names.pop()
    return replace(found, names=tuple(names))


def _cut(rows: Sequence[Sequence[str | None]]) -> list[Sequence[str | None]]:
    """Rows without the columns at their end that have nothing in any of them."""
    width = max(len(trimmed(row)) for row in rows)
    return [row[:width] for row in rows]


def _add(target: TextRows, batch: Sequence[Numbered], width: int) -> int:
    """Add rows; the number of columns with a name, or something in them, so far."""
    columns = [texts(cells) for cells in zip(*(cells for _, cells in batch), strict=True)]
    while len(columns) > width and not any(columns[-1]):
        columns.pop()
    blank: list[str | None] = [None] * len(batch)
    columns += [blank] * (width - len(columns))
    target.add([pa.array(column, pa.string()) for column in columns], (row for row, _ in batch))
    return len(columns)


def _unreadable(name: str, detail: str) -> InputError:
    return InputError(
        "source-error",
        f"{name} can't be read as a workbook.",
        detail,
        "Save it again as XLSX without a password, or its sheet as CSV.",
    )
