"""How a text holds records: what cuts them into cells, and what its columns are called."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dataport.core.errors import InputError
from dataport.engine.staging.column_names import (
    detected_row,
    find_column_names,
    header_row,
    name_test,
    no_such_header,
)
from dataport.engine.staging.readers.csv_index import index_block
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.sniff import DELIMITERS

SAMPLE_RECORDS = 200

_STATED = re.compile(r'"?sep=([!#-/:-@\[\]^`{-~\t ])"?[ \t]*[\r\n]', re.IGNORECASE)
"""A first line in which a spreadsheet says what separates its cells."""


@dataclass(frozen=True)
class Dialect:
    """How a text holds records."""

    delimiter: str
    has_header: bool
    columns: tuple[str, ...]
    """Names of the columns; without a header those of the fields at these positions."""
    before: int = 0
    """Records above the header that only tell of the file; blank ones don't count."""
    line: int = 1
    """The physical line, from 1, of the header or the first row."""


@dataclass(frozen=True)
class Sample:
    """The first records of a text that hold anything, cut by one delimiter."""

    delimiter: str
    rows: list[list[str]]
    lines: list[int]
    """The physical line, from 1, in which each begins."""
    skipped: int = 0
    """Records before them, which only say what the delimiter is."""

    @property
    def width(self) -> int:
        """The cells that most records have which are cut at all."""
        widths = Counter(len(row) for row in self.rows if len(row) > 1)
        return max(widths, key=lambda width: (widths[width], width), default=0)

    @property
    def evenness(self) -> tuple[float, int]:
        """How evenly the delimiter cuts the text, whatever it means; comparable."""
        width = self.width
        even = sum(len(row) == width for row in self.rows) / len(self.rows) if width else 0.0
        return even, width

    def place(self, line: int | None) -> int | None:
        """The record that begins in `line`, if there is one."""
        return self.lines.index(line) if line in self.lines else None


def samples(text: str) -> list[Sample]:
    """The head of a text, cut by each delimiter that may be its own; empty for one without records.

    Records are those that the reader of the whole file finds.
    """
    stated = _STATED.match(text)
    delimiters = DELIMITERS if stated is None else (stated[1],)
    found = (_sample(text, delimiter, stated is not None) for delimiter in delimiters)
    return [sample for sample in found if sample.rows]


def most_even(text: str) -> Sample | None:
    """The sample by which the head of a text is a table, as far as it tells itself."""
    return max(samples(text), key=lambda sample: sample.evenness, default=None)


def find_dialect(text: str, request: StageRequest) -> Dialect:
    """Delimiter, header and column names of a CSV text (V-14). Raises InputError."""
    found = samples(text)
    if not found:
        raise InputError("no-rows", "The file holds no rows.", hint="Export it again.")
    line = request.header_line
    fitting = [sample for sample in found if line is None or line in sample.lines]
    if line is not None and not fitting:
        raise no_such_header(line, len(found[0].rows))
    sample = _of_mapping(fitting, request) or max(fitting, key=lambda each: _score(each, request))
    columns = find_column_names(sample.rows, request, sample.place(line))
    return Dialect(
        sample.delimiter,
        columns.has_header,
        columns.names,
        sample.skipped + columns.row,
        sample.lines[columns.row],
    )


def _of_mapping(found: Iterable[Sample], request: StageRequest) -> Sample | None:
    """The first sample in which the names are found that tell of a mapping."""
    for sample in found:
        told = sample.place(request.header_line)
        if detected_row(sample.rows if told is None else [sample.rows[told]], request) is not None:
            return sample
    return None


def _score(sample: Sample, request: StageRequest) -> tuple[int, float, int]:
    """How well a delimiter does: names of columns that it finds, and how even the rows are."""
    told, is_name = sample.place(request.header_line), name_test(request)
    header = sample.rows[header_row(sample.rows, is_name) if told is None else told]
    names = sum(map(is_name, header)) if sample.width else 0
    return names, *sample.evenness


def _sample(text: str, delimiter: str, is_stated: bool) -> Sample:
    if "\n" not in text:
        text = text.replace("\r", "\n")
    data = text.encode()
    block = index_block(data, ord(delimiter), len(data), is_last=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    for start, stop, line in zip(block.starts, block.stops, block.lines, strict=True):
        record = block.data[start:stop].decode("utf-8", "replace").rstrip("\r\n")
        if record:
            parsed = parse_record(record, delimiter)
            rows.append(parsed[0] if len(parsed) == 1 else record.split(delimiter))
            lines.append(int(line) + 1)
        if len(rows) == SAMPLE_RECORDS + is_stated:
            break
    return Sample(delimiter, rows[is_stated:], lines[is_stated:], int(is_stated))


def parse_record(text: str, delimiter: str) -> list[list[str]]:
    """The rows that Python's parser finds in the text of one record; none where it refuses."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return []
