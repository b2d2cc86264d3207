"""Dropping earlier versions: the oldest commit that can be read moves up, and stays said.

What was before the oldest readable commit can't be read, compared or undone any more. Present
rows, what the sources sent last, the conflict queue, the log and the audit trail stay whole. A
version that a source's base is still read from stays too, unseen (see `merging.bases`): as-of
and history pass it over. Dropping changes no row, so it is no commit, which could be undone; it
leaves a line in the audit trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataport.core.clock import iso, naive_utc, now
from dataport.core.errors import UsageError
from dataport.core.keep import Keep, parse_keep
from dataport.core.moments import read_moment
from dataport.engine.as_of import OLDEST, existing_commit, oldest_readable
from dataport.engine.commits import Author, head, write_audit
from dataport.engine.sql import base_versions_table, bases_table, literal, versions_table
from dataport.engine.store import Connection, Store, count_rows

KEPT = "prune_kept"
"""Versions that are dropped by age but still a base: `_key` and `_commit`."""


@dataclass(frozen=True)
class Cut:
    """What is to be kept: either some of the newest past, or all since a commit or a moment."""

    keep: str | None = None
    before: str | None = None

    def parsed(self) -> Keep:
        """`keep`, understood. Raises UsageError."""
        try:
            return parse_keep(self.keep or "all")
        except ValueError as error:
            raise UsageError("wrong-keep", f"{error}.") from error


def prune(
    store: Store, cut: Cut, author: Author, zone: str, *, is_dry: bool = False
) -> dict[str, Any]:
    """Drop the versions that `cut` leaves out; what it came to, or would, as a document.

    Raises UsageError when `cut` makes no sense, NotFoundError for a commit that does not exist.
    """
    with store.reading() if is_dry else store.writing() as cursor:
        was = oldest_readable(cursor)
        oldest = max(was, _oldest_to_keep(cursor, cut, zone))
        items = [_dataset(cursor, name, oldest, is_dry=is_dry) for name in _dataset_names(cursor)]
        removed = sum(item["versions"] + item["bases"] for item in items)
        if not is_dry and oldest > was:
            _remember(cursor, oldest)
            write_audit(
                cursor,
                author,
                "delete",
                "history_prune",
                records=removed,
                datasets=[item["dataset"] for item in items if item["versions"]],
                metadata={"oldest": oldest, "was": was, "keep": cut.keep, "before": cut.before},
            )
        return {
            "oldest": oldest,
            "oldest_time": iso(_time_of(cursor, oldest)),
            "was": was,
            "newest": head(cursor),
            "dry_run": is_dry,
            "removed": removed,
            "items": [item for item in items if any(list(item.values())[1:])],
        }


def _oldest_to_keep(cursor: Connection, cut: Cut, zone: str) -> int:
    if cut.before is not None and cut.keep is not None:
        raise UsageError(
            "keep-or-before", "Say either how much to keep or what to drop.", hint="Not both."
        )
    if cut.before is not None:
        if cut.before.isascii() and cut.before.isdigit():
            return existing_commit(cursor, cut.before)
        return _commit_at(cursor, _start_of(cut.before, zone))
    keep = cut.parsed()
    if keep.commits is not None:
        return max(0, head(cursor) - keep.commits)
    return 0 if keep.span is None else _commit_at(cursor, naive_utc(now() - keep.span))


def _start_of(text: str, zone: str) -> datetime:
    try:
        return read_moment(text, zone)[0]
    except ValueError as error:
        raise UsageError(
            "wrong-before",
            f"{text!r} is neither a commit nor a time.",
            hint="Write a commit number, or a time such as 2026-01-31 or 2026-01-31T17:00:00Z.",
        ) from error


def _commit_at(cursor: Connection, moment: datetime) -> int:
    """The commit that was the newest at a moment of naive UTC; 0 before the first."""
    row = cursor.execute(
        'SELECT coalesce(max("commit"), 0) FROM store.commits WHERE time <= ?', [moment]
    ).fetchone()
    return int(row[0]) if row else 0


def _time_of(cursor: Connection, commit: int) -> datetime | None:
    row = cursor.execute('SELECT time FROM store.commits WHERE "commit" = ?', [commit]).fetchone()
    return row[0] if row else None


def _dataset_names(cursor: Connection) -> list[str]:
    """Every dataset that has tables, whether it is still defined or not."""
    rows = cursor.execute("SELECT name FROM store.datasets ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def _dataset(cursor: Connection, name: str, oldest: int, *, is_dry: bool) -> dict[str, Any]:
    """Drop, or only count, what ended at `oldest` or before."""
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {KEPT} AS {_still_bases(name, oldest)}")
    old = f"_until <= {oldest} AND NOT EXISTS (SELECT 1 FROM {KEPT} k"
    old += " WHERE k._key = v._key AND k._commit = v._commit)"
    versions, bases = versions_table(name), base_versions_table(name)
    found = {
        "dataset": name,
        "versions": count_rows(cursor, f"{versions} v WHERE {old}"),
        "bases": count_rows(cursor, f"{bases} WHERE _until <= {oldest}"),
        "still_bases": count_rows(cursor, KEPT),
    }
    if not is_dry:
        if found["versions"]:
            cursor.execute(f"DELETE FROM {versions} v WHERE {old}")
        if found["bases"]:
            cursor.execute(f"DELETE FROM {bases} WHERE _until <= {oldest}")
    cursor.execute(f"DROP TABLE {KEPT}")
    return found


def _still_bases(name: str, oldest: int) -> str:
    """Old versions that an insertion left as a base, and that may be one at `oldest` or later.

    An insertion that was undone at `oldest` or before can't come back. A source whose base has
    been a moved one at every commit since `oldest` does not go back to the row it inserted.
    """
    columns = "_source, _key, _commit"
    records = (
        f"SELECT {columns}, NULL AS _until FROM {bases_table(name)} UNION ALL"
        f" SELECT {columns}, _until FROM {base_versions_table(name)} WHERE _until > {oldest}"
    )
    moved = (
        "SELECT _source, _key FROM (SELECT *, lead(_commit) OVER"
        f" (PARTITION BY _source, _key ORDER BY _commit) AS _next FROM ({records}))"
        f" GROUP BY ALL HAVING min(_commit) <= {oldest}"
        " AND bool_and(_until IS NOT DISTINCT FROM _next)"
    )
    return (
        f"SELECT DISTINCT v._key, v._commit FROM {versions_table(name)} v"
        f' JOIN store.insertions i ON i."commit" = v._commit AND i.dataset = {literal(name)}'
        f" AND (i.until IS NULL OR i.until > {oldest})"
        f" ANTI JOIN ({moved}) m ON m._source = i.source AND m._key = v._key"
        f" WHERE v._until <= {oldest}"
    )


def _remember(cursor: Connection, oldest: int) -> None:
    cursor.execute("DELETE FROM store.meta WHERE name = ?", [OLDEST])
    cursor.execute("INSERT INTO store.meta VALUES (?, ?)", [OLDEST, str(oldest)])
