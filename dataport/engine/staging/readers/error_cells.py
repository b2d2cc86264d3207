"""Cells of an XLSX sheet whose formulas failed: the reader hands them out as empty ones.

An empty cell says that a value is gone, which a failed formula does not; so they are looked up.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import IO

from defusedxml.ElementTree import parse

from dataport.engine.staging.request import CHUNK
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.unpacking import broken_as_error

_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(rb'<c\b([^>]*\bt="e"[^>]*)>(.{0,8192}?)</c>', re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_SHOWN = re.compile(rb"<v>([^<]*)</v>")
_LONGEST = 16_384
"""Bytes of a failed cell, formula and all, that may lie across two chunks."""


def error_cells(source: SourceFile, sheet: str) -> dict[tuple[int, int], str]:
    """What failed cells of a sheet show, by row from 1 and column from 0.

    Raises InputError for a broken archive.
    """
    with broken_as_error(source.path.name), source.open() as file, zipfile.ZipFile(file) as book:
        part = _part(book, sheet)
        if part is None:
            return {}
        with book.open(part) as stream:
            return dict(_failed(stream))


def _part(book: zipfile.ZipFile, sheet: str) -> str | None:
    """The name of the part with a sheet's cells."""
    names = set(book.namelist())
    if not {_BOOK, _LINKS} <= names:
        return None
    with book.open(_BOOK) as file:
        found = [each for each in parse(file).iter() if each.tag.endswith("}sheet")]
    links = [each.get(_LINK) for each in found if each.get("name") == sheet]
    with book.open(_LINKS) as file:
        targets = {each.get("Id"): each.get("Target") or "" for each in parse(file).iter()}
    target = targets.get(links[0]) if links else None
    part = posixpath.normpath(posixpath.join("xl", target)).lstrip("/") if target else None
    return part if part in names else None


def _failed(stream: IO[bytes]) -> Iterator[tuple[tuple[int, int], str]]:
    rest = b""
    while chunk := stream.read(CHUNK):
        data = rest + chunk
        if b't="e"' in data:
            for cell in _CELL.finditer(data):
                place, shown = _PLACE.search(cell[1]), _SHOWN.search(cell[2])
                if place:
                    text = shown[1].decode("utf-8", "replace") if shown else "#VALUE!"
                    yield (int(place[2]), _column(place[1])), text
        rest = data[-_LONGEST:]


def _column(letters: bytes) -> int:
    """0 for A, 26 for AA."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number - 1
