"""What is remembered of accepted rows: a digest of each record, by key.

What a file says of a record follows from the record's mapped cells and the definition alone. So
a record whose digest stands for a base says what its source said last.

A digest is two 64-bit hashes of all cells, in different order. Two different records of one
source share theirs about once in 10^19 pairs.
"""

from __future__ import annotations

from dataport.engine.catalog.model import Duplicates
from dataport.engine.sql import literal
from dataport.engine.staging.plan import Plan
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.reject_layout import reject_layout
from dataport.engine.staging.request import StageRequest

MEMORY = "memory"
"""The relation of what is remembered."""

MOST_LAYERS = 8
"""Layers of a memory beyond which they are written anew as one."""


def can_remember(request: StageRequest, reading: Reading) -> bool:
    """Whether each row of the file stands for itself, so that its digest says all of it."""
    return (
        request.remembers
        and reading.sql_of is not None
        and not any(skip.names for skip in reading.mapped.skips)
        and not request.dataset.unique_fields
        and not request.dataset.foreign_keys
        and request.dataset.duplicates is not Duplicates.ASK
        and reject_layout(reading.columns) is None
    )


def digest_columns(plan: Plan) -> list[str]:
    """SQL of `_h1` and `_h2` from a row's raw cells: of the mapped ones, in the fields' order."""
    names = literal(",".join(plan.stated))
    cells = [field.source for field in plan.fields if field.column is not None or field.is_mapped]
    forward, backward = ", ".join([names, *cells]), ", ".join([*reversed(cells), names])
    return [f"hash({forward}) AS _h1", f"hash({backward}) AS _h2"]


def key_digest(plan: Plan) -> str:
    """SQL of `_hk` from a row's raw cells: alike for most rows that turn out to have one key."""
    keys = [f.source for f in plan.fields if f.field.name in plan.dataset.primary_key]
    return f"hash({', '.join(keys)}) AS _hk" if keys else "NULL::UBIGINT AS _hk"


def seen_sql(request: StageRequest, *, is_whole: bool) -> str:
    """SELECT of what the memory gains: the accepted rows, or with them all that it holds."""
    gained = "SELECT n._key, n._h1, n._h2 FROM numbered n ANTI JOIN dropped d ON d._row = n._row"
    if not is_whole or not request.memory:
        return gained
    return f"{gained} UNION ALL SELECT m.* FROM {MEMORY} m ANTI JOIN ({gained}) g USING (_key)"


def memory_sql(request: StageRequest) -> str:
    """SELECT of `_key, _h1, _h2` for `MEMORY`: the newest word on each key, none where that is a
    mark that the key is forgotten. Empty where there is no memory."""
    paths = [literal(str(request.directory / name)) for name in request.memory]
    reads = [f"SELECT * FROM read_parquet({path})" for path in paths]
    parts = []
    for at, read in enumerate(reads):
        later = " UNION ALL ".join(f"SELECT _key FROM ({other})" for other in reads[at + 1 :])
        hidden = f" ANTI JOIN ({later}) USING (_key)" if later else ""
        parts.append(f"SELECT _key, _h1, _h2 FROM ({read}){hidden} WHERE _h1 IS NOT NULL")
    return " UNION ALL ".join(parts)
