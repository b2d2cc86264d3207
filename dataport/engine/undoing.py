"""Taking commits back, undos among them, as new commits (design section 9, merge.md A9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataport.core.errors import NotFoundError, StateError
from dataport.core.text import counted
from dataport.engine.as_of import oldest_readable
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import (
    CHANGE_NAMES,
    Author,
    Commit,
    CommitPart,
    next_commit,
    undo_links,
    undone_commits,
    write_commit,
)
from dataport.engine.merging.bases import undo_bases
from dataport.engine.merging.undo import also_sent, undo_conflicts, undo_rows, undo_traces
from dataport.engine.reference_checks import reference_notices
from dataport.engine.settling import settle_moot
from dataport.engine.store import Connection, Store


@dataclass(frozen=True)
class _Undone:
    """The commit to take back, seen as one of all that undo or redo one first change."""

    commit: int
    message: str
    undoes: int | None
    root: int
    """The commit at the beginning, which undoes none; the commit itself if that is so."""
    is_redo: bool
    """Whether the commit left what the root did in force, as the root itself does."""


def undo(
    store: Store,
    datasets: Mapping[str, Dataset],
    undone: int,
    author: Author,
    message: str = "",
    *,
    is_dry: bool = False,
) -> dict[str, Any]:
    """Take back a commit as a new one; later edits survive, real clashes become conflicts.

    A dry run does the very same and rolls it back: its counts are those of the undo itself,
    and its `commit` is None. `notices` tell of rows that are deleted although another source
    sends them too, and of references that lead nowhere by it. Raises NotFoundError for an unknown
    commit, StateError when what it did is taken back already, or what was before it was dropped.
    """
    with store.trying() if is_dry else store.writing() as cursor:
        found = _find(cursor, undone)
        _refuse_pruned(cursor, undone)
        _refuse_twice(cursor, found)
        commit = next_commit(cursor)
        reopened = undo_conflicts(cursor, undone, commit)
        parts, notices = _undo_datasets(cursor, datasets, found, commit)
        notices += [
            text
            for part in parts
            for text in reference_notices(cursor, datasets, part.dataset, commit)
        ]
        undo_traces(cursor, found.root, commit if found.is_redo else None)
        text = message or _message(found)
        write_commit(cursor, Commit(commit, "undo", author, text, tuple(parts), undoes=undone))
    total = {name: sum(part.changes[name] for part in parts) for name in CHANGE_NAMES}
    return {
        "commit": None if is_dry else commit,
        "undoes": undone,
        "dry_run": is_dry,
        "changes": total,
        "conflicts": total["conflicts"],
        "reopened": reopened,
        "notices": notices,
    }


def _undo_datasets(
    cursor: Connection, datasets: Mapping[str, Dataset], found: _Undone, commit: int
) -> tuple[list[CommitPart], list[str]]:
    """Take back what the commit did to each dataset; what to tell of what it deletes."""
    names = cursor.execute(
        'SELECT DISTINCT dataset FROM store.commit_parts WHERE "commit" = ? ORDER BY 1',
        [found.commit],
    ).fetchall()
    parts, notices = [], []
    for (name,) in names:
        dataset = find_dataset(datasets, name)
        changes = _undo_dataset(cursor, dataset, found, commit)
        if changes["deleted"]:
            notices += _also_sent(cursor, dataset, commit)
        parts.append(CommitPart(name, changes=changes))
    return parts, notices


def _undo_dataset(
    cursor: Connection, dataset: Dataset, found: _Undone, commit: int
) -> dict[str, int]:
    plan = undo_rows(cursor, dataset, found.commit, commit)
    undo_bases(cursor, dataset, found.commit, commit, found.root, is_back=not found.is_redo)
    settle_moot(cursor, dataset, commit)
    return plan.changes()


def _also_sent(cursor: Connection, dataset: Dataset, commit: int) -> list[str]:
    """A sentence for each source that still sends rows which the undo deleted."""
    notices = []
    for source, rows in also_sent(cursor, dataset, commit).items():
        verb, them, they = ("is", "it", "it stays") if rows == 1 else ("are", "them", "they stay")
        notices.append(
            f"{counted(rows, 'row')} of {dataset.name} {verb} deleted although {source} sends"
            f" {them} too: {they} deleted when {source} sends {them} again as before."
        )
    return notices


def undo_resolution(
    store: Store, datasets: Mapping[str, Dataset], author: Author, message: str = ""
) -> dict[str, Any]:
    """Take back the newest resolution that still stands. Raises StateError if there is none."""
    with store.reading() as cursor:
        row = cursor.execute(
            "SELECT max(c.\"commit\") FROM store.commits c WHERE c.kind = 'resolve'"
            f' AND NOT list_contains($undone, c."commit") AND {_DECIDES}',
            {"undone": sorted(undone_commits(cursor))},
        ).fetchone()
    if row is None or row[0] is None:
        raise StateError("nothing-to-undo", "There is no resolution to take back.")
    return undo(store, datasets, int(row[0]), author, message)


_DECIDES = (
    "EXISTS (SELECT 1 FROM store.conflicts q WHERE q.status = 'resolved'"
    ' AND (q._commit = c."commit" OR q.conflict IN (SELECT v.conflict FROM'
    " store.conflict_versions v WHERE v._commit = c.\"commit\" AND v.status = 'resolved')))"
)
"""SQL over `c`: not all that the commit decided was opened again one by one."""


def _find(cursor: Connection, commit: int) -> _Undone:
    row = cursor.execute(
        'SELECT message, undoes FROM store.commits WHERE "commit" = ?', [commit]
    ).fetchone()
    if row is None:
        raise NotFoundError(
            "unknown-commit", f"There is no commit {commit}.", hint="List them: dataport log."
        )
    links, root, steps = undo_links(cursor), commit, 0
    while root in links:
        root, steps = links[root], steps + 1
    return _Undone(commit, row[0], row[1], root, is_redo=steps % 2 == 0)


def _refuse_pruned(cursor: Connection, commit: int) -> None:
    """Raise StateError if what was before the commit was dropped."""
    oldest = oldest_readable(cursor)
    if 0 < commit <= oldest:
        raise StateError(
            "history-pruned",
            f"Commit {commit} can no longer be undone.",
            f"Versions from before commit {oldest} were dropped.",
            f"The oldest commit still readable is {oldest}; those after it can be undone.",
        )


def _refuse_twice(cursor: Connection, found: _Undone) -> None:
    """Raise StateError if the commit stands undone, or its root by another undo than of it."""
    undone = undone_commits(cursor)
    taken_back = found.commit if found.commit in undone else found.root
    if taken_back not in undone or not (found.is_redo or taken_back == found.commit):
        return
    number = next(
        by for by, of in undo_links(cursor).items() if of == taken_back and by not in undone
    )
    raise StateError(
        "already-undone",
        f"Commit {found.commit} is undone already, by commit {number}.",
        hint=f"To bring it back, undo that one: dataport undo {number}.",
    )


def _message(found: _Undone) -> str:
    what = found.message if found.undoes is None else f"the undo of commit {found.undoes}"
    return f"Undo commit {found.commit} ({what})"
