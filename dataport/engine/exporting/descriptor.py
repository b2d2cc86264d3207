"""`datapackage.json`: what lies in the folder of an exported package, for other tools to read.

A Frictionless Data Package (design section 2): each file with the fields, checks and foreign keys
of its dataset. Our own import goes by the files' names and needs none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataport.core.clock import iso, now
from dataport.core.files import write_whole
from dataport.core.paths import DESCRIPTOR
from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.catalog.packages import Package
from dataport.engine.catalog.references import referenced

_MEDIA = {
    "csv": "text/csv",
    "json": "application/json",
    "xml": "application/xml",
    "txt": "text/plain",
    "parquet": "application/vnd.apache.parquet",
    "doc": "application/msword",
}
_FORMATS = frozenset({"email", "uri", "uuid"})
"""Formats of text that Table Schema knows too."""


def write_descriptor(
    folder: Path, package: Package, datasets: Sequence[Dataset], kind: str
) -> Path:
    """Describe the files of `datasets`; where in `folder` that lies. Raises OSError."""
    document = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": package.name,
        "title": package.title or package.name,
        "description": package.description,
        "created": iso(now()),
        "resources": [_resource(dataset, datasets, kind) for dataset in datasets],
    }
    path = folder / DESCRIPTOR
    write_whole(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return path


def _resource(dataset: Dataset, datasets: Sequence[Dataset], kind: str) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "type": "table",
        "title": dataset.title or dataset.name,
        "path": f"{dataset.name}.{kind}",
        "format": kind,
        "mediatype": _MEDIA[kind],
        "encoding": "utf-8",
        "schema": {
            "fields": [_field(dataset, field) for field in dataset.fields],
            "missingValues": [""],
            "primaryKey": list(dataset.primary_key),
            "foreignKeys": _foreign_keys(dataset, {each.name for each in datasets}),
        },
    }


def _field(dataset: Dataset, field: Field) -> dict[str, Any]:
    checks = field.constraints.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if field.name in dataset.primary_key:
        checks["required"] = True
    document: dict[str, Any] = {"name": field.name, "type": str(field.type)}
    if field.title:
        document["title"] = field.title
    if field.description:
        document["description"] = field.description
    if field.format in _FORMATS:
        document["format"] = field.format
    if field.type is FieldType.LIST:
        document["delimiter"] = field.delimiter
    return {**document, "constraints": checks} if checks else document


def _foreign_keys(dataset: Dataset, present: set[str]) -> list[dict[str, Any]]:
    """The keys whose other end lies in the folder too; one to the dataset itself names none."""
    return [
        {
            "fields": list(key.fields),
            "reference": {
                "resource": "" if name == dataset.name else name,
                "fields": list(key.reference.fields),
            },
        }
        for key in dataset.foreign_keys
        if (name := referenced(dataset, key)) in present
    ]
