"""A whole package on its way into one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package
from dataport.engine.exporting.table import Table
from dataport.engine.requests import ExportRequest


@dataclass(frozen=True)
class Bundle:
    """What goes into the file, and what it says of itself."""

    package: Package
    datasets: Mapping[str, Dataset]
    """The members, by name."""
    tables: Sequence[Table]
    """One a member, those that a row refers to before its own."""
    request: ExportRequest
    job: int
    commit: int
    """All rows are those of the store as of this commit."""
    actor: str
    """Who asked for it."""
