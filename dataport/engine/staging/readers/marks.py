"""What a workbook says of the export that it is, in properties that programs keep when they save it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dataport.engine.export_marks import Mark, mark_name
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.unpacking import broken_as_error

_PARTS = ("docProps/custom.xml", "meta.xml")
"""Where XLSX has its custom properties, and ODS its user-defined ones."""
_OPEN_NAME = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}name"
_LARGEST = 2**20
"""Bytes of such a part; what has more was not made by us."""


def workbook_mark(source: SourceFile, dataset: str) -> Mark | None:
    """The mark of a dataset's rows in a workbook. Raises InputError for a broken archive."""
    name = mark_name(dataset)
    with broken_as_error(source.path.name), source.open() as file, zipfile.ZipFile(file) as book:
        for part in _PARTS:
            if part in book.namelist() and book.getinfo(part).file_size <= _LARGEST:
                texts = dict(_properties(book.read(part)))
                if name in texts:
                    return Mark.from_text(texts[name])
    return None


def _properties(part: bytes) -> Iterator[tuple[str, str]]:
    """Names and texts of properties; none of a part that is no XML."""
    try:
        root: Any = fromstring(part, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return
    for element in root.iter():
        name = element.get("name") or element.get(_OPEN_NAME)
        if name is not None:
            yield name, "".join(element.itertext())
