"""Bytes that are no text, wherever a reader meets them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dataport.core.errors import InputError
from dataport.engine.staging.readers.csv_index import Block
from dataport.engine.staging.text import Encoding, NotUtf8Error, is_utf8

UNUSED = "\x01"
"""Delimiter of a text without delimiters: no such text has any business with it."""


def octet_codes(
    block: Block, line: int, encoding: Encoding, *, is_delimited: bool = True
) -> dict[int, str]:
    """Records with bytes that are no text. Raises NotUtf8Error unless the encoding allows for them.

    Records that are not `is_delimited` may not hold `UNUSED` either.
    """
    codes: dict[int, str] = {}
    data = block.data[: block.consumed]
    if not is_delimited:
        codes |= dict.fromkeys(_owners(block, data, UNUSED.encode()), "control-character")
    codes |= dict.fromkeys(_owners(block, data, b"\0"), "nul-byte")
    if is_utf8(data):
        return codes
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if not encoding.is_damaged:
            raise NotUtf8Error(line + data.count(b"\n", 0, error.start)) from error
        codes |= dict.fromkeys(_invalid(block), "encoding-error")
    return codes


def _owners(block: Block, data: bytes, octet: bytes) -> list[int]:
    """Records that hold an octet."""
    if octet not in data:
        return []
    found = np.flatnonzero(np.frombuffer(data, np.uint8) == octet[0])
    owners: list[int] = np.unique(np.searchsorted(block.stops, found, side="right")).tolist()
    return owners


def _invalid(block: Block) -> Iterator[int]:
    for index, (start, stop) in enumerate(zip(block.starts, block.stops, strict=True)):
        try:
            block.data[start:stop].decode()
        except UnicodeDecodeError:
            yield index


LONGEST = 2**25
"""Bytes that a record may have however short its values must be."""


def check_length(rest: bytes, limit: int, line: int) -> None:
    """Raise InputError for a record that has not ended after twice the `limit` of one value.

    `rest` is what has been read of it, `line` where it starts. Nobody knows where it would end,
    and until then all of it would have to be held.
    """
    most = max(LONGEST, 2 * limit)
    if len(rest) > most:
        raise InputError(
            "line-too-long",
            f"Line {line:,} is too long.",
            f"It has more than {most:,} bytes.",
            "Look there for a line end or quote that is missing, or raise limits.field_size in the"
            " configuration.",
        )


def encoding_notice(encoding: Encoding, line: int) -> str:
    """What is said about a file that is not valid UTF-8."""
    if encoding.is_damaged:
        return f"The file is UTF-8 with invalid bytes, the first in line {line}; such rows are rejected."
    return f"The file is not UTF-8 (first seen in line {line}); it is read as {encoding.name}."
