"""Decides how columns write their numbers and days, from all of their values.

Most files write them as we do, and nothing is decided. Where values of a column fail the strict
cast, the whole column tells what its commas and dots mean, and which of two numbers is the day.
Where it can't tell, the values stay rejected and the message asks; a definition, or the import,
can say it instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dataport.engine.catalog.model import FieldType
from dataport.engine.sql import literal
from dataport.engine.staging.casts import cast
from dataport.engine.staging.moments import LONGEST_TRIPLE, TRIPLE, Layers
from dataport.engine.staging.notations import MOMENTS, NUMBERS, Notation

if TYPE_CHECKING:
    import duckdb

    from dataport.engine.staging.plan import FieldPlan, Plan

MANY = 2**16
"""Rows from which a look at a column costs less than checking all of them twice."""
HEAD = 2**11
"""First rows that tell which columns are worth that look."""
WORTH = 8
"""One of so many texts must be refused there; what is rarer shows when the rows are checked."""

_REFUSED = "v IS NULL AND t IS NOT NULL"
_GROUPED = r"[+-]?[0-9]{1,3}(?:[., '’\x{A0}\x{202F}][0-9]{3})+(?:[.,][0-9]*)?"
_CLUES = {
    "comma_decimal": r",[0-9]{0,2}$|,[0-9]{4,}$|\..*,|^[+-]?0,",
    "dot_decimal": r"\.[0-9]{0,2}$|\.[0-9]{4,}$|,.*\.|^[+-]?0?\.",
    "comma_group": r",.*,|,.*\.",
    "dot_group": r"\..*\.|\..*,",
}


def foresee_notations(
    connection: duckdb.DuckDBPyConnection, plan: Plan, rows: int
) -> dict[str, Notation]:
    """What `find_notations` would find, before the `rows` of the table `raw` are checked.

    It spares a second check of a large file whose first rows show already that a column is
    written in another way. Other columns, and small files, are left to `find_notations`.
    """
    if rows < MANY:
        return {}
    head = f"(SELECT * FROM raw LIMIT {HEAD})"
    refused = {
        at: f"SELECT t FROM ({_valued(planned, at, 'raw')}) WHERE {_REFUSED}"
        for at, planned in _open_fields(plan)
        if _is_worth_it(connection, _valued(planned, at, head))
    }
    return _decided(connection, plan, refused)


def find_notations(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, Notation]:
    """By field, how columns with values that the strict casts refused are to be read.

    Reads the tables `checked` and `raw`. Empty where another reading would help no value.
    """
    return _decided(connection, plan, _failing(connection, plan))


def _open_fields(plan: Plan) -> Iterator[tuple[int, FieldPlan]]:
    """The fields, by place, whose columns may tell how they write their values."""
    for at, planned in enumerate(plan.fields):
        is_told = planned.notation is not None or not planned.columns
        if not is_told and planned.field.type in NUMBERS + MOMENTS:
            yield at, planned


def _decided(
    connection: duckdb.DuckDBPyConnection, plan: Plan, refused: dict[int, str]
) -> dict[str, Notation]:
    """The notations of fields, by place, from SELECTs of the texts, as `t`, that were refused."""
    found: dict[str, Notation] = {}
    for at, texts in refused.items():
        planned = plan.fields[at]
        if planned.field.type in NUMBERS:
            notation = _of_numbers(connection, planned, at, texts)
        else:
            notation = _of_moments(connection, planned, texts)
        if notation is not None:
            found[planned.field.name] = notation
    return found


def _failing(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[int, str]:
    """Fields with refused values, by place, each with a SELECT of their texts as `t`."""
    tests = {
        at: number
        for at, planned in _open_fields(plan)
        for number, check in enumerate(planned.checks, start=1)
        if check.code.startswith("type-error")
    }
    if not tests:
        return {}
    counts = ", ".join(f"bool_or(_errors[{at + 1}] = {number})" for at, number in tests.items())
    row = connection.execute(f"SELECT {counts} FROM checked WHERE _errors IS NOT NULL").fetchone()
    cells = ", ".join(f"_raw[{place + 1}] AS c{place}" for place in range(len(plan.columns)))
    return {
        at: _texts(
            plan.fields[at], at, f"(SELECT {cells} FROM checked WHERE _errors[{at + 1}] = {number})"
        )
        for (at, number), is_failing in zip(tests.items(), row or (), strict=True)
        if is_failing
    }


def _is_worth_it(connection: duckdb.DuckDBPyConnection, valued: str) -> bool:
    share = f"count(*) FILTER ({_REFUSED}) * {WORTH} >= count(t) AND count(t) > 0"
    row = connection.execute(f"SELECT {share} FROM ({valued})").fetchone()
    return bool(row and row[0])


def _texts(planned: FieldPlan, at: int, source: str) -> str:
    """SELECT of the distinct clean texts of a field, as `t`, over the raw columns of `source`."""
    distinct = f"(SELECT DISTINCT {planned.source} AS t{at} FROM {source})"
    return f"SELECT t{at} AS t FROM ({_cleaned(planned, at, f't{at}', distinct)})"


def _valued(planned: FieldPlan, at: int, source: str) -> str:
    """SELECT of a field's clean texts, as `t`, and of their values as we write them, as `v`."""
    cleaned = _cleaned(planned, at, planned.source, source)
    return f"SELECT t{at} AS t, {planned.value} AS v FROM ({cleaned})"


def _cleaned(planned: FieldPlan, at: int, text: str, source: str) -> str:
    clean = f"SELECT {planned.text} AS t{at} FROM (SELECT {text} AS t{at} FROM {source})"
    return f"SELECT {planned.present} AS t{at} FROM ({clean})"


def _of_moments(
    connection: duckdb.DuckDBPyConnection, planned: FieldPlan, texts: str
) -> Notation | None:
    notation = Notation()
    if planned.field.type is not FieldType.TIME:
        notation = _order(connection, texts)
    return notation if notation.question or _helps(connection, planned, texts, notation) else None


def _order(connection: duckdb.DuckDBPyConnection, texts: str) -> Notation:
    """Which of two numbers is the day, as far as days of three numbers tell."""
    groups = "['first', 'sign', 'second']"
    days = f"SELECT DISTINCT left(t, {LONGEST_TRIPLE}) AS t FROM ({texts})"
    parts = f"SELECT regexp_extract(t, {literal(TRIPLE)}, {groups}) AS part FROM ({days})"
    first, second = (f"TRY_CAST(part.{name} AS INTEGER)" for name in ("first", "second"))
    row = connection.execute(
        "SELECT count(*) > 0, bool_or(part.sign = '.'),"
        f" bool_or({first} > 12 AND {second} <= 12), bool_or({second} > 12 AND {first} <= 12)"
        f" FROM ({parts}) WHERE part.first <> ''"
    ).fetchone()
    has_triples, has_dots, is_day_first, is_month_first = row or (None,) * 4
    if not has_triples:
        return Notation()
    if is_day_first != is_month_first:
        return Notation(order="dmy" if is_day_first else "mdy")
    if has_dots and not is_month_first:
        return Notation(order="dmy")
    why = "the column has both orders" if is_day_first else "nothing in the column tells which"
    return Notation(
        question=f"it can be two days, and {why}; say --date-order dmy or mdy,"
        " or use YYYY-MM-DD HH:MM:SS."
    )


def _helps(
    connection: duckdb.DuckDBPyConnection, planned: FieldPlan, texts: str, notation: Notation
) -> bool:
    """Whether some of the texts have a value in a notation; the zone does not matter to that."""
    casting = cast(planned.field, "t", "UTC", notation)
    return _exists(
        connection,
        f"SELECT 1 FROM ({_layered(texts, casting.layers)}) WHERE {casting.sql} IS NOT NULL",
    )


def _layered(sql: str, layers: Layers) -> str:
    for layer in layers:
        columns = ", ".join(f"{value} AS {name}" for name, value in layer.items())
        sql = f"SELECT *, {columns} FROM ({sql})"
    return sql


def _of_numbers(
    connection: duckdb.DuckDBPyConnection, planned: FieldPlan, at: int, texts: str
) -> Notation | None:
    candidate = literal(f"{_GROUPED}|[+-]?[0-9]*,[0-9]+")
    if not _exists(connection, f"SELECT 1 FROM ({texts}) WHERE regexp_full_match(t, {candidate})"):
        return None
    is_integer = planned.field.type is FieldType.INTEGER
    every = f"SELECT DISTINCT t FROM ({texts})" if is_integer else _texts(planned, at, "raw")
    tests = ", ".join(f"bool_or(regexp_matches(t, {literal(clue)}))" for clue in _CLUES.values())
    row = connection.execute(
        f"SELECT {tests}, bool_or(contains(t, ',')), bool_or(contains(t, '.')) FROM ({every})"
        " WHERE regexp_full_match(t, '[0-9., ''’+\\x{A0}\\x{202F}-]+')"
    ).fetchone()
    comma_decimal, dot_decimal, comma_group, dot_group, has_comma, has_dot = row or (None,) * 6
    says_comma, says_dot = comma_decimal or dot_group, dot_decimal or comma_group
    if is_integer and not (says_comma or says_dot):
        says_comma, says_dot = has_dot and not has_comma, not has_dot
    if says_comma and not says_dot:
        return Notation(decimal=",")
    if says_dot and not says_comma:
        return Notation(decimal=".")
    if not has_comma and not has_dot:
        return Notation(decimal=".")
    if says_comma:
        return None
    return Notation(
        question="its comma can stand before decimals or between thousands, and nothing in the"
        " column tells which; set decimalChar in the definition, or write 1234.5."
    )


def _exists(connection: duckdb.DuckDBPyConnection, select: str) -> bool:
    return connection.execute(f"{select} LIMIT 1").fetchone() is not None
