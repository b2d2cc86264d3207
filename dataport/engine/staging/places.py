"""Where the rows stand in the file: which record each is, and on which line it starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from dataport.engine.staging.readers.csv_index import Positions
    from dataport.engine.staging.readers.spool import Spool

BLOCK_BITS = 6
BLOCK = 1 << BLOCK_BITS
"""Rows whose numbers are one row of a table: the least of them, and how much more each of them
is, in digits. Joining with a number a row would copy all of them into a hash table, which for a
large file is more than all that the worker may have."""
SLICE = BLOCK << 14
"""Rows whose digits are made at a time, which bounds the memory that this takes."""


@dataclass(frozen=True)
class Places:
    """SQL over row `n._row`: its record number and its physical line, both from 1."""

    record: str
    line: str
    joins: str
    """What `n` must be joined with, behind it in FROM; each row is there once before and after."""
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
            continue
        table = f"{name}_places"
        width = _make_table(connection, table, numbers)
        digits = f"substring({table}.digits, 1 + {width} * (n._row & {BLOCK - 1}), {width})"
        found.append(f"{table}.least + CAST({digits} AS BIGINT)")
        tables.append(table)
    joins = [f" JOIN {name} ON {name}.block = n._row >> {BLOCK_BITS}" for name in tables]
    record, line = found
    return Places(record, line, "".join(joins), tuple(tables))


def _make_table(connection: duckdb.DuckDBPyConnection, name: str, numbers: Positions) -> int:
    """A table of numbers, BLOCK of them a row. Returns how many digits one has."""
    starts = np.arange(0, numbers.size, BLOCK)
    least = np.minimum.reduceat(numbers, starts)
    width = len(str(int((np.maximum.reduceat(numbers, starts) - least).max())))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} (block BIGINT, least BIGINT, digits VARCHAR)"
    )
    for blocks in _blocks(numbers, least, width):
        connection.register("place_blocks", blocks)
        connection.execute(f"INSERT INTO {name} FROM place_blocks")
        connection.unregister("place_blocks")
    return width


def _blocks(numbers: Positions, least: Positions, width: int) -> Iterator[pa.Table]:
    """The table's rows, SLICE numbers at a time; the last row may have less than BLOCK."""
    import pyarrow as pa

    for start in range(0, numbers.size, SLICE):
        part = numbers[start : start + SLICE]
        block = np.arange(start // BLOCK, -(-(start + part.size) // BLOCK))
        rest = part - np.repeat(least[block], BLOCK)[: part.size]
        digits = np.empty((part.size, width), dtype=np.uint8)
        for place in reversed(range(width)):
            rest, digit = np.divmod(rest, 10)
            digits[:, place] = digit + ord("0")
        ends = np.minimum(np.arange(block.size + 1) * BLOCK, part.size) * width
        texts = pa.LargeStringArray.from_buffers(
            block.size, pa.py_buffer(ends), pa.py_buffer(digits)
        )
        yield pa.table({"block": block, "least": least[block], "digits": texts})
