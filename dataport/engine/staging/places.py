"""Where the rows stand in the file: which record each is, and on which line it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb

    from dataport.engine.staging.readers.csv_index import Positions
    from dataport.engine.staging.readers.spool import Spool

WORD = 64
"""Bits of a number that holds how much more than the least of them the numbers of neighbours are.
Joining with a number a row would copy all of them into a hash table, which for a large file is more
than all that the worker may have."""
WIDTHS = (4, 8, 16, 32, WORD)
"""Bits that one of the neighbours may take."""


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
    found, joins, tables = [], [], []
    for name, numbers in (("record", spool.records), ("line", spool.lines)):
        first = int(numbers[0]) if numbers.size else 1
        if np.array_equal(numbers, rows + first):
            found.append(f"n._row + {first}")
            continue
        table = f"{name}_places"
        width = _make_table(connection, table, numbers)
        rows_a_word = WORD // width
        shift = f"CAST(n._row % {rows_a_word} * {width} AS UBIGINT)"
        ahead = f"({table}.word >> {shift}) & CAST({2**width - 1} AS UBIGINT)"
        found.append(f"{table}.least + CAST({ahead} AS BIGINT)")
        joins.append(f" JOIN {table} ON {table}.block = n._row // {rows_a_word}")
        tables.append(table)
    record, line = found
    return Places(record, line, "".join(joins), tuple(tables))


def _make_table(connection: duckdb.DuckDBPyConnection, name: str, numbers: Positions) -> int:
    """A table of the numbers of all rows, as many a word as fit. Returns the bits of each."""
    width = next(bits for bits in WIDTHS if _most_ahead(numbers, WORD // bits) < 2**bits)
    rows = WORD // width
    least = np.minimum.reduceat(numbers, np.arange(0, numbers.size, rows))
    words = np.zeros(least.size, np.uint64)
    for place in range(rows):
        ahead = numbers[place::rows]
        ahead = (ahead - least[: ahead.size]).astype(np.uint64)
        words[: ahead.size] |= ahead << np.uint64(place * width)
    blocks = {"block": np.arange(least.size), "least": least, "word": words}
    connection.register("place_blocks", blocks)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM place_blocks")
    connection.unregister("place_blocks")
    return width


def _most_ahead(numbers: Positions, rows: int) -> int:
    """How far apart numbers are at most that are in one block of so many rows."""
    starts = np.arange(0, numbers.size, rows)
    ahead = np.maximum.reduceat(numbers, starts) - np.minimum.reduceat(numbers, starts)
    return int(ahead.max())
