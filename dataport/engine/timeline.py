"""What was and how it came to be: the past of a home's datasets, to look at and to take back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataport.engine import history, undoing
from dataport.engine.blame import blame
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.changes import normal_key
from dataport.engine.commits import Author
from dataport.engine.store import Store


class Timeline:
    """Commits and versions of one home."""

    def __init__(self, store: Store, datasets: Callable[[], Mapping[str, Dataset]]) -> None:
        self._store = store
        self._datasets = datasets

    def log(self, dataset: str | None, limit: int | None) -> list[dict[str, Any]]:
        """Commits newest first."""
        if dataset is not None:
            self._dataset(dataset)
        with self._store.reading() as cursor:
            return history.log(cursor, dataset, limit)

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

    def undo(
        self, commit: int, author: Author, message: str = "", *, is_dry: bool = False
    ) -> dict[str, Any]:
        """Take back a commit as a new one, or find out what that would do."""
        return undoing.undo(self._store, self._datasets(), commit, author, message, is_dry=is_dry)

    def undo_resolution(self, author: Author, message: str = "") -> dict[str, Any]:
        """Take back the newest resolution."""
        return undoing.undo_resolution(self._store, self._datasets(), author, message)

    def _dataset(self, name: str) -> Dataset:
        return find_dataset(self._datasets(), name)
