"""Files to fill in: a header, one example row, and a page that describes each column (ITP-01, ITP-02)."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any, Literal

from dataport.engine.catalog.model import Constraints, Dataset, Field, FieldType
from dataport.engine.template_workbook import template_workbook

Kind = Literal["csv", "json", "xlsx"]

_KINDS = {
    FieldType.STRING: "text",
    FieldType.INTEGER: "whole number",
    FieldType.NUMBER: "number, as in 1234.5",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "YYYY-MM-DD",
    FieldType.DATETIME: "YYYY-MM-DD HH:MM:SS",
    FieldType.TIME: "HH:MM:SS",
    FieldType.DURATION: "H:MM:SS",
    FieldType.OBJECT: "JSON object or list",
    FieldType.ANY: "anything",
}
_HOW = (
    "One row a record. Columns may stand in any order, and those that are not required may be left"
    " out; an empty cell says that there is no value. Replace the example row by your own."
)
_FORMATS = {"email": "e-mail address", "phone": "phone number", "uri": "address", "uuid": "UUID"}


def template(dataset: Dataset, kind: Kind) -> dict[str, Any]:
    """`dataset, format, text, page, columns`: the file, a page in Markdown, and the columns.

    A workbook is no text: it is `content`, in Base64, and describes the columns itself. Fields
    that nobody sets are left out. The example is made up, yet of personal fields it has only what
    a row can't do without.
    """
    fields = [field for field in dataset.fields if not field.is_computed]
    example = {field.name: _example(dataset, field) for field in fields}
    columns = [_column(dataset, field, example[field.name]) for field in fields]
    document = {
        "dataset": dataset.name,
        "format": kind,
        "text": None,
        "page": _page(dataset, columns),
        "columns": columns,
    }
    if kind == "xlsx":
        content = template_workbook(dataset, example, columns)
        return document | {"content": base64.b64encode(content).decode()}
    return document | {"text": _csv(example) if kind == "csv" else _json(fields, example)}


def _example(dataset: Dataset, field: Field) -> str:
    if field.personal and not _is_needed(dataset, field):
        return ""
    return field.example or ""


def _is_needed(dataset: Dataset, field: Field) -> bool:
    made = field.default is not None or field.default_from is not None
    is_key = field.name in dataset.primary_key and not dataset.derive_key
    return field.constraints.required or (is_key and not made)


def _column(dataset: Dataset, field: Field, example: str) -> dict[str, Any]:
    return {
        "name": field.name,
        "title": field.title or field.name,
        "type": str(field.type),
        "holds": _holds(field),
        "required": _is_needed(dataset, field),
        "checks": _checks(field.constraints),
        "description": field.description,
        "example": example,
    }


def _holds(field: Field) -> str:
    if field.type is FieldType.LIST:
        return f"items, with '{field.delimiter}' between them"
    if field.format in _FORMATS:
        return _FORMATS[field.format]
    return _KINDS[field.type]


def _checks(limits: Constraints) -> str:
    """What a value must be, in words."""
    said = [
        (limits.enum and f"one of {', '.join(limits.enum)}"),
        (limits.minimum is not None and f"at least {limits.minimum}"),
        (limits.maximum is not None and f"at most {limits.maximum}"),
        (limits.exclusive_minimum is not None and f"more than {limits.exclusive_minimum}"),
        (limits.exclusive_maximum is not None and f"less than {limits.exclusive_maximum}"),
        (limits.min_length is not None and f"at least {limits.min_length} long"),
        (limits.max_length is not None and f"at most {limits.max_length} long"),
        (limits.pattern and f"of the form {limits.pattern}"),
        (limits.unique and "unique"),
    ]
    return ", ".join(text for text in said if text)


def _csv(example: dict[str, str]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([example.keys(), example.values()])
    return stream.getvalue()


def _json(fields: list[Field], example: dict[str, str]) -> str:
    """An array of the example alone; what it leaves empty is left out."""
    row = {field.name: _json_value(field, example[field.name]) for field in fields}
    stated = {name: value for name, value in row.items() if value != ""}
    return json.dumps([stated], ensure_ascii=False, indent=2) + "\n"


def _json_value(field: Field, text: str) -> Any:
    if not text:
        return ""
    if field.type is FieldType.LIST:
        return text.split(field.delimiter)
    is_plain = field.type in (FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN)
    if is_plain or field.type in (FieldType.OBJECT, FieldType.ANY):
        return json.loads(text)
    return text


def _page(dataset: Dataset, columns: list[dict[str, Any]]) -> str:
    """The columns in Markdown, to lie beside the file."""
    lines = [
        f"# {dataset.title or dataset.name}",
        "",
        dataset.description,
        "",
        _HOW,
        "",
        "| column | holds | required | must be | about |",
        "|---|---|---|---|---|",
    ]
    for column in columns:
        about = column["title"]
        if column["description"]:
            about += f". {column['description']}"
        required = "yes" if column["required"] else ""
        cells = (f"`{column['name']}`", column["holds"], required, column["checks"], about)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
