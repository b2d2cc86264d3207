"""Homes that tests of imports share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataport.core.paths import Home
from tests.engine.importing.office import Office, open_office


@pytest.fixture
def office(home: Home, request: pytest.FixtureRequest) -> Iterator[Office]:
    """Parametrized indirectly with the datasets' `onMissing`."""
    office = open_office(home, str(request.param))
    yield office
    office.engine.close()
