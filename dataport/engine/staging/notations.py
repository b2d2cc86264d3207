"""How a column writes its numbers and days, decided over all of its values.

Most files write them as we do, and nothing is decided. Where values of a column fail the strict
cast, the whole column tells what its commas and dots mean, and which of two numbers is the day.
Where it can't tell, the values stay rejected and the message asks; a definition, or the import,
can say it instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import literal
from dataport.engine.staging.moments import TRIPLE

if TYPE_CHECKING:
    import duckdb

    from dataport.engine.staging.plan import FieldPlan, Plan

NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)
MOMENTS = (FieldType.DATE, FieldType.DATETIME, FieldType.TIME)
UNDECIDED = r"[+-]?[1-9][0-9]{0,2},[0-9]{3}"
"""Could be thousands, or have three decimals."""
_GROUPED = r"[+-]?[0-9]{1,3}(?:[., '’\x{A0}\x{202F}][0-9]{3})+(?:[.,][0-9]*)?"
_CLUES = {
    "comma_decimal": r",[0-9]{0,2}$|,[0-9]{4,}$|\..*,|^[+-]?0,",
    "dot_decimal": r"\.[0-9]{0,2}$|\.[0-9]{4,}$|,.*\.|^[+-]?0?\.",
    "comma_group": r",.*,|,.*\.",
    "dot_group": r"\..*\.|\..*,",
}


@dataclass(frozen=True)
class Notation:
    """How one column writes its values."""

    order: str | None = None
    """`dmy` or `mdy`; None where it is open, or no value has two orders."""
    decimal: str | None = None
    """`.` or `,`, with the other one between thousands; None for plain numbers only."""
    question: str = ""
    """What to ask about the values that can be read in two ways."""
    is_stated: bool = False
    """Whether somebody said it, rather than the column."""

    def told(self, field: Field) -> str:
        """A sentence about what was decided; empty where nothing was."""
        if self.is_stated:
            return ""
        if self.decimal == ",":
            return f"{field.name} is read with a decimal comma, as in 1.234,5."
        if self.decimal:
            return f"{field.name} is read with commas between thousands, as in 1,234.5."
        if self.order:
            first = "day before the month" if self.order == "dmy" else "month before the day"
            return f"{field.name} is read with the {first}."
        return ""


def stated_notation(field: Field, date_order: str | None) -> Notation | None:
    """What the definition, or the import, says of a column without looking at it."""
    if field.type in MOMENTS and (field.date_order or date_order):
        return Notation(order=field.date_order or date_order, is_stated=True)
    if field.type in NUMBERS and field.decimal_char:
        return Notation(decimal=field.decimal_char, is_stated=True)
    return None


def find_notations(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, Notation]:
    """By field, how columns with values that the strict casts refused are to be read.

    Reads the tables `checked` and `raw`. Empty where another reading would help no value.
    """
    failing = _failing(connection, plan)
    found: dict[str, Notation] = {}
    for at in failing:
        planned = plan.fields[at]
        texts = _texts(plan, at, failing[at])
        if planned.field.type in NUMBERS:
            notation = _of_numbers(connection, plan, at, texts)
        else:
            notation = _of_moments(connection, planned, texts)
        if notation is not None:
            found[planned.field.name] = notation
    return found


def _failing(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Mapping[int, int]:
    """Fields with refused values, by place, each with the number of the check that refused them."""
    tests = {
        at: number
        for at, planned in enumerate(plan.fields)
        if planned.columns and planned.notation is None and planned.field.type in NUMBERS + MOMENTS
        for number, check in enumerate(planned.checks, start=1)
        if check.code.startswith("type-error")
    }
    if not tests:
        return {}
    counts = ", ".join(f"bool_or(_errors[{at + 1}] = {number})" for at, number in tests.items())
    row = connection.execute(f"SELECT {counts} FROM checked WHERE _errors IS NOT NULL").fetchone()
    return {at: tests[at] for at, is_failing in zip(tests, row or (), strict=True) if is_failing}


def _texts(plan: Plan, at: int, number: int) -> str:
    """SELECT of the distinct refused texts of a field, as `t`."""
    cells = ", ".join(f"_raw[{place + 1}] AS c{place}" for place in range(len(plan.columns)))
    refused = f"SELECT {cells} FROM checked WHERE _errors[{at + 1}] = {number}"
    return _cleaned(plan.fields[at], at, refused)


def _cleaned(planned: FieldPlan, at: int, source: str) -> str:
    """SELECT of the distinct clean texts of a field, as `t`, over the raw columns of `source`."""
    name = f"t{at}"
    raw = f"SELECT DISTINCT {planned.source} AS {name} FROM ({source})"
    clean = f"SELECT {planned.text} AS {name} FROM ({raw})"
    return f"SELECT {planned.present} AS t FROM ({clean})"


def _of_moments(
    connection: duckdb.DuckDBPyConnection, planned: FieldPlan, texts: str
) -> Notation | None:
    first, second = (
        f"TRY_CAST(regexp_extract(t, {literal(TRIPLE)}, {n}) AS INTEGER)" for n in (1, 3)
    )
    is_triple = f"regexp_matches(t, {literal(TRIPLE)})"
    row = connection.execute(
        f"SELECT bool_or({is_triple}), bool_or({is_triple} AND t LIKE '%.%.%'),"
        f" bool_or({is_triple} AND {first} > 12 AND {second} <= 12),"
        f" bool_or({is_triple} AND {second} > 12 AND {first} <= 12),"
        r" bool_or(regexp_matches(t, '[0-9].*[0-9]') OR regexp_matches(t, '[0-9] ?[AaPp]\.?[Mm]'))"
        f" FROM ({texts})"
    ).fetchone()
    has_triples, has_dots, is_day_first, is_month_first, may_help = row or (None,) * 5
    if not may_help:
        return None
    if not has_triples or planned.field.type is FieldType.TIME:
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


def _of_numbers(
    connection: duckdb.DuckDBPyConnection, plan: Plan, at: int, texts: str
) -> Notation | None:
    candidate = literal(f"{_GROUPED}|[+-]?[0-9]*,[0-9]+")
    helped = f"SELECT count(*) FROM ({texts}) WHERE regexp_full_match(t, {candidate})"
    if not (connection.execute(helped).fetchone() or (0,))[0]:
        return None
    every = texts if plan.fields[at].field.type is FieldType.INTEGER else _column(plan, at)
    tests = ", ".join(f"bool_or(regexp_matches(t, {literal(clue)}))" for clue in _CLUES.values())
    row = connection.execute(
        f"SELECT {tests}, bool_or(contains(t, ',')), bool_or(contains(t, '.')) FROM ({every})"
        " WHERE regexp_full_match(t, '[0-9., ''’+\\x{A0}\\x{202F}-]+')"
    ).fetchone()
    comma_decimal, dot_decimal, comma_group, dot_group, has_comma, has_dot = row or (None,) * 6
    says_comma, says_dot = comma_decimal or dot_group, dot_decimal or comma_group
    if plan.fields[at].field.type is FieldType.INTEGER and not (says_comma or says_dot):
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


def _column(plan: Plan, at: int) -> str:
    """SELECT of the distinct clean texts of a whole column, as `t`."""
    return _cleaned(plan.fields[at], at, "SELECT * FROM raw")
