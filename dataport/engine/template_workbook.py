"""A workbook to fill in: a sheet with one example row, and one that describes each column (ITP-01, ITP-02)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.exporting.sheet_columns import sheet_column
from dataport.engine.exporting.workbook import MOST_ROWS, add_page

ABOUT = "Columns"
"""The sheet that describes the others' columns."""

_HEADS = {
    "name": ("column", 24),
    "title": ("title", 24),
    "holds": ("holds", 28),
    "required": ("required", 10),
    "checks": ("must be", 40),
    "description": ("about", 60),
    "example": ("example", 28),
}
_LONGEST_CHOICE = 255
"""Characters of the words that a cell may offer."""


def template_workbook(
    dataset: Dataset, example: Mapping[str, str], columns: Sequence[Mapping[str, Any]]
) -> bytes:
    """The workbook of a template, from its example by field and what is said of its columns."""
    import xlsxwriter

    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        _write_form(book, dataset, example)
        _write_about(book, columns)
    return target.getvalue()


def _write_form(book: Any, dataset: Dataset, example: Mapping[str, str]) -> None:
    page, header = add_page(book, dataset.name)
    for at, (name, text) in enumerate(example.items()):
        field = dataset.field(name)
        shown = sheet_column(field, "UTC")
        form = book.add_format({"num_format": shown.form})
        page.set_column(at, at, max(shown.width, len(name) + 2), form)
        page.write_string(0, at, name, header)
        _write_value(page, at, field, text, form)
        words = field.constraints.enum or ()
        if words and len(",".join(words)) <= _LONGEST_CHOICE:
            offered = {"validate": "list", "source": list(words), "error_type": "warning"}
            page.data_validation(1, at, MOST_ROWS - 1, at, offered)


def _write_value(page: Any, at: int, field: Field, text: str, form: Any) -> None:
    """The example as a real number, truth or day where it is written as we write it, else as text."""
    if not text:
        return
    try:
        match field.type:
            case FieldType.INTEGER | FieldType.NUMBER:
                page.write_number(1, at, float(text), form)
            case FieldType.BOOLEAN if text in ("true", "false"):
                page.write_boolean(1, at, text == "true", form)
            case FieldType.DATE:
                page.write_datetime(1, at, dt.date.fromisoformat(text), form)
            case _:
                page.write_string(1, at, text, form)
    except ValueError:
        page.write_string(1, at, text, form)


def _write_about(book: Any, columns: Sequence[Mapping[str, Any]]) -> None:
    page, header = add_page(book, ABOUT)
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for at, (key, (head, width)) in enumerate(_HEADS.items()):
        page.set_column(at, at, width)
        page.write_string(0, at, head, header)
        for row, column in enumerate(columns, start=1):
            value = column[key]
            text = ("yes" if value else "") if isinstance(value, bool) else str(value or "")
            page.write_string(row, at, text, wrapped)
