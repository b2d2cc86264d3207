"""Where the rows stand in the file: which record each is, and on which line it starts."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import duckdb

    from dataport.engine.staging.readers.csv_index import Positions
    from dataport.engine.staging.readers.spool import Spool

FEW = 2_000_000
"""Rows that are joined with a table of their places: sooner than a function is called for each
vector of them. Beyond, the table would take more of a worker's memory than the time is worth."""


@dataclass(frozen=True)
class Places:
    """SQL over row `n._row`: its record number and its physical line, both from 1."""

    record: str
    line: str
    tables: tuple[str, ...]
    """What they may read."""


def places_of(connection: duckdb.DuckDBPyConnection, spool: Spool) -> Places:
    """The places of the spool's rows: by arithmetic where that is enough, else looked up."""
    rows = np.arange(spool.records.size, dtype=np.int64)
    found, tables = [], []
    for name, numbers in (("record", spool.records), ("line", spool.lines)):
        first = int(numbers[0]) if numbers.size else 1
        if np.array_equal(numbers, rows + first):
            found.append(f"n._row + {first}")
        elif numbers.size <= FEW:
            table = f"{name}_places"
            _make_table(connection, table, rows, numbers)
            found.append(f"(SELECT p.number FROM {table} p WHERE p.row = n._row)")
            tables.append(table)
        else:
            _make_function(connection, f"{name}_of", numbers)
            found.append(f"{name}_of(n._row)")
    record, line = found
    return Places(record, line, tuple(tables))


def _make_table(
    connection: duckdb.DuckDBPyConnection, name: str, rows: Positions, numbers: Positions
) -> None:
    connection.register("place_arrays", {"row": rows, "number": numbers})
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM place_arrays")
    connection.unregister("place_arrays")


def _make_function(connection: duckdb.DuckDBPyConnection, name: str, numbers: Positions) -> None:
    """Look a row up in the array itself: a join would copy all of it into a hash table, which for
    a large file is more than all that the worker may have."""
    import pyarrow as pa
    from duckdb import InvalidInputException
    from duckdb.func import PythonUDFType

    with contextlib.suppress(InvalidInputException):
        connection.remove_function(name)
    values = pa.array(numbers)

    def look_up(rows: Any) -> Any:
        return values.take(rows.combine_chunks())

    connection.create_function(name, look_up, ["BIGINT"], "BIGINT", type=PythonUDFType.ARROW)
