"""From a dataset and a reading to what is done with each column, and which checks it has to pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dataport.core.text import counted
from dataport.engine.catalog.computed import Span
from dataport.engine.catalog.model import Dataset, Empty, Field, FieldType
from dataport.engine.sql import among, literal
from dataport.engine.staging import checks
from dataport.engine.staging.casts import cast, open_check
from dataport.engine.staging.checks import Check
from dataport.engine.staging.clean import VERBATIM, clean_sql, present_sql
from dataport.engine.staging.made import (
    early_check,
    made_fields,
    span_checks,
)
from dataport.engine.staging.mapping import Drawn, Skipped
from dataport.engine.staging.moments import Layers
from dataport.engine.staging.notations import Notation, stated_notation
from dataport.engine.staging.phones import phone_sql
from dataport.engine.staging.readers.cells import ERRORS
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.reject_layout import RejectLayout, reject_layout
from dataport.engine.staging.reject_rows import broken_checks, unique_check
from dataport.engine.staging.request import StageRequest

ERROR_MESSAGE = "The cell shows the error {value} of a formula; mend it in the spreadsheet."

KEY_MESSAGE = "The row has no usable key ({fields}), and nothing to make or find one by."


@dataclass(frozen=True)
class FieldPlan:
    """How one stated field is made from the columns `t` (text) and `v` (value) of its number."""

    field: Field
    column: int | None
    """Position in the file; None for constants and defaults."""
    source: str
    """SQL of the raw text."""
    text: str
    """SQL of the normalised text, from a column `t` with the raw text."""
    present: str
    """SQL of that text without words for missing values, from a column `t` with the text."""
    resolver: str | None
    """Name of the function that decides about uncommon phone numbers."""
    value: str
    checks: list[Check]
    notation: Notation | None = None
    """How its column writes values, where that is not as we do."""
    is_made: bool = False
    """Whether a row that does not state it may have it from other fields."""
    columns: tuple[int, ...] = ()
    """Positions of all columns that it is read from."""
    is_mapped: bool = False
    """Whether a mapping says how it is read."""
    is_always: bool = False
    """Whether rows state it that have none of its columns."""
    layers: Layers = ()
    """Columns that `value` reads besides the text."""

    @property
    def may_be_silent(self) -> bool:
        """Whether a row says nothing of the field where it does not state its columns."""
        return self.column is not None and self.field.default is None and not self.is_always


@dataclass(frozen=True)
class Plan:
    """The fields a file states, planned."""

    dataset: Dataset
    fields: list[FieldPlan]
    columns: tuple[str, ...]
    """Columns of the file."""
    partial: list[str]
    layout: RejectLayout | None
    """Where the columns are, if the file is a reject file."""
    row_checks: list[Check]
    """Checks of whole rows; what fails one is not looked at any further."""
    skips: tuple[Skipped, ...] = ()
    """Rows that are left out."""
    next_day: tuple[Span, ...] = ()
    """Spans of which an end before its start is one of the next day."""

    @property
    def stated(self) -> list[str]:
        return [plan.field.name for plan in self.fields]

    @property
    def known_key(self) -> str:
        """SQL of the key of row `n`, as far as the file alone can tell.

        A key made of other fields is none where the row may turn out to be a stored one.
        """
        ways = [way for way in self.dataset.match if way != self.dataset.primary_key]
        may_match = any(set(self.stated).issuperset(way) for way in ways)
        return "n._key" if may_match else "coalesce(n._key, n._derived)"

    @property
    def keeps_cells(self) -> bool:
        """Whether the cells of all rows are kept: that a value is not unique, or refers to
        nothing, shows when the file's are gone."""
        is_unique = any(each.field.constraints.unique for each in self.fields)
        return is_unique or self.dataset.rejects_references

    def value_column(self, name: str) -> str:
        return f"v{self.stated.index(name)}"

    @property
    def decided(self) -> list[FieldPlan]:
        """The fields whose columns told how they write their values."""
        return [each for each in self.fields if each.notation and not each.notation.is_stated]

    def text_column(self, name: str) -> str:
        return f"t{self.stated.index(name)}"


def make_plan(
    request: StageRequest, reading: Reading, notations: Mapping[str, Notation] | None = None
) -> Plan:
    """The plan of one file; `notations` are what was found out about its columns."""
    found = notations or {}
    dataset, positions = request.dataset, reading.mapped.positions
    if reading.mapped.spans in ("ignore", "next-day"):
        dataset = dataset.model_copy(update={"spans": ()})
    layout = reject_layout(reading.columns)
    plans: list[FieldPlan] = []
    made = made_fields(dataset, {*positions, *reading.mapped.drawn, *request.constants})
    for field in dataset.fields:
        constant = None if field.is_computed else request.constants.get(field.name)
        is_read = constant is None and not field.is_computed
        column = positions.get(field.name) if is_read else None
        drawn = reading.mapped.drawn.get(field.name) if is_read else None
        if constant is not None:
            source = literal(constant)
        elif drawn is not None:
            source = drawn.sql
        elif column is not None:
            source = f"c{column}"
        elif field.default is not None or field.name in made:
            source = "NULL::VARCHAR"
        else:
            continue
        relaxed = _relaxed(field, drawn)
        notation = found.get(field.name) or stated_notation(field, request.date_order)
        planned = _plan(request, relaxed, len(plans), column, source, reading, notation)
        plans.append(replace(_as_drawn(planned, drawn), is_made=field.name in made))
        if layout and field.constraints.unique and column is not None:
            plans[-1].checks.append(unique_check(field, column))
    has_silent = reading.states_keys or (layout is not None and layout.absent is not None)
    is_partial = [
        plan.field.empty is Empty.ABSENT or (has_silent and plan.may_be_silent) for plan in plans
    ]
    partial = [plan.field.name for plan, flag in zip(plans, is_partial, strict=True) if flag]
    checks = broken_checks(reading.columns)
    skips = reading.mapped.skips
    next_day = _clocked(request, reading, plans)
    plan = Plan(dataset, plans, reading.columns, partial, layout, checks, skips, next_day)
    checks_spans = reading.mapped.spans == "check"
    spans = span_checks(dataset, made, plan.text_column, plan.value_column) if checks_spans else ()
    early = [(span.end, early_check(span, plan.value_column)) for span in next_day]
    for name, check in (*spans, *early):
        plans[plan.stated.index(name)].checks.append(check)
    return plan


def _clocked(
    request: StageRequest, reading: Reading, plans: Sequence[FieldPlan]
) -> tuple[Span, ...]:
    """The spans that the mapping says are told by the clock, as far as the file states them."""
    if reading.mapped.spans != "next-day":
        return ()
    stated = {each.field.name for each in plans}
    return tuple(span for span in request.dataset.spans if {span.start, span.end} <= stated)


def _relaxed(field: Field, drawn: Drawn | None) -> Field:
    """The field without what its mapping does not ask for."""
    if drawn is None or not drawn.is_optional or not field.constraints.required:
        return field
    constraints = field.constraints.model_copy(update={"required": False})
    return field.model_copy(update={"constraints": constraints})


def _as_drawn(plan: FieldPlan, drawn: Drawn | None) -> FieldPlan:
    """A plan that knows of all its columns, and of the values that its mapping lists."""
    if drawn is None:
        return plan
    checks = list(plan.checks)
    if drawn.unknown is not None:
        listed = ", ".join(drawn.known)
        message = f"'{{value}}' is not in the mapping's table; it knows {listed}."
        checks.insert(0, Check(drawn.unknown, "constraint-error.enum", message))
    is_always = plan.is_always or drawn.is_always
    return replace(
        plan, checks=checks, columns=drawn.positions, is_mapped=True, is_always=is_always
    )


def _plan(
    request: StageRequest,
    field: Field,
    number: int,
    column: int | None,
    source: str,
    reading: Reading,
    notation: Notation | None,
) -> FieldPlan:
    text, value = f"t{number}", f"v{number}"
    clean = clean_sql(field, text, is_escaped=reading.format not in VERBATIM)
    present = present_sql(request.dataset, field, text)
    found: list[Check] = []
    limit = reading.limit
    if reading.has_error_cells and column is not None:
        found.append(Check(among(f"c{column}", ERRORS), "error-cell", ERROR_MESSAGE))
    if limit is not None and column is not None:
        message = f"The value is longer than {counted(limit, 'byte')}."
        found.append(Check(f"strlen(c{column}) > {limit}", "field-too-long", message))
    resolver, layers = None, tuple[Mapping[str, str], ...]()
    if field.type is FieldType.STRING:
        sql = text if field.empty is not Empty.EMPTY else f"coalesce({text}, '')"
        if field.format == "phone" and field.phone.style != "verbatim":
            resolver = f"phone_{number}"
            sql, layers = phone_sql(field, request.region, text, resolver)
        found += checks.format_checks(field, text, value)
    else:
        casting = cast(field, text, request.timezone, notation)
        sql, layers = casting.sql, casting.layers
        wrong = f"{value} IS NULL AND {text} IS NOT NULL"
        if notation and notation.question:
            found.append(open_check(field, text, wrong, casting, notation))
        found.append(Check(wrong, casting.code, casting.message))
    found += checks.constraint_checks(field, text, value)
    columns = () if column is None else (column,)
    planned = FieldPlan(field, column, source, clean, present, resolver, sql, found, notation)
    return replace(planned, columns=columns, layers=layers)


def messages(plan: Plan) -> list[dict[str, object]]:
    """What each number in `_errors` means: rows of (part, error, field, column, code, message)."""
    rows: list[dict[str, object]] = []
    for part, field in enumerate(plan.fields, start=1):
        rows += [
            {
                "part": part,
                "error": number,
                "field": field.field.name,
                "position": field.column,
                "code": check.code,
                "message": check.message,
                "words": list(field.field.constraints.enum or ()),
            }
            for number, check in enumerate(field.checks, start=1)
        ]
    fields = ", ".join(plan.dataset.primary_key)
    rows.append(
        {
            "part": len(plan.fields) + 1,
            "error": 1,
            "field": plan.dataset.primary_key[0],
            "position": None,
            "code": "primary-key",
            "message": KEY_MESSAGE.format(fields=fields),
            "words": [],
        }
    )
    rows += [
        {
            "part": len(plan.fields) + 2,
            "error": number,
            "field": None,
            "position": plan.layout.broken if plan.layout else None,
            "code": check.code,
            "message": check.message,
            "words": [],
        }
        for number, check in enumerate(plan.row_checks, start=1)
    ]
    return rows
