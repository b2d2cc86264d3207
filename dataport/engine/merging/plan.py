"""A plan: what every incoming row would do, decided without touching the store.

The steps leave these relations on the planning cursor, which `apply` and `preview` read:

- `plan_incoming`  the file's rows, each with its key
- `plan_base`      what the source sent last
- `plan_delta`     `_key, _record, has_base, _b` of rows whose base must move
- `plan_matched`   the same with `has_ours, _o`; `_b` is seen through open conflicts
- `plan_inserts`   `_key, _record` of new rows
- `plan_judged`    matched rows: outcome code and merged value per stated field, `is_changed`
- `plan_invalid`   rows that would break a rule, and so are in neither of the two before
- `plan_deletes`   `_key` of rows to delete
- `plan_dropped`   `_key` of bases to drop
- `plan_conflicts` one row per value or row that is for a person to decide
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dataport.engine.merging import absent, queue
from dataport.engine.merging.decide import decide
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.invalid import set_invalid_aside
from dataport.engine.merging.matching import RESOLVED, resolve_keys
from dataport.engine.merging.remarks import remarks
from dataport.engine.merging.snapshot import see_store
from dataport.engine.merging.standing import Standing, standing
from dataport.engine.sql import ident
from dataport.engine.store import Connection


@dataclass(frozen=True)
class Plan:
    """Counts of a plan. Rows partition exactly:
    inserted + updated + unchanged + skipped = incoming rows."""

    inserted: int
    updated: int
    deleted: int
    unchanged: int
    skipped: int
    conflicts: int
    """Queue items that are new or whose incoming value is."""
    withdrawn: int
    """Open conflicts that this file settles by itself."""
    duplicates: int
    """Rows that turned out to name the same record once their keys were known."""
    keyless: int
    """Rows that match no record and can't be given a key: they are left out."""
    base_changes: int
    held_deletes: int
    """Rows that would be deleted, were every key of the file known."""
    notices: tuple[str, ...] = ()
    """Sentences about what is only shown."""
    standing: Standing | None = None
    """How the store stands to a file that changes nothing, where that is known."""

    @property
    def is_empty(self) -> bool:
        """Nothing would be written: not a row, not a base, not a conflict."""
        return not (
            self.inserted
            or self.updated
            or self.deleted
            or self.conflicts
            or self.withdrawn
            or self.base_changes
        )

    @property
    def only_inserts(self) -> bool:
        """Every incoming row is new to the store."""
        return not (self.updated or self.unchanged or self.skipped)

    def changes(self) -> dict[str, int]:
        """The `changes` object of the import document."""
        return {
            "inserted": self.inserted,
            "updated": self.updated,
            "deleted": self.deleted,
            "unchanged": self.unchanged,
            "skipped": self.skipped,
            "conflicts": self.conflicts,
        }


def make_plan(cursor: Connection, merge: MergeInput) -> tuple[MergeInput, Plan]:
    """Decide every row of `merge` and leave the plan's relations on `cursor`.

    The merge comes back with what planning found out: which fields are stated once keys are
    known. It is the one to apply.
    """
    see_store(cursor, merge)
    merge, keys = resolve_keys(cursor, merge)
    if keys.keyless:
        merge = replace(merge, has_unknown_keys=True)
    is_compared = decide(cursor, merge, queue.open_cells(cursor, merge))
    held = absent.plan_absent(cursor, merge)
    set_invalid_aside(cursor, merge, is_compared=is_compared)
    queue.plan_conflicts(cursor, merge)
    plan = replace(
        _count(cursor, merge, held),
        duplicates=keys.duplicates,
        keyless=keys.keyless,
        notices=remarks(cursor, merge, keys.ambiguous),
    )
    if plan.is_empty and merge.source is not None:
        plan = replace(plan, standing=standing(cursor, merge))
    return merge, plan


def drop_plan(cursor: Connection) -> None:
    """Forget the plan's relations, so that another plan can be made on the same cursor."""
    for kind, catalog in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        column = f"{kind.lower()}_name"
        rows = cursor.execute(
            f"SELECT {column} FROM {catalog} WHERE temporary AND starts_with({column}, 'plan_')"
        ).fetchall()
        for (name,) in rows:
            cursor.execute(f"DROP {kind} temp.{ident(name)}")


def _count(cursor: Connection, merge: MergeInput, held: int) -> Plan:
    inserted, judged, updated, deleted, moved, dropped, incoming, fresh, withdrawn = map(
        int, merge.runner.totals(cursor, "count", _COUNTS, _COUNTED)
    )
    skipped = judged if merge.inserts_only else 0
    return Plan(
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        unchanged=merge.repeated + incoming - inserted - updated - skipped,
        skipped=skipped,
        conflicts=fresh,
        withdrawn=withdrawn,
        duplicates=0,
        keyless=0,
        base_changes=moved + dropped if merge.source and merge.remembers else 0,
        held_deletes=held,
    )


_COUNTED = (
    "plan_inserts",
    "plan_judged",
    "plan_deletes",
    "plan_delta",
    "plan_dropped",
    RESOLVED,
    "plan_conflicts",
)

_COUNTS = (
    "SELECT (SELECT count(*) FROM plan_inserts), (SELECT count(*) FROM plan_judged),"
    " (SELECT count(*) FROM plan_judged WHERE is_changed),"
    " (SELECT count(*) FROM plan_deletes), (SELECT count(*) FROM plan_delta),"
    f" (SELECT count(*) FROM plan_dropped), (SELECT count(*) FROM {RESOLVED}),"
    " (SELECT count(*) FROM plan_conflicts WHERE is_news),"
    " (SELECT count(*) FROM plan_conflicts WHERE NOT is_news)"
)
