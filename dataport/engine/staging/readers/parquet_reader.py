"""Parquet: typed columns as the text that the casts of a dataset read back without loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from dataport.core.errors import InputError
from dataport.engine.export_marks import Mark, mark_name
from dataport.engine.sql import instant_text
from dataport.engine.staging.look import MOST_ROWS
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.spool import too_many_rows
from dataport.engine.staging.readers.text_rows import BATCH, TextRows
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.sniff import check_width
from dataport.engine.staging.source import SourceFile

if TYPE_CHECKING:
    import duckdb


def read_parquet(
    connection: duckdb.DuckDBPyConnection, source: SourceFile, request: StageRequest
) -> Reading:
    """The rows of a Parquet file; their lines are their numbers. Raises InputError."""
    limits, target = request.limits, TextRows(request)
    with opened(source) as file:
        columns = _columns(file, limits.columns)
        if file.metadata.num_rows > limits.rows:
            raise too_many_rows(limits.rows)
        rows = 0
        for batch in _text_batches(connection, file, _at_once(file)):
            target.add(batch.columns, range(rows + 1, rows + batch.num_rows + 1))
            rows += batch.num_rows
        mark = _mark(file, request.dataset.name)
    spool = target.finish()
    if spool.total == 0:
        raise no_rows(source.path.name)
    return Reading(
        format="parquet",
        encoding="utf-8",
        delimiter=None,
        has_header=True,
        columns=columns,
        mapped=columns_as_fields(columns, request),
        spool=spool,
        sql=target.sql(len(columns)),
        limit=limits.field_size if spool.longest > limits.field_size else None,
        mark=mark,
    )


def _mark(file: pq.ParquetFile, dataset: str) -> Mark | None:
    """What the file says of the export that it is."""
    text = (file.metadata.metadata or {}).get(mark_name(dataset).encode(), b"")
    return Mark.from_text(text.decode("utf-8", "replace"))


def look_at_parquet(
    connection: duckdb.DuckDBPyConnection, source: SourceFile, most_columns: int
) -> tuple[tuple[str, ...], list[list[str | None]]]:
    """The columns of a Parquet file and its first rows as text. Raises InputError."""
    with opened(source) as file:
        columns = _columns(file, most_columns)
        first = next(_text_batches(connection, file, MOST_ROWS), None)
        rows = [list(row.values()) for row in first.to_pylist()] if first is not None else []
    if not rows:
        raise no_rows(source.path.name)
    return columns, rows


FEWEST = 100
BYTES = 2**25
"""Rows and bytes that are read at a time."""


@contextmanager
def opened(source: SourceFile) -> Iterator[pq.ParquetFile]:
    """A Parquet file. Raises InputError for one that is broken, encrypted or of unknown types."""
    import duckdb

    try:
        with pq.ParquetFile(str(source.place), memory_map=True) as file:
            yield file
    except (pa.ArrowException, duckdb.Error, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputError(
            "source-error",
            f"{source.path.name} can't be read as Parquet.",
            (str(error).splitlines() or ["It breaks off"])[0][:300],
            "Write it again, or export it as CSV.",
        ) from error


def _at_once(file: pq.ParquetFile) -> int:
    """Rows that are read at a time: fewer where they are long."""
    groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
    size = sum(group.total_byte_size for group in groups)
    return int(max(FEWEST, min(BATCH, BYTES * file.metadata.num_rows // max(size, 1))))


def _columns(file: pq.ParquetFile, most: int) -> tuple[str, ...]:
    names = tuple(str(name) for name in file.schema_arrow.names)
    check_width(len(names), most)
    return names


def _text_batches(
    connection: duckdb.DuckDBPyConnection, file: pq.ParquetFile, size: int
) -> Iterator[pa.RecordBatch]:
    """The rows as text, batch by batch: columns are called by their places meanwhile."""
    schema = pa.schema([field.with_name(f"c{at}") for at, field in enumerate(file.schema_arrow)])
    for batch in file.iter_batches(batch_size=size):
        given = pa.table([pa.array(column) for column in batch.columns], schema=schema)
        connection.register("given", given)
        kinds = connection.execute("DESCRIBE given").fetchall()
        cells = ", ".join(f"{_text(str(name), str(kind))} AS {name}" for name, kind, *_ in kinds)
        found: Any = connection.execute(f"SELECT {cells} FROM given").to_arrow_table()
        connection.unregister("given")
        yield from found.combine_chunks().to_batches()


def _text(name: str, kind: str) -> str:
    """SQL of a column's values as text."""
    plain = f"CAST({name} AS VARCHAR)"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        return f"CASE WHEN {name} IS NOT NULL THEN CAST(to_json({name}) AS VARCHAR) END"
    match kind:
        case "FLOAT" | "DOUBLE":
            whole = f"CAST(CAST({name} AS BIGINT) AS VARCHAR)"
            is_whole = f"abs({name}) < 9007199254740992 AND {name} = trunc({name})"
            return f"CASE WHEN {is_whole} THEN {whole} ELSE {plain} END"
        case "TIMESTAMP WITH TIME ZONE":
            # The session's zone would add offsets with seconds to days of long ago.
            return instant_text(f"timezone('UTC', {name})")
        case "TIMESTAMP_NS" | "TIMESTAMP_MS" | "TIMESTAMP_S":
            return f"CAST(CAST({name} AS TIMESTAMP) AS VARCHAR)"
        case "INTERVAL":
            return _duration(f"epoch_us({name})")
        case "BLOB":
            return f"coalesce(TRY(decode({name})), base64({name}))"
        case _:
            return plain


def _duration(micros: str) -> str:
    """SQL of microseconds as `H:MM:SS.ffffff`."""
    size = f"abs({micros})"
    return (
        f"CASE WHEN {micros} IS NOT NULL THEN printf('%s%d:%02d:%02d.%06d',"
        f" CASE WHEN {micros} < 0 THEN '-' ELSE '' END, {size} // 3600000000,"
        f" {size} // 60000000 % 60, {size} // 1000000 % 60, {size} % 1000000) END"
    )
