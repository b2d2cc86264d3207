"""Pieces of SQL that every step shares: quoting, names of tables, values as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from dataport.engine.catalog.model import Dataset, Field, FieldType

CATALOG = "store"
"""The one attached catalog through which the store is reached (design section 16)."""


NUL = "\0"


def ident(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | None) -> str:
    """`value` as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    quoted = "'" + value.replace("'", "''") + "'"
    # An SQL text ends at a NUL, whatever is around it.
    return f"""({quoted.replace(NUL, "' || chr(0) || '")})""" if NUL in value else quoted


def among(value: str, words: Iterable[str]) -> str:
    """SQL that is true where `value` is one of `words`, NULL where it is NULL.

    Of an IN with five words and more DuckDB makes a join, and a join loses the order of the rows.
    """
    return f"list_contains([{', '.join(literal(word) for word in words)}], {value})"


def idents(names: Iterable[str], prefix: str = "") -> str:
    """`names` quoted and joined by commas, each behind `prefix`."""
    return ", ".join(prefix + ident(name) for name in names)


def rows_table(dataset: str) -> str:
    """Current rows: `_key`, `_commit` that wrote them, `_line` of its file, the fields."""
    return f"{CATALOG}.rows.{ident(dataset)}"


def versions_table(dataset: str) -> str:
    """Past rows: as current rows, and the commit `_until` which they stood."""
    return f"{CATALOG}.versions.{ident(dataset)}"


def bases_table(dataset: str) -> str:
    """What each `_source` sent last per key; see `merging.bases` for how it is read."""
    return f"{CATALOG}.bases.{ident(dataset)}"


def base_versions_table(dataset: str) -> str:
    """Past bases, with the commit `_until` which they stood."""
    return f"{CATALOG}.base_versions.{ident(dataset)}"


def differs(names: Iterable[str], left: str, right: str) -> str:
    """True where any of the fields differs between two relations; NULL is an ordinary value."""
    terms = [f"{left}.{ident(name)} IS DISTINCT FROM {right}.{ident(name)}" for name in names]
    return "(" + " OR ".join(terms) + ")" if terms else "false"


def json_value(field: Field, expression: str) -> str:
    """A field's value as JSON text; SQL NULL stays SQL NULL. Instants read as ISO 8601 in UTC."""
    if field.type in (FieldType.OBJECT, FieldType.ANY):
        return f"CAST({expression} AS VARCHAR)"
    if field.type is FieldType.DATETIME:
        return f"CAST(to_json({instant_text(expression)}) AS VARCHAR)"
    return (
        f"CASE WHEN {expression} IS NULL THEN NULL ELSE CAST(to_json({expression}) AS VARCHAR) END"
    )


def instant_text(expression: str) -> str:
    """A UTC timestamp as `YYYY-MM-DDTHH:MM:SSZ`, with a fraction only where it has one."""
    return (
        f"CASE WHEN {expression} = date_trunc('second', {expression})"
        f" THEN strftime({expression}, '%Y-%m-%dT%H:%M:%SZ')"
        f" ELSE strftime({expression}, '%Y-%m-%dT%H:%M:%S.%fZ') END"
    )


def from_json(field: Field, expression: str) -> str:
    """The typed value that `json_value` wrote."""
    if field.type in (FieldType.OBJECT, FieldType.ANY):
        return f"CAST({expression} AS VARCHAR)"
    if field.type is FieldType.LIST:
        return f"from_json({expression}, '[\"VARCHAR\"]')"
    text = f"json_extract_string({expression}, '$')"
    if field.type is FieldType.DATETIME:
        return f"CAST(replace({text}, 'Z', '') AS TIMESTAMP)"
    return f"CAST({text} AS {field.sql_type})"


def document_value(field: Field, expression: str) -> str:
    """A field as a member of a JSON document: objects as JSON, instants as ISO text."""
    if field.type in (FieldType.OBJECT, FieldType.ANY):
        return f"CAST({expression} AS JSON)"
    if field.type is FieldType.DATETIME:
        return instant_text(expression)
    if field.type in (FieldType.DATE, FieldType.TIME):
        return f"CAST({expression} AS VARCHAR)"
    return expression


def row_document(fields: Iterable[Field], prefix: str) -> str:
    """A row of a relation as a JSON object, fields in the order given."""
    pairs = ", ".join(
        f"{literal(field.name)}, {document_value(field, prefix + ident(field.name))}"
        for field in fields
    )
    return f"json_object({pairs})"


def struct(fields: Iterable[Field], relation: str, instead: dict[str, str] | None = None) -> str:
    """The fields of a relation, or of a struct, as one struct; `instead` has other values by
    field."""
    values = instead or {}
    members = ", ".join(
        f"{ident(f.name)} := {values.get(f.name, f'{relation}.{ident(f.name)}')}" for f in fields
    )
    return f"struct_pack({members})"


def columns_ddl(dataset: Dataset) -> str:
    """Column definitions of a dataset's fields."""
    return ", ".join(f"{ident(field.name)} {field.sql_type}" for field in dataset.fields)
