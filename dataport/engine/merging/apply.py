"""Writing a plan: versions, rows, bases and conflicts, inside the caller's transaction."""

from __future__ import annotations

from dataport.core.clock import naive_utc, now
from dataport.core.words import DROPPED, ConflictStatus
from dataport.engine.commits import next_conflict
from dataport.engine.merging.bases import write_bases
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.rows import delete_rows, update_rows
from dataport.engine.sql import ident, idents, rows_table
from dataport.engine.store import Connection


def apply_plan(
    cursor: Connection,
    merge: MergeInput,
    plan: Plan,
    commit: int,
    job: int | None,
    file: str | None,
) -> None:
    """Write what `make_plan` left on `cursor` as `commit`."""
    _write_rows(cursor, merge, plan, commit)
    if merge.source is not None and merge.remembers:
        write_bases(cursor, merge, commit, only_inserts=plan.only_inserts)
    if plan.conflicts or plan.withdrawn:
        _write_conflicts(cursor, merge, commit, job, file)


def keep_conflict_versions(cursor: Connection, condition: str, commit: int) -> None:
    """Copy the conflicts that `condition` (over `q`) names to their versions, until `commit`.

    A state that only `commit` itself has seen is no version.
    """
    cursor.execute(
        f"INSERT INTO store.conflict_versions BY NAME SELECT q.*, {commit} AS _until"
        f" FROM store.conflicts q WHERE q._commit <> {commit} AND ({condition})"
    )


def _write_rows(cursor: Connection, merge: MergeInput, plan: Plan, commit: int) -> None:
    dataset, table = merge.dataset, rows_table(merge.dataset.name)
    names = [field.name for field in merge.fields]
    if plan.updated:
        cursor.execute(
            "CREATE TEMP VIEW plan_updates AS SELECT * FROM plan_judged WHERE is_changed"
        )
        values = {name: f"u.{ident(name)}" for name in names}
        update_rows(cursor, dataset, "plan_updates", values, commit, line="u._line")
    if plan.deleted:
        delete_rows(cursor, dataset, "plan_deletes", commit)
    if plan.inserted:
        cursor.execute(
            f"INSERT INTO {table} (_key, _commit, _line, {idents(names)})"
            f" SELECT t._key, {commit}, t._line, {idents(names, 't.')}"
            f" FROM {_inserted(plan)}"
        )


def _inserted(plan: Plan) -> str:
    """The incoming rows that are new; no join is needed where all of them are."""
    if plan.only_inserts:
        return f"{RESOLVED} t"
    return f"{RESOLVED} t SEMI JOIN plan_inserts i ON i._record = t._record"


def _write_conflicts(
    cursor: Connection, merge: MergeInput, commit: int, job: int | None, file: str | None
) -> None:
    time = naive_utc(now())
    line, place = merge.table_lines.line("p.line"), "$file"
    if merge.table_lines:
        place = f"concat_ws('::', $file, {merge.table_lines.inside('p.line')})"
    keep_conflict_versions(cursor, "q.conflict IN (SELECT conflict FROM plan_conflicts)", commit)
    cursor.execute(
        "MERGE INTO store.conflicts q USING"
        " (SELECT *, NOT is_news AND key IN (SELECT _key FROM plan_dropped) AS is_dropped"
        " FROM plan_conflicts WHERE conflict IS NOT NULL) p"
        " ON q.conflict = p.conflict WHEN MATCHED THEN UPDATE SET"
        f" _commit = {commit}, ours = p.ours, theirs = p.theirs, status = p.status,"
        f" line = CASE WHEN p.is_news THEN {line} ELSE q.line END,"
        " job = CASE WHEN p.is_news THEN $job ELSE q.job END,"
        f" file = CASE WHEN p.is_news THEN {place} ELSE q.file END,"
        " superseded = q.superseded + CAST(p.is_news AS INTEGER),"
        " details = CASE WHEN p.is_news THEN p.details ELSE q.details END,"
        f" resolution = CASE WHEN p.is_dropped THEN '{DROPPED}' END,"
        f" closed = CASE WHEN p.status = '{ConflictStatus.OPEN}' THEN NULL ELSE $time END",
        {"job": job, "file": file, "time": time},
    )
    cursor.execute(
        "INSERT INTO store.conflicts"
        f" SELECT {next_conflict(cursor) - 1} + row_number() OVER (ORDER BY line, key, field),"
        f" {commit}, $dataset, key, field, kind, base, ours, theirs, $source, $job, {place}, {line},"
        " status, 0, NULL, $time, NULL, details FROM plan_conflicts p WHERE conflict IS NULL",
        {
            "dataset": merge.dataset.name,
            "source": merge.source,
            "job": job,
            "file": file,
            "time": time,
        },
    )
