"""The app: four sections over one connection to the daemon."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import on
from textual.app import App, SystemCommand
from textual.command import Provider
from textual.screen import Screen

from dataport.core.errors import NoDaemonError
from dataport.core.paths import Home
from dataport.tui.commands import Facts
from dataport.tui.link import Client, ClientFactory, DaemonLink, Event, default_factory
from dataport.tui.messages import Changed, Failed, LinkChanged, Notice, StatusLoaded
from dataport.tui.screens.base import Section
from dataport.tui.screens.conflicts import Conflicts
from dataport.tui.screens.jobs import Jobs
from dataport.tui.screens.overview import Overview
from dataport.tui.screens.review import Review
from dataport.tui.state import Changes, Job, Link, Status, Waiting
from dataport.tui.tones import Tones, tones_of
from dataport.tui.work import background

BURST_S = 0.1
"""Events that arrive within this time are shown together."""
STARTING_S = 1.0
"""How often a daemon that is still starting is asked."""


def _palette() -> type[Provider]:
    from dataport.tui.palette import CommandPalette

    return CommandPalette


class DataportApp(App[None]):
    """Sections are modes, so that each keeps its state while another is shown."""

    TITLE = "Dataport"
    CSS_PATH = "theme.tcss"
    MODES = {"overview": Overview, "jobs": Jobs, "review": Review, "conflicts": Conflicts}
    COMMANDS = {_palette}
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(self, home: Home, client_factory: ClientFactory | None = None) -> None:
        super().__init__()
        self.home = home
        self.link = Link()
        self.status: Status | None = None
        self.review_job: int | None = None
        """Job that the review shows; None for the first that waits."""
        self._daemon = DaemonLink(
            client_factory or default_factory(home), self._tell_link, self._collect
        )
        self._burst: list[Event] = []
        self._tones: Tones | None = None

    @property
    def client(self) -> Client:
        """The connected client. Raises NoDaemonError."""
        return self._daemon.client

    @property
    def is_connected(self) -> bool:
        return self.link.is_up

    @property
    def waiting(self) -> Waiting:
        return self.status.waiting if self.status else Waiting()

    @property
    def tones(self) -> Tones:
        if self._tones is None:
            self._tones = tones_of(self)
        return self._tones

    async def on_mount(self) -> None:
        await self.switch_mode("overview")
        self.theme_changed_signal.subscribe(self, lambda _theme: self._repaint())
        self.keep_link()

    @background("link")
    async def keep_link(self) -> None:
        await self._daemon.run()

    @background("status", exclusive=True)
    async def load_status(self) -> None:
        self.post_message(StatusLoaded(Status.of(await self.client.get("/v1/status"))))

    @on(LinkChanged)
    def _link_changed(self, message: LinkChanged) -> None:
        self.link = message.link
        self._show_chrome()
        if self.is_connected:
            self.load_status()
            if self.shown:
                self.shown.load()

    @on(StatusLoaded)
    def _status_loaded(self, message: StatusLoaded) -> None:
        self.status = message.status
        state = message.status.state or self.link.state
        if self.is_connected and state != self.link.state:
            self.link = Link(state, version=self.link.version, pid=message.status.pid)
        if state == "starting":
            self.set_timer(STARTING_S, self.load_status)
        self._show_chrome()
        if isinstance(self.shown, Overview):
            self.shown.show_status()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        if isinstance(message.error, NoDaemonError):
            self.notify(message.error.title, severity="warning", markup=False)
            return
        from dataport.tui.modals import ErrorModal

        self.push_screen(ErrorModal(message.error))

    @on(Notice)
    def _notice(self, message: Notice) -> None:
        self.notify(message.text, markup=False)

    @property
    def shown(self) -> Section | None:
        """The section on screen, under whatever modal is open; None before and after all."""
        stack = self._screen_stacks.get(self._current_mode)
        section = stack[0] if stack else None
        return section if isinstance(section, Section) and section.is_composed else None

    def facts(self) -> Facts:
        """What commands of the shown section depend on."""
        return self.shown.facts() if self.shown else Facts()

    def go(self, section: str) -> None:
        """Show a section; the review shows whatever job waits."""
        if section == "review" and not isinstance(self.shown, Review):
            self.review_job = None
        self.switch_mode(section)

    def open_review(self, job: Job) -> None:
        """Show the plan of one job."""
        self.review_job = job.number
        self.switch_mode("review")

    def do_retry(self) -> None:
        self._daemon.retry()

    def do_palette(self) -> None:
        self.action_command_palette()

    def do_theme(self) -> None:
        self.action_change_theme()

    def do_quit(self) -> None:
        self.exit()

    def do_help(self) -> None:
        from dataport.tui.modals import HelpModal

        section = self.shown
        if section:
            self.push_screen(HelpModal(section.section, section.facts()))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """None of Textual's own: the palette offers what `commands.py` declares."""
        return ()

    def _tell_link(self, link: Link) -> None:
        self.post_message(LinkChanged(link))

    def _collect(self, event: Event) -> None:
        if not self._burst:
            self.set_timer(BURST_S, self._show_burst)
        self._burst.append(event)

    def _show_burst(self) -> None:
        burst, self._burst = self._burst, []
        jobs = (Job.of(event.data["job"]) for event in burst if event.kind == "job")
        opens = [event.data.get("open") for event in burst if event.kind == "conflicts"]
        changes = Changes(
            {job.number: job for job in jobs},
            frozenset(event.kind for event in burst),
            opens[-1] if opens else None,
        )
        if self.shown is None:
            return
        self.shown.post_message(Changed(changes))
        if "reset" in changes.kinds:
            self.shown.load()
        if changes.kinds - {"job"} or any(not job.is_running for job in changes.jobs.values()):
            self.load_status()

    def _show_chrome(self) -> None:
        if self.shown and self.shown.is_mounted:
            self.shown.show_chrome()

    def _repaint(self) -> None:
        self._tones = None
        self._show_chrome()
        if self.shown and self.is_connected:
            self.shown.load()


def run_tui(home: Home) -> int:
    """Open the app on `home` and stay until it is left; the exit code."""
    app = DataportApp(home)
    app.run()
    return app.return_code or 0
