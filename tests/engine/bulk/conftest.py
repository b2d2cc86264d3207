"""A ledger, and bulk changes of its rows as jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import BulkAction, JobKind
from dataport.engine.bulk.bulk import Bulk
from dataport.engine.catalog.model import Dataset
from dataport.engine.jobs import Job, JobRecords
from dataport.engine.requests import BulkRequest
from dataport.engine.store import Store
from tests.engine.merging.ledger import AUTHOR, Ledger


@dataclass(frozen=True)
class BulkLedger:
    """One dataset, filled through the ledger and changed in bulk."""

    ledger: Ledger
    bulk: Bulk
    jobs: JobRecords

    def change(
        self,
        action: str,
        where: str | None = None,
        keys: Sequence[Any] | None = None,
        values: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Job:
        """Ask for a change as the daemon does, and run its job."""
        request = BulkRequest(
            action=BulkAction(action),
            dataset=self.ledger.dataset.name,
            where=where,
            by_keys=keys is not None,
            values=dict(values or {}),
            **how,
        )
        self.bulk.check(request)
        given = keys or ()
        job = self.jobs.create(
            JobKind.BULK, request, lambda job: self.bulk.keep_keys(job, given) if given else None
        )
        self.bulk.run(job, AUTHOR, lambda *_: None, lambda _: None)
        return job


def bulk_ledger(home: Home, store: Store, dataset: Dataset) -> BulkLedger:
    """A bulk ledger of any dataset."""
    ledger = Ledger(store, dataset)
    bulk = Bulk(home, store, Settings, lambda: {dataset.name: dataset})
    return BulkLedger(ledger, bulk, JobRecords(store))


@pytest.fixture
def people(home: Home, store: Store) -> BulkLedger:
    """Three things: `a` is x, y, z and `n` is 1, 2, 3."""
    dataset = Dataset.model_validate(
        {
            "name": "things",
            "primaryKey": ["id"],
            "assigneeField": "b",
            "fields": [
                {"name": "id"},
                {"name": "a", "constraints": {"enum": ["x", "y", "z"], "required": True}},
                {"name": "b"},
                {"name": "n", "type": "integer", "constraints": {"maximum": 100}},
                {"name": "at", "type": "datetime", "constraints": {"unique": True}},
                {"name": "tags", "type": "list"},
            ],
        }
    )
    made = bulk_ledger(home, store, dataset)
    made.ledger.send(
        [
            {"id": "1", "a": "x", "n": 1},
            {"id": "2", "a": "y", "n": 2},
            {"id": "3", "a": "z", "n": 3},
        ]
    )
    return made
