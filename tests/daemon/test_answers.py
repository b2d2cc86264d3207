from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

from dataport.core.errors import InputError
from dataport.daemon.answers import answer, failure


def test_values_that_json_does_not_know_become_text() -> None:
    sent = answer(
        {
            "instant": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
            "date": date(2026, 3, 1),
            "time": time(9, 5),
            "price": Decimal("12.50"),
            "long": Decimal("0.12345678901234567890123"),
            "name": "Zoë \udcff",
        }
    )
    assert json.loads(bytes(sent.body))["data"] == {
        "instant": "2026-03-01T12:30:00.000Z",
        "date": "2026-03-01",
        "time": "09:05:00",
        "price": 12.5,
        "long": "0.12345678901234567890123",
        "name": "Zoë ?",
    }


def test_a_failure_has_the_status_of_its_class() -> None:
    sent = failure(InputError("empty-file", "It is empty."))
    assert sent.status_code == 422
    assert json.loads(bytes(sent.body)) == {
        "success": False,
        "error": {"code": "empty-file", "title": "It is empty.", "detail": "", "hint": ""},
    }
