"""Where the rows stand in the file: which record each is, and on which line it starts."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from duckdb import InvalidInputException
from duckdb.func import PythonUDFType

if TYPE_CHECKING:
    import duckdb

    from dataport.engine.staging.readers.csv_index import Positions
    from dataport.engine.staging.readers.spool import Spool


@dataclass(frozen=True)
class Places:
    """SQL over row `n._row`: its record number and its physical line, both from 1."""

    record: str
    line: str


def places_of(connection: duckdb.DuckDBPyConnection, spool: Spool) -> Places:
    """The places of the spool's rows: by arithmetic where that is enough, else looked up.

    They are looked up in the spool's own arrays. A join would copy them into a hash table, which
    for a large file is more than all that the worker may have.
    """
    return Places(
        _place(connection, "record_of", spool.records), _place(connection, "line_of", spool.lines)
    )


def _place(connection: duckdb.DuckDBPyConnection, name: str, numbers: Positions) -> str:
    first, last = (int(numbers[0]), int(numbers[-1])) if numbers.size else (1, 0)
    if last - first + 1 == numbers.size and (np.diff(numbers) == 1).all():
        return f"n._row + {first}"
    with contextlib.suppress(InvalidInputException):
        connection.remove_function(name)
    values = pa.array(numbers)

    def look_up(rows: pa.ChunkedArray) -> pa.Array:
        return values.take(rows.combine_chunks())

    connection.create_function(name, look_up, ["BIGINT"], "BIGINT", type=PythonUDFType.ARROW)
    return f"{name}(n._row)"
