"""Taking a commit back: a three-way merge whose base is what the commit left behind.

Rows go through the same plan as a file: base = the row after the commit, theirs = the row
before it, ours = the store now. So later edits survive and real clashes become conflicts.
Bases and the conflict queue go back exactly, where nothing later has moved them (merge.md A9).
"""

from __future__ import annotations

from collections.abc import Collection

from dataport.core.clock import naive_utc, now
from dataport.core.words import ConflictStatus, Mode
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import undone_commits
from dataport.engine.export_sources import is_export
from dataport.engine.merging.apply import apply_plan, keep_conflict_versions
from dataport.engine.merging.bases import base_query, sources_of
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan, drop_plan, make_plan
from dataport.engine.settling import ask_once, asked_later
from dataport.engine.sql import idents, rows_table, versions_table
from dataport.engine.steps import LocalRunner, buckets_for
from dataport.engine.store import Connection


def undo_rows(cursor: Connection, dataset: Dataset, undone: int, commit: int) -> Plan:
    """Plan and apply the way back of one dataset's rows as `commit`."""
    rows = _before_and_after(cursor, dataset, undone)
    merge = MergeInput(
        dataset=dataset,
        incoming="undo_before",
        base="undo_after",
        stated=dataset.field_names,
        base_fields=dataset.field_names,
        mode=Mode.MIRROR,
        runner=LocalRunner(buckets_for(cursor, rows, len(dataset.fields))),
    )
    merge, plan = make_plan(cursor, merge)
    apply_plan(cursor, merge, plan, commit, None, None)
    drop_plan(cursor)
    return plan


def undo_traces(cursor: Connection, root: int, commit: int | None) -> None:
    """Note that `commit` took back what `root` did, or None that it is in force again.

    A file whose commit is undone may be imported again; a field that no other commit stated
    is no longer one that its source speaks of.
    """
    cursor.execute('UPDATE store.files SET undone_by = ? WHERE "commit" = ?', [commit, root])
    cursor.execute('UPDATE store.stated SET until = ? WHERE "commit" = ?', [commit, root])


def also_sent(cursor: Connection, dataset: Dataset, commit: int) -> dict[str, int]:
    """Rows that the undo `commit` deleted although a source sends them, counted by source.

    To be asked once the bases are back. Exports are no sources that go on to send rows.
    """
    rows, past = rows_table(dataset.name), versions_table(dataset.name)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE undo_deleted AS SELECT _key FROM {past}"
        f" WHERE _until = {commit} AND _key NOT IN (SELECT _key FROM {rows})"
    )
    found: dict[str, int] = {}
    for source in sources_of(cursor, dataset):
        row = cursor.execute(
            f"SELECT count(*) FROM undo_deleted SEMI JOIN ({base_query(dataset, source)}) b"
            " USING (_key)"
        ).fetchone()
        if row and row[0] and not is_export(source):
            found[source] = int(row[0])
    return found


def undo_conflicts(cursor: Connection, undone: int, commit: int) -> int:
    """Put back the queue's items that the commit changed last; returns how many are open again.

    What an item then says must still be said by somebody: see `_follow_statements`. Of several
    about the same only the latest is open.
    """
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE undo_queue AS SELECT q.conflict, p.status, p.base, p.ours,"
        " p.theirs, p.job, p.file, p.line, p.superseded, p.resolution, p.closed, p.details,"
        " p.conflict IS NOT NULL AS was_there FROM store.conflicts q"
        f" LEFT JOIN store.conflict_versions p ON p.conflict = q.conflict AND p._until = {undone}"
        f" WHERE q._commit = {undone}"
    )
    _put_back(cursor, commit)
    _follow_statements(cursor, undone_commits(cursor, undone), commit)
    ask_once(cursor, commit)
    row = cursor.execute(
        "SELECT count(*) FROM store.conflicts"
        f" WHERE status = '{ConflictStatus.OPEN}' AND _commit = {commit}"
    ).fetchone()
    return int(row[0]) if row else 0


def _put_back(cursor: Connection, commit: int) -> None:
    """Give the conflicts of `undo_queue` the state it names, or end those that had none."""
    keep_conflict_versions(cursor, "q.conflict IN (SELECT conflict FROM undo_queue)", commit)
    cursor.execute(
        "MERGE INTO store.conflicts q USING undo_queue p ON q.conflict = p.conflict"
        f" WHEN MATCHED AND p.was_there THEN UPDATE SET _commit = {commit}, status = p.status,"
        " base = p.base, ours = p.ours, theirs = p.theirs, job = p.job, file = p.file,"
        " line = p.line, superseded = p.superseded, resolution = p.resolution, closed = p.closed,"
        " details = p.details"
        f" WHEN MATCHED THEN UPDATE SET _commit = {commit}, status = '{ConflictStatus.UNDONE}',"
        " resolution = NULL, closed = $time",
        {"time": naive_utc(now())},
    )


def _follow_statements(cursor: Connection, undone: Collection[int], commit: int) -> None:
    """Let every unsettled conflict say the newest of its values that still stands.

    A conflict is somebody's statement: of the import that sent its value, or of the undo that
    met a later edit. While that commit stands undone an earlier statement is asked about, or
    none (merge.md 5.5); undoing the undo asks again.
    """
    unsettled = f"('{ConflictStatus.OPEN}', '{ConflictStatus.UNDONE}')"
    values = "base, ours, theirs, job, file, line, superseded, resolution, closed, details"
    said = " UNION ALL ".join(
        f"SELECT conflict, _commit, status, {values} FROM store.{table}"
        for table in ("conflicts", "conflict_versions")
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE undo_statements AS SELECT v.*,"
        ' coalesce(c."commit", min(v._commit) OVER (PARTITION BY v.conflict)) AS statement'
        f" FROM ({said}) v LEFT JOIN store.commits c ON c.kind = 'import' AND c.job = v.job"
        f" WHERE v.conflict IN (SELECT conflict FROM store.conflicts WHERE status IN {unsettled})"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE undo_queue AS"
        " SELECT q.conflict, n.* EXCLUDE (conflict), n.conflict IS NOT NULL AS was_there"
        " FROM store.conflicts q JOIN undo_statements s"
        " ON s.conflict = q.conflict AND s._commit = q._commit AND s.status = q.status"
        " LEFT JOIN (SELECT * FROM undo_statements"
        f" WHERE status = '{ConflictStatus.OPEN}' AND NOT list_contains($undone, statement)"
        " QUALIFY row_number() OVER (PARTITION BY conflict ORDER BY statement DESC,"
        " _commit DESC) = 1) n ON n.conflict = q.conflict"
        f" WHERE (q.status = '{ConflictStatus.OPEN}' AND n.statement IS DISTINCT FROM s.statement)"
        f" OR (q.status = '{ConflictStatus.UNDONE}' AND n.conflict IS NOT NULL"
        f" AND NOT {asked_later()})",
        {"undone": sorted(undone)},
    )
    _put_back(cursor, commit)


def _before_and_after(cursor: Connection, dataset: Dataset, undone: int) -> int:
    """Make the relations of the rows as they were before and after; how many were there."""
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
    row = cursor.execute(
        "SELECT greatest((SELECT count(*) FROM undo_before), (SELECT count(*) FROM undo_after))"
    ).fetchone()
    return int(row[0]) if row else 0
