"""XML: an element a row, in it an element a field, as `staging.readers.xml_reader` takes it (EXF-09)."""

from __future__ import annotations

from pathlib import Path

from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.exporting.cells import escaped_cell
from dataport.engine.exporting.lines import nested_replace, write_lines
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.unfit import Problem, check_texts
from dataport.engine.sql import ident, literal
from dataport.engine.staging.clean import TEXTUAL
from dataport.engine.store import Connection

_SHORTEST_LIST = 3
"""Letters of a name whose list of one item could not be told from an object."""

_UNFIT = Problem(
    "character-unfit",
    "holds a control character or a code that is none, which XML can't hold",
    lambda text: (
        f"regexp_matches({text}, '[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x{{FFFE}}\\x{{FFFF}}]')"
    ),
)


def write_xml(cursor: Connection, table: Table, path: Path) -> int:
    """A document named after the dataset; what has no value is nil. Raises InputError for text that
    holds what XML can't."""
    texts = {field.name: escaped_cell(field) for field in table.fields if field.type in TEXTUAL}
    check_texts(cursor, table, texts, [_UNFIT])
    row = " || ".join(["'  <row>\n'", *map(_element, table.fields), "'  </row>\n'"])
    space = "http://www.w3.org/2001/XMLSchema-instance"
    return write_lines(
        cursor,
        f"SELECT {row} FROM ({table.query})",
        path,
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{table.dataset} xmlns:xsi="{space}">\n',
        f"</{table.dataset}>\n",
    )


def _element(field: Field) -> str:
    """SQL of a field's element, on a line of its own."""
    name, tag = ident(field.name), field.name
    value = _text(escaped_cell(field))
    if field.type is FieldType.LIST and len(tag) >= _SHORTEST_LIST:
        item = tag[:-1] if tag.endswith("s") and len(tag) > _SHORTEST_LIST else tag
        items = f"list_transform({name}, lambda x: '<{item}>' || {_text('x')} || '</{item}>')"
        value = f"CASE WHEN len({name}) = 0 THEN '[]' ELSE array_to_string({items}, '') END"
    nil, opening, closing = (
        literal(text) for text in (f'    <{tag} xsi:nil="true"/>\n', f"    <{tag}>", f"</{tag}>\n")
    )
    return f"CASE WHEN {name} IS NULL THEN {nil} ELSE {opening} || {value} || {closing} END"


def _text(value: str) -> str:
    """SQL of a text as the content of an element; a reader would turn returns into line feeds."""
    return nested_replace(
        value,
        ("'&'", "'&amp;'"),
        ("'<'", "'&lt;'"),
        ("'>'", "'&gt;'"),
        ("chr(13)", "'&#13;'"),
    )
