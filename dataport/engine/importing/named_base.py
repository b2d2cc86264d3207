"""Files that are compared with the store as of a commit which the command names (`--base`).

Such a file is somebody's work on what the store was then, however it got out. It speaks for
itself, as an export that comes back does, but nothing is remembered of it: whenever it is
imported, its base is the store as of that commit, in the fields that it states.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataport.core.errors import UsageError
from dataport.core.settings import Settings
from dataport.core.words import Mode, OnMatch
from dataport.engine.as_of import commit_as_of, rows_as_of
from dataport.engine.catalog.model import Dataset
from dataport.engine.requests import NO_BASE, ImportRequest
from dataport.engine.sql import idents
from dataport.engine.store import Connection


@dataclass(frozen=True)
class NamedBase:
    """The store as of a commit, as far as a file speaks of it."""

    commit: int
    stated: tuple[str, ...]
    """Fields that the file states."""

    def base_query(self, dataset: Dataset) -> str:
        """As `merging.bases.base_query`."""
        return (
            f"SELECT _key, {idents(dataset.field_names)}, false AS _is_row"
            f" FROM ({rows_as_of(dataset, self.commit)})"
        )

    def base_fields(self, cursor: Connection, dataset: Dataset) -> tuple[str, ...]:
        """The fields that bases have values in."""
        del cursor
        return tuple(name for name in dataset.field_names if name in self.stated)


def settled_base(cursor: Connection, request: ImportRequest, settings: Settings) -> ImportRequest:
    """`request` with its base as a commit's number, so that a retry means the same.

    Raises UsageError for what is neither a commit nor a time, or a mode that asks for no base;
    NotFoundError for a commit that does not exist or can no longer be read.
    """
    if request.base is None or request.base == NO_BASE:
        return request
    if request.mode is not Mode.MERGE or request.on_match not in (OnMatch.MERGE, OnMatch.ASK):
        raise UsageError(
            "base-and-mode",
            f"A file with a base is merged; {request.mode} and on match {request.on_match} ask for none.",
            hint="Leave --mode and --on-match out, or --base.",
        )
    commit = commit_as_of(cursor, request.base, settings.timezone)
    return request.model_copy(update={"base": str(commit)})
