"""Columns that a rejected row did not have, as its reject file lists them (ERR-13).

An object may leave names out, and a table columns that another one of its file has. A sheet has a
cell for each column in every row, and can't tell such a one from one that is stated to be empty. So
a column of its own lists their names, with commas between them, those in quotes that need it. What
is listed and still empty when the file comes back says nothing; a cell that was filled in does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataport.engine.sql import literal

_PLAIN = re.compile(r"[\w{(][^\",\n\r\t]*")
_ITEM = '"(?:[^"]|"")*"|[^,"]+'
_BLANK = "' ' || chr(9) || chr(10) || chr(13)"


def lacks_sql(columns: Sequence[str]) -> str:
    """SQL of the positions of those columns that a row with `_keys` does not have."""
    silent = (
        f"CASE WHEN c{at} IS NULL AND NOT list_contains(_keys, {literal(label)}) THEN {at} END"
        for at, label in enumerate(columns)
    )
    return f"list_filter([{', '.join(silent)}]::INTEGER[], lambda n: n IS NOT NULL)"


def list_sql(names: Sequence[str]) -> str:
    """SQL of the text that lists the columns at the positions `lacks`; NULL where there are none."""
    items = ", ".join(literal(_item(name)) for name in names)
    return f"nullif(array_to_string(list_transform(lacks, lambda n: ([{items}])[n + 1]), ', '), '')"


def listed_sql(cell: str) -> str:
    """SQL of the names in such a text."""
    quoted = "replace(substr(i, 2, length(i) - 2), '\"\"', '\"')"
    name = f"trim(CASE WHEN i[1] = '\"' THEN {quoted} ELSE i END, {_BLANK})"
    return f"list_transform(regexp_extract_all({cell}, {literal(_ITEM)}), lambda i: {name})"


def is_left_sql(at: int, label: str, listed: str) -> str:
    """SQL that is true for a row of a reject file that does not have the column at `at`."""
    is_empty = f"trim(coalesce(c{at}, ''), {_BLANK}) = ''"
    return f"({is_empty} AND coalesce(list_contains({listed}, {literal(label.strip())}), false))"


def _item(name: str) -> str:
    is_plain = _PLAIN.fullmatch(name) and name == name.strip()
    return name if is_plain else '"' + name.replace('"', '""') + '"'
