"""The versions of one record, and the commits that made them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataport.engine.as_of import oldest_readable
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import tables_of
from dataport.engine.sql import ident, idents, literal, row_document, rows_table, versions_table
from dataport.engine.store import Connection
from dataport.engine.table_lines import ONE_TABLE


@dataclass(frozen=True)
class Version:
    """A record as it was from `commit` until `until`, which is None while it stands."""

    commit: int
    until: int | None
    line: int | None
    """Line of the file that the row came from; only an import's own is that of its file."""
    inside: str | None
    """The table of that file which the line is one of, where it holds several."""
    file: str | None
    """The file that made the row a stub by referring to it; None for any other row."""
    values: dict[str, Any]
    is_new: bool
    """There was no record right before: it was inserted, not updated."""
    changed: frozenset[str]
    """Fields that differ from the version right before; all of them if there was none."""

    def place(self, file: str | None) -> str | None:
        """What of `file`, that of its commit, the row came from: see JobPart.place."""
        if self.file is not None or file is None or self.inside is None:
            return self.file or file
        return f"{file}::{self.inside}"


@dataclass(frozen=True)
class Change:
    """A commit, and what it did to one dataset."""

    commit: int
    time: datetime
    actor: str
    kind: str
    message: str
    job: int | None
    undoes: int | None
    source: str | None
    file: str | None
    updated: int


def record_versions(cursor: Connection, dataset: Dataset, key: str) -> list[Version]:
    """Every version of one record that is kept, oldest first; none if there is none.

    Versions that ended at the oldest readable commit or before are passed over: some are still
    there as bases, others not.
    """
    names = dataset.field_names
    columns = f"_key, _commit, _line, {idents(names)}"
    new = "lag(v._until) OVER (ORDER BY v._commit) IS DISTINCT FROM v._commit"
    changed = ", ".join(
        f"CASE WHEN lag(v.{ident(name)}) OVER (ORDER BY v._commit)"
        f" IS DISTINCT FROM v.{ident(name)} THEN {literal(name)} END"
        for name in names
    )
    rows = cursor.execute(
        f"WITH v AS (SELECT {columns}, NULL AS _until FROM {rows_table(dataset.name)}"
        f" WHERE _key = $key UNION ALL SELECT {columns}, _until"
        f" FROM {versions_table(dataset.name)} WHERE _key = $key AND _until > $oldest)"
        " SELECT v._commit, v._until, v._line, (SELECT any_value(s.file) FROM store.stubs s"
        ' WHERE s."commit" = v._commit AND s.dataset = $dataset AND s.key = $key),'
        f" CAST({row_document(dataset.fields, 'v.')} AS VARCHAR),"
        f" {new}, [{changed}] FROM v ORDER BY v._commit",
        {"key": key, "dataset": dataset.name, "oldest": oldest_readable(cursor)},
    ).fetchall()
    tables = tables_of(cursor, dataset.name, (row[0] for row in rows))
    return [
        Version(
            commit=commit,
            until=until,
            line=place[0],
            inside=place[1],
            file=file,
            values=json.loads(values),
            is_new=is_new,
            changed=frozenset(names if is_new else (name for name in differing if name)),
        )
        for commit, until, line, file, values, is_new, differing in rows
        for place in [tables.get(commit, ONE_TABLE).place(line)]
    ]


def is_boundary(first: Version, changes: Mapping[int, Change], oldest: int) -> bool:
    """Whether versions before the first that is kept may have been dropped.

    A commit that updated no row inserted it.
    """
    return first.commit <= oldest and changes[first.commit].updated > 0


def changes_by_commit(
    cursor: Connection, dataset: Dataset, commits: Iterable[int]
) -> dict[int, Change]:
    """Those of `commits` that there are, and what each did to `dataset`."""
    rows = cursor.execute(
        'SELECT c."commit", c.time, c.actor, c.kind, c.message, c.job, c.undoes,'
        " any_value(p.source), any_value(p.file), coalesce(sum(p.updated), 0)"
        ' FROM store.commits c LEFT JOIN store.commit_parts p ON p."commit" = c."commit"'
        ' AND p.dataset = $dataset WHERE c."commit" IN (SELECT unnest($commits::BIGINT[]))'
        " GROUP BY ALL",
        {"dataset": dataset.name, "commits": sorted(set(commits))},
    ).fetchall()
    return {row[0]: Change(*row) for row in rows}
