"""The conflict queue of a home: look at it, decide, keep a decision as a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dataport.core.errors import UsageError
from dataport.core.paths import Home
from dataport.core.settings import PolicyRule, Settings
from dataport.core.words import ConflictStatus
from dataport.engine.catalog.load import find_dataset, find_unit
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.units import unit_named
from dataport.engine.changes import normal_key, resolve_all, resolve_one
from dataport.engine.commits import Author
from dataport.engine.conflicts import (
    ConflictFilter,
    count,
    get_conflict,
    list_conflicts,
)
from dataport.engine.jobs import check_job
from dataport.engine.policies import (
    check_policy,
    find_policy,
    policy_document,
    set_policy,
    standing_notice,
    standing_rule,
)
from dataport.engine.reopening import reopen
from dataport.engine.resolving import Resolution
from dataport.engine.store import Store
from dataport.engine.undoing import undo_resolution


class Decisions:
    """Conflicts of one home, and what people decide about them."""

    def __init__(
        self,
        home: Home,
        store: Store,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
    ) -> None:
        self._home = home
        self._store = store
        self._settings = settings
        self._datasets = datasets

    def count_open(self) -> int:
        """Conflicts that wait for a person."""
        with self._store.reading() as cursor:
            return count(cursor, ConflictFilter())

    def list(
        self, which: ConflictFilter, limit: int | None = None, offset: int = 0
    ) -> dict[str, Any]:
        """Conflicts, oldest first. Raises NotFoundError, UsageError for an unknown field."""
        which = self._checked(which)
        with self._store.reading() as cursor:
            return list_conflicts(cursor, self._datasets(), which, limit, offset)

    def show(self, number: int) -> dict[str, Any]:
        """One conflict and its history."""
        with self._store.reading() as cursor:
            return get_conflict(cursor, self._datasets(), number)

    def resolve(
        self,
        number: int,
        how: Resolution,
        author: Author,
        shown: Mapping[str, Any] | None,
        message: str = "",
        *,
        always: bool = False,
    ) -> dict[str, Any]:
        """Settle one conflict; `always` makes a policy of it, for its field and source."""
        rule = None
        if always:
            item = self.show(number)
            rule = self._standing_rule(how, item["dataset"], item["source"], item["field"])
        settings = self._settings()
        result = resolve_one(
            self._store,
            self._datasets(),
            number,
            how,
            author,
            shown,
            message,
            timezone=settings.timezone,
            region=settings.region,
        )
        return result | self._keep(rule)

    def resolve_all(
        self,
        which: ConflictFilter,
        how: Resolution,
        author: Author,
        message: str = "",
        *,
        always: bool = False,
    ) -> dict[str, Any]:
        """Settle every open conflict that `which` names. Raises NotFoundError, UsageError.

        `always` makes a policy of it; `which` then names dataset, field and source.
        """
        which = replace(self._checked(which), status=ConflictStatus.OPEN)
        rule = None
        if always:
            rule = self._standing_rule(how, which.dataset, which.source, which.field)
        result = resolve_all(self._store, self._datasets(), which, how, author, message)
        return result | self._keep(rule)

    def reopen(self, number: int, author: Author, message: str = "") -> dict[str, Any]:
        """Take back the decision about one conflict. Raises NotFoundError, StateError."""
        return self._told(reopen(self._store, self._datasets(), number, author, message))

    def undo(self, author: Author, message: str = "") -> dict[str, Any]:
        """Take back the newest decision, of one conflict or of many. Raises StateError."""
        return self._told(undo_resolution(self._store, self._datasets(), author, message))

    def _told(self, done: dict[str, Any]) -> dict[str, Any]:
        """What taking decisions back did, with a notice of each rule that goes on deciding so."""
        with self._store.reading() as cursor:
            asked = cursor.execute(
                "SELECT DISTINCT dataset, source, field FROM store.conflicts"
                " WHERE status = 'open' AND _commit = ? ORDER BY ALL",
                [done["commit"]],
            ).fetchall()
        kept = [rule for scope in asked if (rule := find_policy(self._home, *scope)) is not None]
        return {**done, "notices": [*done["notices"], *map(standing_notice, kept)]}

    def _checked(self, which: ConflictFilter) -> ConflictFilter:
        """The filter with its key as the store spells it.

        Refuses a dataset or job that is not there, and a field that no dataset in question has.
        """
        datasets = self._datasets()
        if which.job is not None:
            with self._store.reading() as cursor:
                check_job(cursor, which.job)
        if which.dataset is not None:
            dataset = find_dataset(datasets, which.dataset)
            if which.field is not None:
                find_unit(dataset, which.field)
            if which.key is not None:
                which = replace(which, key=normal_key(dataset, which.key))
        elif which.field is not None and not any(
            unit_named(dataset, which.field) for dataset in datasets.values()
        ):
            raise UsageError("unknown-field", f"No dataset has a field {which.field!r}.")
        return which

    def _standing_rule(
        self, how: Resolution, dataset: str | None, source: str | None, field: str | None
    ) -> PolicyRule:
        """The rule that decides so always, found to be one that can be kept."""
        rule = standing_rule(how.take, dataset, source, field)
        check_policy(self._home, self._datasets(), rule)
        return rule

    def _keep(self, rule: PolicyRule | None) -> dict[str, Any]:
        """Keep a rule once the conflicts at hand are settled; `policy` of the answer."""
        if rule is None:
            return {}
        set_policy(self._home, self._datasets(), rule)
        return {"policy": policy_document(rule)}
