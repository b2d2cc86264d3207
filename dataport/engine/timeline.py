"""What was and how it came to be: the past of a home's datasets, to look at and to take back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dataport.core.settings import Settings
from dataport.engine import history, undoing
from dataport.engine.as_of import commit_as_of, oldest_readable
from dataport.engine.blame import blame
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.changes import normal_key
from dataport.engine.commits import Author, head
from dataport.engine.differences import (
    COUNTS,
    Span,
    changed_datasets,
    count_differences,
    difference_page,
)
from dataport.engine.retention import Cut, prune
from dataport.engine.store import Connection, Store

MOST_COUNTED = 100
"""Differences whose counts are remembered."""


class Timeline:
    """Commits and versions of one home."""

    def __init__(
        self,
        store: Store,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
    ) -> None:
        self._store = store
        self._settings = settings
        self._datasets = datasets
        self._counted: dict[tuple[Dataset, Span], dict[str, Any]] = {}

    def log(self, dataset: str | None, limit: int | None) -> dict[str, Any]:
        """Commits newest first, and the `oldest` that can still be read."""
        if dataset is not None:
            self._dataset(dataset)
        with self._store.reading() as cursor:
            items = history.log(cursor, dataset, limit)
            return {"items": items, "oldest": oldest_readable(cursor)}

    def record_history(self, name: str, key: str) -> list[dict[str, Any]]:
        """Versions of one record, newest first."""
        dataset = self._dataset(name)
        with self._store.reading() as cursor:
            return history.record_history(cursor, dataset, normal_key(dataset, key))

    def blame(self, name: str, key: str) -> list[dict[str, Any]]:
        """Who last set each value of one record, and from where."""
        dataset = self._dataset(name)
        with self._store.reading() as cursor:
            return blame(cursor, dataset, normal_key(dataset, key))

    def diff(
        self,
        before: str,
        after: str | None,
        *,
        dataset: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> str:
        """One page of what differs between two commits or times, as the text of a document.

        `after` None means now. The items of each dataset come in the order of their keys.
        """
        with self._store.reading() as cursor:
            span, datasets = self._span(cursor, before, after, dataset)
            counts = [self._count(cursor, each, span) for each in datasets]
            head = _sums(span, dataset, counts)
            items: list[str] = []
            for each, count in zip(datasets, counts, strict=True):
                found = sum(count[name] for name in COUNTS)
                if offset < found and len(items) < limit:
                    items += difference_page(cursor, each, span, limit - len(items), offset)
                offset = max(0, offset - found)
        return f'{json.dumps(head)[:-1]}, "items": [{",".join(items)}]}}'

    def diff_counts(
        self, before: str, after: str | None, dataset: str | None = None
    ) -> dict[str, Any]:
        """How much differs between two commits or times: an item a dataset."""
        with self._store.reading() as cursor:
            span, datasets = self._span(cursor, before, after, dataset)
            counts = [self._count(cursor, each, span) for each in datasets]
        changed = [count for count in counts if any(count[name] for name in COUNTS)]
        return {**_sums(span, dataset, counts), "items": changed}

    def _span(
        self, cursor: Connection, before: str, after: str | None, dataset: str | None
    ) -> tuple[Span, list[Dataset]]:
        """The commits that were named, and the datasets that may differ between them."""
        only = None if dataset is None else self._dataset(dataset).name
        zone = self._settings().timezone
        first = commit_as_of(cursor, before, zone)
        span = Span(first, head(cursor) if after is None else commit_as_of(cursor, after, zone))
        known = self._datasets()
        names = changed_datasets(cursor, span)
        return span, [known[name] for name in names if name in known and only in (None, name)]

    def _count(self, cursor: Connection, dataset: Dataset, span: Span) -> dict[str, Any]:
        """Commits don't change: what was counted for one page holds for the next."""
        found = self._counted.get((dataset, span))
        if found is None:
            found = count_differences(cursor, dataset, span)
            if len(self._counted) >= MOST_COUNTED:
                self._counted.clear()
            self._counted[dataset, span] = found
        return found

    def undo(
        self, commit: int, author: Author, message: str = "", *, is_dry: bool = False
    ) -> dict[str, Any]:
        """Take back a commit as a new one, or find out what that would do."""
        return undoing.undo(self._store, self._datasets(), commit, author, message, is_dry=is_dry)

    def prune(self, cut: Cut, author: Author, *, is_dry: bool = False) -> dict[str, Any]:
        """Drop earlier versions, as `cut` says or else the settings."""
        settings = self._settings()
        if cut.keep is None and cut.before is None:
            cut = Cut(keep=settings.history.keep)
        return prune(self._store, cut, author, settings.timezone, is_dry=is_dry)

    def _dataset(self, name: str) -> Dataset:
        return find_dataset(self._datasets(), name)


def _sums(span: Span, dataset: str | None, counts: list[dict[str, Any]]) -> dict[str, Any]:
    changes = {name: sum(count[name] for count in counts) for name in COUNTS}
    return {
        "from": span.before,
        "to": span.after,
        "dataset": dataset,
        "changes": changes,
        "total": sum(changes.values()),
    }
