"""From a file's bytes to UTF-8: encodings, byte order marks, old line ends."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from dataport.core.errors import InputError

FALLBACK = "cp1252"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes stand for text."""

    name: str
    mark: int = 0
    """Bytes of the byte order mark."""
    is_damaged: bool = False
    """UTF-8 with some invalid bytes: the records that hold them are rejected."""
    has_bare_returns: bool = False
    """Lines end with CR alone."""


def is_utf8(data: bytes) -> bool:
    """Whether `data` is valid UTF-8; that is checked without decoding it."""
    if data.isascii():
        return True
    import pyarrow as pa

    places = pa.py_buffer(np.array([0, len(data)], np.int64))
    text = pa.Array.from_buffers(pa.large_utf8(), 1, [None, places, pa.py_buffer(data)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


class NotUtf8Error(Exception):
    """The text is not valid UTF-8; `line` holds the first invalid byte."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def guess_encoding(head: bytes) -> Encoding:
    """The encoding that the start of a file shows; UTF-8 is assumed until it proves wrong."""
    name, mark = "utf-8", 0
    for octets, marked in _MARKS:
        if head.startswith(octets):
            name, mark = marked, len(octets)
            break
    else:
        name = _unmarked_utf16(head) or name
    text = decoded_head(head, Encoding(name, mark))
    bare = "\r" in text and "\n" not in text and not text.endswith("\r")
    single = text.endswith("\r") and "\n" not in text and text.count("\r") > 1
    return Encoding(name, mark, has_bare_returns=bare or single)


def decoded_head(head: bytes, encoding: Encoding) -> str:
    """The start of a file as text; what is cut off or invalid at its end is left out."""
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    return decoder.decode(head[encoding.mark :])


def utf8_chunks(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """`chunks` of a file as UTF-8 without a byte order mark.

    Raises InputError where UTF-16 or UTF-32 breaks off. UTF-8 itself is passed on unchecked.
    """
    if encoding.name == "utf-8":
        texts = _without_mark(chunks, encoding.mark)
    else:
        texts = _recoded(_without_mark(chunks, encoding.mark), encoding.name)
    return _with_newlines(texts) if encoding.has_bare_returns else texts


def fallback_encoding(chunks: Iterable[bytes], encoding: Encoding) -> Encoding:
    """The encoding of a file that is not valid UTF-8.

    cp1252, unless most bytes beyond ASCII do make UTF-8 characters: then the file is UTF-8
    with damage, and reading it as cp1252 would spoil all the good ones.
    """
    good = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks:
        if chunk.isascii():
            continue
        text = decoder.decode(chunk)
        damage = text.count("\ufffd")
        bad += damage
        good += len(text) - len(text.encode("ascii", "ignore")) - damage
    if encoding.mark or good > bad:
        return Encoding("utf-8", encoding.mark, True, encoding.has_bare_returns)
    return Encoding(FALLBACK, 0, False, encoding.has_bare_returns)


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark shows as a NUL in nearly every second byte."""
    pairs = len(head) // 2
    if pairs < 2:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > 0.7 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if even > 0.7 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return None


def _without_mark(chunks: Iterable[bytes], mark: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[mark:]
        mark = 0


def _recoded(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    # cp1252 leaves five bytes undefined; Windows itself reads them as control characters.
    errors = "dataport-latin-1" if name == FALLBACK else "strict"
    decoder = codecs.getincrementaldecoder(name)(errors)
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise InputError(
            "encoding-error",
            f"The file is not valid {name.upper()}.",
            f"{error.reason.capitalize()}.",
            "Save it again as UTF-8.",
        ) from error


def _with_newlines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        text = held + chunk
        held = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(held)]
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    yield b"\n" if held else b""


def _latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("dataport-latin-1", _latin_1)
