"""The transforms of a mapping as SQL over the raw cells of a row (MAP-03).

Cells are taken apart one by one: missing words, place in JSON, pattern, split. Then they are put
together to one value, which is looked up, rewritten and converted. What can't be understood stays
as it is, so that the field's own checks tell what is wrong with it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from dataport.engine.catalog.mappings import FieldMapping, Skip, Unit, Unknown
from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import among, literal
from dataport.engine.staging.casts import ZONE, offset

_SECONDS = {
    Unit.MILLISECONDS: "0.001",
    Unit.SECONDS: "1",
    Unit.MINUTES: "60",
    Unit.HOURS: "3600",
    Unit.DAYS: "86400",
}
_CLOCK = r"^([+-]?)(\d{1,7}):([0-5]\d)(?::([0-5]\d(?:\.\d{1,6})?))?$"
_PLAIN = r"[+-]?(\d+(\.\d*)?|\.\d+)"
_DIGITS = 6
"""Decimals of a converted number, where the field does not say."""
_DATE = r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})"
_ISO = {
    FieldType.DATE: "%Y-%m-%d",
    FieldType.DATETIME: "%Y-%m-%d %H:%M:%S.%f",
    FieldType.TIME: "%H:%M:%S",
}


class Transform:
    """The SQL of one field of a mapping."""

    def __init__(
        self, rule: FieldMapping, field: Field, missing: Sequence[str], timezone: str = "UTC"
    ) -> None:
        self._rule = rule
        self._field = field
        self._timezone = timezone
        self._missing = tuple(dict.fromkeys(["", *missing, *rule.missing]))
        self._names: Iterator[int] = itertools.count()

    @property
    def _is_list(self) -> bool:
        """Whether cells become lists of parts on the way."""
        return self._rule.every or (self._rule.split is not None and self._rule.part is None)

    def sql(self, cells: Sequence[str], others: Sequence[str] = ()) -> str:
        """SQL of the field's text from the `cells` of its columns, or else of the `others`."""
        combined = self._combined(cells)
        if others:
            taken = [self._taken_apart(cell) for cell in others]
            combined = f"coalesce({', '.join([combined, *taken])})"
        value = self._translated(combined)
        if self._is_list:
            value = self._let(value, _json_list)
        default = self._rule.default
        return value if default is None else f"coalesce({value}, {literal(default)})"

    def unknown(self, cells: Sequence[str]) -> str | None:
        """SQL that is true where the table rejects a row's value; None where it rejects none."""
        if not self._rule.values or self._rule.unknown is not Unknown.REJECT:
            return None
        known = among("{}", [key.strip().lower() for key in self._rule.values])
        value = f"lower(trim({self._combined(cells)}))"
        return f"NOT {known.replace('{}', value)}"

    def _combined(self, cells: Sequence[str]) -> str:
        if self._rule.hash:
            texts = ", ".join(f"coalesce(trim({cell}), '')" for cell in cells)
            return f"md5(concat_ws(chr(31), {texts}))"
        taken = [self._taken_apart(cell) for cell in cells]
        if self._is_list:
            lists = [f"coalesce({each}, [])" for each in taken]
            return lists[0] if len(lists) == 1 else f"list_concat({', '.join(lists)})"
        if len(taken) == 1:
            return taken[0]
        if self._rule.join is not None:
            return f"nullif(concat_ws({literal(self._rule.join)}, {', '.join(taken)}), '')"
        return f"coalesce({', '.join(taken)})"

    def _taken_apart(self, cell: str) -> str:
        rule = self._rule
        value = f"CASE WHEN NOT {among(f'trim({cell})', self._missing)} THEN {cell} END"
        if rule.path:
            value = self._let(value, lambda x: _from_json(x, rule.path, rule.between))
        if rule.pattern is not None:
            value = _matched(rule, value)
        if rule.split is None:
            return value if rule.every else f"nullif(trim({value}), '')"
        parts = f"string_split({value}, {literal(rule.split)})"
        if rule.part is not None:
            return f"nullif(trim({parts}[{rule.part}]), '')"
        trimmed = f"list_transform({parts}, lambda part: trim(part))"
        return f"list_filter({trimmed}, lambda part: part <> '')"

    def _translated(self, value: str) -> str:
        if not self._is_list:
            return self._converted(value)
        name = f"item{next(self._names)}"
        converted = self._converted(name)
        return (
            value if converted == name else f"list_transform({value}, lambda {name}: {converted})"
        )

    def _converted(self, value: str) -> str:
        rule = self._rule
        if rule.values:
            value = self._let(value, lambda x: _looked_up(rule.values, rule.unknown, x))
        if rule.decimal is not None:
            value = _with_point(value, rule.decimal)
        if rule.format:
            value = self._let(value, lambda x: _parsed(x, rule.format, self._field.type))
        if rule.order is not None:
            value = _ordered(value, rule.order)
        if rule.day:
            value = self._let(value, lambda x: _day(x, self._timezone))
        if rule.unit is not None:
            unit = rule.unit
            value = self._let(value, lambda x: self._span(x, unit))
        return value

    def _span(self, value: str, unit: Unit) -> str:
        """A time span in the unit of the field, or as ISO 8601 in one that holds durations."""
        sign, hours, minutes, seconds = (
            f"regexp_extract({value}, {literal(_CLOCK)}, {group})" for group in range(1, 5)
        )
        clock = f"{_number(hours)} * 3600 + {_number(minutes)} * 60 + {_number(seconds)}"
        total = (
            f"CASE WHEN regexp_matches({value}, {literal(_CLOCK)})"
            f" THEN (CASE WHEN {sign} = '-' THEN -1 ELSE 1 END) * ({clock})"
            f" WHEN regexp_full_match({value}, {literal(_PLAIN)})"
            f" THEN {_number(value)} * {_SECONDS[unit]} END"
        )
        if self._field.type is FieldType.DURATION:
            made = "'PT' || x::DECIMAL(24, 6)::VARCHAR || 'S'"
        else:
            digits = self._field.scale if self._field.scale is not None else _DIGITS
            digits = 0 if self._field.type is FieldType.INTEGER else digits
            exact = f"round(x::DOUBLE / {_SECONDS[self._rule.to]}, {digits})"
            made = f"rtrim(rtrim({exact}::DECIMAL(30, {max(digits, 1)})::VARCHAR, '0'), '.')"
        return f"coalesce({self._let(total, lambda x: made.replace('x::', f'{x}::'))}, {value})"

    def _let(self, value: str, body: Callable[[str], str]) -> str:
        """`body` of a value that it uses several times, though it is computed once."""
        if value.isidentifier():
            return body(value)
        name = f"x{next(self._names)}"
        return f"list_transform([{value}], lambda {name}: {body(name)})[1]"


def skip_condition(rule: Skip, cell: str) -> str:
    """SQL that is true for the rows that `rule` leaves out, by the cell of its column."""
    if rule.path:
        cell = _from_json(cell, rule.path)
    value = f"lower(trim(coalesce({cell}, '')))"
    if rule.pattern is not None:
        return f"regexp_matches(coalesce({cell}, ''), {literal(rule.pattern)})"
    words = [word.strip().lower() for word in rule.values or rule.unless or ()]
    found = among(value, words)
    return found if rule.values is not None else f"NOT {found}"


def _json_list(items: str) -> str:
    return f"CASE WHEN len({items}) > 0 THEN to_json({items})::VARCHAR END"


def _from_json(value: str, paths: Sequence[str], between: str = ";") -> str:
    found = ", ".join(_at(value, path, between) for path in paths)
    return f"CASE WHEN json_valid({value}) THEN coalesce({found}) END"


def _at(value: str, path: str, between: str) -> str:
    place = path if path.startswith("$") else f"$.{path}"
    found = f"json_extract_string({value}, {literal(place)})"
    joined = f"nullif(array_to_string({found}, {literal(between)}), '')"
    return joined if "*" in place else found


def _matched(rule: FieldMapping, value: str) -> str:
    pattern = literal(str(rule.pattern))
    group = 1 if _has_group(str(rule.pattern)) else 0
    if rule.replace is not None:
        return f"regexp_replace({value}, {pattern}, {literal(rule.replace)}, 'g')"
    if rule.every:
        return f"regexp_extract_all({value}, {pattern}, {group})"
    return f"nullif(regexp_extract({value}, {pattern}, {group}), '')"


def _has_group(pattern: str) -> bool:
    return re.compile(pattern).groups > 0


def _looked_up(values: Mapping[str, str], unknown: Unknown, value: str) -> str:
    branches = " ".join(
        f"WHEN {literal(key.strip().lower())} THEN {literal(word) if word else 'NULL'}"
        for key, word in values.items()
    )
    rest = "NULL" if unknown is Unknown.EMPTY else value
    return f"CASE lower(trim({value})) {branches} ELSE {rest} END"


def _with_point(value: str, sign: str) -> str:
    grouping = r"[\s'.]" if sign == "," else r"[\s',]"
    return f"replace(regexp_replace({value}, {literal(grouping)}, '', 'g'), {literal(sign)}, '.')"


def _parsed(value: str, formats: Sequence[str], kind: FieldType) -> str:
    forms = ", ".join(literal(form) for form in formats)
    written = _ISO.get(kind, _ISO[FieldType.DATETIME])
    return f"coalesce(strftime(try_strptime({value}, [{forms}]), {literal(written)}), {value})"


def _ordered(value: str, order: str) -> str:
    """Dates of a stated order as ISO has them; a year that comes first leaves no question."""
    day, month = (1, 2) if order == "dmy" else (2, 1)
    padded = f"regexp_replace({value}, '\\b(\\d)([./-])', '0\\1\\2', 'g')"
    swapped = rf"\3-\{month}-\{day}"
    return f"regexp_replace({padded}, {literal(_DATE)}, {literal(swapped)})"


def _day(value: str, timezone: str) -> str:
    """The day of an instant in a zone; what names no zone stays as it is."""
    naive = f"TRY_CAST(regexp_replace({value}, {literal(ZONE + '$')}, '') AS TIMESTAMP)"
    local = f"timezone({literal(timezone)}, timezone('UTC', {naive} - {offset(value)}))"
    zoned = f"regexp_matches({value}, {literal('[0-9]{2}:[0-9]{2}.*' + ZONE + '$')})"
    return (
        f"CASE WHEN {zoned} THEN coalesce(strftime({local}, '%Y-%m-%d'), {value}) ELSE {value} END"
    )


def _number(value: str) -> str:
    return f"coalesce(TRY_CAST(nullif({value}, '') AS DECIMAL(24, 6)), 0)"
