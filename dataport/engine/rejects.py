"""Rows of a job's files that were not taken, as documents (ERR-01, ERR-12)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataport.engine.sql import literal
from dataport.engine.staging.request import REFERENCE_REJECTS_FILE, REJECTS_FILE
from dataport.engine.store import Connection
from dataport.engine.table_lines import NAMELESS


def count_rejects(cursor: Connection, directories: Mapping[str, Path]) -> int:
    """Errors and duplicates listed in the staging directories of datasets."""
    source = _source(directories)
    row = cursor.execute(f"SELECT count(*) FROM {source}").fetchone() if source else None
    return int(row[0]) if row else 0


def read_rejects(
    cursor: Connection, directories: Mapping[str, Path], limit: int, offset: int
) -> list[dict[str, Any]]:
    """`line, row, field, code, class, message, value, dataset` of each, in the order of the
    datasets and then of their files; `inside` too where a file holds several tables."""
    source = _source(directories)
    if not source:
        return []
    rows = cursor.execute(
        "SELECT _line, _record, field, code, class, message, value, dataset, inside"
        f" FROM {source} ORDER BY place, _record, _line, field, code"
        f" LIMIT {int(limit)} OFFSET {int(offset)}"
    ).fetchall()
    names = ("line", "row", "field", "code", "class", "message", "value", "dataset")
    return [
        dict(zip(names, row, strict=True)) | ({"inside": inside} if inside is not None else {})
        for *row, inside in rows
    ]


def _source(directories: Mapping[str, Path]) -> str | None:
    """SQL of all rejects; None where no file was written."""
    parts = []
    for place, (dataset, directory) in enumerate(directories.items()):
        paths = [directory / name for name in (REJECTS_FILE, REFERENCE_REJECTS_FILE)]
        files = ", ".join(literal(str(path)) for path in paths if path.is_file())
        if (directory / REJECTS_FILE).is_file():
            parts.append(
                f"SELECT {place} AS place, {literal(dataset)} AS dataset, *"
                f" FROM read_parquet([{files}], union_by_name = true)"
            )
    return f"({' UNION ALL BY NAME '.join([NAMELESS, *parts])})" if parts else None
