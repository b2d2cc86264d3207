"""Fixtures of the engine's tests: a home of its own with an open store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.core.paths import Home
from dataport.engine.store import Store
from tests.engine.importing.shop import Shop, open_shop


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    store = Store.open(home)
    yield store
    store.close()


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    with open_shop(home) as shop:
        yield shop
