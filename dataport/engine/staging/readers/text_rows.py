"""Rows that a library hands out, kept as text in Parquet until they are checked.

They come in batches, each of which goes to the disk before the next is made: what a library
holds is all that is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataport.engine.sql import literal
from dataport.engine.staging.readers.csv_index import Positions
from dataport.engine.staging.readers.spool import Cut, Spool, too_many_rows
from dataport.engine.staging.request import PARTS, StageRequest
from dataport.engine.staging.sniff import check_width
from dataport.engine.staging.unpacking import Meter

BATCH = 20_000
"""Rows that are held at a time."""

KEYS = "_keys"
"""Column with the names of the columns that a row states."""


class TextRows:
    """Collects the rows of one table: columns `c0` on, each row with its physical line.

    Records are numbered as they are added, those that are cut too. What their text comes to is
    bounded as what is unpacked is: a few bytes of a file can stand for a value in every row.
    """

    def __init__(self, request: StageRequest) -> None:
        directory = request.directory / PARTS
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._limits = request.limits
        self._meter = Meter(request.file_name, 0, request.limits)
        self._paths: list[Path] = []
        self._spool = Spool()
        self._records: list[Positions] = []
        self._lines: list[Positions] = []

    def add(self, cells: Sequence[pa.Array], lines: Iterable[int], keys: Any = None) -> None:
        """Add rows, given as a text array a column; `keys` are the columns that each states.

        Raises InputError where there are too many.
        """
        placed = np.fromiter(lines, np.int64)
        first = self._spool.total + 1
        self._records.append(np.arange(first, first + placed.size, dtype=np.int64))
        self._lines.append(placed)
        self._count(placed.size)
        check_width(len(cells), self._limits.columns)
        self._meter.note(sum(array.nbytes for array in cells))
        named = {f"c{at}": array for at, array in enumerate(cells)}
        if keys is not None:
            named[KEYS] = pa.array(keys, pa.list_(pa.string()))
        for array in cells:
            longest = pc.max(pc.binary_length(array)).as_py() or 0
            self._spool.longest = max(self._spool.longest, longest)
        path = self._directory / f"rows-{len(self._paths):05d}.parquet"
        pq.write_table(pa.table(named), path, compression="snappy")
        self._paths.append(path)

    def add_dicts(
        self, rows: Sequence[Mapping[str, str | None]], lines: Iterable[int], columns: list[str]
    ) -> None:
        """Add rows by name; `columns` gains the names that are new, in order."""
        known = dict.fromkeys(columns)
        columns += [
            name for name in dict.fromkeys(n for row in rows for n in row) if name not in known
        ]
        cells = [pa.array([row.get(name) for row in rows], pa.string()) for name in columns]
        self.add(cells, lines, keys=[list(row) for row in rows])

    def cut(self, line: int, code: str, text: str) -> None:
        """Count a record that can't be read as cells."""
        self._count(1)
        self._spool.cuts.append(Cut(self._spool.total, line, code, text))

    def finish(self) -> Spool:
        """Where every row stands. Raises InputError when the records don't add up."""
        if self._records:
            self._spool.records = np.concatenate(self._records)
            self._spool.lines = np.concatenate(self._lines)
        self._spool.account()
        return self._spool

    def sql(self, width: int, *, with_keys: bool = False) -> str:
        """SELECT of the rows' `width` columns, in order; of `_keys` too where they were given."""
        names = [*(f"c{at}" for at in range(width)), *([KEYS] if with_keys else [])]
        if not self._paths:
            kinds = [f"NULL::VARCHAR AS {name}" for name in names]
            return f"SELECT {', '.join(kinds)} WHERE false"
        paths = ", ".join(literal(str(path)) for path in self._paths)
        return f"SELECT {', '.join(names)} FROM read_parquet([{paths}], union_by_name = true)"

    def _count(self, number: int) -> None:
        self._spool.total += number
        if self._spool.total > self._limits.rows:
            raise too_many_rows(self._limits.rows)
