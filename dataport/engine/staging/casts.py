"""SQL of typed values: a strict pattern first, then the cast (design section 16).

DuckDB alone would read '4.7' as the integer 5 and '1_0' as 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import among, literal
from dataport.engine.staging.checks import Check
from dataport.engine.staging.clean import unescaped_sql
from dataport.engine.staging.moments import TRIPLE, Layers, clock_sql, moment_columns
from dataport.engine.staging.notations import NUMBERS, UNDECIDED, Notation

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?"
ZONE = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_HOURS = r"([+-]?)([0-9]{1,7}):([0-5][0-9]):([0-5][0-9](\.[0-9]{1,6})?)"
_ISO = (
    r"([+-]?)P(?:([0-9]{1,6})W)?(?:([0-9]{1,7})D)?"
    r"(?:T(?:([0-9]{1,7})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
_UNITS = (
    r"([+-]?)(?:([0-9]{1,5}) ?w(?:eeks?)?,?)? ?(?:([0-9]{1,6}) ?d(?:ays?)?,?)?"
    r" ?(?:([0-9]{1,7}(?:[.,][0-9]{1,6})?) ?h(?:(?:ou)?rs?)?,?)?"
    r" ?(?:([0-9]{1,8}) ?m(?:in(?:ute)?s?)?,?)?"
    r" ?(?:([0-9]{1,9}(?:\.[0-9]{1,6})?) ?s(?:ec(?:ond)?s?)?)?"
)
_DECIMAL_HOURS = r"([+-]?)([0-9]{1,7}(?:[.,][0-9]{1,6})?)"
TRUE = tuple(
    "true yes 1 y on t x ✓ ✔ ☑ 1.0 wahr ja j vrai oui verdadero sí si vero verdadeiro sim s waar"
    " sant prawda tak ano igen evet kyllä да истина 是 はい 예".split()
)
"""Of many languages; none of them means no in another one that is listed."""
FALSE = tuple(
    "false no 0 n off f ✗ ✘ ☐ 0.0 falsch nein faux non falso não nao onwaar nee nej falskt"
    " fałsz nie ne nem hayır ei нет ложь 否 いいえ 아니요".split()
)


@dataclass(frozen=True)
class Cast:
    """How one field's text becomes a value."""

    sql: str
    """NULL where the text is no such value."""
    code: str
    message: str
    """Says what is wrong and what to write; `{value}` stands for the cell."""
    layers: Layers = ()
    """Columns that `sql` reads besides the text."""


def cast(field: Field, text: str, timezone: str, notation: Notation | None = None) -> Cast:
    """The cast of `field` from the text column named `text`; not for plain strings.

    `notation` is how the column writes its values, where that is not as we do.
    """
    match field.type:
        case FieldType.INTEGER | FieldType.NUMBER:
            decimal = notation.decimal if notation else None
            number = f"({_plain(text, decimal)})" if decimal else text
            return _integer(number) if field.type is FieldType.INTEGER else _number(field, number)
        case FieldType.BOOLEAN:
            return _boolean(field, text)
        case FieldType.DATE:
            return _date(field, text, notation)
        case FieldType.DATETIME:
            return _datetime(field, text, timezone, notation)
        case FieldType.TIME:
            return _time(text, notation)
        case FieldType.DURATION:
            return _duration(text)
        case FieldType.LIST:
            return _list(field, text)
        case _:
            return _json(field, text)


def open_check(field: Field, text: str, wrong: str, casting: Cast, notation: Notation) -> Check:
    """The check for values that could be read in two ways: its message asks which is meant."""
    is_number = field.type in NUMBERS
    is_open = f"regexp_matches({text}, {literal(f'^{UNDECIDED}$' if is_number else TRIPLE)})"
    start = "'{value}' is no plain number" if is_number else "Invalid date format '{value}'"
    return Check(f"{wrong} AND {is_open}", casting.code, f"{start}: {notation.question}")


def _guarded(text: str, pattern: str, sql: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN {sql} END"


def _plain(text: str, decimal: str) -> str:
    """SQL of a number as we write it, from one with thousands and `decimal` before decimals."""
    group = "," if decimal == "." else "."
    spaces = r" '’\x{A0}\x{202F}"
    grouped = rf"[+-]?[0-9]{{1,3}}([{group}{spaces}][0-9]{{3}})+([{decimal}][0-9]*)?"
    bare = f"regexp_replace({text}, {literal(f'[{group}{spaces}]')}, '', 'g')"
    if decimal == ".":
        return (
            f"CASE WHEN regexp_full_match({text}, {literal(grouped)}) THEN {bare} ELSE {text} END"
        )
    whole = rf"{grouped}|[+-]?[0-9]*(,[0-9]*)?"
    return _guarded(text, whole, f"replace({bare}, ',', '.')")


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


def _date(field: Field, text: str, notation: Notation | None) -> Cast:
    pattern = rf"{_DAY}([T ]00:00(:00(\.0+)?)?Z?)?"
    is_strict = f"regexp_full_match({text}, {literal(pattern)})"
    layers: Layers = ()
    strict = f"TRY_CAST(substr({text}, 1, 10) AS DATE)"
    other = _formats(field, text, "DATE")
    if notation:
        given = f"CASE WHEN NOT {is_strict} THEN {text} END"
        moment, layers = moment_columns(given, notation.order, text)
        is_day = f"{moment} = date_trunc('day', {moment})"
        other = f"coalesce({other}, CASE WHEN {is_day} THEN CAST({moment} AS DATE) END)"
    return Cast(
        f"CASE WHEN {is_strict} THEN {strict} ELSE {other} END",
        "type-error.date",
        "Invalid date format '{value}'; use YYYY-MM-DD.",
        layers,
    )


def _datetime(field: Field, text: str, timezone: str, notation: Notation | None) -> Cast:
    plain = f"{_DAY}([ T]{_CLOCK})?"
    zoned = f"{_DAY}[ T]{_CLOCK}{ZONE}"
    local = f"TRY_CAST(regexp_replace({text}, {literal(ZONE + '$')}, '') AS TIMESTAMP)"
    branches = (
        f"WHEN regexp_full_match({text}, {literal(plain)})"
        f" THEN {_utc(f'TRY_CAST({text} AS TIMESTAMP)', timezone)}"
        f" WHEN regexp_full_match({text}, {literal(zoned)}) THEN {local} - {offset(text)}"
    )
    formats = _utc(_formats(field, text, "TIMESTAMP"), timezone) if field.formats else "NULL"
    layers: Layers = ()
    if notation:
        has_zone = (
            f"regexp_matches({text}, {literal(f'[0-9mM.]{ZONE}$')}) AND contains({text}, ':')"
        )
        bare = f"regexp_replace({text}, {literal(ZONE + '$')}, '')"
        is_strict = f"regexp_full_match({text}, {literal(plain)}) OR regexp_full_match({text}, {literal(zoned)})"
        given = f"CASE WHEN {is_strict} THEN NULL WHEN {has_zone} THEN {bare} ELSE {text} END"
        moment, layers = moment_columns(given, notation.order, text)
        at = (
            f"CASE WHEN {has_zone} THEN {moment} - {offset(text)} ELSE {_utc(moment, timezone)} END"
        )
        formats = f"coalesce({formats}, {at})"
    return Cast(
        f"CASE {branches} ELSE {formats} END",
        "type-error.datetime",
        "Invalid date format '{value}'; use YYYY-MM-DD HH:MM:SS.",
        layers,
    )


def _utc(sql: str, timezone: str) -> str:
    if timezone == "UTC":
        return sql
    return f"timezone('UTC', timezone({literal(timezone)}, {sql}))"


def offset(text: str) -> str:
    """SQL of what a text with a zone at its end is ahead of UTC."""
    pattern = literal("([+-])([0-9]{2}):?([0-9]{2})?$")
    sign, hours, minutes = (
        f"regexp_extract(right({text}, 6), {pattern}, {group})" for group in (1, 2, 3)
    )
    total = f"coalesce(TRY_CAST({hours} AS INTEGER), 0) * 60 + coalesce(TRY_CAST({minutes} AS INTEGER), 0)"
    return f"to_minutes((CASE WHEN {sign} = '-' THEN -1 ELSE 1 END) * ({total}))"


def _time(text: str, notation: Notation | None) -> Cast:
    other = f"TRY_CAST(({clock_sql(text)}) AS TIME)" if notation else "NULL"
    strict = f"regexp_full_match({text}, {literal(_CLOCK)})"
    return Cast(
        f"CASE WHEN {strict} THEN TRY_CAST({text} AS TIME) ELSE {other} END",
        "type-error.time",
        "'{value}' is no time of day; use HH:MM:SS.",
    )


def _duration(text: str) -> Cast:
    def clock(group: int) -> str:
        return f"regexp_extract({text}, {literal('^' + _HOURS + '$')}, {group})"

    def iso(group: int) -> str:
        return f"regexp_extract({text}, {literal('^' + _ISO + '$')}, {group})"

    hours = _microseconds(clock(1), [(clock(2), 3600), (clock(3), 60), (clock(4), 1)])

    def told(group: int) -> str:
        return f"regexp_extract(lower({text}), {literal('^' + _UNITS + '$')}, {group})"

    def decimal(group: int) -> str:
        return f"regexp_extract({text}, {literal('^' + _DECIMAL_HOURS + '$')}, {group})"

    seconds = (604_800, 86_400, 3600, 60, 1)
    parts = [(iso(at), factor) for at, factor in enumerate(seconds, start=2)]
    words = [(told(at), factor) for at, factor in enumerate(seconds, start=2)]
    return Cast(
        f"CASE WHEN regexp_full_match({text}, {literal(_HOURS)}) THEN {hours}"
        f" WHEN regexp_full_match({text}, {literal(_ISO)})"
        f" AND regexp_matches({text}, '[0-9][WDHMS]$') THEN {_microseconds(iso(1), parts)}"
        f" WHEN regexp_full_match({text}, {literal(_DECIMAL_HOURS)})"
        f" THEN {_microseconds(decimal(1), [(decimal(2), 3600)])}"
        f" WHEN regexp_full_match(lower({text}), {literal(_UNITS)})"
        f" AND regexp_matches({text}, '[0-9] ?[A-Za-z]+$') THEN {_microseconds(told(1), words)} END",
        "type-error.duration",
        "'{value}' is no duration; use H:MM:SS, hours as in 1.5, 1h 30m, or ISO 8601 as in PT1H30M.",
    )


def _microseconds(sign: str, parts: list[tuple[str, int]]) -> str:
    terms = [
        f"coalesce(TRY_CAST(nullif(replace({part}, ',', '.'), '') AS DECIMAL(28, 6)), 0) * {seconds}"
        for part, seconds in parts
    ]
    total = f"CAST(({' + '.join(terms)}) * 1000000 AS BIGINT)"
    return f"(CASE WHEN {sign} = '-' THEN -1 ELSE 1 END) * {total}"


def _list(field: Field, text: str) -> Cast:
    is_json = f"starts_with({text}, '[') AND json_valid({text})"
    told = f"json_extract_string({text}, '$[*]')"
    told = f"list_transform({told}, lambda x: {unescaped_sql('x')})"
    items = (
        f"CASE WHEN {is_json} THEN {told} ELSE string_split({text}, {literal(field.delimiter)}) END"
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
            f"CASE WHEN json_valid({text}) THEN nfc_normalize(CAST(json({text}) AS VARCHAR))"
            f" WHEN {text} IS NOT NULL THEN CAST(to_json({text}) AS VARCHAR) END"
        )
        return Cast(sql, "type-error.any", "'{value}' can't be kept.")
    return Cast(
        f"CASE WHEN json_valid({text}) AND json_type({text}) IN ('OBJECT', 'ARRAY')"
        f" THEN nfc_normalize(CAST(json({text}) AS VARCHAR)) END",
        "type-error.object",
        '\'{value}\' is no JSON object; write it as {"name": "value"}.',
    )
