"""Telephone numbers: the common forms in SQL, the rest through numbering plans (X-19, V-13)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from duckdb import InvalidInputException
from duckdb.func import FunctionNullHandling, PythonUDFType

from dataport.engine.catalog.model import Field
from dataport.engine.sql import literal
from dataport.engine.staging.moments import Layers
from dataport.engine.staging.numbering import international_pattern

if TYPE_CHECKING:
    import duckdb

NORTH_AMERICA = frozenset(
    "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT US VC VG VI".split()
)
"""Countries whose national numbers have ten digits after country code 1."""

SCIENTIFIC = r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+"
"""What a spreadsheet makes of a long number; its last digits are lost."""

_EXTENSION = re.compile(r"[\s,;]*(?:ext(?:ension|n)?\.?|x|#)\s*:?\s*(\d{1,7})\s*$", re.IGNORECASE)
_INTEGRAL = re.compile(r"(\d+)\.0+")


class PhoneResolver:
    """Decides about the numbers that the SQL fast path hands over, each distinct one once."""

    def __init__(self, field: Field, region: str) -> None:
        self._phone = field.phone
        self._region = field.phone.region or region
        self._known: dict[str, str | None] = {}
        self.extensions = 0
        """Cells whose extension was cut off."""
        self._extended: set[str] = set()

    def resolve(self, texts: Any) -> Any:
        """An Arrow array of texts to one of canonical numbers, null where there is none."""
        import pyarrow as pa

        wanted = texts.to_pylist()
        for text in {text for text in wanted if text and text not in self._known}:
            self._known[text] = self._canonical(text)
        if self._extended:
            self.extensions += sum(text in self._extended for text in wanted)
        return pa.array([self._known.get(text) for text in wanted], pa.string())

    def _canonical(self, text: str) -> str | None:
        if re.fullmatch(SCIENTIFIC, text):
            return None
        integral = _INTEGRAL.fullmatch(text)
        number = integral[1] if integral else text
        extension = _EXTENSION.search(number)
        number = number[: extension.start()] if extension else number
        by_length = self._phone.style == "digits11" or self._phone.check == "length"
        canonical = self._by_length(number) if by_length else self._by_plan(number)
        if extension and canonical:
            self._extended.add(text)
        return canonical

    def _by_length(self, number: str) -> str | None:
        """Ten digits, or eleven starting with 1 (V-13)."""
        if re.search(r"[^\d\s+().\-/]", number):
            return None
        digits = re.sub(r"\D", "", number)
        digits = f"1{digits}" if len(digits) == 10 else digits
        if len(digits) != 11 or digits[0] != "1":
            return None
        return digits if self._phone.style == "digits11" else f"+{digits}"

    def _by_plan(self, number: str) -> str | None:
        import phonenumbers

        try:
            parsed = phonenumbers.parse(number, self._region)
        except phonenumbers.NumberParseException:
            return None
        reason = phonenumbers.is_possible_number_with_reason(parsed)
        if self._phone.check != "none" and reason != phonenumbers.ValidationResult.IS_POSSIBLE:
            return None
        canonical = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        return str(canonical)


def register(connection: duckdb.DuckDBPyConnection, name: str, resolver: PhoneResolver) -> None:
    """Make `resolver` callable from SQL as `name`, in place of an earlier one."""
    with contextlib.suppress(InvalidInputException):
        connection.remove_function(name)
    connection.create_function(
        name,
        resolver.resolve,
        ["VARCHAR"],
        "VARCHAR",
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )


def phone_sql(field: Field, region: str, text: str, resolver: str) -> tuple[str, Layers]:
    """SQL of the canonical number, NULL where `text` is none; and columns that it reads.

    `text` names a column, `resolver` the registered function for all but the common forms.
    """
    by_length = field.phone.style == "digits11" or field.phone.check == "length"
    is_national = by_length or (field.phone.region or region) in NORTH_AMERICA
    bare, branches, layers = f"{text}_bare", list[str](), list[Mapping[str, str]]()
    is_unusual = f"starts_with({text}, '+')"
    if is_national:
        usual = f"{text}_usual"
        area = "[0-9]{3}" if by_length else "[2-9][0-9]{2}"
        prefix = "1" if field.phone.style == "digits11" else "+1"
        layers.append({usual: _usual_sql(text, area, prefix)})
        is_unusual = f"{usual} IS NULL"
        # What has the digits but another punctuation; digits behind a last dot are a number's.
        branches.append(f"WHEN {usual} IS NOT NULL THEN {usual}")
        branches.append(
            f"WHEN regexp_full_match({bare}, '(\\+?1)?{area}[0-9]{{7}}')"
            f" AND NOT regexp_full_match({text}, '[0-9]+\\.[0-9]?')"
            f" THEN '{prefix}' || right({bare}, 10)"
        )
    if not by_length:
        branches.append(
            f"WHEN starts_with({text}, '+')"
            f" AND regexp_full_match({bare}, {literal(international_pattern())}) THEN {bare}"
        )
    layers.append({bare: f"CASE WHEN {is_unusual} THEN translate({text}, ' ()-.', '') END"})
    branches.append(f"WHEN {text} IS NOT NULL THEN {resolver}({text})")
    return f"CASE {' '.join(branches)} END", tuple(layers)


def _usual_sql(text: str, area: str, prefix: str) -> str:
    """SQL of a number in one of the forms that nearly all have, each told by its length first."""
    forms = (
        (10, f"{area}[0-9]{{7}}", ((1, 10),)),
        (11, f"1{area}[0-9]{{7}}", ((2, 10),)),
        (12, rf"\+1{area}[0-9]{{7}}", ((3, 10),)),
        (12, f"{area}[-. ][0-9]{{3}}[-. ][0-9]{{4}}", ((1, 3), (5, 3), (9, 4))),
        (13, rf"\({area}\)[0-9]{{3}}-[0-9]{{4}}", ((2, 3), (6, 3), (10, 4))),
        (14, rf"\({area}\) [0-9]{{3}}-[0-9]{{4}}", ((2, 3), (7, 3), (11, 4))),
        (15, rf"\+1[-. ]{area}[-. ][0-9]{{3}}[-. ][0-9]{{4}}", ((4, 3), (8, 3), (12, 4))),
    )
    branches = []
    for length, pattern, parts in forms:
        digits = " || ".join(f"substr({text}, {start}, {count})" for start, count in parts)
        shape = f"strlen({text}) = {length} AND regexp_full_match({text}, '{pattern}')"
        branches.append(f"WHEN {shape} THEN '{prefix}' || {digits}")
    return f"CASE {' '.join(branches)} END"
