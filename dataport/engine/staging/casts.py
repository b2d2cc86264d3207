"""SQL of typed values: a strict pattern first, then the cast (design section 16).

DuckDB alone would read '4.7' as the integer 5 and '1_0' as 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import among, literal

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?"
_ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_HOURS = r"([+-]?)([0-9]{1,7}):([0-5][0-9]):([0-5][0-9](\.[0-9]{1,6})?)"
_ISO = (
    r"([+-]?)P(?:([0-9]{1,6})W)?(?:([0-9]{1,7})D)?"
    r"(?:T(?:([0-9]{1,7})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
TRUE = ("true", "yes", "1", "y", "on", "t")
FALSE = ("false", "no", "0", "n", "off", "f")


@dataclass(frozen=True)
class Cast:
    """How one field's text becomes a value."""

    sql: str
    """NULL where the text is no such value."""
    code: str
    message: str
    """Says what is wrong and what to write; `{value}` stands for the cell."""


def cast(field: Field, text: str, timezone: str) -> Cast:
    """The cast of `field` from the text column named `text`; not for plain strings."""
    match field.type:
        case FieldType.INTEGER:
            return _integer(text)
        case FieldType.NUMBER:
            return _number(field, text)
        case FieldType.BOOLEAN:
            return _boolean(field, text)
        case FieldType.DATE:
            return _date(field, text)
        case FieldType.DATETIME:
            return _datetime(field, text, timezone)
        case FieldType.TIME:
            return _time(text)
        case FieldType.DURATION:
            return _duration(text)
        case FieldType.LIST:
            return _list(field, text)
        case _:
            return _json(field, text)


def _guarded(text: str, pattern: str, sql: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN {sql} END"


def _integer(text: str) -> Cast:
    return Cast(
        _guarded(text, "[+-]?[0-9]{1,25}", f"TRY_CAST({text} AS BIGINT)"),
        "type-error.integer",
        "'{value}' is no whole number; use digits only, as in 42.",
    )


def _number(field: Field, text: str) -> Cast:
    if field.scale is None:
        pattern = _NUMBER + "([eE][+-]?[0-9]+)?"
        finite = (
            f"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END"
        )
        return Cast(
            _guarded(text, pattern, finite),
            "type-error.number",
            "'{value}' is no number; use digits and a decimal point, as in 1234.5.",
        )
    decimals = rf"(\.[0-9]{{0,{field.scale}}}0*)?"
    pattern = rf"[+-]?([0-9]+{decimals}|\.[0-9]{{1,{max(field.scale, 1)}}}0*)"
    return Cast(
        _guarded(text, pattern, f"TRY_CAST({text} AS {field.sql_type})"),
        "type-error.number",
        f"'{{value}}' is no number with at most {field.scale} decimals"
        f" and {(field.precision or 18) - field.scale} digits before them.",
    )


def _boolean(field: Field, text: str) -> Cast:
    words = (
        (*TRUE, *map(str.lower, field.true_values)),
        (*FALSE, *map(str.lower, field.false_values)),
    )
    true, false = (among(f"lower({text})", each) for each in words)
    return Cast(
        f"CASE WHEN {true} THEN true WHEN {false} THEN false END",
        "type-error.boolean",
        "'{value}' is neither true nor false; use true or false.",
    )


def _formats(field: Field, text: str, kind: str) -> str:
    tries = [f"TRY_CAST(try_strptime({text}, {literal(form)}) AS {kind})" for form in field.formats]
    return f"coalesce({', '.join(tries)})" if tries else "NULL"


def _date(field: Field, text: str) -> Cast:
    pattern = rf"{_DAY}([T ]00:00(:00(\.0+)?)?Z?)?"
    strict = f"TRY_CAST(substr({text}, 1, 10) AS DATE)"
    return Cast(
        f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN {strict}"
        f" ELSE {_formats(field, text, 'DATE')} END",
        "type-error.date",
        "Invalid date format '{value}'; use YYYY-MM-DD.",
    )


def _datetime(field: Field, text: str, timezone: str) -> Cast:
    plain = f"{_DAY}([ T]{_CLOCK})?"
    zoned = f"{_DAY}[ T]{_CLOCK}{_ZONE}"
    local = f"TRY_CAST(regexp_replace({text}, {literal(_ZONE + '$')}, '') AS TIMESTAMP)"
    branches = (
        f"WHEN regexp_full_match({text}, {literal(plain)})"
        f" THEN {_utc(f'TRY_CAST({text} AS TIMESTAMP)', timezone)}"
        f" WHEN regexp_full_match({text}, {literal(zoned)}) THEN {local} - {_offset(text)}"
    )
    formats = _utc(_formats(field, text, "TIMESTAMP"), timezone) if field.formats else "NULL"
    return Cast(
        f"CASE {branches} ELSE {formats} END",
        "type-error.datetime",
        "Invalid date format '{value}'; use YYYY-MM-DD HH:MM:SS.",
    )


def _utc(sql: str, timezone: str) -> str:
    if timezone == "UTC":
        return sql
    return f"timezone('UTC', timezone({literal(timezone)}, {sql}))"


def _offset(text: str) -> str:
    pattern = literal("([+-])([0-9]{2}):?([0-9]{2})?$")
    sign, hours, minutes = (
        f"regexp_extract(right({text}, 6), {pattern}, {group})" for group in (1, 2, 3)
    )
    total = f"coalesce(TRY_CAST({hours} AS INTEGER), 0) * 60 + coalesce(TRY_CAST({minutes} AS INTEGER), 0)"
    return f"to_minutes((CASE WHEN {sign} = '-' THEN -1 ELSE 1 END) * ({total}))"


def _time(text: str) -> Cast:
    return Cast(
        _guarded(text, _CLOCK, f"TRY_CAST({text} AS TIME)"),
        "type-error.time",
        "'{value}' is no time of day; use HH:MM:SS.",
    )


def _duration(text: str) -> Cast:
    def clock(group: int) -> str:
        return f"regexp_extract({text}, {literal('^' + _HOURS + '$')}, {group})"

    def iso(group: int) -> str:
        return f"regexp_extract({text}, {literal('^' + _ISO + '$')}, {group})"

    hours = _microseconds(clock(1), [(clock(2), 3600), (clock(3), 60), (clock(4), 1)])
    parts = [(iso(2), 604_800), (iso(3), 86_400), (iso(4), 3600), (iso(5), 60), (iso(6), 1)]
    return Cast(
        f"CASE WHEN regexp_full_match({text}, {literal(_HOURS)}) THEN {hours}"
        f" WHEN regexp_full_match({text}, {literal(_ISO)})"
        f" AND regexp_matches({text}, '[0-9][WDHMS]$') THEN {_microseconds(iso(1), parts)} END",
        "type-error.duration",
        "'{value}' is no duration; use H:MM:SS, or ISO 8601 as in PT1H30M.",
    )


def _microseconds(sign: str, parts: list[tuple[str, int]]) -> str:
    terms = [
        f"coalesce(TRY_CAST(nullif({part}, '') AS DECIMAL(28, 6)), 0) * {seconds}"
        for part, seconds in parts
    ]
    total = f"CAST(({' + '.join(terms)}) * 1000000 AS BIGINT)"
    return f"(CASE WHEN {sign} = '-' THEN -1 ELSE 1 END) * {total}"


def _list(field: Field, text: str) -> Cast:
    is_json = f"starts_with({text}, '[') AND json_valid({text})"
    items = (
        f"CASE WHEN {is_json} THEN json_extract_string({text}, '$[*]')"
        f" ELSE string_split({text}, {literal(field.delimiter)}) END"
    )
    trimmed = f"list_transform({items}, lambda x: trim(x))"
    return Cast(
        f"CASE WHEN {text} IS NOT NULL THEN list_filter({trimmed}, lambda x: x <> '') END",
        "type-error.list",
        f"'{{value}}' is no list; separate the items with '{field.delimiter}'.",
    )


def _json(field: Field, text: str) -> Cast:
    if field.type is FieldType.ANY:
        sql = (
            f"CASE WHEN json_valid({text}) THEN CAST(json({text}) AS VARCHAR)"
            f" WHEN {text} IS NOT NULL THEN CAST(to_json({text}) AS VARCHAR) END"
        )
        return Cast(sql, "type-error.any", "'{value}' can't be kept.")
    return Cast(
        f"CASE WHEN json_valid({text}) AND json_type({text}) IN ('OBJECT', 'ARRAY')"
        f" THEN CAST(json({text}) AS VARCHAR) END",
        "type-error.object",
        '\'{value}\' is no JSON object; write it as {"name": "value"}.',
    )
