"""The dialog that edits one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from dataport.tui import formatting


@dataclass(frozen=True)
class Edited:
    """The value that was typed; a wrapper, since a value may be None."""

    value: Any


class EditModal(ModalScreen[Edited | None]):
    """Texts are edited as they are, lists and objects as JSON; None when left."""

    BINDINGS = [
        Binding("escape", "back", "Back", show=False),
        Binding("ctrl+s", "save", "Save", show=False),
    ]

    def __init__(self, title: str, value: Any, sample: Any) -> None:
        super().__init__()
        self._title, self._sample = title, sample
        self._text = formatting.edit_text(value)
        self._has_lines = isinstance(sample, list | dict) or "\n" in self._text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small"):
            yield Static(self._title, classes="dialog-title", markup=False)
            if self._has_lines:
                yield TextArea(self._text, id="editor")
            else:
                yield Input(self._text, id="editor", select_on_focus=False)
            yield Static("", id="edit-problem", markup=False)
            yield Static(self._keys(), classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#editor").focus()

    def on_input_submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        editor = self.query_one("#editor")
        text = editor.text if isinstance(editor, TextArea) else str(getattr(editor, "value", ""))
        try:
            self.dismiss(Edited(formatting.parse_edit(text, self._sample)))
        except ValueError as error:
            self.query_one("#edit-problem", Static).update(f"✗ {error}")

    def action_back(self) -> None:
        self.dismiss(None)

    def _keys(self) -> str:
        kind = "" if self._sample is None or isinstance(self._sample, str) else "JSON    "
        save = "^s saves" if self._has_lines else "Enter or ^s saves"
        return f"{kind}{save}    Esc back"
