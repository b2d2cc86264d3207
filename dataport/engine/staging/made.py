"""SQL of values that a row does not state and that follow from others: defaults, parts, spans."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from dataport.engine.catalog.computed import Span
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.staging.checks import Check

MOST_HOURS = 1_000_000
"""Hours beyond which no end is made of a start: no calendar would hold it."""

_LAST = "TIMESTAMP '9999-12-31'"
"""No end from here on is moved to the next day."""

Column = Callable[[str], str]
"""Gives a column of the row that is checked, by the name of its field."""


def made_fields(dataset: Dataset, stated: Collection[str]) -> frozenset[str]:
    """The fields that may be made of those a file states, whether or not it states them too."""
    known = {*stated, *(field.name for field in dataset.fields if field.default is not None)}
    made = {
        field.name
        for field in dataset.fields
        if field.default_from in known or (field.part and field.part.of in known)
    }
    for span in dataset.spans:
        if span.start in known and known & {span.end, span.hours}:
            made |= {span.end, span.hours}
    return frozenset(made)


def made_sql(
    dataset: Dataset, made: Collection[str], text: Column, value: Column
) -> dict[str, str]:
    """SQL of the value of each field in `made`: its own where the row states one."""
    spans: Mapping[str, str] = {
        name: sql
        for span in dataset.spans
        for name, sql in _span_values(dataset, span, value, made).items()
    }
    found = {}
    for name in made:
        field = dataset.field(name)
        other = spans.get(name) or _taken(field, value)
        found[name] = f"CASE WHEN {text(name)} IS NULL THEN {other} ELSE {value(name)} END"
    return found


def span_checks(
    dataset: Dataset, made: Collection[str], text: Column, value: Column
) -> list[tuple[str, Check]]:
    """Fields and what may be wrong with them: ends before their start, hours that do not fit."""
    checks = []
    for span in dataset.spans:
        if not {span.end, span.hours} <= set(made):
            continue
        checks.append((span.end, early_check(span, value)))
        stated = f"{text(span.end)} IS NOT NULL AND {text(span.hours)} IS NOT NULL"
        apart = f"abs({value(span.hours)} - {_hours(span, value)}) > {span.tolerance!r}"
        message = (
            f"'{{value}}' is not the time from {span.start} to {span.end};"
            f" correct one of the three, or leave {span.end} or {span.hours} empty."
        )
        checks.append((span.hours, Check(f"{stated} AND {apart}", "row-constraint", message)))
    return checks


def early_check(span: Span, value: Column) -> Check:
    """The check of an end that lies before its start."""
    message = f"'{{value}}' lies before {span.start}; correct one of the two."
    return Check(f"{value(span.end)} < {value(span.start)}", "row-constraint", message)


def next_day_sql(spans: Collection[Span], value: Column) -> dict[str, str]:
    """SQL of the ends of spans that are told by the clock: one before its start is a day later,
    unless that would not be after the start either."""
    ends = {}
    for span in spans:
        start, end = value(span.start), value(span.end)
        is_next = f"{end} < {start} AND {end} >= {start} - INTERVAL 1 DAY AND {end} < {_LAST}"
        ends[span.end] = f"CASE WHEN {is_next} THEN {end} + INTERVAL 1 DAY ELSE {end} END"
    return ends


def _taken(field: Field, value: Column) -> str:
    if field.part:
        return f"substr({value(field.part.of)}, {field.part.start}, {field.part.length})"
    return value(str(field.default_from))


def _span_values(
    dataset: Dataset, span: Span, value: Column, made: Collection[str]
) -> dict[str, str]:
    if not {span.end, span.hours} <= set(made):
        return {}
    hours = value(span.hours)
    length = f"to_microseconds(CAST({hours} * 3600000000 AS BIGINT))"
    end = f"CASE WHEN abs({hours}) <= {MOST_HOURS} THEN {value(span.start)} + {length} END"
    between = f"CAST({_hours(span, value)} AS {dataset.field(span.hours).sql_type})"
    return {span.end: end, span.hours: between}


def _hours(span: Span, value: Column) -> str:
    return f"(date_diff('microsecond', {value(span.start)}, {value(span.end)}) / 3600000000.0)"
