"""XML in the plain shape that tools write: an element a row, in it an element or attribute a field.

What lies deeper is kept as JSON: `<tags><tag>a</tag><tag>b</tag></tags>` is a list, elements of
different names make an object, and a field that comes twice is a list too. A document that
declares entities or a type of its own is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_external_ges, feature_namespaces

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from dataport.core.errors import InputError
from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.readers.cells import as_json
from dataport.engine.staging.readers.json_envelope import too_deep
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.text_rows import BATCH, TextRows
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.source import SourceFile

Value = str | list["Value"] | dict[str, "Value"] | None
Row = dict[str, str | None]

_NIL = ("nil", "null")
"""Attributes that say of an element that it has no value."""


def read_xml(source: SourceFile, request: StageRequest) -> Reading:
    """The rows of an XML document, each with the line where its element begins. Raises InputError."""
    limits = request.limits
    target = TextRows(request)
    columns: list[str] = []
    rows: list[Row] = []
    lines: list[int] = []
    for line, row in elements(source, limits.nesting):
        rows.append(row)
        lines.append(line)
        if len(rows) == BATCH:
            target.add_dicts(rows, lines, columns)
            rows, lines = [], []
    if rows:
        target.add_dicts(rows, lines, columns)
    spool = target.finish()
    if spool.total == 0:
        raise no_rows(source.path.name)
    return Reading(
        format="xml",
        encoding="utf-8",
        delimiter=None,
        has_header=True,
        columns=tuple(columns),
        mapped=columns_as_fields(columns, request),
        spool=spool,
        sql=target.sql(len(columns), with_keys=True),
        states_keys=True,
        limit=limits.field_size if spool.longest > limits.field_size else None,
    )


def elements(source: SourceFile, nesting: int) -> Iterator[tuple[int, Row]]:
    """Line and fields of each row of a document. Raises InputError."""
    name = source.path.name
    parser = DefusedExpatParser(forbid_dtd=True)
    handler = _Rows(name, nesting, parser.getLineNumber)
    parser.setContentHandler(handler)
    parser.setFeature(feature_namespaces, False)
    parser.setFeature(feature_external_ges, False)
    try:
        for chunk in source.chunks():
            parser.feed(chunk)
            yield from handler.take()
        parser.close()
        yield from handler.take()
    except DefusedXmlException as error:
        raise InputError(
            "unsafe-xml",
            f"{name} declares entities or a document type.",
            "What they stand for can be anything, and as long as one likes.",
            "Export it again without them.",
        ) from error
    except SAXParseException as error:
        line, column = error.getLineNumber(), error.getColumnNumber()
        where = f"Line {line}, column {(column or 0) + 1}: {error.getMessage()}."
        raise _broken(name, where) from error
    except (SAXException, ValueError, LookupError) as error:
        raise _broken(name, f"{error}.") from error


class _Rows(ContentHandler):
    """Makes rows of what a parser tells."""

    def __init__(self, name: str, nesting: int, number: Callable[[], int]) -> None:
        super().__init__()
        self._name = name
        self._nesting = nesting
        self._number = number
        self._open: list[_Element] = []
        self._found: list[tuple[int, Row]] = []
        self._line = 0

    def take(self) -> list[tuple[int, Row]]:
        """The rows that are complete; they are let go of."""
        found, self._found = self._found, []
        return found

    def startElement(self, name: str, attrs: object) -> None:  # noqa: N802 - SAX's name
        depth = len(self._open)
        if depth > self._nesting:
            raise too_deep(self._name, self._nesting, self._number())
        if depth == 1:
            self._line = self._number()
        element = _Element(_local(name))
        for key, value in dict(attrs).items():  # type: ignore[call-overload]
            if key.startswith("xmlns"):
                continue
            if _local(key) in _NIL and depth > 1:
                element.is_nil = value in ("true", "1")
            else:
                element.put(_local(key), value)
        self._open.append(element)

    def characters(self, content: str) -> None:
        if len(self._open) > 1:
            self._open[-1].text.append(content)

    def endElement(self, _: str) -> None:  # noqa: N802 - SAX's name
        element = self._open.pop()
        depth = len(self._open)
        if depth > 1:
            self._open[-1].put(element.name, element.value())
        elif depth == 1:
            self._found.append((self._line, element.row()))


class _Element:
    """An element that has not ended, with what it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text: list[str] = []
        self.is_nil = False
        self._parts: dict[str, list[Value]] = {}

    def put(self, name: str, value: Value) -> None:
        self._parts.setdefault(name, []).append(value)

    def value(self) -> Value:
        """Its text; of what it holds, if anything, a list or an object."""
        if self.is_nil:
            return None
        if not self._parts:
            return "".join(self.text)
        text = "".join(self.text).strip()
        if self._is_list() and not text:
            return next(iter(self._parts.values()))
        held = {name: found[0] if len(found) == 1 else found for name, found in self._parts.items()}
        return {**held, "text": text} if text else dict(held)

    def _is_list(self) -> bool:
        """Whether it holds things of one kind: several, or one that it is named after."""
        if len(self._parts) != 1:
            return False
        ((name, found),) = self._parts.items()
        return len(found) > 1 or (len(name) > 2 and self.name.startswith(name[:-1]))

    def row(self) -> Row:
        """Its fields; of an element without any, its text as a field of its own name."""
        if not self._parts:
            return {self.name: "".join(self.text)}
        return {
            name: as_json(found[0] if len(found) == 1 else found)
            for name, found in self._parts.items()
        }


def _local(name: str) -> str:
    """A name without the prefix of its namespace."""
    return name.rpartition(":")[2]


def _broken(name: str, where: str) -> InputError:
    return InputError(
        "xml-error",
        f"{name} is no complete XML document.",
        where,
        "Export it again; a file that breaks off was often not written to its end.",
    )
