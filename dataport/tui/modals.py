"""Small dialogs: error, help, confirm, choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from dataport.core.errors import DataportError
from dataport.tui import formatting
from dataport.tui.commands import Facts, commands_of, key_label
from dataport.tui.widgets.columns import Column
from dataport.tui.widgets.rows import Row, Rows

SCROLL_KEYS = [
    Binding("j,down", "scroll(1)", "Down", show=False),
    Binding("k,up", "scroll(-1)", "Up", show=False),
    Binding("pagedown", "scroll(10)", "Page down", show=False),
    Binding("pageup", "scroll(-10)", "Page up", show=False),
]


class TextModal(ModalScreen[None]):
    """A titled, scrollable text."""

    BINDINGS = [
        *SCROLL_KEYS,
        Binding("escape,q,enter", "dismiss_modal", "Close", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]
    heading: ClassVar[str] = ""
    keys: ClassVar[str] = "Esc closes, y copies"

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.heading, classes="dialog-title", markup=False)
            with VerticalScroll(classes="dialog-body"):
                yield Static(self.text(), markup=False)
            yield Static(self.keys, classes="dialog-keys", markup=False)

    def text(self) -> Text:
        """What the dialog says."""
        return Text()

    def action_dismiss_modal(self) -> None:
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.text().plain)
        self.notify("Copied through the terminal (OSC 52).", markup=False)


class ErrorModal(TextModal):
    """What happened, why, and what to do."""

    heading = "✗ Error"

    def __init__(self, error: DataportError) -> None:
        super().__init__()
        self._error = error

    def text(self) -> Text:
        return error_text(self._error, self.app.current_theme.error or "red")


def error_text(error: DataportError, colour: str) -> Text:
    """An error in the order a person reads it; every part verbatim."""
    try:
        loud = Style.parse(f"bold {colour}")
    except Exception:  # noqa: BLE001 - themes may name colours that Rich does not know
        loud = Style(bold=True)
    text = Text(formatting.visible(error.title), style="")
    text.stylize(loud)
    for part in (error.detail, error.hint):
        if part:
            lines = "\n".join(formatting.visible(line) for line in part.splitlines())
            text.append(f"\n\n{lines}")
    text.append(f"\n\n({error.code})", Style(dim=True))
    return text


class HelpModal(TextModal):
    """Every command of one section, with the reason where it can't run now."""

    heading = "Keys"

    def __init__(self, section: str, facts: Facts) -> None:
        super().__init__()
        self._section, self._facts = section, facts

    def text(self) -> Text:
        text = Text()
        own = [c for c in commands_of(self._section) if c.id.startswith(self._section)]
        everywhere = [c for c in commands_of(self._section) if c not in own and c.key]
        for heading, commands in (("This screen", own), ("Everywhere", everywhere)):
            text.append(f"{heading}\n", Style(bold=True, underline=True))
            for command in commands:
                keys = " ".join(key_label(key) for key in (command.key, *command.more_keys))
                text.append(f"  {formatting.fit(keys, 7)} ", Style(bold=True))
                text.append(f"{command.title}: {command.description}\n")
                if reason := command.why_not(self._facts):
                    text.append(f"{' ' * 10}Not now: {reason}\n", Style(dim=True))
            text.append("\n")
        text.append("Lists\n", Style(bold=True, underline=True))
        text.append("  ↑ ↓ j k  one row    PgUp PgDn  one page    g G  first, last\n")
        text.append("  Tab      next pane  mouse: click a row, a tab, a key in the footer")
        return text


class ConfirmModal(ModalScreen[bool]):
    """A question with the numbers of what it affects; true when answered with yes."""

    BINDINGS = [
        Binding("y,enter", "answer(True)", "Yes", show=False),
        Binding("n,escape,q", "answer(False)", "No", show=False),
    ]

    def __init__(self, question: str, detail: str, answer: str) -> None:
        super().__init__()
        self._question, self._detail, self._answer = question, detail, answer

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield Static(self._detail, classes="dialog-text", markup=False)
            yield Static(
                f"y or Enter: {self._answer}    n or Esc: back", classes="dialog-keys", markup=False
            )

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class ChooseModal(ModalScreen[str | None]):
    """One of several words; the empty word stands for all, None for going back."""

    BINDINGS = [Binding("escape,q", "back", "Back", show=False)]

    def __init__(self, title: str, words: Sequence[str], everything: str) -> None:
        super().__init__()
        self._title, self._words, self._everything = title, tuple(words), everything

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield Rows([Column("", 20, grow=1)], id="choices")
            yield Static("Enter chooses    Esc back", classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        rows = [Row("", (Text(self._everything),))]
        rows += [Row(word, (Text(formatting.visible(word)),)) for word in self._words]
        self.query_one(Rows).set_rows(rows)

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        self.dismiss(message.key)

    def action_back(self) -> None:
        self.dismiss(None)
