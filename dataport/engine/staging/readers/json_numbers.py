"""JSON numbers as the file wrote them: `1e3`, `1.50`, a price of twenty digits.

DuckDB hands out what a number is worth, not how it is written: `1e3` would be `1000.0`.
"""

from __future__ import annotations

from dataport.engine.sql import literal

_REWRITTEN = (
    r"[:\s]-?(?:[0-9.]+[eE]|[0-9]+\.[0-9]*0[^0-9]|[0-9.]{17}|0\.0000)"  # as 1e3, 1.50, long, tiny
    r"|[:\s]-0"
)
"""Found in every object with a number that DuckDB would write otherwise, and in few others."""

_UP_TO_NUMBER = (
    r'((?:"(?:[^"\\]|\\.)*"|[^"0-9-])*)'  # strings, and what neither is one nor begins a number
    r"(-?[0-9][0-9.eE+-]*|-[A-Za-z]+|$)"
)
"""One match begins where the last one ended, up to the end: no string is ever looked into."""


def cells_sql(item: str, names: tuple[str, ...]) -> str:
    """SQL of the texts of the values of `names` in the valid JSON object `item`; NULL for none.

    A number inside a list or an object is not touched: the value is that list or object.
    """
    pointers = ", ".join(literal(_pointer(name)) for name in names)
    wanted = f"[{pointers}]::VARCHAR[]"
    cells = f"json_extract_string({item}, {wanted})"
    verbatim = f"json_extract_string({_quoted(item)}, {wanted})"
    return (
        f"CASE WHEN regexp_matches({item}, {literal(_REWRITTEN)}) THEN list_transform("
        f"list_zip(json_type({item}, {wanted}), {verbatim}, {cells}), lambda cell:"
        " CASE WHEN cell[1] IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN cell[2] ELSE cell[3] END)"
        f" ELSE {cells} END"
    )


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _quoted(item: str) -> str:
    """SQL of `item` with every number made a string."""
    # The last match is the end itself, and leaves an empty string behind.
    return f"""regexp_replace({item}, {literal(_UP_TO_NUMBER)}, '\\1"\\2"', 'g')[:-3]"""
