"""What names the columns of a table: a row that a person said, that is known, or that looks like it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dataport.core.errors import InputError
from dataport.engine.catalog.model import Dataset
from dataport.engine.staging.detect import detect
from dataport.engine.staging.headers import Row, first_wide, labelled_header, likely_header
from dataport.engine.staging.mapping import fold, is_label
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.samples import passes
from dataport.engine.staging.sniff import check_width

MISSING = "missing-label"
"""Code of the error of a table whose columns can't be told."""


@dataclass(frozen=True)
class ColumnNames:
    """The columns of a table, and where in it they are named."""

    names: tuple[str, ...]
    """Without a header those of the fields at these positions."""
    has_header: bool
    row: int
    """Place of the header, or of the first row of data; what stands above only tells of the file."""


def find_column_names(
    rows: Sequence[Row], request: StageRequest, told: int | None = None
) -> ColumnNames:
    """What the columns of a table with these first rows are called (V-14).

    `told` is the place of the header where that was said. Raises InputError for too many columns.
    """
    row = detected_row(rows, request) if told is None else told
    first = _first_of_data(rows, request.dataset) if row is None else None
    if first is not None:
        width = len(rows[first])
        check_width(width, request.limits.columns)
        names = [*request.dataset.headerless[:width]]
        names += [f"column_{number}" for number in range(len(names) + 1, width + 1)]
        return ColumnNames(tuple(names), False, first)
    row = header_row(rows, name_test(request)) if row is None else row
    labels = [(cell or "").strip() for cell in rows[row]]
    check_width(len(labels), request.limits.columns)
    return ColumnNames(tuple(labels), True, row)


def detected_row(rows: Sequence[Row], request: StageRequest) -> int | None:
    """The place of the row that tells of a mapping, if there is one."""
    mappings = request.candidates if request.mapping is None else (request.mapping,)
    detected = detect(mappings, [[cell or "" for cell in row] for row in rows])
    return None if detected is None else detected.row


def header_row(rows: Sequence[Row], is_name: Callable[[str], bool]) -> int:
    """The place of the row with most names of columns, else of the likeliest."""
    found = labelled_header(rows, is_name)
    if found is None and not any(is_name(cell) for cell in rows[0] if cell):
        found = likely_header(rows)
    return found or 0


def name_test(request: StageRequest) -> Callable[[str], bool]:
    """Tells whether a cell is what the mapping, the dataset or the request calls a column."""
    mapping, dataset = request.mapping, request.dataset
    labels = mapping.labels if mapping else request.columns.values()
    folded = {fold(label) for label in labels}
    is_open = mapping is None or mapping.others == "match"
    return lambda cell: fold(cell) in folded or (is_open and is_label(cell, dataset))


def is_headerless(first: Row, dataset: Dataset) -> bool:
    """Whether a first row is data: its cells pass the checks of the fields at their places (V-14).

    A word that also names a field proves nothing: `mobile` is a line type too. A row without a
    single telling cell, one whose check could fail, is taken for a header.
    """
    verdicts = [
        passes(dataset.field(name), (cell or "").strip())
        for name, cell in zip(dataset.headerless, first, strict=False)
    ]
    return True in verdicts and False not in verdicts


def _first_of_data(rows: Sequence[Row], dataset: Dataset) -> int | None:
    """The place of the first row of a table without a header; None where it has one.

    Lines above may tell of the file. A row of values before the first that could be a header is
    never taken for such a line.
    """
    if not dataset.headerless:
        return None
    wide = first_wide(rows)
    return next((at for at in range(wide + 1) if is_headerless(rows[at], dataset)), None)


@contextmanager
def header_of_line(line: int | None) -> Iterator[None]:
    """Let the error of columns that can't be told say which line was taken for the header."""
    try:
        yield
    except InputError as error:
        if error.code != MISSING or line is None:
            raise
        raise InputError(
            error.code,
            error.title,
            f"{error.detail} Line {line} was taken for the header.",
            f"{error.hint} If another line names the columns: --header-line LINE.",
        ) from error


def above_notice(line: int) -> str:
    """What to say of rows above the header, or above the data of a table without one."""
    return f"The table begins in line {line}; what stands above it was left out."


def no_such_header(line: int, searched: int) -> InputError:
    """The error of a line that was said to be the header, and is none."""
    return InputError(
        "no-such-header",
        f"No row begins in line {line}.",
        f"The header is looked for among the first {searched} rows that are not empty.",
        "Count lines from 1, empty ones too; where a cell goes over several, its row begins in the"
        " first of them.",
    )
