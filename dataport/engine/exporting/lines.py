"""Text that SQL makes of each row, streamed into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO

from dataport.engine.store import Connection

_BATCH = 10_000


def write_lines(cursor: Connection, query: str, path: Path, before: str, after: str) -> int:
    """The texts of a query of one column, between two others, as UTF-8; how many there were."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(before)
        count = stream_lines(cursor, query, file)
        file.write(after)
    return count


def stream_lines(cursor: Connection, query: str, file: TextIO, between: str = "") -> int:
    """The texts of a query of one column, written as they come; how many there were."""
    found: Any = cursor.execute(query)
    count = 0
    for batch in found.to_arrow_reader(_BATCH):
        texts = batch.column(0).to_pylist()
        if count and texts:
            file.write(between)
        file.write(between.join(texts))
        count += len(texts)
    return count


def nested_replace(text: str, *pairs: tuple[str, str]) -> str:
    """SQL of a text with each first one of `pairs` replaced by the second; both are SQL."""
    for old, new in pairs:
        text = f"replace({text}, {old}, {new})"
    return text
