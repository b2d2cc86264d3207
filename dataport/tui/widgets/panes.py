"""Framed places for text."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static


class TextPane(VerticalScroll):
    """A scrollable text in a frame; the text is never read as markup."""

    BINDINGS = [
        Binding("k", "scroll_up", "Up", show=False),
        Binding("j", "scroll_down", "Down", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
    ]

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, classes="pane")
        self.border_title = title
        self._body = Static("", markup=False)

    def compose(self) -> ComposeResult:
        yield self._body

    def show(self, text: Text | str) -> None:
        self._body.update(Text(text) if isinstance(text, str) else text)
