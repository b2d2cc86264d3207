"""The record index against Python's own parser, on texts nobody would think of."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import example, given
from hypothesis import strategies as st

from dataport.engine.staging.readers.csv_index import index_block
from dataport.engine.staging.readers.json_index import index_items

CELLS = st.text(alphabet='ab,"\n\r 1é', max_size=8)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=12)
SOUP = st.text(alphabet='a",\n', max_size=60).map(str.encode)
LIMIT = 1000


def records(data, size, limit=LIMIT):
    """All records found in `data` when it comes in pieces of `size` bytes."""
    found, cuts, rest, line = [], [], b"", 0
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    for at in range(len(pieces) + 1):
        is_last = at == len(pieces)
        rest += b"" if is_last else pieces[at]
        while rest:
            block = index_block(rest, ord(","), limit, is_last=is_last)
            for index in range(block.starts.size):
                text = block.data[block.starts[index] : block.stops[index]]
                found.append((line + int(block.lines[index]), text))
                if index in block.cuts:
                    cuts.append(found[-1])
            rest = block.data[block.consumed :]
            line += block.newlines
            if not is_last:
                break
    return found, cuts


@given(
    ROWS,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 50),
)
def test_well_formed_records_are_found_exactly(rows, end, quoting, size):
    if any("\r" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # Python writes a bare CR unquoted
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator=end, quoting=quoting).writerows(rows)
    data = target.getvalue().encode()
    found, cuts = records(data, size)
    assert cuts == []
    parsed = [next(csv.reader(io.StringIO(text.decode(), newline="")), []) for _, text in found]
    assert [row or [""] for row in parsed] == rows
    assert b"".join(text for _, text in found) == data
    starts, count = [], 0
    for _, text in found:
        starts.append(count)
        count += text.count(b"\n")
    assert [line for line, _ in found] == starts


@given(SOUP, st.integers(1, 40))
@example(b'a,"b\nc,d\n"e",f\n', 3)
@example(b'"a\n\n\n', 1)
@example(b'a\n"', 1)
@example(b'"",""\n"""\n', 2)
def test_nothing_is_lost_and_pieces_do_not_matter(data, size):
    whole, whole_cuts = records(data, max(len(data), 1))
    pieces, piece_cuts = records(data, size)
    assert b"".join(text for _, text in whole) == data
    assert pieces == whole
    assert piece_cuts == whole_cuts


@given(SOUP)
def test_a_line_with_broken_quotes_costs_itself_only(soup):
    broken = b'x,"never closed\n'
    found, cuts = records(broken + b"1,2\n" + soup.replace(b'"', b""), 10_000)
    assert [text for _, text in cuts] == [broken]
    assert found[1] == (1, b"1,2\n")


@given(
    st.lists(
        st.recursive(
            st.text('a"\\,[]{}\n', max_size=6) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text("k,}", max_size=2), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([None, 1]),
    st.integers(1, 60),
)
def test_items_of_json_arrays_are_found_exactly(items, indent, size):
    data = json.dumps(items, indent=indent).encode()[1:]
    found, rest, closed = [], b"", None
    for at in range(0, len(data), size):
        rest += data[at : at + size]
        if closed is None:
            block, closed = index_items(rest, nesting=100)
            found += [
                block.data[start:stop]
                for start, stop in zip(block.starts, block.stops, strict=True)
            ]
            rest = rest[block.consumed :]
    assert closed is not None
    assert [json.loads(text) for text in found] == items
