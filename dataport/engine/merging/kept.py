"""A kept plan, read by window: never more of it in memory than one page (PRV-01)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataport.core.words import Operation, PlanPart
from dataport.engine.merging.preview import PREVIEW_FILE
from dataport.engine.sql import literal
from dataport.engine.store import Connection
from dataport.engine.table_lines import NAMELESS

CHANGE_OF = {
    Operation.INSERT: "inserted",
    Operation.UPDATE: "updated",
    Operation.DELETE: "deleted",
    Operation.UNCHANGED: "unchanged",
    Operation.SKIP: "skipped",
}
"""The name in `changes` of what happens to a row."""


@dataclass(frozen=True)
class PlanFilter:
    """Which rows of a plan; None means any."""

    part: PlanPart | None = None
    field: str | None = None
    """One that changes or waits for a decision."""
    key: str | None = None
    """Text that the key contains, in capitals or not."""
    dataset: str | None = None

    @property
    def condition(self) -> str:
        """SQL over a plan's rows, of which those that were left out are `excluded`."""
        terms = ["true"]
        if self.part is PlanPart.EXCLUDED:
            terms.append("excluded")
        elif self.part is not None:
            terms.append("NOT excluded")
            is_part = f"operation = {literal(self.part)}"
            terms.append("queued > 0" if self.part is PlanPart.CONFLICT else is_part)
        if self.field is not None:
            field = literal(self.field)
            terms.append(f"(list_contains(changed, {field}) OR list_contains(conflicts, {field}))")
        if self.key is not None:
            terms.append(f"contains(lower(_key), lower({literal(self.key)}))")
        if self.dataset is not None:
            terms.append(f"dataset = {literal(self.dataset)}")
        return " AND ".join(terms)


@dataclass(frozen=True)
class Page:
    """One window of a plan."""

    total: int
    """Rows that the filter lets through, in all windows together."""
    next: str | None
    """Where the next window begins; None at the end."""
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class KeptPart:
    """What a kept plan does to one dataset: a file in the part's directory."""

    path: Path

    @classmethod
    def of(cls, directory: Path) -> KeptPart:
        """The plan of the part that is staged in `directory`."""
        return cls(directory / PREVIEW_FILE)

    @property
    def exists(self) -> bool:
        return self.path.is_file()

    @property
    def rows(self) -> str:
        """SQL of its rows, as `write_preview` wrote them."""
        return f"read_parquet({literal(str(self.path))})"

    def unknown(self, cursor: Connection, keys: Collection[str]) -> list[str]:
        """Those of `keys` that the plan has no row for."""
        known = f"SELECT _key FROM {self.rows}" if self.exists else "SELECT NULL WHERE false"
        rows = cursor.execute(
            "SELECT key FROM (SELECT unnest($keys::VARCHAR[]) AS key)"
            f" WHERE key NOT IN ({known}) ORDER BY key",
            {"keys": list(keys)},
        ).fetchall()
        return [key for (key,) in rows]

    def done_to(self, cursor: Connection, keys: Collection[str]) -> tuple[dict[str, int], int]:
        """What the plan does to the rows with `keys`, named as in `changes`, and their number."""
        done = {**dict.fromkeys(CHANGE_OF.values(), 0), "conflicts": 0}
        if not keys:
            return done, 0
        rows = cursor.execute(
            "SELECT operation, count(*), count(*) FILTER (is_incoming), sum(queued)::BIGINT"
            f" FROM {self.rows} WHERE {_among(keys)} GROUP BY operation"
        ).fetchall()
        for operation, number, incoming, queued in rows:
            # A row that waits as a whole may be one that the file leaves out.
            done[CHANGE_OF[operation]] = incoming if operation == Operation.UNCHANGED else number
            done["conflicts"] += queued
        return done, sum(number for _, number, _, _ in rows)

    def says_the_same(self, cursor: Connection, other: KeptPart, excluded: Collection[str]) -> bool:
        """Whether both plans do the same to every row that is not in `excluded`."""
        digests = {
            cursor.execute(
                "SELECT count(*), bit_xor(hash(_key, operation, before, after, conflicts, queued))"
                f" FROM {plan.rows} WHERE NOT {_among(excluded)}"
            ).fetchone()
            for plan in (self, other)
        }
        return len(digests) == 1

    def make_excluded(self, cursor: Connection, table: str, keys: Collection[str]) -> None:
        """Make the temporary `table` of the plan's rows with `keys`, as they are kept."""
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM {self.rows}"
            f" WHERE {_among(keys)}"
        )


@dataclass(frozen=True)
class KeptPlan:
    """The plan that a job left, part by part."""

    parts: Sequence[tuple[str, KeptPart, Collection[str]]]
    """Of each part its dataset, what is kept of it, and the keys that were left out."""

    @property
    def exists(self) -> bool:
        return any(kept.exists for _, kept, _ in self.parts)

    def page(self, cursor: Connection, which: PlanFilter, after: int, limit: int) -> Page:
        """The rows behind place `after`; those that were left out are marked."""
        condition = which.condition
        row = cursor.execute(f"SELECT count(*) FROM {self._rows} WHERE {condition}").fetchone()
        # The places first, from narrow columns: the documents of other rows are never read.
        places = [
            place
            for (place,) in cursor.execute(
                f"SELECT n FROM {self._rows} WHERE {condition} AND n > {int(after)}"
                f" ORDER BY n LIMIT {int(limit) + 1}"
            ).fetchall()
        ]
        shown = places[:limit]
        return Page(
            total=int(row[0]) if row else 0,
            next=str(shown[-1]) if shown and len(places) > limit else None,
            items=self._items(cursor, shown) if shown else [],
        )

    @property
    def _rows(self) -> str:
        parts = (
            f"SELECT {literal(dataset)} AS dataset, {_among(excluded)} AS excluded, *"
            f" FROM {kept.rows}"
            for dataset, kept, excluded in self.parts
            if kept.exists
        )
        return f"({' UNION ALL BY NAME '.join([NAMELESS, *parts])})"

    def _items(self, cursor: Connection, places: list[int]) -> list[dict[str, Any]]:
        rows = cursor.execute(
            "SELECT dataset, _key, operation, line, before, after, changed, conflicts, excluded, inside"
            f" FROM {self._rows} WHERE n BETWEEN {places[0]} AND {places[-1]}"
            f" AND n IN ({', '.join(map(str, places))}) ORDER BY n"
        ).fetchall()
        return [_item(row) for row in rows]


def _among(keys: Collection[str]) -> str:
    """SQL that is true for the rows with `keys`."""
    if not keys:
        return "false"
    return f"_key IN (SELECT unnest([{', '.join(map(literal, keys))}]))"


def _item(row: tuple[Any, ...]) -> dict[str, Any]:
    dataset, key, operation, line, before, after, changed, conflicts, is_excluded, inside = row
    return {
        "dataset": dataset,
        "key": key,
        "operation": operation,
        "line": line,
        "before": json.loads(before) if before else None,
        "after": json.loads(after) if after else None,
        "changed": changed or [],
        "conflicts": conflicts or [],
        "excluded": is_excluded,
        **({"inside": inside} if inside is not None else {}),
    }
