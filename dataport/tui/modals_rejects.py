"""The dialog that lists a job's rejected rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from dataport.tui import formatting
from dataport.tui.messages import Failed
from dataport.tui.state import Job, Reject
from dataport.tui.widgets.columns import Column
from dataport.tui.widgets.rows import Row, Rows
from dataport.tui.work import background

if TYPE_CHECKING:
    from dataport.tui.app import DataportApp

WINDOW = 200
"""Rejects asked for at a time."""

COLUMNS = (
    Column("Line", 7, is_number=True),
    Column("Field", 10, grow=1),
    Column("Code", 16, drop=2),
    Column("Value", 12, grow=2),
    Column("Message", 18, grow=4),
)


class RejectsModal(ModalScreen[None]):
    """Rejects with their lines, a window at a time; the one under the cursor in full."""

    BINDINGS = [
        Binding("escape,q,x", "close", "Close", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    @dataclass
    class Loaded(Message):
        """One window of rejects."""

        offset: int
        total: int
        rejects: tuple[Reject, ...]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._rejects: tuple[Reject, ...] = ()
        self._offset, self._total = 0, 0

    def compose(self) -> ComposeResult:
        name = formatting.file_name(self._job.file)
        with Vertical(classes="dialog -large"):
            yield Static(
                f"Rejects of job {self._job.number}: {name}", classes="dialog-title", markup=False
            )
            yield Rows(COLUMNS, id="rejects")
            yield Static("", id="reject-detail", markup=False)
            yield Static("", id="reject-keys", classes="dialog-keys", markup=False)  # fmt: skip

    def on_mount(self) -> None:
        self.load(0)

    @background("rejects", exclusive=True)
    async def load(self, offset: int) -> None:
        client = cast("DataportApp", self.app).client
        path = f"/v1/rejects/{self._job.number}"
        page: dict[str, Any] = await client.get(path, limit=WINDOW, offset=offset)
        rejects = tuple(self._named(Reject.of(item)) for item in page["items"])
        self.post_message(self.Loaded(offset, int(page["total"]), rejects))

    def _named(self, reject: Reject) -> Reject:
        """A reject whose field says of which dataset it is, where there are several."""
        if not self._job.datasets:
            return reject
        return replace(reject, field=f"{reject.dataset}.{reject.field or 'row'}")

    def on_rejects_modal_loaded(self, message: Loaded) -> None:
        self._rejects, self._offset, self._total = message.rejects, message.offset, message.total
        rows = self.query_one(Rows)
        rows.set_placeholder("No rejects.")
        rows.set_rows([self._row(n, reject) for n, reject in enumerate(message.rejects)], cursor=0)
        last = self._offset + len(self._rejects)
        self.query_one("#reject-keys", Static).update(
            f"{min(self._offset + 1, last):,}–{last:,} of {self._total:,}"
            "    Esc closes    y copies the row    PgDn at the end: more"
        )

    def on_failed(self, message: Failed) -> None:
        message.stop()
        self.query_one(Rows).set_placeholder(f"✗ {formatting.visible(str(message.error))}")

    def on_rows_highlighted(self, message: Rows.Highlighted) -> None:
        detail = Text("")
        if message.key is not None:
            reject = self._rejects[int(message.key)]
            table = f" of {formatting.visible(reject.inside)}" if reject.inside else ""
            place = f"Line {reject.line}{table}, {reject.field or 'row'}: "
            detail = Text().append(place, "bold")
            detail.append(formatting.visible(reject.message))
            detail.append(f"\n{formatting.value_text(reject.value)}")
        self.query_one("#reject-detail", Static).update(detail)

    def on_rows_edge_reached(self, message: Rows.EdgeReached) -> None:
        offset = self._offset + message.direction * WINDOW
        if 0 <= offset < self._total:
            self.load(offset)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_copy(self) -> None:
        rows = self.query_one(Rows)
        if rows.current is not None:
            reject = self._rejects[int(rows.current)]
            places = [reject.inside] if reject.inside else []
            parts = (*places, str(reject.line), reject.field, reject.code, reject.message)
            self.app.copy_to_clipboard("\t".join((*parts, formatting.value_text(reject.value))))
            self.notify("Copied through the terminal (OSC 52).", markup=False)

    @staticmethod
    def _row(number: int, reject: Reject) -> Row:
        cells = (
            formatting.count(reject.line),
            formatting.visible(reject.field),
            reject.code,
            formatting.value_text(reject.value),
            formatting.visible(reject.message),
        )
        return Row(str(number), tuple(Text(cell) for cell in cells))
