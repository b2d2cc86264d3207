"""Where the records of a CSV text begin and end, found without parsing its fields.

Plain quote parity tells newlines inside fields from those between records, and is right
exactly when every opening quote follows a delimiter, a line end or its doubled partner and
every closing one precedes one of these. That is verified; a block that fails is scanned quote
by quote, and a line whose quotes make no record is set apart instead of swallowing its
followers.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]

LF = 10
CR = 13
QUOTE = 34

UNTERMINATED = "unterminated-quote"
BAD_QUOTE = "bad-quote"


@dataclass(frozen=True)
class Block:
    """The complete records at the start of a text."""

    data: bytes
    starts: Positions
    """First byte of each record."""
    stops: Positions
    """First byte after each record and its line end; the last one is where the rest begins."""
    lines: Positions
    """Line ends before each record."""
    cuts: dict[int, str]
    """Records that are none, by position in `starts`, each with its error code."""
    fences: Positions
    """Opening and closing quotes of quoted fields, alternating."""
    newlines: int
    """Line ends in all records together."""

    @property
    def consumed(self) -> int:
        return int(self.stops[-1]) if self.stops.size else 0

    @property
    def is_multiline(self) -> bool:
        return self.newlines > self.stops.size

    def cells(self, delimiter: int) -> Positions:
        """The number of cells in each record."""
        found = np.flatnonzero(np.frombuffer(self.data, np.uint8) == delimiter)
        found = found[_outside(self.fences, found)]
        return 1 + np.searchsorted(found, self.stops) - np.searchsorted(found, self.starts)


def index_block(data: bytes, delimiter: int, limit: int, *, is_last: bool) -> Block:
    """The records of `data`, which starts at a record.

    Unless `is_last`, a record that may go on behind the end is left out. `limit` is how many
    bytes a quoted field may hold before its quote counts as never closed.
    """
    data = _without_lone_returns(data, delimiter, is_last=is_last)
    octets = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(octets == LF)
    quotes = np.flatnonzero(octets == QUOTE) if b'"' in data else newlines[:0]
    outer = np.flatnonzero(_outside(quotes, newlines))
    end = _end(data, newlines, outer, is_last=is_last)
    verified = quotes[: np.searchsorted(quotes, end)]
    if _is_verified(octets, verified, delimiter) and (end or len(data) <= limit):
        return _block(data, newlines, outer, end, verified, {})
    scan = _Scan(data, delimiter, limit, is_last).run(quotes.tolist())
    fences = np.array(scan.fences, np.int64)
    outer = np.flatnonzero(_outside(fences, newlines))
    outer = outer[newlines[outer] < scan.stop]
    end = _end(data, newlines, outer, is_last=is_last)
    return _block(data, newlines, outer, end, fences, scan.cuts)


def _outside(fences: Positions, positions: Positions) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.searchsorted(fences, positions) & 1 == 0
    return found


def _end(data: bytes, newlines: Positions, outer: Positions, *, is_last: bool) -> int:
    if is_last:
        return len(data)
    return int(newlines[outer[-1]]) + 1 if outer.size else 0


def _is_verified(octets: npt.NDArray[np.uint8], quotes: Positions, delimiter: int) -> bool:
    if quotes.size == 0:
        return True
    if quotes.size % 2:
        return False
    is_legal = np.zeros(256, np.bool_)
    is_legal[[delimiter, LF, CR, QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    if opening[0] == 0:
        opening = opening[1:]
    if closing[-1] == octets.size - 1:
        closing = closing[:-1]
    return bool(is_legal[octets[opening - 1]].all() and is_legal[octets[closing + 1]].all())


def _block(
    data: bytes,
    newlines: Positions,
    outer: Positions,
    end: int,
    fences: Positions,
    cut_stops: dict[int, str],
) -> Block:
    stops = newlines[outer] + 1
    lines = np.concatenate([[0], outer + 1])
    if end > (int(stops[-1]) if stops.size else 0):
        stops = np.append(stops, end)
    starts = np.concatenate([[0], stops[:-1]])[: stops.size]
    cuts = {int(np.searchsorted(stops, stop)): code for stop, code in cut_stops.items()}
    total = int(np.searchsorted(newlines, end))
    return Block(data, starts, stops, lines[: stops.size], cuts, fences, total)


def _without_lone_returns(data: bytes, delimiter: int, *, is_last: bool) -> bytes:
    """`data` with each CR that ends a record by itself replaced by LF."""
    if b"\r" not in data:
        return data
    octets = np.frombuffer(data, np.uint8)
    returns = np.flatnonzero(octets == CR)
    if returns[-1] == octets.size - 1 and not is_last:
        returns = returns[:-1]
    following = octets[np.minimum(returns + 1, octets.size - 1)]
    lone = returns[following != LF]
    quotes = np.flatnonzero(octets == QUOTE)
    lone = lone[_outside(quotes, lone)]
    if not lone.size or not _is_verified(octets, quotes[: quotes.size // 2 * 2], delimiter):
        return data
    replaced = octets.copy()
    replaced[lone] = LF
    return replaced.tobytes()


class _Scan:
    """The exact pass over the quotes of one block."""

    def __init__(self, data: bytes, delimiter: int, limit: int, is_last: bool) -> None:
        self.data = data
        self.limit = limit
        self.is_last = is_last
        self.before = (delimiter, LF, CR)
        self.fences: list[int] = []
        self.cuts: dict[int, str] = {}
        """Codes by the byte after the line that is cut."""
        self.stop = len(data)
        """Newlines from here on are left to the next block."""
        self._closed = 0
        self._record = 0

    def run(self, quotes: list[int]) -> _Scan:
        at = 0
        while at < len(quotes):
            opening = quotes[at]
            if opening and self.data[opening - 1] not in self.before:
                at += 1
                continue
            record = self._record_start(opening)
            closing, code = self._close(quotes, at)
            if code:
                line_end = self.data.find(b"\n", opening)
                waits = closing < 0 and len(self.data) - opening <= self.limit
                if not self.is_last and (waits or line_end < 0):
                    self.stop = record
                    break
                line_end = line_end if line_end >= 0 else len(self.data) - 1
                self.cuts[line_end + 1] = code
                self._closed = self._record = line_end + 1
                at = bisect_left(quotes, line_end, at + 1)
                continue
            self.fences += (opening, quotes[closing])
            self._closed, self._record = quotes[closing], record
            at = closing + 1
        return self

    def _record_start(self, opening: int) -> int:
        newline = self.data.rfind(b"\n", self._closed, opening)
        return newline + 1 if newline >= 0 else self._record

    def _close(self, quotes: list[int], at: int) -> tuple[int, str]:
        """Index in `quotes` of the quote that closes the one at `at`, and an error code.

        -1 with a code where the text ends first; an index with a code where the next quote
        stands in the way.
        """
        data, index, count = self.data, at + 1, len(quotes)
        while index < count:
            quote = quotes[index]
            if index + 1 < count and quotes[index + 1] == quote + 1:
                index += 2
                continue
            if quote + 1 == len(data):
                return (index, "") if self.is_last else (-1, UNTERMINATED)
            if data[quote + 1] in self.before:
                return index, ""
            same_line = data.find(b"\n", quotes[at], quote) < 0
            return index, BAD_QUOTE if same_line else UNTERMINATED
        return -1, UNTERMINATED
