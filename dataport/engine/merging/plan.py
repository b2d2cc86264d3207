"""A plan: what every incoming row would do, decided without touching the store.

The steps leave these relations on the planning cursor, which `apply` and `preview` read:

- `plan_incoming`  the file's rows, each with its key
- `plan_base`      what the source sent last
- `plan_judging`   the same, seen through its open conflicts
- `plan_delta`     `_key, _record, has_base` of rows whose base must move
- `plan_inserts`   `_key, _record` of new rows
- `plan_judged`    matched rows: outcome code and merged value per stated field, `is_changed`
- `plan_deletes`   `_key` of rows to delete
- `plan_dropped`   `_key` of bases to drop
- `plan_conflicts` one row per value or row that is for a person to decide
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dataport.core.words import Mode
from dataport.engine.merging import absent, queue
from dataport.engine.merging.fields import code_column, merged_value, outcome
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED, resolve_keys
from dataport.engine.sql import differs, ident, literal, rows_table
from dataport.engine.steps import LocalRunner, Scope, Step
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
    merge, duplicates, keyless = resolve_keys(cursor, merge)
    if keyless:
        merge = replace(merge, has_unknown_keys=True)
    cursor.execute(f"CREATE TEMP VIEW plan_base AS SELECT *, true AS _here FROM {merge.base}")
    queue.overlay_base(cursor, merge)
    table = rows_table(merge.dataset.name)
    cursor.execute(f"CREATE TEMP VIEW plan_ours AS SELECT *, true AS _here FROM {table}")
    _run_steps(cursor, merge)
    held = absent.plan_absent(cursor, merge)
    queue.plan_conflicts(cursor, merge)
    plan = _count(cursor, merge, held)
    return merge, replace(plan, duplicates=duplicates, keyless=keyless)


def drop_plan(cursor: Connection) -> None:
    """Forget the plan's relations, so that another plan can be made on the same cursor."""
    for kind, catalog in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        column = f"{kind.lower()}_name"
        rows = cursor.execute(
            f"SELECT {column} FROM {catalog} WHERE temporary AND starts_with({column}, 'plan_')"
        ).fetchall()
        for (name,) in rows:
            cursor.execute(f"DROP {kind} temp.{ident(name)}")


def _run_steps(cursor: Connection, merge: MergeInput) -> None:
    runner = LocalRunner()
    if _is_empty(cursor, "plan_base") and _is_empty(cursor, "plan_ours"):
        # A first import has nothing to be compared with: every row is new.
        for view, columns in (
            ("plan_delta", "_key, _record, false AS has_base"),
            ("plan_inserts", "_key, _record"),
        ):
            cursor.execute(f"CREATE TEMP VIEW {view} AS SELECT {columns} FROM {RESOLVED}")
        cursor.execute(
            "CREATE TEMP VIEW plan_matched AS SELECT *, false AS has_ours FROM plan_delta"
        )
        runner.run(cursor, [_judge(merge, "plan_matched", "false")])
        return
    runner.run(cursor, _steps(merge), buckets=merge.buckets)


def _steps(merge: MergeInput) -> list[Step]:
    candidates = "plan_delta"
    steps = [_delta(merge)]
    if merge.is_two_way:
        candidates = "plan_candidates"
        steps.append(_all_candidates())
    new = "NOT has_ours" if merge.mode is Mode.REPLACE else "NOT has_ours AND NOT has_base"
    return [
        *steps,
        Step(
            name="match",
            scope=Scope.KEY,
            sql=(
                "SELECT d._key, d._record, d.has_base, coalesce(o._here, false) AS has_ours"
                f" FROM {candidates} d LEFT JOIN plan_ours o ON o._key = d._key"
            ),
            inputs=(candidates, "plan_ours"),
            output="plan_matched",
        ),
        Step(
            name="insert",
            scope=Scope.KEY,
            sql=f"SELECT _key, _record FROM plan_matched WHERE {new}",
            inputs=("plan_matched",),
            output="plan_inserts",
        ),
        _judge(merge, "plan_matched", "has_ours"),
    ]


def _delta(merge: MergeInput) -> Step:
    """Rows whose source says something new: the rest needs no look at the store."""
    changed = [f"b.{ident(f.name)} IS DISTINCT FROM t.{ident(f.name)}" for f in merge.fields]
    for index, field in enumerate(merge.fields):
        if field.name in merge.partial:
            unstated = f"coalesce(list_contains(t._absent, {literal(field.name)}), false)"
            changed[index] = f"({changed[index]} AND NOT {unstated})"
    return Step(
        name="delta",
        scope=Scope.KEY,
        sql=(
            "SELECT t._key, t._record, coalesce(b._here, false) AS has_base"
            f" FROM {RESOLVED} t LEFT JOIN plan_base b ON b._key = t._key"
            f" WHERE b._here IS NULL OR {' OR '.join(changed) or 'false'}"
        ),
        inputs=(RESOLVED, "plan_base"),
        output="plan_delta",
    )


def _all_candidates() -> Step:
    return Step(
        name="candidates",
        scope=Scope.KEY,
        sql=(
            "SELECT t._key, t._record, coalesce(b._here, false) AS has_base"
            f" FROM {RESOLVED} t LEFT JOIN plan_base b ON b._key = t._key"
        ),
        inputs=(RESOLVED, "plan_base"),
        output="plan_candidates",
    )


def _judge(merge: MergeInput, candidates: str, condition: str) -> Step:
    """Outcome and merged value of every stated field of rows that the store has."""
    codes = [f"{outcome(field, merge)} AS {code_column(field)}" for field in merge.fields]
    values = [f"{merged_value(field, merge)} AS {ident(field.name)}" for field in merge.fields]
    system = "c._key, c._record, t._line, c.has_base"
    judged = (
        f"SELECT {', '.join([system, *codes, *values])}"
        f" FROM (SELECT * FROM {candidates} WHERE {condition}) c"
        f" JOIN {RESOLVED} t ON t._record = c._record"
        " JOIN plan_ours o ON o._key = c._key"
        " LEFT JOIN plan_judging b ON b._key = c._key"
    )
    changed = differs([field.name for field in merge.fields], "j", "o")
    return Step(
        name="judge",
        scope=Scope.KEY,
        sql=(
            f"SELECT j.*, {changed} AS is_changed FROM ({judged}) j"
            " JOIN plan_ours o ON o._key = j._key"
        ),
        inputs=(candidates, RESOLVED, "plan_judging", "plan_ours"),
        output="plan_judged",
    )


def _count(cursor: Connection, merge: MergeInput, held: int) -> Plan:
    inserted, judged, updated, deleted, moved, dropped, incoming = _numbers(
        cursor,
        "SELECT (SELECT count(*) FROM plan_inserts), (SELECT count(*) FROM plan_judged),"
        " (SELECT count(*) FROM plan_judged WHERE is_changed),"
        " (SELECT count(*) FROM plan_deletes), (SELECT count(*) FROM plan_delta),"
        f" (SELECT count(*) FROM plan_dropped), (SELECT count(*) FROM {RESOLVED})",
    )
    fresh, withdrawn = _numbers(
        cursor,
        "SELECT count(*) FILTER (is_news), count(*) FILTER (NOT is_news) FROM plan_conflicts",
    )
    skipped = judged if merge.inserts_only else 0
    return Plan(
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        unchanged=incoming - inserted - updated - skipped,
        skipped=skipped,
        conflicts=fresh,
        withdrawn=withdrawn,
        duplicates=0,
        keyless=0,
        base_changes=0 if merge.source is None else moved + dropped,
        held_deletes=held,
    )


def _numbers(cursor: Connection, query: str) -> tuple[int, ...]:
    row = cursor.execute(query).fetchone()
    return tuple(int(value) for value in row or ())


def _is_empty(cursor: Connection, relation: str) -> bool:
    return cursor.execute(f"SELECT 1 FROM {relation} LIMIT 1").fetchone() is None
