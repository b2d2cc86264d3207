"""Some of a spool's rows as a spool of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dataport.engine.staging.readers.csv_index import Positions
from dataport.engine.staging.readers.spool import Part, Spool

AT_ONCE = 2**14
"""Rows that are copied at a time: each of their bytes is addressed by eight."""


def select_rows(spool: Spool, is_wanted: npt.NDArray[np.bool_], directory: Path) -> Spool:
    """The wanted rows of `spool`, copied to parts in `directory`; records that were cut stay cut.

    `is_wanted` has one entry a row. Parts of an earlier selection there are written over.
    """
    stops = np.cumsum(spool.sizes)
    parts: list[Part] = []
    first = offset = 0
    for part in spool.parts:
        end = offset + part.path.stat().st_size
        last = int(np.searchsorted(stops, end, side="right"))
        rows = first + np.flatnonzero(is_wanted[first:last])
        if rows.size:
            path = directory / f"selected-{len(parts):05d}"
            _copy(part.path, path, stops[rows] - spool.sizes[rows] - offset, spool.sizes[rows])
            parts.append(Part(path, part.has_returns))
        first, offset = last, end
    kept = np.flatnonzero(is_wanted)
    return replace(
        spool,
        parts=parts,
        records=spool.records[kept],
        lines=spool.lines[kept],
        sizes=spool.sizes[kept],
    )


def _copy(source: Path, target: Path, starts: Positions, sizes: Positions) -> None:
    """Write the ranges of `source` that begin at `starts` to `target`, a few at a time."""
    with target.open("wb") as file:
        for first in range(0, starts.size, AT_ONCE):
            some = slice(first, first + AT_ONCE)
            # Mapped anew each time: what was read through a mapping counts as memory of ours.
            octets = np.memmap(source, np.uint8, mode="r")
            file.write(octets[_ranges(starts[some], sizes[some])].tobytes())


def _ranges(starts: Positions, sizes: Positions) -> Positions:
    """Every position of the ranges that begin at `starts`, one after the other."""
    before = np.cumsum(sizes) - sizes
    found: Positions = np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))
    return found
