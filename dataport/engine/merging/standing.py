"""How the store stands to a file that changes nothing (merge.md 5.2).

What a source said before is no news: rows deleted and values changed here since then stay so.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataport.engine.merging.absent import names_every_base
from dataport.engine.merging.disputes import DISPUTES
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.merging.relations import BASE, OURS
from dataport.engine.sql import ident
from dataport.engine.store import Connection, count_rows

MOST_COMPARED = 100_000
"""Rows beyond which nobody looks how many differ."""


@dataclass(frozen=True)
class Standing:
    """What of a file that says nothing new the store does not hold as the file has it."""

    missing: int
    """Rows that the store does not have."""
    different: int
    """Values of other rows that are not those of the store."""


def standing(cursor: Connection, merge: MergeInput) -> Standing | None:
    """What the store holds otherwise than a file whose plan is empty, as far as it costs little.

    Only rows that are no longer their own base are looked at. None where that would be too many,
    or where the file says something new and the store stands by a rule.
    """
    if _has_news(cursor, merge):
        return None
    moved = count_rows(cursor, f"{BASE} WHERE NOT _is_row")
    if not moved:
        return Standing(0, 0)
    if moved > MOST_COMPARED or merge.partial:
        return None
    spoken_of = f" SEMI JOIN {RESOLVED} t ON t._key = b._key"
    if merge.repeated:
        if not names_every_base(cursor, merge):
            return None
        spoken_of = ""
    differing = [
        f"CAST(b.{ident(field.name)} IS DISTINCT FROM o.{ident(field.name)} AS INTEGER)"
        for field in merge.fields
    ]
    values = f"coalesce(sum({' + '.join(differing)}) FILTER (o._here), 0)" if differing else "0"
    missing, different = cursor.execute(
        f"SELECT count(*) FILTER (o._here IS NULL), {values}"
        f" FROM (SELECT b.* FROM {BASE} b{spoken_of} WHERE NOT b._is_row) b"
        f" LEFT JOIN {OURS} o ON o._key = b._key"
    ).fetchone() or (0, 0)
    return Standing(int(missing), int(different))


def _has_news(cursor: Connection, merge: MergeInput) -> bool:
    """Whether a row differs from its base, or rows of the file contradict each other."""
    relations = ["plan_delta", *([DISPUTES] if merge.asks else [])]
    found = (cursor.execute(f"SELECT 1 FROM {each} LIMIT 1").fetchone() for each in relations)
    return any(row is not None for row in found)
