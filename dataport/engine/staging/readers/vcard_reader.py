"""vCard 2.1, 3.0 and 4.0: one row a card, with its plain properties as columns.

A property that comes more than once has a column each: `email`, `email_2` and so on, the preferred
one first. Pictures, sounds and keys are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import vobject

from dataport.engine.staging.mapped import columns_as_fields
from dataport.engine.staging.readers.octets import encoding_notice
from dataport.engine.staging.readers.reading import Reading, no_rows
from dataport.engine.staging.readers.text_rows import TextRows
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.text import (
    Encoding,
    NotUtf8Error,
    fallback_encoding,
    guess_encoding,
    utf8_chunks,
)

AT_ONCE = 1_000
"""Cards that are held at a time."""

Row = dict[str, str | None]
Properties = dict[str, list[Any]]

_BEGIN = re.compile(rb"\s*BEGIN:VCARD\s*$", re.IGNORECASE)
_END = re.compile(rb"\s*END:VCARD\s*$", re.IGNORECASE)
_UNREAD = re.compile(rb"(?:[\w-]+\.)?(PHOTO|LOGO|SOUND|KEY)[;:]", re.IGNORECASE)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z|[+-]\d\d:?\d\d)?)?")
_SINGLE = ("fn", "nickname", "title", "role", "uid", "kind", "gender")
_SEVERAL = ("email", "tel", "url", "note")
_NAMES = ("family", "given", "additional", "prefix", "suffix")
_ADDRESS = ("box", "extended", "street", "city", "region", "code", "country")


def read_vcard(source: SourceFile, request: StageRequest, encoding: Encoding) -> Reading:
    """The cards of a file, each with the line of its BEGIN. Raises InputError."""
    notices: list[str] = []
    try:
        columns, target = _read(source, request, encoding)
    except NotUtf8Error as error:
        encoding = fallback_encoding(source.chunks(), encoding)
        notices.append(encoding_notice(encoding, error.line))
        columns, target = _read(source, request, encoding)
    spool = target.finish()
    if spool.total == 0:
        raise no_rows(source.path.name)
    limit = request.limits.field_size
    return Reading(
        format="vcard",
        encoding=encoding.name,
        delimiter=None,
        has_header=True,
        columns=tuple(columns),
        mapped=columns_as_fields(columns, request),
        spool=spool,
        sql=target.sql(len(columns), with_keys=True),
        states_keys=True,
        limit=limit if spool.longest > limit else None,
        notices=notices,
    )


def _read(
    source: SourceFile, request: StageRequest, encoding: Encoding
) -> tuple[list[str], TextRows]:
    target = TextRows(request)
    columns: list[str] = []
    rows: list[Row] = []
    lines: list[int] = []

    def flush() -> None:
        if rows:
            target.add_dicts(rows, lines, columns)
            rows.clear()
            lines.clear()

    for line, data in cards(utf8_chunks(source.chunks(), encoding)):
        row = _parsed(data, line, encoding, request.limits.field_size)
        if isinstance(row, str):
            flush()
            target.cut(line, row, data.decode("utf-8", "replace").strip())
            continue
        rows.append(row)
        lines.append(line)
        if len(rows) == AT_ONCE:
            flush()
    flush()
    return columns, target


def first_cards(source: SourceFile) -> Iterator[tuple[int, Row]]:
    """Line and columns of the cards that can be read, as far as anybody asks."""
    encoding = guess_encoding(source.head)
    for line, data in cards(utf8_chunks(source.chunks(), encoding)):
        row = _parsed(data.decode("utf-8", "replace").encode(), line, encoding, len(data))
        if not isinstance(row, str):
            yield line, row


def cards(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Line and text of each card, without its pictures; what is no card is one of its own."""
    card: list[bytes] = []
    start, is_inside, is_left_out = 1, False, False
    for number, line in enumerate(_lines(chunks), start=1):
        is_begin, is_end = bool(_BEGIN.match(line)), bool(_END.match(line))
        if is_begin and any(each.strip() for each in card):
            yield start, b"".join(card)
            card = []
        if is_begin or not (is_inside or any(each.strip() for each in card)):
            start = number
            card = []
        is_inside = is_inside or is_begin
        is_left_out = _is_left_out(line, is_left_out)
        if not is_left_out:
            card.append(line)
        if is_end:
            yield start, b"".join(card)
            card, is_inside = [], False
    if any(each.strip() for each in card):
        yield start, b"".join(card)


def _is_left_out(line: bytes, was_left_out: bool) -> bool:
    """Whether a line belongs to a picture: its first one, or one that is folded behind it."""
    return bool(_UNREAD.match(line)) or (was_left_out and line[:1] in (b" ", b"\t"))


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


def _parsed(data: bytes, line: int, encoding: Encoding, limit: int) -> Row | str:
    """The columns of a card, or the code of what is wrong with it."""
    if len(data) > limit:
        return "field-too-long"
    if b"\0" in data:
        return "nul-byte"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if not encoding.is_damaged:
            raise NotUtf8Error(line + data.count(b"\n", 0, error.start)) from error
        return "encoding-error"
    if not _END.search(data.rstrip().rsplit(b"\n", 1)[-1]):
        return "vcard-error"
    try:
        card = vobject.readOne(text, allowQP=True)
        return row_of(card) if card is not None and card.name == "VCARD" else "vcard-error"
    except Exception:  # noqa: BLE001 - the library raises whatever its parts raise
        return "vcard-error"


def row_of(card: Any) -> Row:
    """The columns of a card that was parsed."""
    found: Properties = {}
    for each in card.getChildren():
        found.setdefault(each.name.lower(), []).append(each)
    row: Row = {}
    for name in _SINGLE:
        _put(row, name, found.get(name, [])[:1], _plain)
    for part in _NAMES:
        _put(row, part, found.get("n", [])[:1], partial(_part, name=part))
    for name in _SEVERAL:
        _put(row, name, sorted(found.get(name, []), key=_is_second), _plain)
    _put(row, "org", found.get("org", [])[:1], lambda each: _first(each.value))
    _put(row, "department", found.get("org", [])[:1], lambda each: ", ".join(each.value[1:]))
    for part in _ADDRESS:
        _put(row, part, found.get("adr", [])[:1], partial(_part, name=part))
    for name in ("bday", "rev"):
        _put(row, name, found.get(name, [])[:1], lambda each: _moment(_plain(each)))
    _put(row, "categories", found.get("categories", [])[:1], lambda each: "; ".join(each.value))
    return row


def _put(row: Row, name: str, found: list[Any], text: Callable[[Any], str]) -> None:
    """Set the columns of a property that says anything."""
    values = [value for each in found if (value := text(each).strip())]
    for number, value in enumerate(values, start=1):
        row[name if number == 1 else f"{name}_{number}"] = value


def _plain(each: Any) -> str:
    value = each.value
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text.removeprefix("tel:") if each.name == "TEL" else text.removeprefix("mailto:")


def _is_second(each: Any) -> bool:
    """False for the value that its owner prefers."""
    types = [str(word).lower() for words in each.params.values() for word in words]
    words = {word for text in types for word in text.split(",")}
    words |= {str(word).lower() for word in each.singletonparams or ()}
    return "pref" not in words and "PREF" not in each.params


def _part(each: Any, name: str) -> str:
    """One part of a structured name or address."""
    found = getattr(each.value, name, "") or ""
    return " ".join(found) if isinstance(found, list | tuple) else str(found)


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list | tuple) and value else str(value or "")


def _moment(text: str) -> str:
    """A date or time in its basic form with the signs that others have: 20260101T080000Z."""
    match = _BASIC.fullmatch(text)
    if match is None:
        return text
    year, month, day, *clock = match.groups()
    date = f"{year}-{month}-{day}"
    return f"{date}T{':'.join(clock[:3])}{clock[3] or ''}" if clock[0] else date
