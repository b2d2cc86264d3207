"""What was, and who made it so: the log and a record's versions."""

from __future__ import annotations

from typing import Any

from dataport.core.clock import iso
from dataport.core.errors import NotFoundError
from dataport.core.words import Operation
from dataport.engine.as_of import oldest_readable
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import CHANGE_NAMES
from dataport.engine.store import Connection
from dataport.engine.versions import (
    Change,
    Version,
    changes_by_commit,
    is_boundary,
    record_versions,
)


def log(
    cursor: Connection, dataset: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Commits newest first, as `log` documents."""
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in CHANGE_NAMES)
    rows = cursor.execute(
        'SELECT c."commit", c.time, c.actor, c.source, c.job, c.message, c.kind, c.origin,'
        f" c.undoes, c.uid, list(p.dataset ORDER BY p.dataset), {_ONLY_FILE}, {sums}"
        ' FROM store.commits c LEFT JOIN store.commit_parts p ON p."commit" = c."commit"'
        ' WHERE $dataset IS NULL OR c."commit" IN'
        ' (SELECT "commit" FROM store.commit_parts WHERE dataset = $dataset)'
        ' GROUP BY ALL ORDER BY c."commit" DESC'
        f" {f'LIMIT {int(limit)}' if limit is not None else ''}",
        {"dataset": dataset},
    ).fetchall()
    return [_log_item(row) for row in rows]


_ONLY_FILE = "CASE WHEN count(DISTINCT p.file) = 1 THEN any_value(p.file) END"
"""Nothing for a commit of several files: the parts of its job name them."""


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
    """Versions of one record, newest first. Raises NotFoundError if none is kept.

    The last item has `boundary` true where earlier versions were dropped.
    """
    versions, oldest = record_versions(cursor, dataset, key), oldest_readable(cursor)
    if not versions:
        raise never_had(dataset, key, oldest)
    numbers = [number for v in versions for number in (v.commit, v.until) if number is not None]
    changes = changes_by_commit(cursor, dataset, numbers)
    items: list[dict[str, Any]] = []
    for version, following in zip(versions, [*versions[1:], None], strict=True):
        at_boundary = not items and is_boundary(version, changes, oldest)
        is_insert = version.is_new and not at_boundary
        operation = Operation.INSERT if is_insert else Operation.UPDATE
        item = _item(changes[version.commit], operation, version)
        items.append({**item, "boundary": at_boundary})
        if version.until is not None and (following is None or following.is_new):
            item = _item(changes[version.until], Operation.DELETE, None)
            items.append({**item, "boundary": False})
    return items[::-1]


def _item(change: Change, operation: Operation, version: Version | None) -> dict[str, Any]:
    return {
        "commit": change.commit,
        "time": iso(change.time),
        "actor": change.actor,
        "source": change.source,
        "operation": str(operation),
        "values": version.values if version else None,
        "kind": change.kind,
        "file": version.place(change.file) if version else change.file,
        "line": version.line if version and change.file else None,
        "message": change.message,
    }


def never_had(dataset: Dataset, key: str, oldest: int) -> NotFoundError:
    """The error for a record that is in no version of the dataset since commit `oldest`."""
    since = f"had none since commit {oldest}" if oldest else "never had"
    return NotFoundError(
        "unknown-record",
        f"{dataset.name} has no record with key {key!r}, and {since}.",
        hint=f"List keys with: dataport rows {dataset.name} --fields "
        + ",".join(dataset.primary_key),
    )
