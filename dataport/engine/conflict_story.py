"""What became of a conflict: why it is closed, and what it said at which time (merge.md 5.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dataport.core.clock import iso
from dataport.core.words import ASKED_LATER, DELETED, DROPPED, ConflictKind, ConflictStatus, Take
from dataport.engine.store import Connection

_TAKEN = {
    Take.OURS: "the store's value",
    Take.THEIRS: "the file's value",
    Take.BASE: "what was sent last",
}

_VERSION = (
    "v._commit, v.status, v.base, v.ours, v.theirs, v.resolution, v.job, v.file, v.line,"
    " c.time, c.kind, c.actor, c.source, c.message"
)


def explain(cursor: Connection, items: list[dict[str, Any]]) -> None:
    """Add to each item `closed_by`, the commit that closed it, and the `reason` as a sentence.

    Both are None while a conflict is open.
    """
    for item in items:
        item["closed_by"] = item["reason"] = None
    closed = {item["id"]: item for item in items if item["status"] != ConflictStatus.OPEN}
    rows = cursor.execute(
        'SELECT q.conflict, c."commit", c.kind, c.actor, c.source FROM store.conflicts q'
        ' JOIN store.commits c ON c."commit" = q._commit'
        " WHERE q.conflict IN (SELECT unnest(?::BIGINT[]))",
        [list(closed)],
    ).fetchall()
    for number, commit, kind, actor, source in rows:
        item = closed[number]
        item["closed_by"] = commit
        item["reason"] = _reason(item, {"kind": kind, "actor": actor, "source": source})


def history(cursor: Connection, conflict: int) -> list[dict[str, Any]]:
    """What a conflict said and how it stood, oldest first, each with the commit that made it so.

    Items: `{commit, time, status, base, ours, theirs, resolution, job, file, line, kind, actor,
    source, message}`; `ours` is the store's value of that moment.
    """
    rows = cursor.execute(
        f"SELECT {_VERSION} FROM (SELECT * EXCLUDE (_until) FROM store.conflict_versions"
        " WHERE conflict = $conflict UNION ALL BY NAME"
        " SELECT * FROM store.conflicts WHERE conflict = $conflict) v"
        ' LEFT JOIN store.commits c ON c."commit" = v._commit ORDER BY v._commit',
        {"conflict": conflict},
    ).fetchall()
    return [_version(row) for row in rows]


def _version(row: tuple[Any, ...]) -> dict[str, Any]:
    commit, status, base, ours, theirs, resolution, job, file, line = row[:9]
    time, kind, actor, source, message = row[9:]
    return {
        "commit": commit,
        "time": iso(time),
        "status": status,
        "base": _parsed(base),
        "ours": _parsed(ours),
        "theirs": _parsed(theirs),
        "resolution": resolution,
        "job": job,
        "file": file,
        "line": line,
        "kind": kind,
        "actor": actor,
        "source": source,
        "message": message,
    }


def _reason(item: Mapping[str, Any], commit: Mapping[str, Any]) -> str:
    """Why a closed conflict is closed; `commit` is the one that closed it."""
    status, source = item["status"], item["source"] or "the undo"
    if status == ConflictStatus.RESOLVED:
        taken = _TAKEN.get(item["resolution"], "a value of their own")
        return f"{commit['actor']} took {taken}."
    if item["resolution"] == ASKED_LATER:
        return f"A later conflict with {source} is about the same."
    if status == ConflictStatus.UNDONE:
        return "The change that raised it was undone."
    if item["resolution"] == DELETED:
        return "The record was deleted."
    if item["resolution"] == DROPPED:
        return f"{source} no longer sends the record."
    if status == ConflictStatus.SUPERSEDED:
        return "The record waits as a whole: what would become of it breaks a rule."
    is_its_own = commit["kind"] == "import" and commit["source"] == item["source"]
    if status == ConflictStatus.CONVERGED:
        if not is_its_own:
            return f"The store came to hold what {source} says."
        agrees = item["ours"] == item["theirs"]
        return f"{source} came to say what the store holds." if agrees else _BY_RULE
    return _withdrawal(item, source)


_BY_RULE = "A policy decided it."


def _withdrawal(item: Mapping[str, Any], source: str) -> str:
    if item["kind"] == ConflictKind.EDIT_DELETE:
        return f"{source} sends the record again."
    if item["kind"] == ConflictKind.INVALID_MERGE and item["theirs"] != item["base"]:
        return "The merged row breaks no rule any more."
    if item["kind"] == ConflictKind.DUPLICATE_KEY:
        return f"The rows of {source} no longer contradict each other."
    if item["theirs"] == item["base"]:
        return f"{source} went back to what it had sent before."
    return _BY_RULE


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
