"""Rows to files, a writer a format (EXF-02, EXF-04)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.export_marks import mark_name
from dataport.engine.exporting.cells import csv_cell, hours
from dataport.engine.exporting.doc_writer import write_doc
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.txt_writer import write_txt
from dataport.engine.exporting.workbook import write_xlsx
from dataport.engine.exporting.xml_writer import write_xml
from dataport.engine.sql import document_value, ident, literal
from dataport.engine.store import Connection


def write_csv(cursor: Connection, table: Table, path: Path) -> int:
    """UTF-8, comma, header, CRLF-free; NULL is an empty cell and empty text is `""`."""
    columns = ", ".join(f"{csv_cell(field)} AS {ident(field.name)}" for field in table.fields)
    return _copy(cursor, f"SELECT {columns} FROM ({table.query})", path, "FORMAT csv, HEADER")


def write_json(cursor: Connection, table: Table, path: Path) -> int:
    """One array of objects; every field is stated, NULL as null."""
    columns = ", ".join(f"{_member(field)} AS {ident(field.name)}" for field in table.fields)
    return _copy(cursor, f"SELECT {columns} FROM ({table.query})", path, "FORMAT json, ARRAY true")


def write_parquet(cursor: Connection, table: Table, path: Path) -> int:
    """Columns of the fields' own types, instants with their zone, and the mark in the metadata."""
    columns = ", ".join(f"{_column(field)} AS {ident(field.name)}" for field in table.fields)
    options = "FORMAT parquet, COMPRESSION zstd"
    if table.mark:
        name, text = ident(mark_name(table.dataset)), literal(table.mark.to_text())
        options += f", KV_METADATA {{{name}: {text}}}"
    return _copy(cursor, f"SELECT {columns} FROM ({table.query})", path, options)


Writer = Callable[[Connection, Table, Path], int]
"""Writes a table to a new file; the number of rows. Raises InputError where they don't fit."""

WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "json": write_json,
    "xlsx": write_xlsx,
    "xml": write_xml,
    "txt": write_txt,
    "parquet": write_parquet,
    "doc": write_doc,
}
WRITE_ONLY = frozenset({"doc"})
"""Formats that nothing reads back."""


def _copy(cursor: Connection, query: str, path: Path, options: str) -> int:
    row = cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})").fetchone()
    return int(row[0]) if row else 0


def _column(field: Field) -> str:
    name = ident(field.name)
    if field.type is FieldType.DATETIME:
        return f"timezone('UTC', {name})"
    return hours(name) if field.type is FieldType.DURATION else name


def _member(field: Field) -> str:
    name = ident(field.name)
    return hours(name) if field.type is FieldType.DURATION else document_value(field, name)
