"""Files of keys: one key a line, or a CSV file whose header names the key fields."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataport.core.errors import InputError, UsageError

_DELIMITERS = (",", ";", "\t", "|")


def read_keys(path: str, key_fields: Sequence[str]) -> list[Any]:
    """The keys in the file at `path`, or on standard input for `-`; blank lines don't count.

    A key of several fields is a list of texts, or the text of a JSON array as its line has it.
    Raises UsageError or InputError for a file that can't be read or holds no key.
    """
    text = _read(path)
    first = next((line for line in text.split("\n") if line.strip()), "")
    for delimiter in _DELIMITERS:
        header = [
            name.strip().casefold() for name in next(csv.reader([first], delimiter=delimiter), [])
        ]
        if all(name.casefold() in header for name in key_fields):
            columns = [header.index(name.casefold()) for name in key_fields]
            keys = _from_csv(path, text, delimiter, columns)
            break
    else:
        keys = [line for line in map(str.strip, text.split("\n")) if line]
    if not keys:
        raise UsageError("no-keys", f"{_named(path)} holds no key.", hint="Put one on each line.")
    return keys


def _from_csv(path: str, text: str, delimiter: str, columns: Sequence[int]) -> list[Any]:
    rows = csv.reader(io.StringIO(text.lstrip()), delimiter=delimiter, strict=True)
    next(rows)
    keys: list[Any] = []
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                parts = [row[column].strip() for column in columns]
                keys.append(parts if len(parts) > 1 else parts[0])
    except (csv.Error, IndexError) as error:
        raise InputError(
            "wrong-key-file",
            f"Line {rows.line_num:,} of {_named(path)} is not like its header.",
            "It has too few cells, or a quote that is never closed.",
            "Fix the line, or list one key a line without a header.",
        ) from error
    return keys


def _read(path: str) -> str:
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).expanduser().read_bytes()
    except OSError as error:
        raise InputError(
            "file-not-found" if isinstance(error, FileNotFoundError) else "file-unreadable",
            f"{path} can't be read.",
            f"{error.strerror or error}.",
            "Name a file of keys with --keys.",
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "keys-not-text", f"{_named(path)} is not UTF-8.", hint="Save it as UTF-8."
        ) from error


def _named(path: str) -> str:
    return "Standard input" if path == "-" else path
