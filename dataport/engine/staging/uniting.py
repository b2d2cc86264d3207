"""Several tables of a file as one: what they say together is one statement of its source.

Their rows are put one below the other before anything is checked. So a key that two tables have
is a duplicate as in one table, how a column writes its values is decided over all of them, and what a
mirror finds missing is missing in all. A table that lacks a column says nothing about it. Each row
has a column `FILE` with the name of its table, which a reject file keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dataport.core.errors import InputError
from dataport.engine.catalog.mappings import FILE
from dataport.engine.sql import literal
from dataport.engine.staging.above import with_columns_above
from dataport.engine.staging.clean import VERBATIM
from dataport.engine.staging.look import JOINT, no_such_table
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.mapping import fold
from dataport.engine.staging.opening import Leaf
from dataport.engine.staging.readers.errors import take_first
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.spool import Cut, Spool, check_count, too_many_rows
from dataport.engine.staging.reject_layout import reject_layout
from dataport.engine.staging.rejects import cut_cells
from dataport.engine.staging.request import PARTS, StageRequest
from dataport.engine.staging.sniff import WORKBOOKS
from dataport.engine.table_lines import TableLines

if TYPE_CHECKING:
    import duckdb

Ways = Callable[[Leaf, StageRequest], Sequence[Callable[[], Reading]]]
"""What reads one table, the quickest way first."""

EMPTY = ("no-rows", "empty-file")
"""Errors of a table that has nothing to say, beside others that have."""


@dataclass(frozen=True)
class _Table:
    """One table, read."""

    inside: str
    """What the request calls it."""
    name: str
    """Its own name, without the way to it."""
    reading: Reading
    rows: str
    """The relation of its cells."""


def unite(
    connection: duckdb.DuckDBPyConnection,
    request: StageRequest,
    leaves: Iterable[Leaf],
    ways: Ways,
) -> Reading:
    """The rows of the tables that `request` names, one below the other, in the file's order.

    Raises InputError where one of them is not there or can't be read, and `tables-differ` where
    they are not read by one mapping.
    """
    tables: list[_Table] = []
    seen, notices = set(), []
    for leaf in leaves:
        for inside, rest in _tables_in(leaf, request.tables):
            seen.add(inside)
            if leaf.problem is not None:
                raise leaf.problem
            place = request.directory / PARTS / f"table-{len(seen)}"
            name = leaf.source.path.name
            inner = replace(request, tables=(), inside=rest, name=name, directory=place)
            try:
                with _about(inside):
                    table = _read(connection, f"table_{len(seen)}", ways(leaf, inner))
                tables.append(_Table(inside, rest or name, *table))
            except InputError as error:
                if error.code not in EMPTY:
                    raise
                notices.append(f"{inside} holds no rows.")
    missing = [inside for inside in request.tables if inside not in seen]
    if missing:
        raise no_such_table(request.source_path.name, missing[0], sorted(seen))
    if not tables:
        raise no_rows(request.source_path.name)
    return _united(request, tables, notices)


def _tables_in(leaf: Leaf, tables: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Those of the tables that lie in one file of a container, and what they are called there."""
    names = JOINT.join(leaf.names)
    for inside in tables:
        if inside == names:
            yield inside, None
        elif not names:
            yield inside, inside
        elif inside.startswith(names + JOINT):
            yield inside, inside.removeprefix(names + JOINT)


@contextmanager
def _about(inside: str) -> Iterator[None]:
    """Let an error say which table it is about."""
    try:
        yield
    except InputError as error:
        error.tell_of(inside)
        raise


def _read(
    connection: duckdb.DuckDBPyConnection, rows: str, ways: Sequence[Callable[[], Reading]]
) -> tuple[Reading, str]:
    """One table, its cells kept in the temporary table `rows`."""

    def kept(reading: Reading) -> Reading:
        reading = with_columns_above(connection, reading)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {rows} AS {reading.sql}")
        check_count(connection, rows, int(reading.spool.records.size))
        return reading

    reading = take_first(ways, kept)
    if reject_layout(reading.columns):
        raise _rejects_among()
    return reading, rows


def _united(request: StageRequest, tables: Sequence[_Table], notices: list[str]) -> Reading:
    first = tables[0].reading
    for table in tables:
        _check_alike(tables[0], table)
    labels, places = _columns(tables)
    columns = (*labels, FILE)
    is_alike = all(len(each) == len(labels) for each in places)
    states_keys = not is_alike or any(table.reading.states_keys for table in tables)
    selects = [
        _rows_sql(table, place, labels, states_keys=states_keys)
        for table, place in zip(tables, places, strict=True)
    ]
    spool, lines = _spool(request, tables, places, len(columns))
    limits = [table.reading.limit for table in tables if table.reading.limit is not None]
    told = [f"{table.inside}: {each}" for table in tables for each in table.reading.notices]
    return replace(
        first,
        columns=columns,
        mapped=columns_as_fields(columns, _with_mapping(request, first)),
        spool=spool,
        sql=" UNION ALL ".join(selects),
        states_keys=states_keys,
        limit=max(limits, default=None),
        has_error_cells=any(table.reading.has_error_cells for table in tables),
        mark=first.mark if all(table.reading.mark == first.mark for table in tables) else None,
        notices=[*notices, *told],
        table_lines=lines,
        sql_of=None,
    )


def _check_alike(first: _Table, table: _Table) -> None:
    """Raise InputError `tables-differ` for tables that no one plan can check."""
    one, other = first.reading, table.reading
    if _tongue(one) != _tongue(other):
        said = f"The one is {one.format}, the other {other.format}."
    elif one.mapped.by != other.mapped.by:
        said = f"The one is read by {_by(first)}, the other by {_by(table)}."
    else:
        return
    raise InputError(
        "tables-differ",
        f"{first.inside} and {table.inside} are not read alike.",
        said,
        f"Import one of them by itself: --inside {table.inside!r}.",
    )


def _tongue(reading: Reading) -> str:
    """What formats have in common that write a text, and the error of a formula, alike."""
    if reading.format in VERBATIM:
        return "verbatim"
    return "sheet" if reading.format in WORKBOOKS else "text"


def _with_mapping(request: StageRequest, first: Reading) -> StageRequest:
    """The request with the mapping that its tables are read by; their headers may have told it."""
    if request.mapping is not None:
        return request
    by = first.mapped.by
    mapping = next((each for each in request.candidates if each.name == by), None)
    return replace(request, mapping=mapping, candidates=())


def _by(table: _Table) -> str:
    by = table.reading.mapped.by
    return f"the mapping {by}" if by else "the names of its columns"


def _columns(tables: Sequence[_Table]) -> tuple[list[str], list[dict[int, int]]]:
    """The columns of all tables, and of each table which of them its own columns are.

    Columns are the same where their names are, or name the same field.
    """
    labels: list[str] = []
    known: dict[tuple[str, int], int] = {}
    places: list[dict[int, int]] = []
    for table in tables:
        place: dict[int, int] = {}
        counts: dict[str, int] = {}
        for at, label in enumerate(table.reading.columns):
            stem = _identity(table.reading, at, label)
            counts[stem] = counts.get(stem, 0) + 1
            if (stem, counts[stem]) not in known:
                known[stem, counts[stem]] = len(labels)
                labels.append(label)
            place[at] = known[stem, counts[stem]]
        places.append(place)
    return labels, places


def _identity(reading: Reading, at: int, label: str) -> str:
    if reading.mapped.by is None:
        for name, position in reading.mapped.positions.items():
            if position == at:
                return f"field {name}"
    return fold(label)


def _rows_sql(
    table: _Table, place: dict[int, int], labels: Sequence[str], *, states_keys: bool
) -> str:
    """SELECT of a table's cells in the columns of all, and of the columns that its rows state."""
    cells = ["NULL::VARCHAR"] * len(labels)
    for own, at in place.items():
        cells[at] = f"c{own}"
    columns = [f"{cell} AS c{at}" for at, cell in enumerate([*cells, literal(table.name)])]
    if states_keys:
        columns.append(f"{_keys(table.reading, place, labels)} AS _keys")
    return f"SELECT {', '.join(columns)} FROM {table.rows}"


def _keys(reading: Reading, place: dict[int, int], labels: Sequence[str]) -> str:
    names = {label: labels[place[at]] for at, label in enumerate(reading.columns)}
    if not reading.states_keys:
        return f"[{', '.join(map(literal, names.values()))}]::VARCHAR[]"
    stated = (
        f"CASE WHEN list_contains(_keys, {literal(own)}) THEN {literal(label)} END"
        for own, label in names.items()
    )
    return f"list_filter([{', '.join(stated)}]::VARCHAR[], lambda x: x IS NOT NULL)"


def _spool(
    request: StageRequest, tables: Sequence[_Table], places: Sequence[dict[int, int]], width: int
) -> tuple[Spool, TableLines]:
    """Where all rows stand: records and lines run on from one table to the next."""
    whole, begins = Spool(), []
    records, lines, before = [], [], 0
    for table, place in zip(tables, places, strict=True):
        spool = table.reading.spool
        begins.append((before, table.inside))
        records.append(spool.records + whole.total)
        lines.append(spool.lines + before)
        whole.cuts += [
            replace(
                cut,
                record=cut.record + whole.total,
                line=cut.line + before,
                width=len(table.reading.columns),
                raw=_aligned(cut, table, place, width),
                lacks=_lacks(table, place, width),
            )
            for cut in spool.cuts
        ]
        last = max((cut.line for cut in spool.cuts), default=1)
        before += max(last, int(spool.lines.max()) if spool.lines.size else 1)
        whole.total += spool.total
        whole.longest = max(whole.longest, spool.longest)
    if whole.total > request.limits.rows:
        raise too_many_rows(request.limits.rows)
    whole.records, whole.lines = np.concatenate(records), np.concatenate(lines)
    whole.account()
    return whole, TableLines(tuple(begins))


def _aligned(cut: Cut, table: _Table, place: dict[int, int], width: int) -> tuple[str | None, ...]:
    """The cells of a record that was cut, in the columns of all tables."""
    cells: list[str | None] = [None] * width
    for own, cell in enumerate(cut_cells(cut, table.reading.delimiter)):
        if own in place:
            cells[place[own]] = cell
    cells[-1] = table.name
    return tuple(cells)


def _lacks(table: _Table, place: dict[int, int], width: int) -> tuple[int, ...]:
    """The columns of all tables, but for that of its name, that a record that was cut may lack."""
    own = () if table.reading.states_keys else place.values()
    return tuple(at for at in range(width - 1) if at not in own)


def _rejects_among() -> InputError:
    return InputError(
        "rejects-among-tables",
        "The table holds rows that an import rejected.",
        "They belong to another file than the tables beside them.",
        "Import it by itself, with --inside.",
    )
