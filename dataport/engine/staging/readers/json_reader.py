"""JSON to rows of text: an array of objects, an object with one such array, or NDJSON."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dataport.core.errors import InputError
from dataport.engine.staging.dialect import Dialect
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.readers.csv_index import Block
from dataport.engine.staging.readers.csv_reader import csv_sql
from dataport.engine.staging.readers.json_envelope import (
    Array,
    check_names,
    find_array,
    names_after,
    too_deep,
)
from dataport.engine.staging.readers.json_index import (
    TooDeepError,
    blanks,
    deep_lines,
    index_items,
    index_lines,
)
from dataport.engine.staging.readers.json_numbers import cells_sql
from dataport.engine.staging.readers.json_shapes import (
    find_shapes,
    item_names,
    names_sql,
    wrong_sql,
)
from dataport.engine.staging.readers.octets import (
    UNUSED,
    check_length,
    encoding_notice,
    octet_codes,
)
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.spool import Cut, Spool, SpoolWriter, part_size
from dataport.engine.staging.request import PARTS, StageRequest
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.text import (
    Encoding,
    NotUtf8Error,
    decoded_head,
    fallback_encoding,
    utf8_chunks,
)

if TYPE_CHECKING:
    import duckdb


def read_json(
    connection: duckdb.DuckDBPyConnection,
    source: SourceFile,
    request: StageRequest,
    encoding: Encoding,
) -> Reading:
    """The objects of a JSON file as rows of their values' text. Raises InputError."""
    text = decoded_head(source.head, encoding)
    array = find_array(text, source.path.name, request.limits.nesting)
    notices: list[str] = []
    try:
        spool = _spool(source, request, encoding, array)
    except NotUtf8Error as error:
        encoding = fallback_encoding(source.chunks(), encoding)
        notices.append(encoding_notice(encoding, error.line))
        spool = _spool(source, request, encoding, array)
    spool = _checked(connection, spool, source, encoding, in_array=array is not None)
    if spool.total == 0:
        raise no_rows(source.path.name)
    columns = item_names(connection, request.limits.columns)
    mapped = columns_as_fields(columns, request)
    return Reading(
        format="json" if array is not None else "ndjson",
        encoding=encoding.name,
        delimiter=None,
        has_header=True,
        columns=columns,
        mapped=mapped,
        spool=spool,
        sql=_rows_sql(columns, names_sql(connection, "item")),
        states_keys=True,
        limit=request.limits.field_size if spool.longest > request.limits.field_size else None,
        notices=notices,
    )


def _spool(
    source: SourceFile, request: StageRequest, encoding: Encoding, array: Array | None
) -> Spool:
    size = part_size(source.identity.size, request)
    nesting = request.limits.nesting
    with SpoolWriter(request.directory / PARTS, size, request.limits.rows) as writer:

        def add(block: Block, codes: dict[int, str]) -> None:
            codes = codes | octet_codes(block, writer.line, encoding, is_delimited=False)
            writer.add(block, codes=codes, is_blank=blanks(block))

        def check(rest: bytes) -> None:
            check_length(rest, request.limits.field_size, writer.line)

        chunks = utf8_chunks(source.chunks(), encoding)
        if array is None:
            _spool_lines(chunks, lambda block: add(block, deep_lines(block, nesting)), check)
            return writer.finish()
        head = decoded_head(source.head, encoding)[: array.start]
        writer.skip_lines(head.count("\n"))
        items = _Items(len(head.encode()), nesting, lambda block: add(block, {}), check)
        try:
            items.take(chunks)
        except TooDeepError as error:
            raise too_deep(source.path.name, nesting, writer.line + error.line) from error
        _check_end(items, array, source, encoding)
        return writer.finish()


def _spool_lines(
    chunks: Iterator[bytes], add: Callable[[Block], None], check: Callable[[bytes], None]
) -> None:
    """Add the lines of a text; `check` looks at what has been read of one that goes on."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        block = index_lines(data)
        add(block)
        rest = data[block.consumed :]
        check(rest)
    if rest:
        add(index_lines(rest + b"\n"))


@dataclass
class _Items:
    """The items of one array, block by block."""

    skip: int
    """Bytes before the first item that are still to come."""
    nesting: int
    add: Callable[[Block], None]
    check: Callable[[bytes], None]
    """Looks at what has been read of an item that goes on."""
    is_closed: bool = False
    """Whether the array has ended."""
    rest: bytes = b""
    """What has not been added: the begin of an item, or what stands behind the array."""

    def take(self, chunks: Iterator[bytes]) -> None:
        """Add every whole item of a document. Raises TooDeepError."""
        for chunk in chunks:
            data = self.rest + chunk
            if self.skip:
                data, self.skip = data[self.skip :], max(0, self.skip - len(data))
            if not self.is_closed:
                block, closed = index_items(data, self.nesting)
                self.add(block)
                self.is_closed = closed is not None
                data = data[block.consumed :]
                if not self.is_closed:
                    self.check(data)
            self.rest = data


def _check_end(items: _Items, array: Array, source: SourceFile, encoding: Encoding) -> None:
    """Raise InputError unless the document ends as it began, with no name twice around its list."""
    tail = items.rest.strip()
    if not items.is_closed or (array.names is None and tail):
        raise broken(source, encoding)
    if array.names is not None:
        names = names_after(tail)
        if names is None:
            raise broken(source, encoding)
        check_names([*array.names, *names], source.path.name)


def broken(source: SourceFile, encoding: Encoding, line: int | None = None) -> InputError:
    """The error of a JSON document that is none, with line and column."""
    where = f"Line {line}." if line else ""
    text = b"".join(utf8_chunks(source.chunks(), encoding)).decode("utf-8", "replace")
    try:
        with contextlib.suppress(RecursionError):
            json.loads(text)
    except json.JSONDecodeError as error:
        where = f"Line {error.lineno}, column {error.colno}: {error.msg}."
    return InputError(
        "json-error",
        f"{source.path.name} is no complete JSON document.",
        where,
        "Export it again; a file that breaks off was often not written to its end.",
    )


def _checked(
    connection: duckdb.DuckDBPyConnection,
    spool: Spool,
    source: SourceFile,
    encoding: Encoding,
    *,
    in_array: bool,
) -> Spool:
    """Keep the items that are objects in the temporary table `items`; the others become cuts."""
    lines = csv_sql(spool, Dialect(UNUSED, False, ("item",)), quote="")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE items AS SELECT c0 AS item,"
        f" {wrong_sql('c0', 'json_valid(c0)')} AS code FROM ({lines})"
    )
    find_shapes(connection)
    found = connection.execute(
        "SELECT rowid, item, code FROM items WHERE code IS NOT NULL ORDER BY rowid"
    ).fetchall()
    is_kept = np.ones(spool.records.size, np.bool_)
    cuts = list(spool.cuts)
    for row, item, code in found:
        line = int(spool.lines[row])
        if in_array and code == "json-error":
            raise broken(source, encoding, line)
        cuts.append(Cut(int(spool.records[row]), line, str(code), str(item).strip()))
        is_kept[row] = False
    cuts.sort(key=lambda cut: cut.record)
    return replace(spool, records=spool.records[is_kept], lines=spool.lines[is_kept], cuts=cuts)


def _rows_sql(columns: tuple[str, ...], names: str) -> str:
    cells = ", ".join(f"cells[{at + 1}] AS c{at}" for at in range(len(columns)))
    return (
        f"SELECT {cells or 'NULL AS c0'}, _keys FROM (SELECT {cells_sql('item', columns)} AS cells,"
        f" {names} AS _keys FROM items WHERE code IS NULL)"
    )
