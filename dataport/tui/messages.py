"""What workers and the link tell; handlers change the screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from dataport.core.errors import DataportError
from dataport.tui.state import Changes, Link, Status


@dataclass
class Failed(Message):
    """A worker could not do what it was asked to."""

    error: DataportError


@dataclass
class LinkChanged(Message):
    """The daemon came, went, or changed its state."""

    link: Link


@dataclass
class StatusLoaded(Message):
    """A fresh answer of /v1/status."""

    status: Status


@dataclass
class Changed(Message):
    """A burst of events arrived."""

    changes: Changes


@dataclass
class Notice(Message):
    """A sentence for a toast."""

    text: str
