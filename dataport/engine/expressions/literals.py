"""Values in quotes, read as a cell of the field they are compared with would be."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from dataport.engine.catalog.model import Field, FieldType, Normalise
from dataport.engine.expressions.tree import Node, make_cast, make_text
from dataport.engine.sql import literal
from dataport.engine.staging.casts import cast
from dataport.engine.store import Connection

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SQL_TYPES = {
    FieldType.INTEGER: "BIGINT",
    FieldType.NUMBER: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.DATETIME: "TIMESTAMP",
    FieldType.TIME: "TIME",
    FieldType.DURATION: "BIGINT",
}


class UnreadableError(ValueError):
    """A text is no value of the field; the message says what to write."""


@dataclass(frozen=True)
class Reader:
    """Reads the texts of one filter. Instants that name no zone are of `timezone`."""

    cursor: Connection
    timezone: str

    def read(self, field: Field, text: str, like: Node, shift: str = "") -> Node:
        """The value of `text` as a constant of the field's type. Raises UnreadableError.

        `shift` is SQL that is added to the value.
        """
        converted = cast(field, literal(text), self.timezone)
        row = self.cursor.execute(f"SELECT CAST(({converted.sql}){shift} AS VARCHAR)").fetchone()
        value: Any = row[0] if row else None
        if value is None:
            raise UnreadableError(converted.message.replace("{value}", text))
        return make_cast(str(value), _SQL_TYPES[field.type], like)

    def day(self, field: Field, text: str, like: Node) -> tuple[Node, Node]:
        """The first and the last microsecond of a day. Raises UnreadableError."""
        first = self.read(field, text, like)
        following = f"CAST(CAST({literal(text)} AS DATE) + 1 AS VARCHAR)"
        converted = cast(field, following, self.timezone)
        row = self.cursor.execute(
            f"SELECT CAST(({converted.sql}) - INTERVAL 1 MICROSECOND AS VARCHAR)"
        ).fetchone()
        return first, make_cast(str(row and row[0]), "TIMESTAMP", like)


def is_day(text: str) -> bool:
    """Whether a text is a date without a time."""
    return _DAY.fullmatch(text) is not None


def settled_text(field: Field, text: str, like: Node) -> Node:
    """The text as the field's values are spelled: in its case, and one of its words.

    Raises UnreadableError for a text that is none of the field's words.
    """
    for step in field.normalise:
        if step is Normalise.LOWER:
            text = text.lower()
        elif step is Normalise.UPPER:
            text = text.upper()
    words = field.constraints.enum
    if words is None or text in words:
        return make_text(text, like)
    same = [word for word in words if word.casefold() == text.casefold()]
    if same:
        return make_text(same[0], like)
    found = difflib.get_close_matches(text, words, n=1)
    near = f"; did you mean {found[0]!r}?" if found else f"; it has: {', '.join(words)}"
    raise UnreadableError(f"{field.name!r} has no value {text!r}{near}")
