"""Checks of single cells, for telling a header from a first row of data."""

from __future__ import annotations

import re

from dataport.engine.catalog.model import Field, FieldType

PHONE = re.compile(r"[+(]?\d[\d\s().\-/]{5,22}\d(\.0)?(\s*(x|ext\.?)\s*\d{1,7})?", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_TYPES = {
    FieldType.INTEGER: re.compile(r"[+-]?\d+"),
    FieldType.NUMBER: re.compile(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?"),
    FieldType.DATE: re.compile(r"\d{4}-\d{2}-\d{2}"),
    FieldType.DATETIME: re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?"),
    FieldType.TIME: re.compile(r"\d{1,2}:\d{2}(:\d{2})?"),
}


def passes(field: Field, cell: str) -> bool | None:
    """Whether a cell can be a value of `field`; None where nothing can be told from it."""
    if not cell:
        return None
    if field.format == "phone":
        return PHONE.fullmatch(cell) is not None and 7 <= sum(map(str.isdigit, cell)) <= 22
    if field.format == "email":
        return _EMAIL.fullmatch(cell) is not None
    pattern = _TYPES.get(field.type)
    return None if pattern is None else pattern.fullmatch(cell) is not None
