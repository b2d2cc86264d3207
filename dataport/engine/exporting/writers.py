"""Rows to files, as one COPY statement a format (EXF-02, EXF-04)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.sql import document_value, ident, instant_text, literal
from dataport.engine.store import Connection

FORMULA_START = r"^'*[=+\-@\t\r]"
"""What a spreadsheet would run instead of showing, behind any apostrophes put before it."""


MISREAD = r"(?i)^(\[.*|-|null|n/a|na|none)$"
"""Items that would come back as another list, or as no value: they are written as JSON."""


def write_csv(cursor: Connection, query: str, fields: Sequence[Field], path: Path) -> int:
    """UTF-8, comma, header, CRLF-free; NULL is an empty cell and empty text is `""`.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, which
    reading the file back takes off again. Numbers and phone numbers keep their sign.
    """
    columns = ", ".join(f"{_cell(field)} AS {ident(field.name)}" for field in fields)
    return _copy(cursor, f"SELECT {columns} FROM ({query})", path, "FORMAT csv, HEADER")


def write_json(cursor: Connection, query: str, fields: Sequence[Field], path: Path) -> int:
    """One array of objects; every field is stated, NULL as null."""
    columns = ", ".join(f"{_member(field)} AS {ident(field.name)}" for field in fields)
    return _copy(cursor, f"SELECT {columns} FROM ({query})", path, "FORMAT json, ARRAY true")


Writer = Callable[[Connection, str, Sequence[Field], Path], int]

WRITERS: dict[str, Writer] = {"csv": write_csv, "json": write_json}


def _copy(cursor: Connection, query: str, path: Path, options: str) -> int:
    row = cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})").fetchone()
    return int(row[0]) if row else 0


def _member(field: Field) -> str:
    name = ident(field.name)
    return _hours(name) if field.type is FieldType.DURATION else document_value(field, name)


def _hours(name: str) -> str:
    """SQL of a duration as H:MM:SS, with a fraction only where it has one."""
    size = f"abs({name})"
    fraction = f"CASE WHEN {size} % 1000000 = 0 THEN '' ELSE printf('.%06d', {size} % 1000000) END"
    clock = f"printf('%d:%02d:%02d', {size} // 3600000000, {size} // 60000000 % 60, {size} // 1000000 % 60)"
    return f"CASE WHEN {name} < 0 THEN '-' ELSE '' END || {clock} || {fraction}"


def _cell(field: Field) -> str:
    name = ident(field.name)
    if field.type is FieldType.DATETIME:
        return instant_text(name)
    if field.type is FieldType.DURATION:
        return _hours(name)
    if field.type is FieldType.LIST:
        text = f"list_aggregate({name}, 'string_agg', {literal(field.delimiter)})"
        splits = f"list_contains(list_transform({name}, x -> contains(x, {literal(field.delimiter)})), true)"
        misread = f"regexp_matches({text}, {literal(MISREAD)})"
        as_json = f"len({name}) = 0 OR {splits} OR {misread}"
        return _harmless(
            f"CASE WHEN {as_json} THEN CAST(to_json({name}) AS VARCHAR) ELSE {text} END"
        )
    if field.type is FieldType.STRING and field.format != "phone":
        return _harmless(name)
    return name


def _harmless(expression: str) -> str:
    return (
        f"CASE WHEN regexp_matches({expression}, {literal(FORMULA_START)})"
        f" THEN '''' || {expression} ELSE {expression} END"
    )
