"""One file from bytes to staged.parquet, inside the worker."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dataport.core.errors import InputError
from dataport.engine.staging import limits, sniff
from dataport.engine.staging.above import with_columns_above
from dataport.engine.staging.dialect import find_dialect
from dataport.engine.staging.look import no_such_table
from dataport.engine.staging.opening import UNPACKED, Leaf, Opener
from dataport.engine.staging.pipeline import Outcome, write_result
from dataport.engine.staging.readers.csv_reader import Care, read_csv
from dataport.engine.staging.readers.errors import take_first
from dataport.engine.staging.readers.json_document import read_document
from dataport.engine.staging.readers.json_reader import read_json
from dataport.engine.staging.readers.txt_reader import read_values
from dataport.engine.staging.recall import News, check_news
from dataport.engine.staging.reject_layout import reject_layout
from dataport.engine.staging.request import PARTS, StageResult, boot_id
from dataport.engine.staging.source import Progress, SourceFile
from dataport.engine.staging.text import decoded_head, guess_encoding
from dataport.engine.staging.uniting import unite

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from dataport.engine.staging.readers.reading import Reading
    from dataport.engine.staging.request import StageRequest


MOST_LABELS = 2**20
"""Characters that the names of a file's columns may have together."""


def stage_file(
    connection: duckdb.DuckDBPyConnection, request: StageRequest, progress: Progress
) -> StageResult:
    """Read, check and write one file. Raises InputError when it can't be taken as a whole.

    `connection` is an empty database that may be filled.
    """
    path = request.source_path
    csv.field_size_limit(request.limits.field_size)
    with SourceFile(path, request.limits.file_size, progress, request.chunk) as source:
        directory = request.directory / PARTS / UNPACKED
        opener = Opener(source, directory, request.limits, request.chunk)
        if request.tables:
            source.read_digest()
            united = unite(connection, request, opener.leaves(), partial(_readers, connection))
            reading, outcome, repeated = _run(connection, request, [lambda: united], progress)
        else:
            with opener.leaf(request.inside) as (leaf, inside):
                if leaf.source is not source or leaf.kind is not None:
                    source.read_digest()
                inner = replace(request, inside=inside, name=leaf.source.path.name)
                readers = _readers(connection, leaf, inner)
                reading, outcome, repeated = _run(connection, inner, readers, progress)
        source.check_unchanged()
        result = _result(source, reading, outcome)
        is_used = repeated or outcome.memory_is_whole
        return replace(
            result,
            repeated=repeated,
            recalled_at=request.memory_at if is_used else None,
            memory_signature=request.memory_signature,
        )


def _readers(
    connection: duckdb.DuckDBPyConnection, leaf: Leaf, request: StageRequest
) -> list[Callable[[], Reading]]:
    """Ways to read the file, the quickest first; the next is tried where one does not hold."""
    source = leaf.source
    if leaf.kind is not None:
        return [_binary_reader(connection, leaf, request)]
    encoding = guess_encoding(source.head)
    text = decoded_head(source.head, encoding)
    sniff.check_text(text, source.path.name)
    kind = sniff.find_format(text, source.path, request.format)
    if request.inside is not None and kind != "json":
        raise no_such_table(source.path.name, request.inside, [])
    if kind == "xml":
        from dataport.engine.staging.readers.xml_reader import read_xml

        return [lambda: read_xml(source, request)]
    if kind == "vcard":
        from dataport.engine.staging.readers.vcard_reader import read_vcard

        return [lambda: read_vcard(source, request, encoding)]
    if kind == "json" and request.inside is not None:
        return [lambda: read_document(connection, source, request, encoding)]
    if kind == "json":
        return [lambda: read_json(connection, source, request, encoding)]
    has_columns = request.mapping is not None or request.header_line is not None
    if kind == "txt" and not has_columns and sniff.is_value_list(text, request.dataset):
        return [lambda: read_values(source, request, encoding)]
    dialect = find_dialect(text, request)

    def reader(care: Care) -> Callable[[], Reading]:
        return lambda: read_csv(source, request, dialect, encoding, care)

    return [reader(care) for care in Care]


def _binary_reader(
    connection: duckdb.DuckDBPyConnection, leaf: Leaf, request: StageRequest
) -> Callable[[], Reading]:
    """What reads a file that is no text; loaded when there is one."""
    source, kind = leaf.source, str(leaf.kind)
    sniff.check_name(source.path, kind, request.format)
    if kind == "parquet":
        from dataport.engine.staging.readers.parquet_reader import read_parquet

        if request.inside is not None:
            raise no_such_table(source.path.name, request.inside, [])
        return lambda: read_parquet(connection, source, request)
    from dataport.engine.staging.readers.workbook import read_workbook

    return lambda: read_workbook(source, request, kind)


def _run(
    connection: duckdb.DuckDBPyConnection,
    request: StageRequest,
    readers: list[Callable[[], Reading]],
    progress: Progress,
) -> tuple[Reading, Outcome, int]:
    def opened(read: Callable[[], Reading]) -> Reading:
        reading = read()
        _check_labels(reading)
        return with_columns_above(connection, reading)

    def checked(reading: Reading) -> tuple[Reading, News]:
        total = reading.spool.total
        rest = limits.share(request.limits.memory, reading.spool.held)
        connection.execute(f"SET memory_limit = '{rest}'")
        progress("check", 0, total)
        return reading, check_news(connection, request, reading)

    ways = [partial(opened, read) for read in readers]
    reading, (news, plan, resolvers, repeated) = take_first(ways, checked)
    total = reading.spool.total
    progress("check", total, total)
    progress("write", 0, total)
    outcome = write_result(connection, request, news, plan, resolvers, repeated)
    progress("write", total, total)
    return reading, outcome, repeated


def _check_labels(reading: Reading) -> None:
    """Raise InputError for names of columns that nobody could hold in memory or read."""
    size = sum(map(len, reading.columns))
    if size > MOST_LABELS:
        raise InputError(
            "too-many-columns",
            "The names of the columns are too long.",
            f"They have {size:,} characters; the limit is {MOST_LABELS:,}.",
            "Give the columns shorter names; the file may have no header at all.",
        )


def _result(source: SourceFile, reading: Reading, outcome: Outcome) -> StageResult:
    ignored = list(reading.mapped.ignored)
    notices = [*reading.notices]
    if ignored:
        shown = ", ".join(repr(column) for column in ignored[:20])
        notices.append(f"These columns are no field and were left out: {shown}.")
    return StageResult(
        boot=boot_id(),
        format=reading.format,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        has_header=reading.has_header,
        sha256=source.sha256,
        bytes=source.identity.size,
        identity=source.identity,
        columns=list(reading.columns),
        mapping={
            name: reading.columns[position] for name, position in reading.mapped.positions.items()
        },
        ignored=ignored,
        stated=outcome.stated,
        partial=outcome.partial,
        rows=outcome.rows,
        quarantined=reading.spool.quarantined,
        null_keys=outcome.null_keys,
        notices=notices + outcome.notices,
        disputed=outcome.disputed,
        is_reject_file=reject_layout(reading.columns) is not None,
        memory_is_whole=outcome.memory_is_whole,
        mapped_by=reading.mapped.by,
        mark=reading.mark,
        table_lines=reading.table_lines,
    )
