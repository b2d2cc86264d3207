"""One HTTP exchange with the daemon over its Unix socket.

Every exchange opens a connection of its own: over a Unix socket that costs microseconds, no
request meets a connection that went stale, and threads share nothing.

The standard library's HTTP keeps `dataport status` quick: larger clients take longer to import
than the whole command.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

from dataport.client.locate import open_socket
from dataport.client.stream import Event, decode
from dataport.core.errors import NoDaemonError, error_from_dict

if TYPE_CHECKING:
    from dataport.core.paths import Home
    from dataport.core.words import Origin

REQUEST_TIMEOUT_S = 300.0
STREAM_TIMEOUT_S = 45.0
"""Three heartbeats; a stream that is silent for longer has lost its daemon."""


class _Connection(http.client.HTTPConnection):
    """HTTP over the socket of a home's daemon."""

    def __init__(self, home: Home, timeout_s: float) -> None:
        super().__init__("dataport", timeout=timeout_s)
        self._raw = open_socket(home, timeout_s)

    def connect(self) -> None:
        self.sock = self._raw

    def cut(self) -> None:
        """End the exchange from another thread: whoever reads sees the end at once."""
        # `sock` is gone once an answer arrives; the socket itself serves that answer's body.
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)


class EventStream:
    """Events as they arrive; ends when the daemon ends the stream, or when it is closed.

    Raises NoDaemonError `daemon-lost` when the daemon dies. May be closed from another thread.
    """

    def __init__(
        self,
        response: http.client.HTTPResponse,
        cut: Callable[[], None],
        release: Callable[[], None],
    ) -> None:
        self._events = decode(response)
        self._cut = cut
        self._release = release
        self._is_closed = False
        self._reading = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        with self._reading:
            if self._is_closed:
                self._release()
                raise StopIteration
            try:
                return next(self._events)
            except StopIteration:
                self._release()
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._release()
                if self._is_closed:
                    raise StopIteration from None
                raise _lost(error) from error

    def close(self) -> None:
        self._is_closed = True
        self._cut()
        # A thread that reads now sees the end and releases; nothing may be pulled from under it.
        if self._reading.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._reading.release()


class Transport:
    """Sends requests to the daemon of one home; safe to use from several threads."""

    def __init__(self, home: Home, origin: Origin) -> None:
        self.home = home
        self._origin = origin
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()

    def exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> Any:
        """The `data` of the answer.

        Raises NoDaemonError `no-daemon` when nothing was sent, `daemon-lost` when the daemon
        left before it answered, and the daemon's own error.
        """
        with self._connected(timeout_s) as connection:
            return _data(self._send(connection, method, target(path, params), body))

    def stream(self, path: str, params: Mapping[str, Any] | None = None) -> EventStream:
        """Events from now on: the daemon has accepted the subscription when this returns.

        Raises like `exchange`.
        """
        with contextlib.ExitStack() as undo:
            connection = undo.enter_context(self._connected(STREAM_TIMEOUT_S))
            response = self._send(connection, "GET", target(path, params), None)
            if response.status != http.client.OK:
                _data(response)
            undo.callback(response.close)
            return EventStream(response, connection.cut, undo.pop_all().close)

    def close(self) -> None:
        """End every exchange under way, also those of other threads."""
        with self._lock:
            for connection in self._open:
                connection.cut()

    @contextlib.contextmanager
    def _connected(self, timeout_s: float) -> Iterator[_Connection]:
        connection = _Connection(self.home, timeout_s)
        with self._lock:
            self._open.add(connection)
        try:
            yield connection
        except (OSError, http.client.HTTPException) as error:
            raise _lost(error) from error
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _send(
        self, connection: _Connection, method: str, location: str, body: Any
    ) -> http.client.HTTPResponse:
        headers = {"Connection": "close", "X-Dataport-Origin": str(self._origin)}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        # A daemon that refuses closes before it has read everything; its answer says why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, location, body=content, headers=headers)
        return connection.getresponse()


def target(path: str, params: Mapping[str, Any] | None) -> str:
    """`path`, escaped where it must be, with its query; parameters that are None are left out."""
    query = {
        name: ("true" if value else "false") if isinstance(value, bool) else value
        for name, value in (params or {}).items()
        if value is not None
    }
    located = quote(path, safe="/%:@-._~!$&'()*+,;=")
    return f"{located}?{urlencode(query, doseq=True)}" if query else located


def _data(response: http.client.HTTPResponse) -> Any:
    try:
        document = json.loads(response.read())
        succeeded = document["success"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoDaemonError(
            "not-dataport",
            "What answers on the daemon's socket is not a Dataport daemon.",
            f"It sent status {response.status}.",
            "Stop that program, or run `dataport daemon restart`.",
        ) from error
    if not succeeded:
        raise error_from_dict(document.get("error", {}), response.status)
    return document["data"]


def _lost(error: Exception) -> NoDaemonError:
    return NoDaemonError(
        "daemon-lost",
        "The daemon left before it answered.",
        f"{error}." if str(error) else "",
        "Look into logs/daemon.log; the next command starts it again.",
    )
