"""CSV of any delimiter, with or without a header, to rows of text."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from dataport.core.errors import InputError
from dataport.engine.sql import literal
from dataport.engine.staging.column_names import above_notice, header_of_line
from dataport.engine.staging.dialect import Dialect, parse_record
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.readers.csv_index import CR, LF, Block, Positions, index_block
from dataport.engine.staging.readers.octets import check_length, encoding_notice, octet_codes
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.readers.spool import Part, Spool, SpoolWriter, part_size
from dataport.engine.staging.reject_layout import reject_layout
from dataport.engine.staging.request import PARTS, StageRequest
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.text import Encoding, NotUtf8Error, fallback_encoding, utf8_chunks

LEAST_LINE = 2**21
"""DuckDB's own limit of a line, in bytes; raised where a record is longer."""


class Care(IntEnum):
    """How much is done to a record before DuckDB parses it; each costs more than the last."""

    PLAIN = 0
    """Records are copied as they are: right unless the parser objects."""
    COUNTED = 1
    """Records with the wrong number of cells are cut out."""
    REWRITTEN = 2
    """Records are parsed here and written again in the plainest form."""


@dataclass(frozen=True)
class CsvJob:
    """One pass over one file."""

    request: StageRequest
    dialect: Dialect
    encoding: Encoding
    care: Care


def read_csv(
    source: SourceFile, request: StageRequest, dialect: Dialect, encoding: Encoding, care: Care
) -> Reading:
    """The rows of a CSV file. Raises InputError for what spoils the whole file."""
    with header_of_line(dialect.line if dialect.has_header else None):
        mapped = columns_as_fields(dialect.columns, request)
    is_told = dialect.before and mapped.by is None
    notices = [above_notice(dialect.line)] if is_told else []
    job = CsvJob(request, dialect, encoding, care)
    try:
        spool = _spool(source, job)
    except NotUtf8Error as error:
        encoding = fallback_encoding(source.chunks(), encoding)
        notices.append(encoding_notice(encoding, error.line))
        job = replace(job, encoding=encoding)
        spool = _spool(source, job)
    if spool.total == 0:
        raise InputError(
            "no-rows",
            f"{source.path.name} holds a header and no rows." if dialect.has_header else "No rows.",
            hint="Export it again; there is nothing to import.",
        )
    if spool.has_mixed_ends:
        notices.append("Line ends are mixed; each is taken as one.")
    return Reading(
        format="csv",
        encoding=encoding.name,
        delimiter=dialect.delimiter,
        has_header=dialect.has_header,
        columns=dialect.columns,
        mapped=mapped,
        spool=spool,
        sql=csv_sql(spool, dialect),
        limit=request.limits.field_size if spool.longest > request.limits.field_size else None,
        notices=notices,
        sql_of=lambda some: csv_sql(some, dialect),
    )


def csv_sql(spool: Spool, dialect: Dialect, quote: str = '"') -> str:
    """SELECT of the spool's rows, all text, in order."""
    if not spool.parts:
        empty = ", ".join(f"NULL::VARCHAR AS c{at}" for at in range(len(dialect.columns)))
        return f"SELECT {empty} WHERE false"
    runs = itertools.groupby(spool.parts, key=lambda part: part.has_returns)
    return " UNION ALL ".join(
        _run_sql(list(parts), dialect, quote, max(LEAST_LINE, spool.longest + 16))
        for _, parts in runs
    )


def _run_sql(parts: list[Part], dialect: Dialect, quote: str, longest: int) -> str:
    paths = ", ".join(literal(str(part.path)) for part in parts)
    columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(dialect.columns)))
    # A line end that DuckDB guesses may be that of a newline inside quotes.
    ends = "\\r\\n" if parts[0].has_returns else "\\n"
    # A part is read by one thread: side by side, DuckDB takes the inside of quotes for rows.
    return (
        f"SELECT * FROM read_csv([{paths}], auto_detect = false, header = false,"
        f" delim = {literal(dialect.delimiter)}, quote = {literal(quote)},"
        f" escape = {literal(quote)}, parallel = false, new_line = '{ends}',"
        f" max_line_size = {longest}, columns = {{{columns}}})"
    )


def blocks(source: SourceFile, encoding: Encoding, delimiter: int, limit: int) -> Iterator[Block]:
    """The file's records, a block at a time."""
    rest, line = b"", 1
    for chunk in utf8_chunks(source.chunks(), encoding):
        data = rest + chunk
        block = index_block(data, delimiter, limit, is_last=False)
        yield block
        rest, line = block.data[block.consumed :], line + block.newlines
        check_length(rest, limit, line)
    while rest:
        block = index_block(rest, delimiter, limit, is_last=True)
        yield block
        rest = block.data[block.consumed :]


def _spool(source: SourceFile, job: CsvJob) -> Spool:
    request, dialect = job.request, job.dialect
    widths = _widths(dialect.columns)
    delimiter = ord(dialect.delimiter)
    size = part_size(source.identity.size, request)
    with SpoolWriter(request.directory / PARTS, size, request.limits.rows) as writer:
        above = dialect.before + dialect.has_header
        for found in blocks(source, job.encoding, delimiter, request.limits.field_size):
            block = found
            codes = dict(block.cuts) | octet_codes(block, writer.line, job.encoding)
            skip, above = _skip_above(block, above)
            cells = block.cells(delimiter) if job.care >= Care.COUNTED else None
            if cells is not None:
                codes = _width_codes(block, cells, delimiter, widths) | codes
            if job.care is Care.REWRITTEN:
                block, more = _rewritten(block, codes, dialect, widths)
                codes = more | codes
            writer.add(block, skip, codes, cells)
        return writer.finish()


def _skip_above(block: Block, above: int) -> tuple[int, int]:
    """How many records to skip for as many of `above` as are there, and how many of it are left.

    Those of `above`, the header and what stands before it, are not blank; blank ones may lie
    between them.
    """
    skip = 0
    for index, (start, stop) in enumerate(zip(block.starts, block.stops, strict=True)):
        if above == 0:
            break
        if block.data[start:stop].strip(b"\r\n"):
            skip, above = index + 1, above - 1
    return skip, above


def _widths(columns: tuple[str, ...]) -> range:
    """How many cells a record may have; the last one says which columns there are.

    A spreadsheet that saves a reject file leaves off last columns that are empty for long.
    """
    layout = reject_layout(columns)
    return range(layout.stop if layout else len(columns), len(columns) + 1)


def _width_codes(block: Block, cells: Positions, delimiter: int, widths: range) -> dict[int, str]:
    """Records with too few or too many cells; empty ones too many at the end are let pass."""
    codes = dict.fromkeys(np.flatnonzero(cells < widths[0]).tolist(), "missing-cell")
    wide = np.flatnonzero(cells > widths[-1])
    if wide.size:
        data = np.frombuffer(block.data, np.uint8)
        last = block.stops[wide] - 1
        last = last - (data[last] == LF)
        last = last - (data[np.maximum(last, 0)] == CR)
        solid = np.concatenate([[-1], np.flatnonzero(data != delimiter)])
        empty = last - solid[np.searchsorted(solid, last, side="right") - 1]
        wide = wide[cells[wide] - empty > widths[-1]]
    return codes | dict.fromkeys(wide.tolist(), "extra-cell")


def _rewritten(
    block: Block, codes: dict[int, str], dialect: Dialect, widths: range
) -> tuple[Block, dict[int, str]]:
    """A block with every cell quoted, and the records that Python's parser refuses."""
    written, failed = bytearray(), {}
    stops = []
    for index, (start, stop) in enumerate(zip(block.starts, block.stops, strict=True)):
        record = block.data[start:stop]
        if record.strip(b"\r\n") and index not in codes:
            rows = parse_record(record.decode(), dialect.delimiter)
            if len(rows) == 1 and len(rows[0]) >= widths[0]:
                padding = [""] * (widths[-1] - len(rows[0]))
                record = _plain([*rows[0][: widths[-1]], *padding], dialect.delimiter)
            else:
                failed[index] = "bad-quote"
        written += record
        stops.append(len(written))
    ends = np.array(stops, np.int64)
    starts = np.concatenate([[0], ends[:-1]])[: ends.size]
    return replace(block, data=bytes(written), starts=starts, stops=ends, cuts={}), failed


def _plain(cells: list[str], delimiter: str) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(
        cells
    )
    return target.getvalue().encode()
