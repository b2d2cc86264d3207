"""Columns that a file does not have: values of rows above, as in outlines and under sections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataport.engine.catalog.mappings import Above
from dataport.engine.sql import among, literal
from dataport.engine.steps import LocalRunner, Scope, Step

if TYPE_CHECKING:
    import duckdb

    from dataport.engine.staging.readers.reading import Reading

_DEPTH = r"^\s*(\d{1,2})"
DEEPEST = 20
"""Levels of an outline that are told apart."""


@dataclass(frozen=True)
class ColumnAbove:
    """One such column, with the cells that it is made of; None for what the file lacks."""

    rule: Above
    value: str | None
    where: str | None
    level: str | None


def with_columns_above(connection: duckdb.DuckDBPyConnection, reading: Reading) -> Reading:
    """A reading with the columns that its mapping adds behind the file's own; every row states them."""
    added = reading.mapped.above
    if not added:
        return reading
    connection.execute(f"CREATE OR REPLACE TEMP TABLE raw_rows AS {reading.sql}")
    cells = [f"c{at}" for at in range(len(reading.columns))]
    names = tuple(each.rule.name for each in added)
    keys = ["_keys"] if reading.states_keys else []
    levels = [f"{_level(each)} AS _level{at}" for at, each in enumerate(added)]
    rows = f"SELECT rowid AS _row, {', '.join([*cells, *keys, *levels])} FROM raw_rows"
    made = [f"{_value(each, at)} AS c{len(cells) + at}" for at, each in enumerate(added)]
    if keys:
        made.append(f"list_concat(_keys, [{', '.join(map(literal, names))}]) AS _keys")
    sql = f"SELECT {', '.join([*cells, *made])} FROM ({rows}) ORDER BY _row"
    step = Step("look at rows above", Scope.GROUP, sql, ("raw_rows",), "raw_above")
    LocalRunner().run(connection, step)
    sql = "SELECT * FROM raw_above"
    return replace(reading, columns=(*reading.columns, *names), sql=sql, sql_of=None)


def _level(column: ColumnAbove) -> str:
    """SQL of a row's depth, from 1."""
    if column.level is None:
        return "1"
    depth = f"TRY_CAST(regexp_extract({column.level}, {literal(_DEPTH)}, 1) AS INTEGER)"
    return f"least(greatest(coalesce({depth}, 1), 1), {DEEPEST})"


def _value(column: ColumnAbove, at: int) -> str:
    if column.value is None:
        return "NULL::VARCHAR"
    if column.level is None:
        return f"{_last(column, 'true')}.value"
    above = ", ".join(_last(column, f"_level{at} = {level}") for level in range(1, DEEPEST))
    known = f"list_filter([{above}][:_level{at} - 1], lambda x: x IS NOT NULL)"
    # A row of some depth holds no longer once one of less depth has come after it.
    lies_above = f"list_filter({known}, lambda x, i: x.row > coalesce(list_max(list_transform(({known})[:i - 1], lambda y: y.row)), -1))"
    values = f"list_transform({lies_above}, lambda x: x.value)"
    return f"nullif(array_to_string({values}, {literal(column.rule.join)}), '')"


def _last(column: ColumnAbove, condition: str) -> str:
    """SQL of `row` and `value` of the nearest row above that counts."""
    conditions = [condition]
    if column.where is not None:
        words = [word.strip().lower() for word in column.rule.values]
        conditions.append(among(f"lower(trim(coalesce({column.where}, '')))", words))
    value = f"trim({column.value})"
    if column.rule.pattern is not None:
        pattern, other = literal(column.rule.pattern), literal(column.rule.replace)
        value = f"trim(regexp_replace({column.value}, {pattern}, {other}, 'g'))"
    counts = " AND ".join(conditions)
    return (
        f"last_value(CASE WHEN {counts} THEN {{'row': _row, 'value': {value}}} END IGNORE NULLS)"
        " OVER (ORDER BY _row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
