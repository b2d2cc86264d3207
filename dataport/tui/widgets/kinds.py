"""The kinds of change of a plan, as tabs with counts."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static

from dataport.tui.tones import Tones

KINDS = (
    ("", "All", ""),
    ("insert", "Insert", "i"),
    ("update", "Update", "u"),
    ("delete", "Delete", "e"),
    ("skip", "Skip", "s"),
    ("conflict", "Conflict", "c"),
    ("excluded", "Left out", "o"),
)
"""Operation in the API, title, and the key that stands underlined in it."""


class KindTabs(Static):
    """Kinds of change with their counts; the chosen one in brackets."""

    @dataclass
    class Pressed(Message):
        """A kind was pressed with the mouse."""

        operation: str

    def __init__(self) -> None:
        super().__init__(id="kinds", markup=False)
        self._zones: list[tuple[int, int, str]] = []

    def show(self, counts: dict[str, int], chosen: str, tones: Tones) -> None:
        text, self._zones = Text(" "), []
        for operation, title, key in KINDS:
            start = text.cell_len
            number = counts.get("conflicts" if operation == "conflict" else operation, 0)
            is_chosen = operation == chosen
            if operation == "excluded" and not (number or is_chosen):
                continue
            label = Text(title, style=Style(bold=is_chosen))
            if key:
                place = title.lower().index(key)
                label.stylize(Style(underline=True) + tones.accent, place, place + 1)
            text.append("[" if is_chosen else " ", tones.accent).append_text(label)
            if operation:
                text.append(f" {number:,}", "" if number else tones.quiet)
            text.append("]" if is_chosen else " ", tones.accent)
            self._zones.append((start, text.cell_len, operation))
        self.update(text)

    def on_click(self, event: events.Click) -> None:
        for first, last, operation in self._zones:
            if first <= event.x < last:
                self.post_message(self.Pressed(operation))
