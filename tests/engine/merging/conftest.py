"""A ledger on a fresh store."""

from __future__ import annotations

import pytest

from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, dataset())
