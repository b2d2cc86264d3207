"""XLSX and ODS: the sheets of a workbook, and the values that their cells show."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from dataport.core.errors import InputError
from dataport.engine.staging.detect import detect
from dataport.engine.staging.headers import SEARCHED, labelled_header, likely_header
from dataport.engine.staging.look import MOST_ROWS, choose_table, no_such_table
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.mapping import fold, is_label
from dataport.engine.staging.readers.cells import texts
from dataport.engine.staging.readers.error_cells import error_cells
from dataport.engine.staging.readers.marks import workbook_mark
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.text_rows import BATCH, TextRows
from dataport.engine.staging.request import StageLimits, StageRequest
from dataport.engine.staging.sniff import check_width, is_headerless
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


def first_rows(book: calamine.CalamineWorkbook, name: str) -> list[list[str | None]]:
    """The first rows of a sheet that hold anything, as text."""
    rows = itertools.islice(_rows(book, name), MOST_ROWS + SEARCHED)
    return [texts(cells) for _, cells in rows]


def read_workbook(source: SourceFile, request: StageRequest, kind: str) -> Reading:
    """The rows of one sheet, each with its number in the sheet. Raises InputError."""
    with opened(source, request.limits) as book:
        name = _chosen(book, request, source.path.name)
        errors = error_cells(source, name) if kind == "xlsx" else {}
        rows = _rows(book, name, errors)
        head = list(itertools.islice(rows, SEARCHED))
        if not head:
            raise no_rows(source.path.name)
        columns, start = _columns(head, request)
        target = TextRows(request)
        width = len(columns)
        rest = itertools.chain(head[start:], rows)
        while batch := list(itertools.islice(rest, BATCH)):
            width = _add(target, batch, width)
    columns += [f"column_{at}" for at in range(len(columns) + 1, width + 1)]
    spool = target.finish()
    if spool.total == 0:
        raise no_rows(source.path.name)
    mapped = columns_as_fields(columns, request)
    return Reading(
        format=kind,
        encoding="utf-8",
        delimiter=None,
        has_header=start > 0,
        columns=tuple(columns),
        mapped=mapped,
        spool=spool,
        sql=target.sql(len(columns)),
        limit=request.limits.field_size if spool.longest > request.limits.field_size else None,
        has_error_cells=True,
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


def _columns(head: Sequence[Numbered], request: StageRequest) -> tuple[list[str], int]:
    """The names of the columns, and how many of the first rows are none of the data."""
    rows = [texts(cells) for _, cells in head]
    at = _header(rows, request)
    first = [cell or "" for cell in rows[0]]
    if at is None and is_headerless(first, request.dataset):
        names = [*request.dataset.headerless[: len(first)]]
        return names + [f"column_{at}" for at in range(len(names) + 1, len(first) + 1)], 0
    if at is None:
        at = likely_header(rows) or 0
    labels = [(cell or "").strip() for cell in rows[at]]
    while labels and not labels[-1]:
        labels.pop()
    check_width(len(labels), request.limits.columns)
    return labels, at + 1


def _header(rows: Sequence[Sequence[str | None]], request: StageRequest) -> int | None:
    """The place of the row with the names that a mapping or the dataset knows, if there is one."""
    mapping = request.mapping
    mappings = request.candidates if mapping is None else (mapping,)
    detected = detect(mappings, [[cell or "" for cell in row] for row in rows])
    if detected is not None:
        return detected.row
    if mapping is not None:
        labels = set(map(fold, mapping.labels))
        return labelled_header(rows, lambda cell: fold(cell) in labels)
    forced = {fold(label) for label in request.columns.values()}
    return labelled_header(
        rows, lambda cell: is_label(cell, request.dataset) or fold(cell) in forced
    )


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
