"""The command palette: what applies now on the screen that is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from dataport.tui.commands import Command, commands_of
from dataport.tui.screens.base import Section

if TYPE_CHECKING:
    from dataport.tui.app import DataportApp


class CommandPalette(Provider):
    """Offers the commands of the section under the palette."""

    async def discover(self) -> Hits:
        """Every command that applies."""
        for command in self._applicable():
            yield DiscoveryHit(
                command.title, self._runner(command), help=_help(command)
            )  # fmt: skip

    async def search(self, query: str) -> Hits:
        """Commands whose title or description resembles `query`."""
        matcher = self.matcher(query)
        for command in self._applicable():
            text = f"{command.title}: {command.description}"
            if (score := matcher.match(text)) > 0:
                yield Hit(
                    score, matcher.highlight(text), self._runner(command), help=_help(command)
                )

    def _section(self) -> Section | None:
        return cast("DataportApp", self.app).shown

    def _applicable(self) -> list[Command]:
        section = self._section()
        if section is None:
            return []
        facts = section.facts()
        return [
            command
            for command in commands_of(section.section)
            if not command.why_not(facts) and command.id != "app.palette"
        ]

    def _runner(self, command: Command) -> Callable[[], None]:
        def run() -> None:
            if section := self._section():
                section.action_command(command.id)

        return run


def _help(command: Command) -> str:
    key = f"Key {command.label}. " if command.key else ""
    return f"{key}{command.description}"
