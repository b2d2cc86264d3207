"""Where the items of a JSON array begin and end, found without parsing them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dataport.engine.staging.readers.csv_index import LF, QUOTE, Block, Positions

BACKSLASH = 92
OPENING_BRACE = 123
_OPENING = np.zeros(256, np.int64)
_OPENING[[ord("{"), ord("[")]] = 1
_OPENING[[ord("}"), ord("]")]] = -1
_IS_STRUCTURE = _OPENING != 0
_IS_STRUCTURE[ord(",")] = True
_IS_BLANK = np.zeros(256, np.bool_)
_IS_BLANK[[9, 10, 13, 32]] = True


class TooDeepError(Exception):
    """A value lies in more brackets than allowed."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        """Line ends before it."""


def index_items(data: bytes, nesting: int) -> tuple[Block, int | None]:
    """The complete items at the start of `data`, which starts inside an array, before an item.

    Each item of the block is one line, ended by LF in place of its comma. The second result is
    the place behind the array's closing bracket, None where the array goes on. Raises
    TooDeepError for an item with more than `nesting` brackets inside one another.
    """
    octets = np.frombuffer(data, np.uint8)
    structure = np.flatnonzero(_IS_STRUCTURE[octets])
    quotes = _quotes(octets)
    structure = structure[np.searchsorted(quotes, structure) & 1 == 0]
    codes = octets[structure]
    depth = np.cumsum(_OPENING[codes])
    ends = np.flatnonzero(depth < 0)
    last = int(ends[0]) if ends.size else structure.size
    deep = np.flatnonzero(depth[:last] > nesting)
    if deep.size:
        raise TooDeepError(data.count(b"\n", 0, int(structure[deep[0]])))
    commas = structure[:last][(depth[:last] == 0) & (codes[:last] == ord(","))]
    stops = commas + 1
    closed = None
    if ends.size:
        closed = int(structure[last]) + 1
        stops = np.append(stops, closed)
    return _block(octets, stops), closed


def index_lines(data: bytes) -> Block:
    """The complete lines at the start of `data`, each one item."""
    octets = np.frombuffer(data, np.uint8)
    return _block(octets, np.flatnonzero(octets == LF) + 1)


def deep_lines(block: Block, nesting: int) -> dict[int, str]:
    """Lines with more than `nesting` brackets inside one another, by position, with their code."""
    octets = np.frombuffer(block.data, np.uint8)[: block.consumed]
    # Both kinds of opening brackets differ in one bit.
    opening = np.flatnonzero(octets | 32 == OPENING_BRACE)
    counts = np.diff(np.searchsorted(opening, block.stops), prepend=0)
    if not counts.size or int(counts.max()) <= nesting:
        return {}
    quotes = _quotes(octets)
    places = np.flatnonzero(_OPENING[octets])
    owners = np.searchsorted(block.stops, places, side="right")
    # A line whose quotes don't pair must not turn those behind it inside out.
    quoted = np.searchsorted(quotes, places) - np.searchsorted(quotes, block.starts)[owners]
    places, owners = places[quoted & 1 == 0], owners[quoted & 1 == 0]
    steps = _OPENING[octets[places]]
    depth = np.cumsum(steps)
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))
    before = np.repeat(depth[firsts] - steps[firsts], np.diff(firsts, append=depth.size))
    return dict.fromkeys(np.unique(owners[depth - before > nesting]).tolist(), "nested-too-deep")


def brackets(data: bytes) -> tuple[Positions, Positions]:
    """Places of all brackets outside strings, and 1 for each that opens, -1 for one that closes."""
    octets = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(_OPENING[octets])
    places = places[np.searchsorted(_quotes(octets), places) & 1 == 0]
    return places, _OPENING[octets[places]]


def blanks(block: Block) -> npt.NDArray[np.bool_]:
    """Which items of a block hold nothing but white space."""
    visible = np.flatnonzero(~_IS_BLANK[np.frombuffer(block.data, np.uint8)])
    found: npt.NDArray[np.bool_] = np.searchsorted(visible, block.starts) == np.searchsorted(
        visible, block.stops
    )
    return found


def _block(octets: npt.NDArray[np.uint8], stops: Positions) -> Block:
    """Items up to `stops` as lines; the line of an item is that of its first visible byte."""
    starts = np.concatenate([[0], stops[:-1]])[: stops.size]
    end = int(stops[-1]) if stops.size else 0
    newlines = np.flatnonzero(octets[:end] == LF)
    visible = np.flatnonzero(~_IS_BLANK[octets[:end]])
    places = np.searchsorted(visible, starts)
    first = visible[np.minimum(places, visible.size - 1)] if visible.size else starts
    lines = np.searchsorted(newlines, np.where(places < visible.size, first, starts))
    flat = octets.copy()
    flat[:end][(octets[:end] == LF) | (octets[:end] == 13)] = 32
    flat[stops - 1] = LF
    return Block(flat.tobytes(), starts, stops, lines, {}, stops[:0], int(newlines.size))


def _quotes(octets: npt.NDArray[np.uint8]) -> Positions:
    """The quotes that begin and end strings: those that no backslash escapes."""
    quotes = np.flatnonzero(octets == QUOTE)
    slashes = np.flatnonzero(octets == BACKSLASH)
    if not slashes.size:
        return quotes
    is_first = np.ones(slashes.size, np.bool_)
    is_first[1:] = np.diff(slashes) > 1
    starts = slashes[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]]
    escaped = slashes[(slashes - starts) % 2 == 0] + 1
    return quotes[~np.isin(quotes, escaped, assume_unique=True)]
