"""Which names the objects of a JSON file have: most have the same, which are looked at once.

Items are the rows of the temporary table `items`: `item`, an object's text, and `code`, what is wrong
with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataport.core.errors import InputError
from dataport.engine.sql import literal

if TYPE_CHECKING:
    import duckdb

_REPEATS = "len(list_distinct({names})) < len({names})"


def wrong_sql(item: str, is_valid: str) -> str:
    """SQL of the error code of an item that is no object; NULL for an object."""
    return (
        f"CASE WHEN {is_valid} IS NOT TRUE THEN 'json-error'"
        f" WHEN json_type({item}) <> 'OBJECT' THEN 'not-an-object' END"
    )


def find_shapes(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the temporary table `shapes` with the lists of `names` that objects of `items` have, and
    the row that has each `first`. Those with a name twice get their code."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE shapes AS SELECT json_keys(item) AS names, min(rowid) AS first"
        " FROM items WHERE code IS NULL GROUP BY names"
    )
    repeats = _REPEATS.format(names="names")
    if connection.execute(f"SELECT 1 FROM shapes WHERE {repeats} LIMIT 1").fetchone():
        connection.execute(
            "UPDATE items SET code = 'duplicate-label' WHERE code IS NULL"
            f" AND {_REPEATS.format(names='json_keys(item)')}"
        )
        connection.execute(f"DELETE FROM shapes WHERE {repeats}")


def item_names(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[str, ...]:
    """The names in the objects of `shapes`, as they first come. Raises InputError for too many."""
    rows = connection.execute(
        "SELECT name FROM (SELECT unnest(names) AS name, first,"
        " generate_subscripts(names, 1) AS place FROM shapes)"
        " GROUP BY name ORDER BY min({'row': first, 'place': place})"
    ).fetchall()
    if len(rows) > limit:
        raise InputError(
            "too-many-columns",
            "The objects have too many different names.",
            f"They have {len(rows):,}; the limit is {limit:,}.",
            "Export fewer fields, or raise limits.columns in the configuration.",
        )
    return tuple(str(name) for (name,) in rows)


def names_sql(connection: duckdb.DuckDBPyConnection, item: str) -> str:
    """SQL of the list of names in `item`, an object of one of the `shapes`."""
    found = connection.execute("SELECT names FROM shapes LIMIT 2").fetchall()
    if len(found) != 1:
        return f"json_keys({item})"
    return f"[{', '.join(literal(str(name)) for name in found[0][0])}]::VARCHAR[]"
