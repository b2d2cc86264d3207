"""Rows of a job's file that were not taken, as documents (ERR-01, ERR-12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataport.engine.sql import literal
from dataport.engine.staging.request import REFERENCE_REJECTS_FILE, REJECTS_FILE
from dataport.engine.store import Connection


def count_rejects(cursor: Connection, directory: Path) -> int:
    """Errors and duplicates listed in a staging directory; 0 where none was written."""
    if not (directory / REJECTS_FILE).is_file():
        return 0
    row = cursor.execute(f"SELECT count(*) FROM {_source(directory)}").fetchone()
    return int(row[0]) if row else 0


def read_rejects(
    cursor: Connection, directory: Path, limit: int, offset: int
) -> list[dict[str, Any]]:
    """`line, row, field, code, class, message, value` of each, in file order."""
    if not (directory / REJECTS_FILE).is_file():
        return []
    rows = cursor.execute(
        f"SELECT _line, _record, field, code, class, message, value FROM {_source(directory)}"
        f" ORDER BY _line, _record, field, code LIMIT {int(limit)} OFFSET {int(offset)}"
    ).fetchall()
    names = ("line", "row", "field", "code", "class", "message", "value")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _source(directory: Path) -> str:
    paths = [directory / name for name in (REJECTS_FILE, REFERENCE_REJECTS_FILE)]
    files = ", ".join(literal(str(path)) for path in paths if path.is_file())
    return f"read_parquet([{files}])"
