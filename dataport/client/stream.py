"""Server-sent events as values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in the daemon."""

    id: int
    """Increasing, also across restarts; `events(since=id)` resumes behind it."""
    kind: str
    """`job`, `commit`, `conflicts`, `config`, `inbox`, `daemon`, or `reset`: events were lost,
    so that what is on screen has to be read again."""
    data: dict[str, Any]


def decode(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events in the lines of a `text/event-stream`; comments (heartbeats) are passed over."""
    fields: dict[str, str] = {}
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if "data" in fields:
                yield _event(fields)
            fields = {}
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and "data" in fields:
            value = f"{fields['data']}\n{value}"
        fields[name] = value


def _event(fields: dict[str, str]) -> Event:
    return Event(
        int(fields.get("id", "0")), fields.get("event", "message"), json.loads(fields["data"])
    )
