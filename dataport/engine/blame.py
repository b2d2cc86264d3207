"""Who or what last set each value of a record, and from where it came (design section 9).

The setter of a field is the earliest commit since which its value has been the present one
without interruption: a deletion interrupts, an update of other fields does not. That commit
says when and by whom; where the value itself comes from is asked further back when the commit
only chose it:

- an import's value comes from its file and line;
- a person's edit comes from no file;
- a decision that took the file's value, or what was sent last, has the value from that file;
- an undo, also of one decision of many, has it from wherever the value it brought back came from.

Where earlier versions were dropped, a value that was there before may be older than the oldest
version says: it is marked as standing at the boundary, and comes from nowhere that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dataport.core.clock import iso
from dataport.core.errors import NotFoundError
from dataport.core.words import ConflictStatus, Take
from dataport.engine.as_of import oldest_readable
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.units import SIGN
from dataport.engine.history import never_had
from dataport.engine.store import Connection
from dataport.engine.versions import (
    Change,
    Version,
    changes_by_commit,
    is_boundary,
    record_versions,
)


@dataclass(frozen=True)
class Origin:
    """Where a value comes from; no source and file for one that a person wrote."""

    commit: int | None = None
    """The commit through which it came into the store; None where that is not known any more."""
    source: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class _Decision:
    """A conflict about a value of the record, and the commit that settled it."""

    settled_by: int
    field: str | None
    """A field, several joined by +, or None for the whole row."""
    take: str
    asked_by: int
    """The commit whose value was asked about; for an import, the one of its job."""
    source: str | None
    """None where an undo had asked."""
    file: str | None
    line: int | None

    def is_about(self, field: str) -> bool:
        return self.field is None or field in self.field.split(SIGN)


def blame(cursor: Connection, dataset: Dataset, key: str) -> list[dict[str, Any]]:
    """One item a field, in the dataset's order. Raises NotFoundError if there is no such record."""
    versions = record_versions(cursor, dataset, key)
    if not versions or versions[-1].until is not None:
        raise _no_record(dataset, key, versions, oldest_readable(cursor))
    decisions = _decisions(cursor, dataset, key)
    asking = [decision.asked_by for decision in decisions]
    numbers = [version.commit for version in versions] + asking
    changes = changes_by_commit(cursor, dataset, numbers)
    life = _Life(versions, changes, decisions, oldest_readable(cursor))
    return [life.item(field.name) for field in dataset.fields]


def _no_record(
    dataset: Dataset, key: str, versions: Sequence[Version], oldest: int
) -> NotFoundError:
    if versions:
        return NotFoundError(
            "record-deleted",
            f"{dataset.name} has no record with key {key!r} any more.",
            f"Commit {versions[-1].until} deleted it.",
            f"See what it was: dataport history {dataset.name} {key}.",
        )
    return never_had(dataset, key, oldest)


def _decisions(cursor: Connection, dataset: Dataset, key: str) -> list[_Decision]:
    """Every conflict about the record that somebody settled, undone decisions too.

    Of several about one value the newest stands first: its side was taken.
    """
    columns = "conflict, _commit, field, resolution, job, source, file, line"
    rows = cursor.execute(
        f"WITH said AS (SELECT {columns}, status FROM store.conflicts"
        f" WHERE dataset = $dataset AND key = $key UNION ALL SELECT {columns}, status"
        " FROM store.conflict_versions WHERE dataset = $dataset AND key = $key)"
        " SELECT s._commit, s.field, s.resolution,"
        ' coalesce(c."commit", (SELECT min(f._commit) FROM said f WHERE f.conflict = s.conflict)),'
        " s.source, s.file, s.line"
        " FROM said s LEFT JOIN store.commits c ON c.kind = 'import' AND c.job = s.job"
        f" WHERE s.status = '{ConflictStatus.RESOLVED}' ORDER BY s.conflict DESC",
        {"dataset": dataset.name, "key": key},
    ).fetchall()
    return [_Decision(*row) for row in rows]


class _Life:
    """One record from its first version to the present one, and what the commits were."""

    def __init__(
        self,
        versions: Sequence[Version],
        changes: dict[int, Change],
        decisions: Iterable[_Decision],
        oldest: int,
    ) -> None:
        self._versions = versions
        self._oldest = oldest
        self._changes = changes
        self._decisions = list(decisions)
        self._ended = {version.until: at for at, version in enumerate(versions)}

    def item(self, field: str) -> dict[str, Any]:
        """The `blame` item of one field."""
        at = self._setter(field, len(self._versions) - 1)
        change = self._changes[self._versions[at].commit]
        origin = self._origin(field, at)
        return {
            "field": field,
            "value": self._versions[-1].values[field],
            "commit": change.commit,
            "time": iso(change.time),
            "actor": change.actor,
            "source": origin.source,
            "file": origin.file,
            "line": origin.line,
            "kind": change.kind,
            "message": change.message,
            "from_commit": origin.commit,
            "boundary": self._is_boundary(at),
        }

    def _setter(self, field: str, at: int) -> int:
        """The version at or before `at` whose commit set the value that `at` has."""
        while field not in self._versions[at].changed:
            at -= 1
        return at

    def _is_boundary(self, at: int) -> bool:
        return at == 0 and is_boundary(self._versions[0], self._changes, self._oldest)

    def _origin(self, field: str, at: int) -> Origin:
        """Where the value comes from that the commit of version `at` set."""
        version = self._versions[at]
        change = self._changes[version.commit]
        if self._is_boundary(at):
            return Origin()
        if change.file is not None:
            return Origin(change.commit, change.source, version.place(change.file), version.line)
        if change.undoes is not None:
            return self._brought_back(field, at, change.undoes)
        if change.kind == "reopen":
            return self._as_before(field, at) or Origin(change.commit)
        for decision in self._decisions:
            if decision.settled_by == change.commit and decision.is_about(field):
                return self._decided(field, at, decision)
        return Origin(change.commit)

    def _brought_back(self, field: str, at: int, undone: int) -> Origin:
        """The value as it was before commit `undone`; an undo may also make one that never was."""
        earlier = self._ended.get(undone)
        if earlier is not None and self._has_value(field, earlier, at):
            return self._origin(field, self._setter(field, earlier))
        return Origin(self._versions[at].commit if undone > self._oldest else None)

    def _decided(self, field: str, at: int, decision: _Decision) -> Origin:
        asked = self._changes.get(decision.asked_by)
        if decision.take == Take.THEIRS and decision.source is not None:
            return Origin(decision.asked_by, decision.source, decision.file, decision.line)
        if decision.take == Take.THEIRS and asked is not None and asked.undoes is not None:
            return self._brought_back(field, at, asked.undoes)
        if decision.take == Take.BASE:
            return self._as_before(field, at) or Origin(None, decision.source)
        return Origin(decision.settled_by)

    def _as_before(self, field: str, at: int) -> Origin | None:
        """Where the value came from when the record had it last; None if it never had."""
        for earlier in range(at - 1, -1, -1):
            if self._has_value(field, earlier, at):
                return self._origin(field, self._setter(field, earlier))
        return None

    def _has_value(self, field: str, earlier: int, at: int) -> bool:
        return bool(self._versions[earlier].values[field] == self._versions[at].values[field])
