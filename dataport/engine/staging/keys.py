"""Canonical key text: how a record's key is written wherever one text has to name it.

One key field: its canonical text. Several: a JSON array of them. The canonical text of a
string is the string, of any other type what DuckDB's cast to VARCHAR gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.sql import literal

DERIVED_PREFIX = "~"
DERIVED_DIGITS = 20

_ESCAPES = {code: f"\\u{code:04X}" for code in range(32)} | {
    ord(char): escape
    for char, escape in {
        '"': '\\"',
        "\\": "\\\\",
        "\b": "\\b",
        "\t": "\\t",
        "\n": "\\n",
        "\f": "\\f",
        "\r": "\\r",
    }.items()
}
"""DuckDB writes these in JSON; Python's json module differs in the case of hex digits."""


def text_sql(field: Field, column: str) -> str:
    """SQL of the canonical text of one typed column."""
    return column if field.sql_type == "VARCHAR" else f"CAST({column} AS VARCHAR)"


def key_sql(dataset: Dataset, column_sql: Callable[[str], str]) -> str:
    """SQL of the key text; NULL where a key field is NULL.

    `column_sql` gives the SQL of the typed column that holds a field.
    """
    texts = [text_sql(dataset.field(name), column_sql(name)) for name in dataset.primary_key]
    if len(texts) == 1:
        return texts[0]
    known = " AND ".join(f"{text} IS NOT NULL" for text in texts)
    return f"CASE WHEN {known} THEN CAST(to_json([{', '.join(texts)}]) AS VARCHAR) END"


def key_text(dataset: Dataset, values: Sequence[object]) -> str:
    """The key text of `values`, given in the order of the primary key."""
    texts = [value_text(value) for value in values]
    if len(dataset.primary_key) == 1:
        return texts[0]
    return "[" + ",".join(f'"{text.translate(_ESCAPES)}"' for text in texts) + "]"


def derived_sql(
    dataset: Dataset, stated: Iterable[str], column_sql: Callable[[str], str]
) -> str | None:
    """SQL of the key made from the first `deriveKey` group whose fields a row has.

    None where no key can be made: only a primary key of one string field may be derived.
    """
    names = set(stated)
    groups = [group for group in dataset.derive_key if names.issuperset(group)]
    if not groups or not can_derive(dataset):
        return None
    branches = []
    for group in groups:
        fields = [dataset.field(name) for name in group]
        texts = [text_sql(field, column_sql(field.name)) for field in fields]
        parts = [
            part
            for field, text in zip(fields, texts, strict=True)
            for part in (literal(field.name), text)
        ]
        known = " AND ".join(f"{text} IS NOT NULL" for text in texts)
        digest = (
            f"substr(sha256(CAST(to_json([{', '.join(parts)}]) AS VARCHAR)), 1, {DERIVED_DIGITS})"
        )
        branches.append(f"WHEN {known} THEN {literal(DERIVED_PREFIX)} || {digest}")
    return f"CASE {' '.join(branches)} END"


def can_derive(dataset: Dataset) -> bool:
    """Whether a missing key of `dataset` may be made from other fields."""
    is_text = dataset.field(dataset.primary_key[0]).sql_type == "VARCHAR"
    return bool(dataset.derive_key) and len(dataset.primary_key) == 1 and is_text


def value_text(value: object) -> str:
    """The canonical text of a typed value, as DuckDB's cast to VARCHAR gives it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _trimmed(value.isoformat(sep=" "))
    if isinstance(value, time):
        return _trimmed(value.isoformat())
    if isinstance(value, timedelta):
        return str(value // timedelta(microseconds=1))
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    if isinstance(value, (str, int, Decimal, date)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no key value")


def _trimmed(text: str) -> str:
    return text.rstrip("0") if "." in text else text
