"""The envelope of every answer: `{success, data}` or `{success, error}`."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from dataport.core import clock
from dataport.core.errors import DataportError


def answer(data: Any, status: int = 200) -> Response:
    """`data` as a success. Instants become ISO text in UTC, other dates and times ISO text."""
    return _json({"success": True, "data": data}, status)


def failure(error: DataportError, status: int | None = None) -> Response:
    """`error` for a person, with the status of its class unless `status` says otherwise."""
    return _json({"success": False, "error": error.as_dict()}, status or error.http_status)


def _json(document: dict[str, Any], status: int) -> Response:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain)
    # A lone surrogate, as in a file name that is not UTF-8, must not fail the answer.
    return Response(text.encode("utf-8", "replace"), status, media_type="application/json")


def _plain(value: object) -> Any:
    if isinstance(value, dt.datetime):
        return clock.iso(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        number = float(value)
        # A number while it says exactly the same, else the digits as text.
        return number if Decimal(repr(number)) == value else str(value)
    return str(value)
