"""Tells subscribers what happens, with increasing ids from which a lost stream resumes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from dataport.core import clock

RING = 10_000
"""Events kept for subscribers that come back."""

PENDING = 1_000
"""Events a subscriber may lag behind before it is sent away."""

RESET = "reset"


@dataclass(frozen=True, slots=True)
class Published:
    """One event as it is sent."""

    id: int
    kind: str
    data: str
    """JSON text; documents would take several times the memory in the ring."""


class Subscription:
    """The events of one subscriber, iterated in the event loop that made it.

    A subscriber that lags too far behind gets a `reset` and the end of its stream, so that it
    reads everything again and comes back.
    """

    def __init__(self, backlog: list[Published], limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting = deque(backlog)
        self._limit = limit
        self._wake = asyncio.Event()
        self.has_ended = False

    def offer(self, event: Published | None) -> None:
        """Hand over `event`, or the end. From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._take, event)
        except RuntimeError:
            # The loop is closed: nobody listens any more.
            self.has_ended = True

    def _take(self, event: Published | None) -> None:
        if self.has_ended:
            return
        if event is None:
            self.has_ended = True
        elif len(self._waiting) >= self._limit:
            self._waiting.clear()
            self._waiting.append(_reset(event.id))
            self.has_ended = True
        else:
            self._waiting.append(event)
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[Published]:
        try:
            while True:
                while self._waiting:
                    yield self._waiting.popleft()
                if self.has_ended:
                    return
                self._wake.clear()
                await self._wake.wait()
        finally:
            self.has_ended = True


class EventBroker:
    """Publishes from any thread to subscribers in event loops."""

    def __init__(self, ring: int = RING, pending: int = PENDING) -> None:
        self._lock = threading.Lock()
        # Microseconds since 1970, so that ids also grow from one daemon to the next.
        self._last = int(clock.now().timestamp() * 1_000_000)
        self._ring: deque[Published] = deque(maxlen=ring)
        self._subscriptions: list[Subscription] = []
        self._pending = pending
        self._is_closed = False

    @property
    def last_id(self) -> int:
        """Id of the newest event; behind it begins what a subscriber without `since` gets."""
        return self._last

    def publish(self, kind: str, data: dict[str, Any]) -> int:
        """Tell everybody; the event's id. `data` must be JSON."""
        text = json.dumps(data, separators=(",", ":"), default=str)
        with self._lock:
            self._last += 1
            event = Published(self._last, kind, text)
            self._ring.append(event)
            self._subscriptions = [each for each in self._subscriptions if not each.has_ended]
            for subscription in self._subscriptions:
                subscription.offer(event)
        return event.id

    def subscribe(self, since: int | None = None) -> Subscription:
        """A subscription in the running loop: to what follows `since`, or to what comes now.

        A `since` that the ring no longer reaches gives a `reset` first.
        """
        with self._lock:
            subscription = Subscription(self._backlog(since), self._pending)
            if self._is_closed:
                subscription.has_ended = True
            self._subscriptions.append(subscription)
        return subscription

    def close(self) -> None:
        """End every stream, now and from now on."""
        with self._lock:
            self._is_closed = True
            for subscription in self._subscriptions:
                subscription.offer(None)

    def _backlog(self, since: int | None) -> list[Published]:
        if since is None or since == self._last:
            return []
        oldest = self._ring[0].id if self._ring else self._last + 1
        if since > self._last or since < oldest - 1:
            return [_reset(self._last)]
        return [event for event in self._ring if event.id > since]


def _reset(newest: int) -> Published:
    return Published(newest, RESET, "{}")
