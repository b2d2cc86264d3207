"""What all section screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.worker import Worker

from dataport.tui.commands import BY_ID, Facts, footer_of
from dataport.tui.messages import Changed
from dataport.tui.tones import Tones
from dataport.tui.widgets.chrome import Banner, Footer, Header, TooSmall

if TYPE_CHECKING:
    from dataport.tui.app import DataportApp

NARROW, WIDE = 60, 150
LOW, HIGH = 18, 30


class Section(Screen[None]):
    """A screen with header, banner and footer around `body`.

    Every command of the section is a method `do_VERB`; the section reloads when it is
    shown and when events tell of changes.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-too-narrow"), (NARROW, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-too-low"), (LOW, "-low"), (HIGH, "-high")]

    section: ClassVar[str]

    @property
    def port(self) -> DataportApp:
        """The app, by its own type."""
        from dataport.tui.app import DataportApp

        return cast(DataportApp, self.app)

    @property
    def is_composed(self) -> bool:
        """Whether the screen has its widgets: false before its first and after its last frame."""
        return bool(self.query(Footer))

    @property
    def home_text(self) -> str:
        """The home's path as the header names it."""
        return str(self.port.home.root)

    @property
    def tones(self) -> Tones:
        return self.port.tones

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield Banner()
        yield from self.body()
        yield Footer(id="footer")
        yield TooSmall()

    def body(self) -> ComposeResult:
        """The section's own widgets."""
        yield from ()

    def facts(self) -> Facts:
        """What commands depend on."""
        return Facts(is_connected=self.port.is_connected)

    def load(self) -> Worker[None] | None:
        """Ask the daemon for what the section shows."""
        return None

    def on_screen_resume(self) -> None:
        self.show_chrome()
        if self.port.is_connected:
            self.load()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_chrome)

    def on_changed(self, message: Changed) -> None:
        """Follow events; sections that can do with less override this."""
        if message.changes.kinds:
            self.load()

    def show_chrome(self) -> None:
        """Redraw header, banner and footer."""
        if not self.is_composed:
            return
        port = self.port
        header = self.query_one(Header)
        header.show(self.section, port.waiting, self.home_text, port.link, self.tones)
        self.query_one(Banner).show(port.link, port.status)
        self.show_footer()

    def show_footer(self) -> None:
        footer = self.query_one(Footer)
        footer.show(footer_of(self.section, self.facts(), footer.size.width or 80), self.tones)

    def action_command(self, command_id: str) -> None:
        """Run a command, or say why it can't run now."""
        command = BY_ID[command_id]
        if reason := command.why_not(self.facts()):
            if not command.is_quiet:
                self.notify(reason, title=command.title, severity="warning", markup=False)
            return
        place, _, verb = command_id.partition(".")
        target = self.port if place in ("go", "app") else self
        if place == "go":
            self.port.go(verb)
        else:
            getattr(target, f"do_{verb}")()
