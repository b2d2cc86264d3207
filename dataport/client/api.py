"""The client of the daemon's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dataport.client.start import start_daemon
from dataport.client.stream import Event
from dataport.client.transport import EventStream, Transport
from dataport.core.errors import NoDaemonError, StateError
from dataport.core.words import Origin

if TYPE_CHECKING:
    from dataport.client.asynchronous import AsyncClient
    from dataport.core.paths import Home

__all__ = ["AsyncClient", "Client", "Event"]

_RESTING = frozenset({"completed", "failed", "cancelled", "waiting"})
"""Job statuses that change only when a person asks for it."""

_RETRY_S = 0.2

ResultT = TypeVar("ResultT")

OnProgress = Callable[[dict[str, Any]], object]
"""Takes a job document, each time it changes."""


class Client:
    """Talks to the daemon of `home`, starting it if `start`.

    Failures raise the DataportError the daemon answered with; with `start` false and no daemon,
    NoDaemonError `no-daemon`. Every request has a connection of its own, so that several
    threads may share one client.
    """

    def __init__(self, home: Home, *, start: bool = True, origin: Origin = Origin.API) -> None:
        self.home = home
        self._start = start
        self._transport = Transport(home, origin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End requests and event streams under way."""
        self._transport.close()

    def get(self, path: str, /, **params: Any) -> Any:
        """The `data` at `path`; parameters that are None are left out."""
        return self._request("GET", path, params=params)

    def post(self, path: str, /, body: Any = None) -> Any:
        return self._request("POST", path, body=body)

    def put(self, path: str, /, body: Any = None) -> Any:
        return self._request("PUT", path, body=body)

    def patch(self, path: str, /, body: Any = None) -> Any:
        return self._request("PATCH", path, body=body)

    def delete(self, path: str, /, **params: Any) -> Any:
        return self._request("DELETE", path, params=params)

    def events(self, since: int | None = None) -> EventStream:
        """Events behind `since`, or from now on; subscribed when this returns."""
        return self._reached(lambda: self._transport.stream("/v1/events", {"since": since}))

    def wait_job(self, job: int, on_progress: OnProgress | None = None) -> dict[str, Any]:
        """The job once it is completed, failed, cancelled or waiting for a person.

        Follows events and asks again whenever the stream breaks off, so that a restart of the
        daemon is waited through.
        """
        while True:
            found = self._follow(job, on_progress or (lambda _: None))
            if found is not None:
                return found
            time.sleep(_RETRY_S)

    def _follow(self, job: int, report: OnProgress) -> dict[str, Any] | None:
        """The job at rest, or None when the event stream broke off before that."""
        try:
            with closing(self.events()) as stream:
                for document in self._documents(job, stream):
                    report(document)
                    if document["status"] in _RESTING:
                        return document
        except NoDaemonError as error:
            if error.code != "daemon-lost":
                raise
        return None

    def _documents(self, job: int, stream: EventStream) -> Iterator[dict[str, Any]]:
        """The job now and after each change; subscribed before, so nothing falls in between."""
        yield self.get(f"/v1/jobs/{job}")
        for event in stream:
            if event.kind == "reset":
                yield self.get(f"/v1/jobs/{job}")
            elif event.kind == "job" and event.data["job"]["job"] == job:
                yield event.data["job"]

    def _request(self, method: str, path: str, params: Any = None, body: Any = None) -> Any:
        return self._reached(lambda: self._transport.exchange(method, path, params, body))

    def _reached(self, attempt: Callable[[], ResultT]) -> ResultT:
        """The outcome of `attempt`, made again after a start if it did not reach a daemon."""
        try:
            return attempt()
        except (NoDaemonError, StateError) as error:
            # Both codes say that nothing was done, so that trying again does nothing twice.
            if not self._start or error.code not in ("no-daemon", "daemon-draining"):
                raise
        start_daemon(self.home)
        return attempt()


def __getattr__(name: str) -> Any:
    """`AsyncClient`, imported when it is asked for: an event loop costs more than `status`."""
    if name == "AsyncClient":
        from dataport.client.asynchronous import AsyncClient

        return AsyncClient
    raise AttributeError(name)
