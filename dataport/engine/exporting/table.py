"""Rows of one dataset on their way into a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataport.engine.catalog.model import Field
from dataport.engine.export_marks import Mark


@dataclass(frozen=True)
class Table:
    """What every writer is given."""

    dataset: str
    query: str
    """SELECT of `_key` and the dataset's fields, in the order of the rows."""
    fields: Sequence[Field]
    """Those that are written, in order."""
    rows: int
    timezone: str = "UTC"
    """Of times in formats whose times name no zone: that in which they are read back."""
    mark: Mark | None = None
    """None where the file could not be told again anyway."""
