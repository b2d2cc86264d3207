"""A filter's text in, safe SQL out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import duckdb

from dataport.core.clock import naive_utc, now
from dataport.engine.catalog.model import Dataset
from dataport.engine.expressions.bounds import LONGEST_TEXT, check_bounds
from dataport.engine.expressions.grammar import Grammar
from dataport.engine.expressions.problem import wrong
from dataport.engine.expressions.tree import parse, to_sql
from dataport.engine.expressions.types import Types
from dataport.engine.store import Connection


def check_expression(cursor: Connection, dataset: Dataset, text: str, timezone: str = "UTC") -> str:
    """`text` as safe SQL over the dataset's fields, in brackets.

    Times in quotes that name no zone are of `timezone`. Raises UsageError `wrong-expression`
    that says what is wrong and where.
    """
    _check_text(text)
    moment = now()
    local = moment.astimezone(ZoneInfo(timezone))
    # What is tried out and fails must not abort the caller's transaction.
    with cursor.cursor() as scratch:
        root = parse(scratch, text, dataset.field_names)
        Grammar(dataset, text, (local, naive_utc(moment))).check(root)
        check_bounds(dataset, text, root)
        Types(scratch, dataset, text, timezone).settle(root)
        return f"({to_sql(scratch, root)})"


@contextmanager
def filtering(text: str | None) -> Iterator[None]:
    """Turns what a checked filter meets in the rows, as a word where a number is cast, into
    UsageError `wrong-expression`."""
    try:
        yield
    except (
        duckdb.ConversionException,
        duckdb.OutOfRangeException,
        duckdb.InvalidInputException,
    ) as error:
        if text is None:
            raise
        message = str(error).split("\n", 1)[0]
        hint = "TRY_CAST gives nothing where CAST fails."
        raise wrong(text, message.partition(": ")[2] or message, None, hint) from error


def _check_text(text: str) -> None:
    if not text.strip():
        raise wrong(text, "it is empty")
    if len(text) > LONGEST_TEXT:
        reason = f"it has {len(text):,} characters; {LONGEST_TEXT:,} is the most"
        raise wrong(text, reason, None, "For many records, name their keys in a file.")
    for place, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise wrong(text, "this is no character of a text", place)
