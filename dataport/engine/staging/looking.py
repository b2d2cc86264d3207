"""Looking into a file, inside the worker: its tables, and how each begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dataport.core.errors import InputError
from dataport.engine.staging import sniff
from dataport.engine.staging.dialect import most_even
from dataport.engine.staging.headers import Row, first_wide, likely_header
from dataport.engine.staging.look import JOINT, MOST_ROWS, Look, LookRequest, TableLook
from dataport.engine.staging.looking_documents import look_at_document, objects
from dataport.engine.staging.opening import HARMLESS, UNPACKED, Leaf, Opener
from dataport.engine.staging.readers.cells import as_json
from dataport.engine.staging.readers.json_envelope import find_array, too_deep
from dataport.engine.staging.readers.reading import no_rows
from dataport.engine.staging.request import PARTS
from dataport.engine.staging.source import HEAD, Progress, SourceFile
from dataport.engine.staging.text import decoded_head, guess_encoding

MOST_TABLES = 500
MOST_TOLD = 2**22
"""Characters that a look tells: the daemon holds them in memory."""
LONGEST_CELL = 500
"""Characters of a cell that are shown."""

if TYPE_CHECKING:
    import duckdb


def look_into(
    connection: duckdb.DuckDBPyConnection, request: LookRequest, progress: Progress
) -> Look:
    """The tables of a file. Raises InputError when it can't be taken as a whole.

    `connection` is an empty database that may be filled.
    """
    with SourceFile(
        request.source_path, request.limits.file_size, progress, request.chunk
    ) as source:
        directory = request.directory / PARTS / UNPACKED
        opener = Opener(source, directory, request.limits, request.chunk)
        look = _look_at_leaves(connection, opener.leaves(), source, request)
        source.check_unchanged()
        return look


def _look_at_leaves(
    connection: duckdb.DuckDBPyConnection,
    leaves: Iterator[Leaf],
    source: SourceFile,
    request: LookRequest,
) -> Look:
    """What each file of a container holds; what is no table is left out beside others that are."""
    tables: list[TableLook] = []
    errors: list[InputError] = []
    for leaf in leaves:
        try:
            tables += look_at(connection, leaf, request)
        except InputError as error:
            if error.code not in HARMLESS or not leaf.names:
                raise
            errors.append(error)
    if not tables and errors:
        raise errors[0]
    notices = [f"{error.title} {error.detail}".strip() for error in errors]
    return Look(source.identity, _bounded(tables, source.path.name), notices[:MOST_TABLES])


def _bounded(tables: Sequence[TableLook], name: str) -> list[TableLook]:
    """The tables with cells cut short, and without rows once there is much to be told already.

    Raises InputError where their names alone are too much for those who only want to see them.
    """
    left, bounded = MOST_TOLD, []
    for table in tables:
        rows = [[cell and cell[:LONGEST_CELL] for cell in row] for row in table.rows]
        size = sum(len(cell or "") + 4 for row in rows for cell in row)
        kept = rows if size <= left else []
        left -= sum(map(len, table.columns)) + len(table.inside or "") + (size if kept else 0)
        bounded.append(replace(table, rows=kept))
    if len(tables) > MOST_TABLES or left < 0:
        raise InputError(
            "too-many-tables",
            f"{name} holds too many tables, or too long names of columns.",
            f"It holds {len(tables):,}; the limit is {MOST_TABLES}.",
            "Name the one that is meant, with --dataset and --inside.",
        )
    return bounded


def look_at(
    connection: duckdb.DuckDBPyConnection, leaf: Leaf, request: LookRequest
) -> list[TableLook]:
    """The tables of one file. Raises InputError for what is none."""
    if leaf.problem is not None:
        raise leaf.problem
    inside = JOINT.join(leaf.names) or None
    if leaf.kind is None:
        tables = look_at_document(leaf.source, leaf.names, request)
        return tables or [look_at_text(leaf.source, inside, request)]
    sniff.check_name(leaf.source.path, leaf.kind, request.format)
    if leaf.kind == "parquet":
        from dataport.engine.staging.readers.parquet_reader import look_at_parquet

        columns, rows = look_at_parquet(connection, leaf.source, request.limits.columns)
        return [TableLook(inside, leaf.kind, True, list(columns), rows)]
    return _look_at_workbook(leaf, request)


def _look_at_workbook(leaf: Leaf, request: LookRequest) -> list[TableLook]:
    """The visible sheets that hold anything; one alone needs no name."""
    from dataport.engine.staging.readers.workbook import first_rows, opened, sheets

    with opened(leaf.source, request.limits) as book:
        names = sheets(book)
        kind = str(leaf.kind)
        tables = [
            replace(table_of_cells(rows, _named(leaf, name, names), kind, request), sheet=name)
            for name in names
            if (rows := first_rows(book, name))
        ]
    if not tables:
        raise no_rows(leaf.source.path.name)
    return tables


def _named(leaf: Leaf, name: str, names: Sequence[str]) -> str | None:
    return JOINT.join([*leaf.names, *([name] if len(names) > 1 else [])]) or None


def look_at_text(source: SourceFile, inside: str | None, request: LookRequest) -> TableLook:
    """How a text begins that holds one table. Raises InputError for what is no text."""
    name = source.path.name
    sniff.check_content(source.head, name)
    text = decoded_head(source.head, guess_encoding(source.head))
    sniff.check_text(text, name)
    kind = sniff.find_format(text, source.path, request.format)
    if kind not in sniff.TEXTS:
        return _look_at_rows(source, inside, kind, request)
    if kind == "json":
        return _look_at_json(text, inside, name, request)
    is_cut = source.identity.size > HEAD
    sample = most_even(text)
    if sample is None:
        raise no_rows(name)
    records = [*zip(sample.lines, sample.rows, strict=True)]
    if is_cut and len(records) > 1:
        records = records[:-1]
    return table_of_cells(records, inside, kind, request)


def _look_at_rows(
    source: SourceFile, inside: str | None, kind: str, request: LookRequest
) -> TableLook:
    """The first rows of a format whose rows name their fields themselves."""
    if kind == "xml":
        from dataport.engine.staging.readers.xml_reader import elements

        rows = elements(source, request.limits.nesting)
    else:
        from dataport.engine.staging.readers.vcard_reader import first_cards

        rows = first_cards(source)
    first = [row for _, row in itertools.islice(rows, MOST_ROWS)]
    if not first:
        raise no_rows(source.path.name)
    columns = list(dict.fromkeys(name for row in first for name in row))
    sniff.check_width(len(columns), request.limits.columns)
    return TableLook(inside, kind, True, columns, [[row.get(n) for n in columns] for row in first])


def table_of_cells(
    numbered: Sequence[tuple[int, Row]], inside: str | None, kind: str, request: LookRequest
) -> TableLook:
    """The look of a table's first records with their lines, the header among them if there is one."""
    lines, records = zip(*numbered, strict=True)
    told = lines.index(request.header_line) if request.header_line in lines else None
    at = likely_header(records) if told is None else told
    start = first_wide(records) if at is None else at + 1
    first = [(cell or "").strip() for cell in records[start if at is None else at]]
    sniff.check_width(len(first), request.limits.columns)
    columns = [f"column_{at}" for at in range(1, len(first) + 1)] if at is None else first
    rows = [_fit(row, len(columns)) for row in records[start : MOST_ROWS + start]]
    return TableLook(inside, kind, at is not None, columns, rows)


def _look_at_json(text: str, inside: str | None, name: str, request: LookRequest) -> TableLook:
    """The first objects of an array, of the only list in an object, or of NDJSON."""
    array = find_array(text, name, request.limits.nesting)
    try:
        items = list(objects(text[array.start :] if array else text))
    except RecursionError as error:
        raise too_deep(name, request.limits.nesting) from error
    columns = list(dict.fromkeys(key for item in items for key in item))
    if not columns:
        raise InputError("no-rows", f"{name} begins with no rows.", hint="Export it again.")
    sniff.check_width(len(columns), request.limits.columns)
    rows = [[as_json(item.get(column)) for column in columns] for item in items]
    return TableLook(inside, "json" if array else "ndjson", True, columns, rows)


def _fit(row: Sequence[str | None], width: int) -> list[str | None]:
    """A row with exactly `width` cells."""
    return [*row[:width], *[None] * (width - len(row))]
