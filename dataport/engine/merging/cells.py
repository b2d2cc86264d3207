"""Conflict items and the cells they are about: one field, a group, or many fields of a row.

An item's values are JSON text: the bare value of a field, else an object of the fields that the
file's row stated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from dataport.core.words import ConflictKind
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.catalog.units import Unit, unit_named
from dataport.engine.merging.fields import is_unstated
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.sql import document_value, ident, json_value, literal, row_document
from dataport.engine.store import Connection

VALUE_KINDS = (ConflictKind.EDIT_EDIT, ConflictKind.ADD_ADD, ConflictKind.INVALID_MERGE)
"""Kinds of items that are about values, though their `field` may be NULL: a row's values."""

_SIDES = ("base", "ours", "theirs")

_KINDS = ", ".join(literal(kind.value) for kind in VALUE_KINDS)


def is_about(name: str | None, item: str = "q") -> str:
    """SQL that is true for items that hold values of the unit called `name`; None is a row."""
    if name is None:
        return f"{item}.field IS NULL AND {item}.kind IN ({_KINDS})"
    return f"{item}.field = {literal(name)}"


def asks_about(unit: Unit, item: str = "q") -> str:
    """SQL that is true for items which ask whose values of the unit are to stand."""
    is_invalid = f"{item}.kind = '{ConflictKind.INVALID_MERGE}'"
    return is_about(unit.name, item) + (f" AND NOT {is_invalid}" if unit.name is None else "")


def names_in(cursor: Connection, items: str) -> set[str | None]:
    """The `field`s of those items of a relation that are about values."""
    rows = cursor.execute(
        f"SELECT DISTINCT field FROM {items} q WHERE field IS NOT NULL OR ({is_about(None)})"
    ).fetchall()
    return {row[0] for row in rows}


def unit_json(unit: Unit, side: str, merge: MergeInput) -> str:
    """SQL of one side's values of a unit, as an item holds them."""
    if unit.is_single:
        field = unit.fields[0]
        return json_value(field, f"{side}.{ident(field.name)}")
    if not any(field.name in merge.partial for field in unit.fields):
        return f"CAST({row_document(unit.fields, side + '.')} AS VARCHAR)"
    members = ", ".join(_stated_member(field, side, merge) for field in unit.fields)
    return f"('{{' || concat_ws(',', {members}) || '}}')"


def _stated_member(field: Field, side: str, merge: MergeInput) -> str:
    value = document_value(field, f"{side}.{ident(field.name)}")
    member = (
        literal(f'"{field.name}":') + f" || coalesce(CAST(to_json({value}) AS VARCHAR), 'null')"
    )
    unstated = is_unstated(field, merge)
    return f"CASE WHEN NOT {unstated} THEN {member} END" if unstated else member


def member(field: Field, document: str) -> str:
    """SQL of one member of a JSON object as JSON text; NULL where it is null or not there."""
    return f"nullif(CAST(json_extract({document}, {_path(field)}) AS VARCHAR), 'null')"


def exploded(dataset: Dataset, names: Iterable[str | None], items: str, value: str) -> str:
    """A query for `key, conflict, field, value` of every cell that the items of a relation are
    about; `names` are the `field`s that occur in it, `value` one of its columns of values.

    An item without that value is about the fields that its file stated.
    """
    parts = []
    for name in names:
        unit = unit_named(dataset, name) if name is not None else Unit(dataset.fields, None)
        for field in unit.fields if unit else ():
            cell, condition = value, is_about(name)
            if unit and not unit.is_single:
                cell = member(field, value)
                condition += f" AND json_exists(coalesce({value}, theirs), {_path(field)})"
            parts.append(
                f"SELECT key, conflict, {literal(field.name)} AS field, {cell} AS value"
                f" FROM {items} q WHERE {condition}"
            )
    none = f"SELECT key, conflict, field, {value} AS value FROM {items} WHERE false"
    return " UNION ALL ".join(parts) or none


def rewritten_items(
    dataset: Dataset, field: Field, rewrite: Sequence[tuple[str, str]]
) -> list[str]:
    """Statements that spell a field's values in every item anew; `rewrite` has patterns of whole
    JSON values and what takes their place.

    In an object a value stands behind its name; the same text inside another value has its
    quotes escaped, so it is not met.
    """
    member = re.escape(json.dumps(field.name, ensure_ascii=False))
    alone, within = [], []
    for pattern, replacement in rewrite:
        bare = pattern.removeprefix("^").removesuffix("$")
        shifted = replacement.replace(r"\1", r"\2")
        alone.append((pattern, replacement))
        within.append((rf"([{{,]{member}:){bare}([,}}])", rf"\1{shifted}\3"))
    # Rows with one key are kept as they stood in their file.
    others = f"dataset = {literal(dataset.name)} AND kind <> '{ConflictKind.DUPLICATE_KEY}'"
    return [
        f"UPDATE store.{table} SET {_spelled(rules, columns)} WHERE {others} AND {which}"
        for table in ("conflicts", "conflict_versions")
        for rules, columns, which in (
            (alone, _SIDES, f"field = {literal(field.name)}"),
            (within, (*_SIDES, "details"), f"field IS DISTINCT FROM {literal(field.name)}"),
        )
        if rules
    ]


def _spelled(rules: Sequence[tuple[str, str]], columns: Sequence[str]) -> str:
    values = []
    for column in columns:
        value = column
        for pattern, replacement in rules:
            value = f"regexp_replace({value}, {literal(pattern)}, {literal(replacement)}, 'g')"
        values.append(f"{column} = {value}")
    return ", ".join(values)


def fields_of(dataset: Dataset, names: Iterable[str | None]) -> tuple[Field, ...]:
    """The fields whose cells items with these `field`s are about, in the dataset's order."""
    found: set[str] = set()
    for name in names:
        unit = unit_named(dataset, name) if name is not None else Unit(dataset.fields, None)
        found |= {field.name for field in unit.fields} if unit else set()
    return tuple(field for field in dataset.fields if field.name in found)


def _path(field: Field) -> str:
    return literal(f'$."{field.name}"')
