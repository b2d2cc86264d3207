"""Every row keeps its own record number and line, wherever in a file of any size (ERR-01)."""

from __future__ import annotations

from itertools import accumulate

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataport.engine.staging import places
from dataport.engine.staging.readers.spool import Spool

NUMBERS = st.lists(st.integers(1, 2**40), min_size=1, max_size=300)
ASCENDING = st.lists(st.integers(1, 12), max_size=300).map(lambda steps: [*accumulate(steps)])


def looked_up(records: list[int], lines: list[int]) -> list[tuple[int, int, int]]:
    """What SQL says of each row: its number, its record and its line."""
    spool = Spool(records=np.array(records, np.int64), lines=np.array(lines, np.int64))
    with duckdb.connect() as connection:
        found = places.places_of(connection, spool)
        return connection.execute(
            f"SELECT n._row, {found.record}, {found.line}"
            f" FROM range({len(records)}) n(_row){found.joins} ORDER BY 1"
        ).fetchall()


@given(records=ASCENDING, lines=NUMBERS)
def test_each_row_has_its_numbers(records: list[int], lines: list[int]) -> None:
    rows = min(len(records), len(lines))
    expected = [*zip(range(rows), records[:rows], lines[:rows], strict=True)]
    assert looked_up(records[:rows], lines[:rows]) == expected


@pytest.mark.parametrize("gap", [1, 2, 15, 16, 255, 256, 70_000, 2**33])
@pytest.mark.parametrize("rows", [1, 15, 16, 17, 1000])
def test_gaps_of_any_size_fit(rows: int, gap: int) -> None:
    lines = [2 + row + row // 7 * gap for row in range(rows)]
    assert looked_up([*range(2, rows + 2)], lines) == [
        (row, row + 2, line) for row, line in enumerate(lines)
    ]
