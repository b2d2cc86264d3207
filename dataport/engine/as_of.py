"""The store as of a commit or a time: which commit is meant, and the rows as they were then."""

from __future__ import annotations

from dataport.core.errors import NotFoundError, UsageError
from dataport.core.moments import read_moment
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import head
from dataport.engine.sql import idents, literal, rows_table, versions_table
from dataport.engine.store import Connection

OLDEST = "oldest_readable"
"""Name in `store.meta` of the oldest commit whose rows are all kept."""


def oldest_readable(cursor: Connection) -> int:
    """The oldest commit that can be read; 0 while nothing was dropped (see `retention`)."""
    row = cursor.execute("SELECT value FROM store.meta WHERE name = ?", [OLDEST]).fetchone()
    return int(row[0]) if row else 0


def check_readable(cursor: Connection, commit: int) -> int:
    """`commit`, if the rows of then are kept. Raises NotFoundError that names the oldest one."""
    oldest = oldest_readable(cursor)
    if commit < oldest:
        what = f"Commit {commit} can" if commit else "What was before the first commit can"
        raise NotFoundError(
            "history-pruned",
            f"{what} no longer be read.",
            f"Versions from before commit {oldest} were dropped.",
            f"The oldest commit still readable is {oldest}.",
        )
    return commit


def commit_as_of(cursor: Connection, text: str, zone: str) -> int:
    """The newest commit at or before a commit number or a moment; 0 is before the first one.

    A moment counts to its end, so that a day includes its commits and the time that the log
    shows of a commit includes that commit; without a zone of its own it is read in `zone`.
    Raises UsageError when `text` is neither, NotFoundError for a commit that does not exist or
    whose versions were dropped.
    """
    if text.isascii() and text.isdigit():
        return check_readable(cursor, existing_commit(cursor, text))
    try:
        _, last = read_moment(text, zone)
    except ValueError as error:
        raise UsageError(
            "wrong-as-of",
            f"{text!r} is neither a commit nor a time.",
            hint="Write a commit number, or a time such as 2026-01-31 or 2026-01-31T17:00:00Z.",
        ) from error
    row = cursor.execute(
        'SELECT coalesce(max("commit"), 0) FROM store.commits WHERE time <= ?', [last]
    ).fetchone()
    return check_readable(cursor, int(row[0]) if row else 0)


def existing_commit(cursor: Connection, text: str) -> int:
    """The commit of a number; 0 is before the first. Raises NotFoundError if there is none."""
    newest = head(cursor)
    if int(text) > newest:
        raise NotFoundError(
            "unknown-commit",
            f"There is no commit {text}.",
            f"The newest is {newest}." if newest else "There are no commits yet.",
            "List them: dataport log. A day is written like 2026-01-31.",
        )
    return int(text)


def rows_as_of(dataset: Dataset, commit: int | None) -> str:
    """A query for the dataset's rows at `commit`, or now."""
    columns = f"_key, _commit, _line, {idents(dataset.field_names)}"
    present = f"SELECT {columns} FROM {rows_table(dataset.name)}"
    if commit is None:
        return present
    return (
        f"{present} WHERE _commit <= {literal(commit)} UNION ALL SELECT {columns}"
        f" FROM {versions_table(dataset.name)}"
        f" WHERE _commit <= {literal(commit)} AND _until > {literal(commit)}"
    )
