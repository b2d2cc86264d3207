"""JSON to rows of text: an array of objects, an object with one such array, or NDJSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dataport.core.errors import InputError
from dataport.engine.sql import literal
from dataport.engine.staging.mapping import map_columns
from dataport.engine.staging.readers.csv_index import Block
from dataport.engine.staging.readers.csv_reader import csv_sql
from dataport.engine.staging.readers.json_index import blanks, index_items, index_lines
from dataport.engine.staging.readers.octets import encoding_notice, octet_codes
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.readers.spool import Cut, Spool, SpoolWriter, part_size
from dataport.engine.staging.readers.txt_reader import UNUSED
from dataport.engine.staging.request import PARTS, StageRequest
from dataport.engine.staging.sniff import Dialect
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

_KEY = re.compile(r'\s*,?\s*("(?:[^"\\]|\\.)*")\s*:\s*')


def read_json(
    connection: duckdb.DuckDBPyConnection,
    source: SourceFile,
    request: StageRequest,
    encoding: Encoding,
) -> Reading:
    """The objects of a JSON file as rows of their values' text. Raises InputError."""
    text = decoded_head(source.head, encoding)
    start = _array_start(text, source)
    notices: list[str] = []
    try:
        spool = _spool(source, request, encoding, start)
    except NotUtf8Error as error:
        encoding = fallback_encoding(source.chunks(), encoding)
        notices.append(encoding_notice(encoding, error.line))
        spool = _spool(source, request, encoding, start)
    spool = _checked(connection, spool, source, encoding, in_array=start is not None)
    if spool.total == 0:
        raise InputError("no-rows", f"{source.path.name} holds no rows.", hint="Export it again.")
    columns = _columns(connection, request.limits.columns)
    mapped = map_columns(columns, request.dataset, request.columns, request.constants)
    return Reading(
        format="json" if start is not None else "ndjson",
        encoding=encoding.name,
        delimiter=None,
        has_header=True,
        columns=columns,
        mapped=mapped,
        spool=spool,
        sql=_rows_sql(columns),
        states_keys=True,
        limit=request.limits.field_size if spool.longest > request.limits.field_size else None,
        notices=notices,
    )


def _array_start(text: str, source: SourceFile) -> int | None:
    """Characters before the first item of the array of objects; None for NDJSON.

    Raises InputError for an object that holds no array of objects, or several.
    """
    blank = len(text) - len(text.lstrip())
    if text[blank] == "[":
        return blank + 1
    first, _, rest = text[blank:].partition("\n")
    if rest.strip() and _is_object(first):
        return None
    found = list(_arrays(text, blank + 1))
    if len(found) > 1:
        raise InputError(
            "format-error",
            f"{source.path.name} holds several lists.",
            hint="Keep one list of objects in the file.",
        )
    return found[0] if found else None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return line.lstrip().startswith("{") and line.rstrip().endswith("}")


def _arrays(text: str, at: int) -> Iterator[int]:
    """Places of the first items of the arrays of objects that are values of the first object."""
    decoder = json.JSONDecoder()
    while key := _KEY.match(text, at):
        at = key.end()
        is_list = re.match(r"\[\s*\{", text[at : at + 4096])
        if is_list:
            yield at + 1
        try:
            _, at = decoder.raw_decode(text, at)
        except ValueError:
            return


def _spool(
    source: SourceFile, request: StageRequest, encoding: Encoding, start: int | None
) -> Spool:
    size = part_size(source.identity.size, request.threads)
    with SpoolWriter(request.directory / PARTS, size, request.limits.rows) as writer:
        add: Callable[[Block], None] = lambda block: writer.add(  # noqa: E731
            block, codes=octet_codes(block, writer.line, encoding), is_blank=blanks(block)
        )
        chunks = utf8_chunks(source.chunks(), encoding)
        if start is None:
            _spool_lines(chunks, add)
        else:
            head = decoded_head(source.head, encoding)[:start]
            writer.skip_lines(head.count("\n"))
            _spool_items(chunks, add, len(head.encode()), source, encoding)
        return writer.finish()


def _spool_lines(chunks: Iterator[bytes], add: Callable[[Block], None]) -> None:
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        block = index_lines(data)
        add(block)
        rest = data[block.consumed :]
    if rest:
        add(index_lines(rest + b"\n"))


def _spool_items(
    chunks: Iterator[bytes],
    add: Callable[[Block], None],
    skip: int,
    source: SourceFile,
    encoding: Encoding,
) -> None:
    rest, closed = b"", None
    for chunk in chunks:
        data = rest + chunk
        if skip:
            data, skip = data[skip:], max(0, skip - len(data))
        if closed is not None:
            rest = data
            continue
        block, closed = index_items(data)
        add(block)
        rest = data[block.consumed :]
    tail = rest.strip()
    if closed is None or (tail and not _closes(tail)):
        raise broken(source, encoding)


def _closes(tail: bytes) -> bool:
    """Whether what follows an array ends the object around it."""
    try:
        json.loads(b'{"":0' + tail)
    except ValueError:
        return False
    return True


def broken(source: SourceFile, encoding: Encoding, line: int | None = None) -> InputError:
    """The error of a JSON document that is none, with line and column."""
    where = f"Line {line}." if line else ""
    text = b"".join(utf8_chunks(source.chunks(), encoding)).decode("utf-8", "replace")
    try:
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
        "CREATE OR REPLACE TEMP TABLE items AS"
        " SELECT c0 AS item, json_valid(c0) AS valid,"
        " CASE WHEN json_valid(c0) THEN json_type(c0) = 'OBJECT' END IS TRUE AS ok"
        f" FROM ({lines})"
    )
    found = connection.execute(
        "SELECT rowid, item, valid FROM items WHERE NOT ok ORDER BY rowid"
    ).fetchall()
    is_kept = np.ones(spool.records.size, np.bool_)
    cuts = list(spool.cuts)
    for row, item, is_valid in found:
        line = int(spool.lines[row])
        if in_array and not is_valid:
            raise broken(source, encoding, line)
        code = "not-an-object" if is_valid else "json-error"
        cuts.append(Cut(int(spool.records[row]), line, code, str(item).strip()))
        is_kept[row] = False
    cuts.sort(key=lambda cut: cut.record)
    return replace(spool, records=spool.records[is_kept], lines=spool.lines[is_kept], cuts=cuts)


def _columns(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT name FROM (SELECT unnest(json_keys(item)) AS name, rowid AS row,"
        " generate_subscripts(json_keys(item), 1) AS place FROM items WHERE ok)"
        " GROUP BY name ORDER BY min({'row': row, 'place': place})"
    ).fetchall()
    if len(rows) > limit:
        raise InputError(
            "too-many-columns",
            "The objects have too many different names.",
            f"They have {len(rows):,}; the limit is {limit:,}.",
            "Export fewer fields, or raise limits.columns in the configuration.",
        )
    return tuple(str(name) for (name,) in rows)


def _rows_sql(columns: tuple[str, ...]) -> str:
    pointers = ", ".join(
        literal("/" + name.replace("~", "~0").replace("/", "~1")) for name in columns
    )
    cells = ", ".join(f"cells[{at + 1}] AS c{at}" for at in range(len(columns)))
    return (
        f"SELECT {cells or 'NULL AS c0'}, _keys FROM (SELECT json_extract_string(item,"
        f" [{pointers}]::VARCHAR[]) AS cells, json_keys(item) AS _keys FROM items WHERE ok)"
    )
