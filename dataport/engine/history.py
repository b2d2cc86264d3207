"""What was, and who made it so: the log and a record's versions."""

from __future__ import annotations

import json
from typing import Any

from dataport.core.clock import iso
from dataport.core.errors import NotFoundError
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import CHANGE_NAMES
from dataport.engine.sql import (
    idents,
    row_document,
    rows_table,
    versions_table,
)
from dataport.engine.store import Connection


def log(
    cursor: Connection, dataset: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Commits newest first, as `log` documents."""
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in CHANGE_NAMES)
    rows = cursor.execute(
        'SELECT c."commit", c.time, c.actor, c.source, c.job, c.message, c.kind, c.origin,'
        f" c.undoes, c.uid, list(p.dataset ORDER BY p.dataset), any_value(p.file), {sums}"
        ' FROM store.commits c LEFT JOIN store.commit_parts p ON p."commit" = c."commit"'
        ' WHERE $dataset IS NULL OR c."commit" IN'
        ' (SELECT "commit" FROM store.commit_parts WHERE dataset = $dataset)'
        ' GROUP BY ALL ORDER BY c."commit" DESC'
        f" {f'LIMIT {int(limit)}' if limit is not None else ''}",
        {"dataset": dataset},
    ).fetchall()
    return [_log_item(row) for row in rows]


def _log_item(row: tuple[Any, ...]) -> dict[str, Any]:
    commit, time, actor, source, job, message, kind, origin, undoes, uid, datasets, file = row[:12]
    return {
        "commit": commit,
        "time": iso(time),
        "actor": actor,
        "source": source,
        "job": job,
        "message": message,
        "changes": {
            name: int(value or 0) for name, value in zip(CHANGE_NAMES, row[12:], strict=True)
        },
        "kind": kind,
        "origin": origin,
        "undoes": undoes,
        "uid": uid,
        "datasets": [name for name in datasets if name],
        "file": file,
    }


def record_history(cursor: Connection, dataset: Dataset, key: str) -> list[dict[str, Any]]:
    """Versions of one record, newest first. Raises NotFoundError if there never was one."""
    document = row_document(dataset.fields, "v.")
    columns = f"_key, _commit, _line, {idents(dataset.field_names)}"
    rows = cursor.execute(
        f"WITH v AS (SELECT {columns}, NULL AS _until FROM {rows_table(dataset.name)}"
        f" WHERE _key = $key UNION ALL SELECT {columns}, _until"
        f" FROM {versions_table(dataset.name)} WHERE _key = $key)"
        f" SELECT v._commit, v._until, v._line, CAST({document} AS VARCHAR) FROM v"
        " ORDER BY v._commit",
        {"key": key},
    ).fetchall()
    if not rows:
        raise NotFoundError(
            "unknown-record",
            f"{dataset.name} has no record with key {key!r}, and never had.",
            hint=f"List keys with: dataport rows {dataset.name} --fields "
            + ",".join(dataset.primary_key),
        )
    commits = {item["commit"]: item for item in log(cursor, dataset.name)}
    items = []
    ended: int | None = None
    for position, (commit, until, line, values) in enumerate(rows):
        operation = "update" if ended == commit else "insert"
        items.append(_history_item(commits, commit, operation, line, json.loads(values)))
        following = rows[position + 1][0] if position + 1 < len(rows) else None
        if until is not None and until != following:
            items.append(_history_item(commits, until, "delete", None, None))
        ended = until
    return items[::-1]


def _history_item(
    commits: dict[int, dict[str, Any]],
    commit: int,
    operation: str,
    line: int | None,
    values: dict[str, Any] | None,
) -> dict[str, Any]:
    entry = commits.get(commit, {})
    return {
        "commit": commit,
        "time": entry.get("time"),
        "actor": entry.get("actor"),
        "source": entry.get("source"),
        "operation": operation,
        "values": values,
        "file": entry.get("file"),
        "line": line,
        "message": entry.get("message"),
    }
