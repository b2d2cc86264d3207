"""The checks of one field as SQL conditions, each with its code and message."""

from __future__ import annotations

from dataclasses import dataclass

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import among, literal
from dataport.engine.staging.phones import SCIENTIFIC

NEAREST = "{nearest}"
"""Stands in a message for the allowed word that is closest to the cell's."""

# Letters beyond ASCII are let through as whatever is no ASCII sign: classes of letters make
# RE2 fifty times slower.
_LOCAL = r"[^\x00- \"(),.:;<>@\[\\\]\x7f]+"
_EDGE = r"[^\x00-/:-@\[-`{-\x7f]"
_LABEL = rf"{_EDGE}([^\x00-,./:-@\[-`{{-\x7f]*{_EDGE})?"
_TOP = r"([^\x00-@\[-`{-\x7f]{2,}|xn--[a-z0-9-]+)"
_EMAIL = rf"{_LOCAL}(\.{_LOCAL})*@({_LABEL}\.)+{_TOP}"
DATED = (FieldType.DATE, FieldType.DATETIME, FieldType.TIME)
_FORMATS = {
    "uri": (
        r"[A-Za-z][A-Za-z0-9+.-]*:\S+",
        "'{value}' is no address; use one like https://example.org.",
    ),
    "uuid": (
        r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        "'{value}' is no UUID; use the form 123e4567-e89b-12d3-a456-426614174000.",
    ),
}


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a value."""

    condition: str
    """SQL that is true where it is wrong."""
    code: str
    message: str
    """`{value}` stands for the cell."""


def format_checks(field: Field, text: str, value: str) -> list[Check]:
    """Checks of `format`, for strings."""
    if field.format == "email":
        wrong = f"NOT regexp_full_match({value}, {literal(_EMAIL)})"
        message = "'{value}' is no e-mail address; use one like name@example.org."
        return [Check(wrong, "format-error.email", message)]
    if field.format == "phone":
        return _phone_checks(field, text, value)
    if field.format in _FORMATS:
        pattern, message = _FORMATS[field.format]
        wrong = f"NOT regexp_full_match({value}, {literal(pattern)})"
        return [Check(wrong, f"format-error.{field.format}", message)]
    return []


def _phone_checks(field: Field, text: str, value: str) -> list[Check]:
    if field.phone.style == "verbatim":
        return []
    code = "format-error.phone"
    lost = "'{value}' has lost its last digits in a spreadsheet; format the column as text there."
    if field.phone.style == "digits11" or field.phone.check == "length":
        wrong = "'{value}' is no phone number; use ten digits, or eleven starting with 1."
    else:
        wrong = (
            "'{value}' is no possible phone number; use area code and number, or +COUNTRY first."
        )
    missing = f"{value} IS NULL AND {text} IS NOT NULL"
    return [
        Check(f"{missing} AND regexp_full_match({text}, {literal(SCIENTIFIC)})", code, lost),
        Check(missing, code, wrong),
    ]


def constraint_checks(field: Field, text: str, value: str) -> list[Check]:
    """Checks of `constraints` but `unique`, which looks at other rows."""
    limits = field.constraints
    checks: list[Check] = []
    if limits.required:
        empty = f" OR {_length(field, value)} = 0" if field.sql_type.startswith("VARCHAR") else ""
        checks.append(
            Check(
                f"({value} IS NULL AND {text} IS NULL){empty}",
                "constraint-error.required",
                f"{field.name} is missing; every row needs one.",
            )
        )
    if limits.min_length is not None:
        checks.append(_size(field, value, "<", limits.min_length, "minLength", "short", "least"))
    if limits.max_length is not None:
        checks.append(_size(field, value, ">", limits.max_length, "maxLength", "long", "most"))
    before, after = ("before", "after") if field.type in DATED else ("less than", "more than")
    for bound, name, sign, words in (
        (limits.minimum, "minimum", "<", f"is {before} {limits.minimum}, the minimum"),
        (limits.maximum, "maximum", ">", f"is {after} {limits.maximum}, the maximum"),
        (
            limits.exclusive_minimum,
            "exclusiveMinimum",
            "<=",
            f"is not {after} {limits.exclusive_minimum}",
        ),
        (
            limits.exclusive_maximum,
            "exclusiveMaximum",
            ">=",
            f"is not {before} {limits.exclusive_maximum}",
        ),
    ):
        if bound is not None:
            message = f"'{{value}}' {words}."
            checks.append(
                Check(f"{value} {sign} {_bound(field, bound)}", f"constraint-error.{name}", message)
            )
    if limits.pattern is not None:
        wrong = f"NOT regexp_full_match({_as_text(field, value)}, {literal(limits.pattern)})"
        message = f"'{{value}}' does not have the form {limits.pattern}."
        checks.append(Check(wrong, "constraint-error.pattern", message))
    if limits.enum is not None:
        checks.append(_enum(field, value, limits.enum))
    return checks


def _enum(field: Field, value: str, words: tuple[str, ...]) -> Check:
    if field.type is FieldType.LIST:
        allowed = ", ".join(literal(word) for word in words)
        wrong = f"NOT list_has_all([{allowed}], {value})"
    else:
        wrong = f"NOT {among(_as_text(field, value), words)}"
    message = f"'{{value}}' is not allowed; use one of {', '.join(words)}.{NEAREST}"
    return Check(wrong, "constraint-error.enum", message)


def _size(
    field: Field, value: str, sign: str, limit: int, name: str, word: str, bound: str
) -> Check:
    unit = "items" if field.type is FieldType.LIST else "characters"
    return Check(
        f"{_length(field, value)} {sign} {limit}",
        f"constraint-error.{name}",
        f"'{{value}}' is too {word}; {field.name} takes at {bound} {limit} {unit}.",
    )


def _length(field: Field, value: str) -> str:
    return f"len({value})" if field.type is FieldType.LIST else f"length({_as_text(field, value)})"


def _as_text(field: Field, value: str) -> str:
    return value if field.sql_type == "VARCHAR" else f"CAST({value} AS VARCHAR)"


def _bound(field: Field, bound: int | float | str) -> str:
    if isinstance(bound, str) or field.type not in (FieldType.INTEGER, FieldType.NUMBER):
        return f"CAST({literal(str(bound))} AS {field.sql_type})"
    return repr(bound)
