"""A plain list of values: one a line, or several separated by commas or bars (IMF-04, IMF-05)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dataport.core.errors import InputError
from dataport.engine.staging.dialect import Dialect
from dataport.engine.staging.mapping import map_columns
from dataport.engine.staging.readers.csv_index import CR, LF, Block
from dataport.engine.staging.readers.csv_reader import csv_sql
from dataport.engine.staging.readers.octets import (
    UNUSED,
    check_length,
    encoding_notice,
    octet_codes,
)
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.readers.spool import Spool, SpoolWriter, part_size
from dataport.engine.staging.request import PARTS, StageRequest
from dataport.engine.staging.sniff import DELIMITERS, value_field
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.text import Encoding, NotUtf8Error, fallback_encoding, utf8_chunks

_IS_SEPARATOR = np.zeros(256, np.bool_)
_IS_SEPARATOR[[LF, *map(ord, DELIMITERS)]] = True
_BLANKS = np.frombuffer(b" \t\r\n\v\f", np.uint8)


def read_values(source: SourceFile, request: StageRequest, encoding: Encoding) -> Reading:
    """The values of a TXT file as rows of one column. Raises InputError."""
    name = value_field(request.dataset)
    notices = []
    try:
        spool = _spool(source, request, encoding)
    except NotUtf8Error as error:
        encoding = fallback_encoding(source.chunks(), encoding)
        notices.append(encoding_notice(encoding, error.line))
        spool = _spool(source, request, encoding)
    if spool.total == 0:
        raise InputError("no-rows", f"{source.path.name} holds no values.", hint="Export it again.")
    dialect = Dialect(UNUSED, False, (name,))
    return Reading(
        format="txt",
        encoding=encoding.name,
        delimiter=None,
        has_header=False,
        columns=(name,),
        mapped=map_columns((name,), request.dataset, {}, request.constants),
        spool=spool,
        sql=f"SELECT trim(c0, ' \"') AS c0 FROM ({csv_sql(spool, dialect, quote='')})",
        limit=request.limits.field_size if spool.longest > request.limits.field_size else None,
        notices=notices,
    )


def _spool(source: SourceFile, request: StageRequest, encoding: Encoding) -> Spool:
    size = part_size(source.identity.size, request)
    with SpoolWriter(request.directory / PARTS, size, request.limits.rows) as writer:
        rest = b""
        for chunk in utf8_chunks(source.chunks(), encoding):
            block = index_values(rest + chunk)
            _add(writer, block, encoding)
            rest = (rest + chunk)[block.consumed :]
            check_length(rest, request.limits.field_size, writer.line)
        if rest:
            _add(writer, index_values(rest + b"\n"), encoding)
        return writer.finish()


def index_values(data: bytes) -> Block:
    """The values of a text up to its last separator, each on a line of its own."""
    octets = np.frombuffer(data, np.uint8)
    # One behind which a line feed may still come, in the next block, is left to that.
    is_newline = (octets == LF) | _is_lone_return(octets)
    newlines = np.flatnonzero(is_newline)
    stops = np.flatnonzero(is_newline | _IS_SEPARATOR[octets]) + 1
    starts = np.concatenate([[0], stops[:-1]])[: stops.size]
    lines = np.searchsorted(newlines, starts)
    end = int(stops[-1]) if stops.size else 0
    split = octets.copy()
    split[stops - 1] = LF
    total = int(np.searchsorted(newlines, end))
    return Block(split.tobytes(), starts, stops, lines, {}, stops[:0], total)


def _is_lone_return(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where a line ends with a carriage return alone."""
    result: npt.NDArray[np.bool_] = octets == CR
    result[:-1] &= octets[1:] != LF
    result[-1:] = False
    return result


def _add(writer: SpoolWriter, block: Block, encoding: Encoding) -> None:
    octets = np.frombuffer(block.data, np.uint8)
    visible = np.flatnonzero(~np.isin(octets, _BLANKS))
    is_blank = np.searchsorted(visible, block.starts) == np.searchsorted(visible, block.stops)
    codes = octet_codes(block, writer.line, encoding, is_delimited=False)
    writer.add(block, codes=codes, is_blank=is_blank)
