"""A nested JSON document to the rows of one dataset: the items of some of its lists.

The outer lists are cut into items by their brackets, as of a plain list; everything below that is
SQL. The line of a row is that of the outermost item that it lies in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dataport.core.errors import InputError
from dataport.core.text import counted
from dataport.engine.catalog.documents import Layout, ListPath, Names, ValuePath
from dataport.engine.sql import literal
from dataport.engine.staging.dialect import Dialect
from dataport.engine.staging.look import no_such_table
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.readers.csv_index import Block
from dataport.engine.staging.readers.csv_reader import csv_sql
from dataport.engine.staging.readers.json_envelope import is_lines
from dataport.engine.staging.readers.json_index import blanks, index_items, index_lines
from dataport.engine.staging.readers.json_lists import Lists, find_lists
from dataport.engine.staging.readers.json_numbers import cells_sql
from dataport.engine.staging.readers.json_reader import broken
from dataport.engine.staging.readers.json_shapes import find_shapes, item_names, wrong_sql
from dataport.engine.staging.readers.octets import UNUSED, encoding_notice, octet_codes
from dataport.engine.staging.readers.reading import Reading
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

_NO_TEXT = {
    "nul-byte": "A NUL character",
    "control-character": "The control character U+0001",
    "encoding-error": "Bytes that are not valid UTF-8",
}

MEMORY_SHARE = 6
"""Times its size that indexing a document takes, at the most."""


@dataclass
class Document:
    """A whole document and its lists."""

    data: bytes
    encoding: Encoding
    lists: Lists
    """That with no name is the document itself."""
    is_lines: bool = False
    """Whether it has one item a line, so that one that is no JSON says nothing of the others."""
    notices: list[str] = field(default_factory=list)


def open_document(source: SourceFile, encoding: Encoding, memory: int, nesting: int) -> Document:
    """The document in a file. Raises InputError where it is broken or too large to be held."""
    name, size = source.path.name, source.identity.size
    if size * MEMORY_SHARE > memory:
        raise InputError(
            "document-too-large",
            f"{name} is too large for a nested document.",
            f"It has {counted(size, 'byte')}, and reading it takes {MEMORY_SHARE} times as much"
            " memory.",
            "Raise limits.worker_memory in the configuration, or export one list a file.",
        )
    notices = []
    try:
        data = b"".join(utf8_chunks(source.chunks(), encoding))
    except NotUtf8Error as error:
        encoding = fallback_encoding(source.chunks(), encoding)
        notices.append(encoding_notice(encoding, error.line))
        data = b"".join(utf8_chunks(source.chunks(), encoding))
    if has_lines(source, encoding):
        return Document(data, encoding, {"": (0, len(data))}, is_lines=True, notices=notices)
    lists = find_lists(data, name, nesting)
    if lists is None:
        raise broken(source, encoding)
    return Document(data, encoding, lists, notices=notices)


def has_lines(source: SourceFile, encoding: Encoding) -> bool:
    """Whether a document has one object a line, none around them."""
    text = decoded_head(source.head, encoding)
    return text.lstrip().startswith("{") and is_lines(text)


def read_document(
    connection: duckdb.DuckDBPyConnection,
    source: SourceFile,
    request: StageRequest,
    encoding: Encoding,
) -> Reading:
    """The rows of `request.inside`, and of the other lists of its layout. Raises InputError."""
    limits = request.limits
    document = open_document(source, encoding, limits.memory, limits.nesting)
    layout = _layout(request)
    paths = [
        path for path in map(ListPath.parse, layout.paths) if ".".join(path.base) in document.lists
    ]
    if not paths:
        raise no_such_table(source.path.name, str(request.inside), document.lists)
    spool, tops = _spool(document, paths, request)
    _make_items(connection, spool, tops, paths, layout)
    spool = _accounted(connection, spool, source, document)
    own = _own_columns(connection, layout, limits.columns)
    columns = (*own, *layout.fields) if own or spool.total else request.dataset.field_names
    return Reading(
        format="json",
        encoding=document.encoding.name,
        delimiter=None,
        has_header=True,
        columns=columns,
        mapped=columns_as_fields(columns, request),
        spool=spool,
        sql=_rows_sql(own, columns),
        states_keys=True,
        limit=limits.field_size if spool.longest > limits.field_size else None,
        notices=document.notices,
    )


def _layout(request: StageRequest) -> Layout:
    """The layout that the package tells, else that of the one list which was named."""
    layout, inside = request.layout, str(request.inside)
    if layout is not None and inside in layout.paths:
        return layout
    try:
        ListPath.parse(inside)
    except ValueError as error:
        raise no_such_table(request.source_path.name, inside, []) from error
    return Layout((inside,))


def _spool(
    document: Document, paths: Sequence[ListPath], request: StageRequest
) -> tuple[Spool, dict[Names, tuple[int, int]]]:
    """The items of the outer lists, and between which rows those of each list are."""
    tops: dict[Names, tuple[int, int]] = {}
    size = part_size(len(document.data), request)
    with SpoolWriter(request.directory / PARTS, size, request.limits.rows) as writer:
        for base in dict.fromkeys(path.base for path in paths):
            start, end = document.lists[".".join(base)]
            before = writer.total
            line = document.data.count(b"\n", 0, start) + 1
            writer.skip_lines(line - writer.line)
            block = _block(document, start, end, request.limits.nesting)
            is_blank = blanks(block)
            codes = octet_codes(block, writer.line, document.encoding, is_delimited=False)
            if codes:
                raise _no_text(request.source_path.name, ".".join(base), min(codes.items()))
            writer.add(block, is_blank=is_blank)
            tops[base] = before, writer.total
        return writer.finish(), tops


def _block(document: Document, start: int, end: int, nesting: int) -> Block:
    """The items of a list, each a line."""
    data = document.data[start:end]
    if not document.is_lines:
        return index_items(data, nesting)[0]
    return index_lines(data if data.endswith(b"\n") else data + b"\n")


def _no_text(file: str, path: str, found: tuple[int, str]) -> InputError:
    item, code = found
    return InputError(
        "json-error",
        f"{file} holds what is no text.",
        f"{_NO_TEXT[code]} in item {item + 1:,} of the list {path}.",
        "Export it again.",
    )


def _make_items(
    connection: duckdb.DuckDBPyConnection,
    spool: Spool,
    tops: dict[Names, tuple[int, int]],
    paths: Sequence[ListPath],
    layout: Layout,
) -> None:
    """Fill `items`: each row's object, what its layout adds, its outer item and what is wrong."""
    lines = csv_sql(spool, Dialect(UNUSED, False, ("item",)), quote="")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE outers AS SELECT c0 AS item, json_valid(c0) IS TRUE AS is_valid FROM ({lines})"
    )
    rows = " UNION ALL ".join(
        f"SELECT {number} AS path, * FROM ({_items_sql(path, tops[path.base], layout)})"
        for number, path in enumerate(paths)
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE items AS SELECT item, extra, top,"
        f" {wrong_sql('item', 'is_valid')} AS code FROM ({rows}) ORDER BY path, top, places"
    )
    find_shapes(connection)


def _items_sql(path: ListPath, bounds: tuple[int, int], layout: Layout) -> str:
    """SELECT of the items of one path: `item, extra, top, places, is_valid`."""
    first, last = bounds
    sql = (
        "SELECT rowid AS top, []::BIGINT[] AS places, is_valid, item AS i0 FROM outers"
        f" WHERE rowid >= {first} AND rowid < {last}"
    )
    for level, names in enumerate(path.nested):
        members = f"json_extract(i{level}, {literal(_json_path(names) + '[*]')})"
        items = ", ".join(f"i{at}" for at in range(level + 2))
        sql = (
            f"SELECT top, list_append(places, n) AS places, is_valid, {items} FROM ("
            f"SELECT *, unnest(members)::VARCHAR AS i{level + 1}, generate_subscripts(members, 1) AS n"
            f" FROM (SELECT *, {members} AS members FROM ({sql}) WHERE is_valid))"
        )
    depth = len(path.nested)
    return f"SELECT i{depth} AS item, {_extra(layout, depth)} AS extra, top, places, is_valid FROM ({sql})"


def _extra(layout: Layout, depth: int) -> str:
    """SQL of a JSON object with the fields that the layout makes; one that is not there is left out."""
    members = []
    for name, texts in layout.fields.items():
        values = [value for value in map(ValuePath.parse, texts) if value.up <= depth]
        found = [
            f"nullif(json_extract(i{depth - value.up}, {literal(_pointer(value.names))})::VARCHAR, 'null')"
            for value in values
        ]
        present = [
            "true" if value.up else f"list_contains(json_keys(i{depth}), {literal(value.names[0])})"
            for value in values
        ]
        if found:
            told = f"{literal(_quoted(name) + ':')} || coalesce({', '.join([*found, literal('null')])})"
            members.append(f"CASE WHEN {' OR '.join(present)} THEN {told} END")
    if not members:
        return "'{}'"
    listed = f"list_filter([{', '.join(members)}], lambda x: x IS NOT NULL)"
    return f"'{{' || array_to_string({listed}, ',') || '}}'"


def _accounted(
    connection: duckdb.DuckDBPyConnection, spool: Spool, source: SourceFile, document: Document
) -> Spool:
    """The spool of the items in place of that of the outer ones; what is no object becomes a cut."""
    tops = np.asarray(
        connection.execute("SELECT top FROM items ORDER BY rowid").fetchnumpy()["top"], np.int64
    )
    lines = spool.lines[tops] if tops.size else spool.lines[:0]
    cuts, is_kept = [], np.ones(tops.size, np.bool_)
    found = connection.execute(
        "SELECT rowid, item, code FROM items WHERE code IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for row, item, code in found:
        if code == "json-error":
            raise broken(source, document.encoding, int(lines[row]))
        cuts.append(Cut(int(row) + 1, int(lines[row]), str(code), str(item).strip()))
        is_kept[row] = False
    records = np.arange(1, tops.size + 1, dtype=np.int64)
    return Spool(
        parts=spool.parts,
        records=records[is_kept],
        lines=lines[is_kept],
        cuts=cuts,
        total=int(tops.size),
        longest=spool.longest,
    )


def _own_columns(
    connection: duckdb.DuckDBPyConnection, layout: Layout, limit: int
) -> tuple[str, ...]:
    """Names of values that are fields as they stand, in the order of the file."""
    return tuple(name for name in item_names(connection, limit) if name not in layout.consumed)


def _rows_sql(own: Sequence[str], columns: Sequence[str]) -> str:
    made = columns[len(own) :]
    cells = [f"own[{at + 1}] AS c{at}" for at in range(len(own))]
    cells += [f"made[{at + 1}] AS c{len(own) + at}" for at in range(len(made))]
    names = ", ".join(literal(name) for name in own)
    keys = f"list_concat(list_filter(json_keys(item), lambda x: list_contains([{names}]::VARCHAR[], x)), json_keys(extra))"
    return (
        f"SELECT {', '.join(cells)}, _keys FROM (SELECT {cells_sql('item', tuple(own))} AS own,"
        f" {cells_sql('extra', tuple(made))} AS made, {keys} AS _keys FROM items WHERE code IS NULL)"
    )


def _json_path(names: Names) -> str:
    return "$" + "".join(f".{_quoted(name)}" for name in names)


def _pointer(names: Names) -> str:
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
