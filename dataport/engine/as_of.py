"""The store as of a commit or a time: which commit is meant, and the rows as they were then."""

from __future__ import annotations

from dataport.core.errors import NotFoundError, UsageError
from dataport.core.moments import read_moment
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import head
from dataport.engine.sql import idents, literal, rows_table, versions_table
from dataport.engine.store import Connection


def commit_as_of(cursor: Connection, text: str, zone: str) -> int:
    """The newest commit at or before a commit number or a moment; 0 is before the first one.

    A moment counts to its end, so that a day includes its commits and the time that the log
    shows of a commit includes that commit; without a zone of its own it is read in `zone`.
    Raises UsageError when `text` is neither, NotFoundError for a commit that does not exist.
    """
    if text.isascii() and text.isdigit():
        return _existing(cursor, int(text), text)
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
    return int(row[0]) if row else 0


def _existing(cursor: Connection, number: int, text: str) -> int:
    newest = head(cursor)
    if number > newest:
        raise NotFoundError(
            "unknown-commit",
            f"There is no commit {text}.",
            f"The newest is {newest}." if newest else "There are no commits yet.",
            "List them: dataport log. A day is written like 2026-01-31.",
        )
    return number


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
