"""The daemon itself: who it is, what it does, what happens, and how it ends."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse
from starlette.responses import Response

import dataport
from dataport.daemon.answers import answer
from dataport.daemon.context import ServicesDep
from dataport.daemon.events import Subscription
from dataport.daemon.services import Services

PROTOCOL = 1
"""Grows when a client of the last version could not talk to this one."""

HEARTBEAT_S = 15

router = APIRouter(prefix="/v1", tags=["daemon"])

# Coroutines, although nothing is awaited: they answer at once, also while every thread is busy.


@router.get("/hello", summary="Protocol, version and state")
async def hello(services: ServicesDep) -> Response:
    """Who answers; `last_event` is where an event stream from now on begins."""
    document = {
        "protocol": PROTOCOL,
        "instance": services.instance,
        "last_event": services.events.last_id,
        **_identity(services),
    }
    return answer(document)


@router.get("/status", summary="What runs and what waits")
async def status(services: ServicesDep) -> Response:
    """What runs, what waits for a person, and why the config is not in force, if it isn't."""
    error = services.configuration.error
    document = {
        **_identity(services),
        "waiting": services.queue.waiting_counts(),
        "running": services.queue.running(),
        "next": [],
        "inboxes": len(services.configuration.settings.inboxes),
        "config_error": error.as_dict() if error else None,
    }
    return answer(document)


@router.get(
    "/events",
    summary="What happens, as server-sent events",
    response_class=EventSourceResponse,
)
async def events(
    services: ServicesDep,
    since: Annotated[int | None, Query(description="Resume behind this event.")] = None,
    last_event_id: Annotated[int | None, Header()] = None,
) -> EventSourceResponse:
    """Kinds: `job`, `commit`, `conflicts`, `config`, `inbox`, `daemon`, and `reset` for lost ones.

    A heartbeat comment comes every 15 seconds.
    """
    # Subscribed before the headers leave, so that a client that has them misses nothing.
    subscription = services.events.subscribe(last_event_id if since is None else since)
    return EventSourceResponse(_sent(subscription), ping=HEARTBEAT_S)


@router.post("/daemon/stop", summary="Stop the daemon", status_code=202)
async def stop(services: ServicesDep) -> Response:
    """Running jobs end or are cancelled, and are taken up again by the next daemon."""
    services.lifecycle.drain()
    return answer({"state": str(services.lifecycle.state)}, 202)


def _identity(services: Services) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "version": dataport.__version__,
        "state": str(services.lifecycle.state),
        "home": str(services.home.root),
    }


async def _sent(subscription: Subscription) -> AsyncIterator[dict[str, str]]:
    async for event in subscription:
        yield {"id": str(event.id), "event": event.kind, "data": event.data}
