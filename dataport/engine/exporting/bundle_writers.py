"""A whole package in one file: a workbook with a sheet a dataset, or a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dataport.engine.catalog.packages import Package, SheetLayout
from dataport.engine.exporting.bundle import Bundle
from dataport.engine.exporting.document import write_document
from dataport.engine.exporting.document_places import is_document
from dataport.engine.exporting.sheet_columns import shown_column
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.workbook import Sheet, write_workbook
from dataport.engine.sql import ident
from dataport.engine.store import Connection

BundleWriter = Callable[[Connection, Bundle, Path], int]
"""Writes a bundle to a new file; the number of rows. Raises InputError where they don't fit."""


def bundle_writer(package: Package, kind: str) -> BundleWriter | None:
    """What writes a package into one file of this format; None where each dataset has its own."""
    if kind == "json" and is_document(package):
        return write_document
    return _write_workbook if kind == "xlsx" else None


def _write_workbook(cursor: Connection, bundle: Bundle, path: Path) -> int:
    """A sheet for each dataset with rows, in the order of the package's file (EXF-15)."""
    tables = {table.dataset: table for table in bundle.tables}
    filled = [tables[name] for name in bundle.package.datasets if tables[name].rows]
    sheets = [_sheet(cursor, bundle.package, table) for table in filled or bundle.tables[:1]]
    return write_workbook(cursor, sheets, path)


def _sheet(cursor: Connection, package: Package, table: Table) -> Sheet:
    """A plain sheet, or what the package shows of it with all other values in hidden columns.

    Those make the sheet whole, so that it can come back (EXF-13, EXF-14).
    """
    member, plain = package.member(table.dataset), Sheet.of(table)
    layout = member.sheet if member else None
    if layout is None:
        return plain
    fields = {field.name: field for field in table.fields}
    shown = [
        shown_column(fields[column.field], column, table.timezone)
        for column in layout.columns
        if column.field in fields
    ]
    told = _told(cursor, table, layout)
    hidden = [replace(each, is_hidden=True) for each in plain.columns if each.field.name in told]
    return Sheet(layout.name, table, [*shown, *hidden])


def _told(cursor: Connection, table: Table, layout: SheetLayout) -> set[str]:
    """The fields that the layout leaves out and any row has a value of."""
    shown = {column.field for column in layout.columns}
    others = [field.name for field in table.fields if field.name not in shown]
    counts = ", ".join(["count(*)", *(f"count({ident(name)})" for name in others)])
    found = cursor.execute(f"SELECT {counts} FROM ({table.query})").fetchone() or ()
    return {name for name, count in zip(others, found[1:], strict=True) if count}
