"""DOC: an HTML table that word processors open (EXF-05). Nothing reads it back."""

from __future__ import annotations

from html import escape
from pathlib import Path

from dataport.engine.exporting.cells import text_cell
from dataport.engine.exporting.lines import nested_replace, write_lines
from dataport.engine.exporting.table import Table
from dataport.engine.store import Connection

_HEAD = """<html xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid #999999; padding: 2px 6px; text-align: left; vertical-align: top; }}
th {{ background: #E0E0E0; }}
</style>
</head>
<body>
<table>
<thead>
<tr>{names}</tr>
</thead>
<tbody>
"""
_TAIL = "</tbody>\n</table>\n</body>\n</html>\n"


def write_doc(cursor: Connection, table: Table, path: Path) -> int:
    """A document with one table, its columns called by their titles."""
    names = "".join(f"<th>{escape(field.title or field.name)}</th>" for field in table.fields)
    cells = " || ".join(f"'<td>' || {_text(text_cell(field))} || '</td>'" for field in table.fields)
    return write_lines(
        cursor,
        f"SELECT '<tr>' || {cells} || '</tr>\n' FROM ({table.query})",
        path,
        _HEAD.format(title=escape(table.dataset), names=names),
        _TAIL,
    )


def _text(value: str) -> str:
    breaks = ("chr(13) || chr(10)", "'<br>'"), ("chr(10)", "'<br>'"), ("chr(13)", "'<br>'")
    signs = ("'&'", "'&amp;'"), ("'<'", "'&lt;'"), ("'>'", "'&gt;'")
    return nested_replace(f"coalesce({value}, '')", *signs, *breaks)
