"""Rows of one file that name one record and contradict each other (merge.md 5.2, `dup_key`).

Where the dataset asks about its duplicates none of them is merged: the record counts as present
but unstated, and one conflict about it shows what the rows say. It closes by itself when the
source comes to say one thing; a decision about the very same rows is final.
"""

from __future__ import annotations

from dataport.core.words import ConflictKind, ConflictStatus
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.relations import ANSWERED, BASE, OPEN, OURS
from dataport.engine.sql import row_document
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection
from dataport.engine.united import completed, contradict, together

DISPUTES = "plan_disputes"
"""The rows, each with the key of its record; there only where the dataset asks."""

GIVEN = "plan_given"
"""All rows of a file, with `_is_disputed` where staging saw them contradict each other."""

DISPUTED_KEYS = "plan_disputed_keys"
AGREED_KEYS = "plan_agreed_keys"
"""`_record` and `_key` of rows that contradict each other, and of all others."""

_AGREED = "plan_agreed"
_WHOLE = "plan_whole"

LINES = 100
"""Lines that a conflict names."""

ROWS = 10
"""Different rows that a conflict shows."""


def given_rows(cursor: Connection, merge: MergeInput) -> str:
    """The relation of the rows whose keys are to be found."""
    if not merge.asks:
        return merge.incoming
    parts = [f"SELECT *, false AS _is_disputed FROM {merge.incoming}"]
    inputs = [merge.incoming]
    if merge.disputed:
        parts.append(f"SELECT *, true AS _is_disputed FROM {merge.disputed}")
        inputs.append(merge.disputed)
    sql = " UNION ALL BY NAME ".join(parts)
    merge.runner.run(
        cursor, Step("put all rows together", Scope.ROW, sql, tuple(inputs), GIVEN, Kept.VIEW)
    )
    return GIVEN


def put_disputes_aside(cursor: Connection, merge: MergeInput, keys: str) -> tuple[str, int]:
    """Move the keys of rows that contradict each other from `keys` to `DISPUTED_KEYS`.

    Which rows have one key may show only now that they were compared with the store; returns
    the relation of all other keys, and how many disputed rows staging did not know of.
    """
    names = [field.name for field in merge.fields if field.name not in merge.dataset.primary_key]
    disputed = (
        f"SELECT _record, _key FROM {keys} WHERE _key IN"
        f" (SELECT k._key FROM {keys} k JOIN {GIVEN} t ON t._record = k._record"
        " WHERE k._key IS NOT NULL GROUP BY k._key"
        f" HAVING bool_or(t._is_disputed) OR {contradict(names, merge.partial)})"
    )
    others = f"SELECT k.* FROM {keys} k ANTI JOIN {DISPUTED_KEYS} d ON d._record = k._record"
    merge.runner.run(
        cursor,
        Step("find contradictions", Scope.GROUP, disputed, (keys, GIVEN), DISPUTED_KEYS),
        Step("put them aside", Scope.GROUP, others, (keys, DISPUTED_KEYS), AGREED_KEYS),
    )
    counted = (
        f"SELECT (SELECT count(*) FROM {DISPUTED_KEYS})"
        f" - (SELECT count(*) FROM {GIVEN} WHERE _is_disputed)"
    )
    found = merge.runner.totals(cursor, "count them", counted, (DISPUTED_KEYS, GIVEN))
    return AGREED_KEYS, int(found[0])


def unite_agreed(cursor: Connection, merge: MergeInput) -> str:
    """The relation of the rows to be merged, the first of a record with what all of them say.

    That is for records whose rows don't contradict each other, and state different fields.
    """
    if not merge.partial:
        return merge.incoming
    agreed = (
        f"SELECT min(k._record) AS _record, {together(merge.partial)} FROM {AGREED_KEYS} k"
        f" JOIN {GIVEN} t ON t._record = k._record WHERE k._key IS NOT NULL"
        " GROUP BY k._key HAVING count(*) > 1"
    )
    whole = completed(merge.incoming, _AGREED, "_record", merge.partial)
    merge.runner.run(
        cursor,
        Step("put together what rows say", Scope.GROUP, agreed, (AGREED_KEYS, GIVEN), _AGREED),
        Step("complete rows", Scope.GROUP, whole, (merge.incoming, _AGREED), _WHOLE, Kept.VIEW),
    )
    return _WHOLE


def dispute_conflicts(merge: MergeInput) -> str:
    """Conflicts that open, or that show other rows from now on, as rows of `plan_conflicts`."""
    base = [field for field in merge.dataset.fields if field.name in merge.base_fields]
    said = "json_extract({}.theirs, ['/count', '/rows'])"
    known = " AND o._key IS NULL" if merge.inserts_only else ""
    return (
        f"SELECT CASE WHEN q.status = '{ConflictStatus.OPEN}' THEN q.conflict END, d._key, NULL,"
        f" '{ConflictKind.DUPLICATE_KEY}',"
        f" CASE WHEN b._here THEN CAST({row_document(base, 'b.')} AS VARCHAR) END,"
        f" CASE WHEN o._here THEN CAST({row_document(merge.dataset.fields, 'o.')} AS VARCHAR) END,"
        f" d.theirs, d.line, '{ConflictStatus.OPEN}', true FROM ({_documents(merge)}) d"
        f" LEFT JOIN {BASE} b ON b._key = d._key LEFT JOIN {OURS} o ON o._key = d._key"
        f" LEFT JOIN {ANSWERED} q ON q.key = d._key"
        f" WHERE (q.status IS NULL OR {said.format('q')} IS DISTINCT FROM {said.format('d')}){known}"
    )


def settled_disputes(merge: MergeInput, incoming: str) -> str:
    """Open conflicts whose rows contradict each other no more, as rows of `plan_conflicts`.

    `incoming` is the relation of the rows that are merged.
    """
    told = f"SELECT _key FROM {incoming}"
    if merge.deletes and not merge.has_unknown_keys:
        # A file that is all its source has to say dropped what it does not mention.
        unsaid = [DISPUTES, *(each for each in (merge.present, merge.excluded) if each)]
        keys = " UNION ALL ".join(f"SELECT _key FROM {each}" for each in unsaid)
        told = f"SELECT _key FROM {OPEN} EXCEPT ({keys})"
    return (
        "SELECT q.conflict, q.key, q.field, q.kind, q.base, q.ours, q.theirs, q.line,"
        f" '{ConflictStatus.WITHDRAWN}', false FROM {OPEN} q"
        f" WHERE q.kind = '{ConflictKind.DUPLICATE_KEY}' AND q.key IN ({told})"
    )


def _documents(merge: MergeInput) -> str:
    """What each disputed key's rows say: `{count, lines, rows}`, the rows in no order of theirs."""
    row = f"CAST({row_document(merge.fields, 't.')} AS VARCHAR)"
    lines, told = "c.lines", merge.table_lines.told("line")
    if merge.table_lines:
        lines = f"list_transform(c.lines, lambda line: {told})"
    return (
        f"SELECT c._key, c.line, CAST(json_object('count', c.count, 'lines', {lines},"
        " 'rows', list_transform(r.rows, lambda text: CAST(text AS JSON))) AS VARCHAR) AS theirs"
        f" FROM (SELECT _key, count(*) AS count, min(_line) AS line, min(_line, {LINES}) AS lines"
        f" FROM {DISPUTES} GROUP BY _key) c"
        f" JOIN (SELECT _key, min(text, {ROWS}) AS rows"
        f" FROM (SELECT DISTINCT t._key, {row} AS text FROM {DISPUTES} t) GROUP BY _key) r"
        " ON r._key = c._key"
    )
