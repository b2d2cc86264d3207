"""Looking into nested JSON documents: their lists, and how each begins."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from dataport.core.errors import InputError
from dataport.engine.staging import sniff
from dataport.engine.staging.look import JOINT, MOST_ROWS, LookRequest, TableLook
from dataport.engine.staging.readers.cells import as_json
from dataport.engine.staging.readers.json_document import open_document
from dataport.engine.staging.readers.json_envelope import is_lines
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.text import decoded_head, guess_encoding

BEGINNING = 2**20
"""Bytes of a list that its first rows are looked for in."""

_BETWEEN_ITEMS = re.compile(r"[\s,]*")


def look_at_document(
    source: SourceFile, names: Sequence[str], request: LookRequest
) -> list[TableLook]:
    """The lists of a document; none where a file is another thing, or too large to tell.

    `names` lead to the file in a container. Raises InputError for a document that is broken.
    """
    encoding = guess_encoding(source.head)
    text = decoded_head(source.head, encoding)
    if not text.lstrip().startswith("{") or is_lines(text):
        return []
    if sniff.find_format(text, source.path, request.format) != "json":
        return []
    try:
        document = open_document(source, encoding, request.limits.memory, request.limits.nesting)
    except InputError as error:
        if error.code != "document-too-large":
            raise
        return []
    is_alone = len(document.lists) == 1 and "." not in next(iter(document.lists))
    tables = []
    for path, (start, end) in document.lists.items():
        inside = JOINT.join([*names, *([] if is_alone else [path])]) or None
        head = document.data[start : min(end - 1, start + BEGINNING)].decode("utf-8", "replace")
        tables.append(_table(list(objects(head)), inside, path, request))
    return tables


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects that a text begins with, up to the first thing that is none.

    Raises RecursionError for brackets without end.
    """
    decoder, at = json.JSONDecoder(), 0
    for _ in range(MOST_ROWS):
        between = _BETWEEN_ITEMS.match(text, at)
        at = between.end() if between else at
        with contextlib.suppress(ValueError):
            item, at = decoder.raw_decode(text, at)
            if isinstance(item, dict):
                yield item
                continue
        return


def _table(
    items: Sequence[dict[str, Any]], inside: str | None, path: str, request: LookRequest
) -> TableLook:
    columns = list(dict.fromkeys(key for item in items for key in item))
    sniff.check_width(len(columns), request.limits.columns)
    rows = [[as_json(item.get(column)) for column in columns] for item in items]
    return TableLook(inside, "json", True, columns, rows, path)
