"""The HTTP API as an ASGI application: routes, the envelope of answers, failures."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import dataport
from dataport.core.errors import DataportError, NotFoundError, StateError, UsageError
from dataport.core.text import is_text
from dataport.daemon.answers import failure
from dataport.daemon.lifecycle import Lifecycle, State
from dataport.daemon.routes import ROUTERS
from dataport.daemon.services import Services

_LOGGER = logging.getLogger(__name__)

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_STOP = "/v1/daemon/stop"


def create_app(services: Services) -> FastAPI:
    """The application of one daemon. Its OpenAPI document is at /openapi.json."""
    app = FastAPI(
        title="Dataport",
        summary="The local API of a Dataport home.",
        description=(
            'Success: `{"success": true, "data": ...}`. '
            'Failure: `{"success": false, "error": {"code", "title", "detail", "hint"}}`.'
        ),
        version=dataport.__version__,
        dependencies=[Depends(check_text)],
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(_Guard, lifecycle=services.lifecycle)
    app.add_exception_handler(DataportError, _on_dataport_error)
    app.add_exception_handler(RequestValidationError, _on_wrong_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    return app


class _Guard:
    """Refuses changes while the daemon drains, and answers failures that nobody foresaw."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_refused(scope):
            await failure(_draining())(scope, receive, send)
            return
        has_started = False

        async def noting(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            _LOGGER.exception("%s %s failed.", scope.get("method"), scope.get("path"))
            if has_started:
                raise
            await failure(_unforeseen())(scope, receive, send)

    def _is_refused(self, scope: Scope) -> bool:
        return (
            self._lifecycle.state is State.DRAINING
            and scope["method"] not in _READING
            and scope["path"] != _STOP
        )


def _draining() -> StateError:
    return StateError("daemon-draining", "The daemon is stopping.", hint="Try again in a moment.")


def _unforeseen() -> DataportError:
    return DataportError(
        "internal-error",
        "The daemon failed in a way it should not.",
        hint="The particulars are in logs/daemon.log.",
    )


async def check_text(request: Request) -> None:
    """Refuse a body whose text is not all characters: neither store nor files could hold it.

    JSON may write half of a surrogate pair as an escape.
    """
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return
    try:
        document = json.loads(await request.body())
    except ValueError:
        # The route's own model says what is wrong.
        return
    if not is_text(json.dumps(document, ensure_ascii=False)):
        raise UsageError(
            "not-text",
            "The request holds text that is no Unicode.",
            "It has half of a surrogate pair.",
            "Write it as UTF-8.",
        )


async def _on_dataport_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DataportError)  # noqa: S101 - registered for this class
    return failure(error)


async def _on_wrong_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    first = error.errors()[0]
    return failure(_wrong_request(first))


def _wrong_request(found: dict[str, Any]) -> UsageError:
    """A value that a model refused; a check of our own says itself what is wrong."""
    message = str(found["msg"])
    if found["type"] == "value_error":
        said = message.removeprefix("Value error, ")
        return UsageError("wrong-request", f"{said[:1].upper()}{said[1:]}.")
    return UsageError(
        "wrong-request",
        f"The request has a wrong value: {_place(found)}.",
        f"{message}.",
        "See /openapi.json for what this request takes.",
    )


def _place(found: dict[str, Any]) -> str:
    where, *rest = found["loc"]
    if found["type"] == "json_invalid" or not rest:
        return f"the {where}"
    return f"{'.'.join(str(part) for part in rest)!r} in the {where}"


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    asked = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        return failure(
            NotFoundError(
                "not-found", f"There is no {asked}.", hint="See /openapi.json for what there is."
            )
        )
    refused = UsageError("http-error", f"{asked} was refused.", f"{error.detail}.")
    return failure(refused, error.status_code)
