"""The few meanings that colour adds to; words or glyphs carry each of them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.style import Style
from rich.text import Text
from textual.app import App
from textual.color import Color, ColorParseError

from dataport.tui import formatting
from dataport.tui.difference import differing


@dataclass(frozen=True)
class Tones:
    """Rich styles taken from the theme."""

    good: Style
    warn: Style
    bad: Style
    accent: Style
    quiet: Style

    def status(self, status: str) -> Style:
        """The tone of a job's status."""
        return {
            "processing": self.accent,
            "waiting": self.warn,
            "completed": self.good,
            "failed": self.bad,
        }.get(status, self.quiet)

    def operation(self, operation: str) -> Style:
        """The tone of what a plan does to a row."""
        return {
            "insert": self.good,
            "update": self.accent,
            "delete": self.bad,
            "conflict": self.warn,
        }.get(operation, self.quiet)

    def value(self, value: object, other: object = None, mark: Style | None = None) -> Text:
        """A value on one line; with `mark`, the part that `other` lacks stands out.

        The marked part is underlined and bold besides its colour.
        """
        text = Text(formatting.value_text(value), style=self.quiet if value is None else "")
        if mark is not None and value is not None:
            standing_out = mark + Style(bold=True, underline=True)
            against = "" if other is None else formatting.value_text(other)
            for first, last in differing(text.plain, against):
                text.stylize(standing_out, first, last)
        return text


def tones_of(app: App[Any]) -> Tones:
    """The tones of the app's present theme."""

    def style(name: str) -> Style:
        try:
            return Style(color=Color.parse(app.theme_variables[name]).rich_color)
        except (KeyError, ColorParseError):
            return Style()

    return Tones(
        good=style("text-success"),
        warn=style("text-warning"),
        bad=style("text-error"),
        accent=style("text-primary"),
        quiet=Style(dim=True),
    )
