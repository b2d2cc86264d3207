"""What every screen has around its content: header, banner, footer, too-small notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual import events
from textual.widgets import Static

from dataport.tui import formatting
from dataport.tui.commands import SECTIONS, Command
from dataport.tui.state import Link, Status, Waiting
from dataport.tui.tones import Tones

LINK_TONES = {"ready": "good", "gone": "bad", "connecting": "quiet"}


@dataclass(frozen=True)
class Zone:
    """A stretch of a one-line bar that the mouse can press."""

    first: int
    last: int
    command: str


class Bar(Static):
    """One line with stretches to press."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, markup=False)
        self._zones: list[Zone] = []

    async def on_click(self, event: events.Click) -> None:
        for zone in self._zones:
            if zone.first <= event.x < zone.last:
                await self.run_action(f"screen.command('{zone.command}')")


class Header(Bar):
    """Sections with what waits in them, the home, and how the daemon is."""

    def show(self, section: str, waiting: Waiting, home: str, link: Link, tones: Tones) -> None:
        text, self._zones = header_tabs(section, waiting, tones)
        if text.cell_len + len(link.state) + 4 > self.size.width:
            text, self._zones = header_tabs(section, Waiting(), tones)
        glyph = formatting.LINK_GLYPHS.get(link.state, "?")
        tone: Style = getattr(tones, LINK_TONES.get(link.state, "warn"))
        state = Text(f"{glyph} {link.state} ", style=tone)
        room = self.size.width - text.cell_len - state.cell_len - 3
        if room >= 8:
            place = Text(formatting.shorten(formatting.visible(home), room), style=tones.quiet)
            place.append("  ")
        else:
            place = Text("")
        gap = self.size.width - text.cell_len - place.cell_len - state.cell_len
        text.append(" " * max(1, gap)).append_text(place).append_text(state)
        self.update(text)


def header_tabs(section: str, waiting: Waiting, tones: Tones) -> tuple[Text, list[Zone]]:
    """The section tabs; the present one in brackets, counts where something waits."""
    badges = {
        "jobs": waiting.rejects + waiting.mappings,
        "review": waiting.approvals,
        "conflicts": waiting.conflicts,
    }
    text, zones = Text(" "), []
    for number, (name, title) in enumerate(SECTIONS.items(), 1):
        is_here = name == section
        start = text.cell_len
        text.append("[" if is_here else " ", tones.accent)
        text.append(f"{number} ", tones.accent if is_here else tones.quiet)
        text.append(title, Style(bold=True, underline=True) if is_here else "")
        if badges.get(name):
            text.append(f" ({formatting.compact(badges[name])})", tones.warn + Style(bold=True))
        text.append("]" if is_here else " ", tones.accent)
        zones.append(Zone(start, text.cell_len, f"go.{name}"))
    return text, zones


class Footer(Bar):
    """At most six keys; only commands that apply now."""

    def show(self, commands: Sequence[Command], tones: Tones) -> None:
        text, zones = Text(""), []
        for command in commands:
            start = text.cell_len
            text.append(f" {command.label}", tones.accent + Style(bold=True))
            text.append(f" {command.title} ")
            zones.append(Zone(start, text.cell_len, command.id))
        self._zones = zones
        self.update(text)


class Banner(Static):
    """Says what is wrong with the daemon or its configuration, for as long as it is."""

    def __init__(self) -> None:
        super().__init__(id="banner", markup=False)
        self.display = False

    def show(self, link: Link, status: Status | None) -> None:
        text = banner_text(link, status)
        self.display = bool(text)
        self.set_class(link.state == "gone", "-bad")
        self.update(Text(text))


def banner_text(link: Link, status: Status | None) -> str:
    """The banner's words; empty where all is well."""
    if link.state == "gone":
        reason = formatting.visible(link.reason)
        return f"✗ No daemon. {reason}\nTrying again by itself; press R to start it now."
    if link.state == "draining":
        return "◑ The daemon is shutting down; running work ends first."
    if link.state == "starting":
        return "◐ The daemon is starting; lists fill when it is ready."
    error = status.config_error if status else None
    if error is not None:
        words = " ".join(part for part in (error.title, error.detail, error.hint) if part)
        return f"! Configuration: {formatting.visible(words)} The last good one is in use."
    return ""


class TooSmall(Static):
    """Shown instead of everything else in a terminal below 60x18."""

    def __init__(self) -> None:
        super().__init__(
            "This terminal is too small.\nDataport needs 60 columns and 18 lines.\nq quits.",
            id="too-small",
            markup=False,
        )
