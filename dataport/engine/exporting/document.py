"""A package as one JSON document, in the layout that its file tells (EXF-11, EXF-24, L8, L12).

SQL makes the text of every outermost item, with all that lies in it; the text streams to the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from dataport.core.clock import iso, now
from dataport.engine.catalog.collisions import HEADER, TOTAL
from dataport.engine.catalog.documents import Names
from dataport.engine.catalog.model import Field, FieldType
from dataport.engine.exporting.bundle import Bundle
from dataport.engine.exporting.cells import hours
from dataport.engine.exporting.document_places import Place, placed_rows, places_of
from dataport.engine.exporting.lines import stream_lines
from dataport.engine.exporting.table import Table
from dataport.engine.sql import ident, json_value, literal
from dataport.engine.store import Connection

INDENT = 2
"""Blanks by which what lies in something stands further to the right."""

Tree = dict[str, Any]
"""Names to what they lead to: SQL of a value, a place, or such a tree."""


def write_document(cursor: Connection, bundle: Bundle, path: Path) -> int:
    """A header, the lists of the layout, and the number of records in all.

    Of a member's lists that are none of its usual ones only those with rows are there.
    """
    places = places_of(bundle.package, bundle.datasets)
    tables = {table.dataset: table for table in bundle.tables}
    rows = placed_rows(places, {table.dataset: table.query for table in bundle.tables})
    writer = _Writer(cursor, places, tables, rows)
    total = sum(table.rows for table in bundle.tables)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("{\n" + _member(HEADER, _header(bundle, places)))
        _write_tree(file, _tree(writer, places), writer, INDENT)
        file.write(",\n" + _member(TOTAL, total) + "\n}\n")
    return total


class _Writer:
    """Writes the items of places."""

    def __init__(
        self,
        cursor: Connection,
        places: Sequence[Place],
        tables: Mapping[str, Table],
        rows: str,
    ) -> None:
        self._cursor = cursor
        self._places = places
        self._tables = tables
        self._rows = rows

    def has_rows(self, place: Place) -> bool:
        found = self._cursor.execute(f"{self._rows} SELECT 1 FROM {place.rows} LIMIT 1")
        return found.fetchone() is not None

    def write(self, file: TextIO, place: Place, indent: int) -> None:
        """The list of an outermost place, brackets and all."""
        query = (
            f"{self._rows} SELECT item FROM ({self._items(place, indent + INDENT)}) ORDER BY _rank"
        )
        if not self.has_rows(place):
            file.write("[]")
            return
        file.write("[\n")
        stream_lines(self._cursor, query, file, ",\n")
        file.write("\n" + " " * indent + "]")

    def _items(self, place: Place, indent: int) -> str:
        """SELECT of the texts of a place's rows as objects: `_parent, _rank, item`."""
        inner = indent + INDENT
        tree: Tree = {}
        for field in self._tables[place.dataset.name].fields:
            names = self._names(place, field)
            if names:
                _grow(tree, names, f"coalesce({_json(field)}, 'null')")
        members, joins = [_line(name, value, inner) for name, value in tree.items()], ""
        for number, child in enumerate(each for each in self._places if each.parent == place):
            listed = f"'[\n' || c{number}.items || '\n{' ' * inner}]'"
            members.append(_line(child.base[-1], f"coalesce({listed}, '[]')", inner))
            joins += (
                f" LEFT JOIN (SELECT _parent, string_agg(item, ',\n' ORDER BY _rank) AS items"
                f" FROM ({self._items(child, inner + INDENT)}) GROUP BY _parent) c{number}"
                f" ON c{number}._parent = r._key"
            )
        body = " || ',\n' || ".join(members)
        item = f"'{' ' * indent}{{\n' || {body} || '\n{' ' * indent}}}'"
        return f"SELECT r._parent, r._rank, {item} AS item FROM {place.rows} r{joins}"

    def _names(self, place: Place, field: Field) -> Names | None:
        """Where in its item a value stands; None for what the item around it says first."""
        texts = place.member.values.get(field.name, ())
        if place.parent and field.name == place.link and texts[0].startswith("^."):
            return None
        return place.member.own_path(field.name)


def _tree(writer: _Writer, places: Sequence[Place]) -> Tree:
    """The outermost lists under the names that lead to them."""
    tree: Tree = {}
    for place in places:
        is_usual = place.text == place.member.paths[0]
        if not place.parent and (is_usual or writer.has_rows(place)):
            _grow(tree, place.base, place)
    return tree


def _grow(tree: Tree, names: Names, leaf: Any) -> None:
    """Put a leaf where names lead."""
    for name in names[:-1]:
        tree = tree.setdefault(name, {})
    tree[names[-1]] = leaf


def _write_tree(file: TextIO, tree: Tree, writer: _Writer, indent: int) -> None:
    """The members of an object behind another one, or as its first."""
    for number, (name, node) in enumerate(tree.items()):
        file.write(",\n" if number or indent == INDENT else "\n")
        file.write(f"{' ' * indent}{_quoted(name)}: ")
        if isinstance(node, Place):
            writer.write(file, node, indent)
        else:
            file.write("{")
            _write_tree(file, node, writer, indent + INDENT)
            file.write("\n" + " " * indent + "}")


def _line(name: str, value: Any, indent: int) -> str:
    """SQL of a member of an object, from SQL of its value or a tree of such."""
    text = value if isinstance(value, str) else _object(value)
    start = " " * indent + _quoted(name) + ": "
    return f"{literal(start)} || {text}"


def _object(tree: Tree) -> str:
    """SQL of an object on one line; null where nothing in it has a value."""
    texts = {name: node if isinstance(node, str) else _object(node) for name, node in tree.items()}
    members = " || ', ' || ".join(
        f"{literal(_quoted(name) + ': ')} || {text}" for name, text in texts.items()
    )
    is_empty = " AND ".join(f"{text} = 'null'" for text in texts.values())
    return f"CASE WHEN {is_empty} THEN 'null' ELSE '{{' || {members} || '}}' END"


def _json(field: Field) -> str:
    name = f"r.{ident(field.name)}"
    if field.type is FieldType.DURATION:
        return f"CAST(to_json({hours(name)}) AS VARCHAR)"
    return json_value(field, name)


def _header(bundle: Bundle, places: Sequence[Place]) -> dict[str, Any]:
    """Who exported what, when, and of which state of the store (EXF-26, REC-13)."""
    request = bundle.request
    asked = request.where, request.from_, request.until, *request.fields
    included = (place.base[-1] for place in places if not place.parent)
    return {
        "exportId": f"export_{bundle.job}",
        "package": bundle.package.name,
        "commit": bundle.commit,
        "exportedBy": bundle.actor,
        "user": {"id": bundle.actor},
        "exportedAt": iso(now()),
        "exportType": "selective" if any(asked) else "full",
        "format": request.format,
        "options": {f"include{name[:1].upper()}{name[1:]}": True for name in included},
    }


def _member(name: str, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=INDENT).replace("\n", "\n" + " " * INDENT)
    return f"{' ' * INDENT}{_quoted(name)}: {text}"


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
