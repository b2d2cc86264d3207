"""The client for an event loop: the terminal UI's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Self

from dataport.client.api import Client, OnProgress
from dataport.client.stream import Event
from dataport.client.transport import EventStream
from dataport.core.errors import DataportError
from dataport.core.words import Origin

if TYPE_CHECKING:
    from dataport.core.paths import Home


class AsyncClient:
    """Like `Client`, with coroutines: requests run in threads and block nothing."""

    def __init__(self, home: Home, *, start: bool = True, origin: Origin = Origin.TUI) -> None:
        self.home = home
        self._client = Client(home, start=start, origin=origin)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End requests and event streams under way, so that no thread delays the exit."""
        self._client.close()

    async def get(self, path: str, /, **params: Any) -> Any:
        return await asyncio.to_thread(self._client.get, path, **params)

    async def post(self, path: str, /, body: Any = None) -> Any:
        return await asyncio.to_thread(self._client.post, path, body)

    async def patch(self, path: str, /, body: Any = None) -> Any:
        return await asyncio.to_thread(self._client.patch, path, body)

    async def delete(self, path: str, /, **params: Any) -> Any:
        return await asyncio.to_thread(self._client.delete, path, **params)

    async def wait_job(self, job: int, on_progress: OnProgress | None = None) -> dict[str, Any]:
        """Like `Client.wait_job`; `on_progress` is called in the event loop's thread."""
        loop = asyncio.get_running_loop()

        def report(document: dict[str, Any]) -> None:
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, document)

        return await asyncio.to_thread(self._client.wait_job, job, report)

    async def events(self, since: int | None = None) -> AsyncIterator[Event]:
        """Events behind `since`, or from now on. Leaving the loop ends the subscription.

        Ends when the daemon ends the stream; raises NoDaemonError when it dies.
        """
        stream = await asyncio.to_thread(self._client.events, since)
        arrived: asyncio.Queue[Event | DataportError | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        threading.Thread(
            target=_pump, args=(stream, loop, arrived), name="events", daemon=True
        ).start()
        with closing(stream):
            while (item := await arrived.get()) is not None:
                if isinstance(item, DataportError):
                    raise item
                yield item


def _pump(
    stream: EventStream,
    loop: asyncio.AbstractEventLoop,
    arrived: asyncio.Queue[Event | DataportError | None],
) -> None:
    last: DataportError | None = None
    # A closed loop wants no more events.
    with suppress(RuntimeError):
        try:
            for event in stream:
                loop.call_soon_threadsafe(arrived.put_nowait, event)
        except DataportError as error:
            last = error
        loop.call_soon_threadsafe(arrived.put_nowait, last)
