"""The app's connection to the daemon: kept up, told about, never a reason to exit."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

from dataport.core.errors import DataportError, NoDaemonError
from dataport.core.paths import Home
from dataport.core.words import Origin
from dataport.tui.state import Link

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 15.0


class Event(Protocol):
    """One event of the daemon."""

    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Client(Protocol):
    """What the app asks of a client; `dataport.client.api.AsyncClient` in production."""

    async def get(self, path: str, /, **params: Any) -> Any: ...
    async def post(self, path: str, /, body: Any = None) -> Any: ...
    async def patch(self, path: str, /, body: Any = None) -> Any: ...
    def events(self, since: int | None = None) -> AsyncIterator[Event]: ...


Opened = AbstractAsyncContextManager[Client]
ClientFactory = Callable[[bool], Opened]
"""Makes a client that is not connected yet; the flag says whether it may start a daemon."""


def default_factory(home: Home) -> ClientFactory:
    """Clients on the daemon of `home`."""

    def make(start: bool) -> Opened:
        api = importlib.import_module("dataport.client.api")
        return cast("Opened", api.AsyncClient(home, start=start, origin=Origin.TUI))

    return make


class DaemonLink:
    """Connects, listens, and connects again with growing pauses.

    A daemon is started on the first attempt and when a person asks for it, so that one
    who stopped it on purpose does not find it running again.
    """

    def __init__(
        self,
        factory: ClientFactory,
        on_link: Callable[[Link], None],
        on_event: Callable[[Event], None],
    ) -> None:
        self._factory = factory
        self._on_link = on_link
        self._on_event = on_event
        self._client: Client | None = None
        self._wanted = asyncio.Event()

    @property
    def client(self) -> Client:
        """The connected client. Raises NoDaemonError while there is none."""
        if self._client is None:
            raise NoDaemonError(
                "no-daemon", "The daemon does not answer.", hint="Press R to try again."
            )
        return self._client

    def retry(self) -> None:
        """Try again now, starting a daemon if there is none."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        wait, start = FIRST_WAIT_S, True
        while True:
            self._wanted.clear()
            try:
                await self._session(start)
                reason = "The daemon closed the connection."
            except DataportError as error:
                reason = " ".join(part for part in (error.title, error.hint) if part)
            except Exception as error:  # noqa: BLE001 - whatever broke, the app waits and retries
                reason = f"{type(error).__name__}: {error}"
            wait = FIRST_WAIT_S if self._client else min(wait * 2, LONGEST_WAIT_S)
            self._client = None
            self._on_link(Link("gone", reason))
            start = await self._pause(wait)

    async def _session(self, start: bool) -> None:
        if start:
            async with self._factory(True) as starter:
                await starter.get("/v1/hello")
        async with self._factory(False) as client:
            hello = await client.get("/v1/hello")
            self._client = client
            self._on_link(_link_of(hello))
            async for event in client.events():
                self._on_event(event)

    async def _pause(self, seconds: float) -> bool:
        """Wait; true when a person asked meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return False
        self._on_link(Link("connecting"))
        return True


def _link_of(hello: dict[str, Any]) -> Link:
    return Link(
        state=str(hello.get("state") or "ready"),
        version=str(hello.get("version") or ""),
        pid=int(hello.get("pid") or 0),
    )
