"""The private copy of a file's records, in parts that DuckDB reads side by side.

Only whole, well-formed records are copied, so that row n of all parts together is entry n of
the record index, and no reader's idea of where a record ends can differ unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dataport.core.errors import InputError
from dataport.core.text import counted
from dataport.engine.staging.readers.csv_index import CR, LF, Block, Positions
from dataport.engine.staging.request import StageRequest

if TYPE_CHECKING:
    import duckdb

QUARANTINED = ("unterminated-quote", "bad-quote")


@dataclass(frozen=True)
class Cut:
    """A record that can't be read as cells, or not as the right number of them."""

    record: int
    line: int
    code: str
    text: str
    """The record as the file has it, without its line end."""
    cells: int = 0
    width: int | None = None
    """Columns of its own table, where the rows are those of several."""
    raw: tuple[str | None, ...] | None = None
    """Its cells by the columns of the reading, where they are not those of its text in order."""
    lacks: tuple[int, ...] = ()
    """Positions of the columns of the reading that its table does not have, or it may not."""


@dataclass(frozen=True)
class Part:
    """A file with some of the records, all with one kind of line end."""

    path: Path
    has_returns: bool
    """Whether records end with CR LF, not LF."""


@dataclass
class Spool:
    """What was copied, and what was cut out."""

    parts: list[Part] = field(default_factory=list)
    records: Positions = field(default_factory=lambda: np.zeros(0, np.int64))
    """Record number, from 1, of each copied row."""
    lines: Positions = field(default_factory=lambda: np.zeros(0, np.int64))
    """Physical line, from 1, where each copied row starts."""
    sizes: Positions = field(default_factory=lambda: np.zeros(0, np.int64))
    """Bytes of each copied row in its part, line end included."""
    cuts: list[Cut] = field(default_factory=list)
    total: int = 0
    """Records in the file, without a header and blank lines."""
    longest: int = 0
    """Bytes of the longest record."""
    has_mixed_ends: bool = False

    @property
    def quarantined(self) -> int:
        return sum(cut.code in QUARANTINED for cut in self.cuts)

    @property
    def held(self) -> int:
        """Bytes that the index of the rows takes."""
        return self.records.nbytes + self.lines.nbytes + self.sizes.nbytes

    def account(self) -> None:
        """Raise InputError unless every record of the file was copied or cut."""
        if self.total != self.records.size + len(self.cuts):
            raise count_mismatch(self.total, int(self.records.size) + len(self.cuts))


class SpoolWriter:
    """Writes blocks of records to numbered parts of about `part_size` bytes.

    A context manager: leaving it closes the last part.
    """

    def __init__(self, directory: Path, part_size: int, row_limit: int) -> None:
        self._directory = directory
        self._part_size = part_size
        self._row_limit = row_limit
        self._file: BufferedWriter | None = None
        self._written = 0
        self._spool = Spool()
        self._records: list[Positions] = []
        self._lines: list[Positions] = []
        self._sizes: list[Positions] = []
        self._line = 1
        self._style: int | None = None
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in directory.glob("*.part"):
            path.unlink()

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def line(self) -> int:
        """The physical line where the next block starts."""
        return self._line

    @property
    def total(self) -> int:
        """Records of all blocks so far."""
        return self._spool.total

    def skip_lines(self, count: int) -> None:
        """Count `count` lines that come before the first block."""
        self._line += count

    def add(
        self,
        block: Block,
        skip: int = 0,
        codes: dict[int, str] | None = None,
        cells: Positions | None = None,
        is_blank: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Copy a block but its first `skip` records, its blank lines and those in `codes`."""
        octets = np.frombuffer(block.data, np.uint8)
        stops, starts = block.stops, block.starts
        if not stops.size:
            return
        is_blank = _is_blank(octets, starts, stops) if is_blank is None else is_blank
        is_record = ~is_blank
        is_record[:skip] = False
        numbers = self._spool.total + np.cumsum(is_record)
        is_kept = is_record.copy()
        for index, code in sorted((codes or {}).items()):
            if is_record[index]:
                text = block.data[starts[index] : stops[index]].decode("utf-8", "replace")
                self._spool.cuts.append(
                    Cut(
                        int(numbers[index]),
                        self._line + int(block.lines[index]),
                        code,
                        text.rstrip("\r\n"),
                        int(cells[index]) if cells is not None else 0,
                    )
                )
                is_kept[index] = False
        self._records.append(numbers[is_kept])
        self._lines.append(self._line + block.lines[is_kept])
        self._spool.total = int(numbers[-1])
        self._spool.longest = max(self._spool.longest, int((stops - starts).max()))
        self._line += block.newlines
        self._check_rows()
        data, sizes = self._uniform(octets, starts, stops, is_kept)
        self._sizes.append(sizes)
        self._write(data)

    def finish(self) -> Spool:
        """Close the last part. Raises InputError when the records don't add up."""
        self._close()
        if self._records:
            self._spool.records = _joined(self._records)
            self._spool.lines = _joined(self._lines)
            self._spool.sizes = _joined(self._sizes)
        self._spool.account()
        return self._spool

    def _uniform(
        self,
        octets: npt.NDArray[np.uint8],
        starts: Positions,
        stops: Positions,
        is_kept: npt.NDArray[np.bool_],
    ) -> tuple[bytes | memoryview, Positions]:
        """The kept records' bytes with one kind of line end, as DuckDB wants it in a part, and
        how many each has."""
        is_ended = octets[stops - 1] == LF
        breaks, sizes = stops[is_ended] - 1, stops - starts
        has_return = octets[np.maximum(breaks - 1, 0)] == CR
        style = CR if breaks.size and has_return.all() else LF
        mask = None if is_kept.all() else np.repeat(is_kept, sizes)
        if style == LF and has_return.any():
            mask = np.ones(int(stops[-1]), np.bool_) if mask is None else mask
            mask[breaks[has_return] - 1] = False
            sizes[is_ended] -= has_return
            self._spool.has_mixed_ends = True
        if breaks.size and style != self._style:
            self._spool.has_mixed_ends |= self._style is not None
            self._close()
            self._style = style
        if mask is None:
            return octets[: int(stops[-1])].data, sizes
        return octets[: stops[-1]][mask].tobytes(), sizes[is_kept]

    def _check_rows(self) -> None:
        if self._spool.total > self._row_limit:
            raise too_many_rows(self._row_limit)

    def _write(self, data: bytes | memoryview) -> None:
        if self._file is None and len(data):
            path = self._directory / f"{len(self._spool.parts):05d}.part"
            self._file = path.open("wb")
            self._spool.parts.append(Part(path, self._style == CR))
        if self._file is not None:
            self._written += self._file.write(data)
            if self._written >= self._part_size:
                self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._written = None, 0


def _joined(pieces: list[Positions]) -> Positions:
    """The pieces as one array; they are let go of."""
    joined = np.concatenate(pieces)
    pieces.clear()
    return joined


def part_size(size: int, request: StageRequest) -> int:
    """Bytes of a part that keep all threads busy on a file of `size` bytes."""
    return max(2 * request.chunk, size // (2 * request.threads) + 1)


def too_many_rows(limit: int) -> InputError:
    """The error of a file with more than `limit` records."""
    return InputError(
        "too-many-rows",
        "The file has too many rows.",
        f"The limit is {limit:,}.",
        "Split the file, or raise limits.rows in the configuration.",
    )


def check_count(connection: duckdb.DuckDBPyConnection, relation: str, expected: int) -> None:
    """Raise InputError unless a relation has as many rows as the spool has records."""
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    found = int(row[0]) if row else 0
    if found != expected:
        raise count_mismatch(expected, found)


def count_mismatch(expected: int, found: int) -> InputError:
    """The error of the accounting rule: rows appeared or vanished while reading."""
    return InputError(
        "record-count-mismatch",
        "The file's records don't add up; nothing of it was taken.",
        f"It has {counted(expected, 'record')}, but {found:,} were read.",
        "Save it again as plain UTF-8 CSV, and report the file if that does not help.",
    )


def _is_blank(
    octets: npt.NDArray[np.uint8], starts: Positions, stops: Positions
) -> npt.NDArray[np.bool_]:
    lengths = stops - starts
    last = octets[stops - 1] == LF
    result: npt.NDArray[np.bool_] = (lengths == 1) & (last | (octets[starts] == CR))
    result |= (lengths == 2) & last & (octets[starts] == CR)
    return result
