"""Rows as a worksheet has them: SQL makes the XML of each, and its bytes go straight to a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dataport.engine.catalog.model import FieldType
from dataport.engine.exporting.lines import nested_replace
from dataport.engine.exporting.sheet_columns import SheetColumn
from dataport.engine.sql import literal
from dataport.engine.store import Connection

_BATCH = 256
"""Rows: what they come to at once is bounded by Arrow, and all of it is in memory."""

_CONTROLS = r"[\x00-\x08\x0B-\x1F]"
"""What a cell says as `_x000D_`: XML can't hold it, or turns it into something else."""
_ESCAPE = "_x[0-9a-fA-F]{4}_"
"""Text that would be taken for such a sign."""
_EDGES = r"^[\s\pZ\x{85}]|[\s\pZ\x{85}]$"
"""Blanks that a reader drops unless it is told that they count."""
_SPECIAL = f"[&<>]|{_CONTROLS}|{_ESCAPE}|{_EDGES}"


def sheet_rows(
    cursor: Connection, query: str, columns: Sequence[SheetColumn], styles: Sequence[str]
) -> Iterator[tuple[int, memoryview]]:
    """`row` elements in UTF-8, some at a time, with their number; the first is a sheet's second.

    `styles` are the numbers of the columns' formats in the workbook.
    """
    values = ", ".join(
        f"{column.value or 'NULL'} AS v{at}, {column.text or 'NULL::VARCHAR'} AS t{at}"
        for at, column in enumerate(columns)
    )
    cells = ", ".join(
        _cell(column, at, style)
        for at, (column, style) in enumerate(zip(columns, styles, strict=True))
    )
    found: Any = cursor.execute(
        f"SELECT concat('<row r=\"', n, '\">', {cells}, '</row>')"
        f" FROM (SELECT CAST(1 + row_number() OVER () AS VARCHAR) AS n, {values} FROM ({query}))"
    )
    for batch in found.to_arrow_reader(_BATCH):
        if batch.num_rows:
            yield batch.num_rows, _octets(batch.column(0))


def _cell(column: SheetColumn, at: int, style: str) -> str:
    """SQL of a cell's element; NULL where it has neither value nor text."""
    from xlsxwriter.utility import xl_col_to_name

    value, text, cases = f"v{at}", f"t{at}", ""
    begin = literal(f'<c r="{xl_col_to_name(at)}')

    def element(start: str, content: str, end: str) -> str:
        rest = literal(f'" s="{style}"{start}')
        return f"concat({begin}, n, {rest}, {content}, {literal(end)})"

    if column.value:
        is_truth = column.field.type is FieldType.BOOLEAN
        number = f"CAST({value} AS INTEGER)" if is_truth else value
        cell = element(' t="b"><v>' if is_truth else "><v>", number, "</v></c>")
        cases += f" WHEN {value} IS NOT NULL THEN {cell}"
    if column.text:
        start, end = ' t="inlineStr"><is><t', "</t></is></c>"
        special = element(f'{start} xml:space="preserve">', _escaped(text), end)
        cases += f" WHEN {text} IS NULL THEN NULL"
        cases += f" WHEN regexp_matches({text}, {literal(_SPECIAL)}) THEN {special}"
        cases += f" ELSE {element(f'{start}>', text, end)}"
    return f"CASE{cases} END"


def _escaped(text: str) -> str:
    """SQL of a text as a cell's element holds it."""
    controls = [code for code in range(0x20) if code not in (0x09, 0x0A)]
    marks = ("'&'", "'&amp;'"), ("'<'", "'&lt;'"), ("'>'", "'&gt;'")
    shown = nested_replace(text, ("'_x'", "'_x005F_x'"), *marks)
    signs = nested_replace(shown, *((f"chr({code})", f"'_x{code:04X}_'") for code in controls))
    has_controls = f"regexp_matches({text}, {literal(_CONTROLS)})"
    return f"CASE WHEN {has_controls} THEN {signs} ELSE {shown} END"


def _octets(texts: Any) -> memoryview:
    """What the texts of an Arrow array, none of them null, hold one behind the other."""
    import pyarrow as pa

    _, offsets, content = texts.cast(pa.large_string()).buffers()
    ends = memoryview(offsets).cast("q")[texts.offset :]
    return memoryview(content)[ends[0] : ends[len(texts)]]
