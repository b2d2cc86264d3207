"""Taking a commit back: a three-way merge whose base is what the commit left behind.

Rows go through the same plan as a file: base = the row after the commit, theirs = the row
before it, ours = the store now. So later edits survive and real clashes become conflicts.
Bases and the conflict queue go back exactly, where nothing later has moved them (merge.md A9).
"""

from __future__ import annotations

from dataport.core.clock import naive_utc, now
from dataport.core.words import ConflictStatus, Mode
from dataport.engine.catalog.model import Dataset
from dataport.engine.merging.apply import apply_plan, keep_conflict_versions
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan, drop_plan, make_plan
from dataport.engine.sql import idents, rows_table, versions_table
from dataport.engine.store import Connection


def undo_rows(cursor: Connection, dataset: Dataset, undone: int, commit: int) -> Plan:
    """Plan and apply the way back of one dataset's rows as `commit`."""
    _before_and_after(cursor, dataset, undone)
    merge = MergeInput(
        dataset=dataset,
        incoming="undo_before",
        base="undo_after",
        stated=dataset.field_names,
        base_fields=dataset.field_names,
        mode=Mode.MIRROR,
    )
    merge, plan = make_plan(cursor, merge)
    apply_plan(cursor, merge, plan, commit, None, None)
    drop_plan(cursor)
    return plan


def undo_conflicts(cursor: Connection, undone: int, commit: int) -> int:
    """Put back the queue's items that the commit changed last; returns how many are open again."""
    # A conflict that was settled and opened again since still belongs to the commit it began with.
    touched = (
        f"(q._commit = {undone} OR (q.status = '{ConflictStatus.OPEN}' AND q.superseded = 0 AND"
        " (SELECT min(v._commit) FROM store.conflict_versions v WHERE v.conflict = q.conflict)"
        f" = {undone}))"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE undo_queue AS SELECT q.conflict, p.status, p.base, p.ours,"
        " p.theirs, p.job, p.file, p.line, p.superseded, p.resolution, p.closed,"
        " p.conflict IS NOT NULL AS was_there FROM store.conflicts q"
        f" LEFT JOIN store.conflict_versions p ON p.conflict = q.conflict AND p._until = {undone}"
        f" WHERE {touched}"
    )
    keep_conflict_versions(cursor, touched, commit)
    cursor.execute(
        "MERGE INTO store.conflicts q USING undo_queue p ON q.conflict = p.conflict"
        f" WHEN MATCHED AND p.was_there THEN UPDATE SET _commit = {commit}, status = p.status,"
        " base = p.base, ours = p.ours, theirs = p.theirs, job = p.job, file = p.file,"
        " line = p.line, superseded = p.superseded, resolution = p.resolution, closed = p.closed"
        f" WHEN MATCHED THEN UPDATE SET _commit = {commit}, status = '{ConflictStatus.UNDONE}',"
        " closed = $time",
        {"time": naive_utc(now())},
    )
    row = cursor.execute(
        f"SELECT count(*) FROM undo_queue WHERE status = '{ConflictStatus.OPEN}'"
    ).fetchone()
    return int(row[0]) if row else 0


def _before_and_after(cursor: Connection, dataset: Dataset, undone: int) -> None:
    fields = idents(dataset.field_names)
    rows, past = rows_table(dataset.name), versions_table(dataset.name)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE undo_before AS SELECT _key,"
        " row_number() OVER (ORDER BY _key) AS _record, _line,"
        f" CAST(NULL AS VARCHAR) AS _derived, {fields} FROM {past} WHERE _until = {undone}"
    )
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE undo_after AS"
        f" SELECT _key, {fields}, true AS _is_row FROM {rows} WHERE _commit = {undone}"
        f" UNION ALL SELECT _key, {fields}, false FROM {past} WHERE _commit = {undone}"
    )
