"""What Store and File both changed: one look, one key, the next."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker

from dataport.core.errors import DataportError, StateError
from dataport.core.text import counted
from dataport.core.words import Take
from dataport.tui import formatting
from dataport.tui.commands import Facts, bindings_of
from dataport.tui.conflict_text import (
    COLUMNS,
    FIELD_COLUMNS,
    conflict_row,
    field_rows,
    head_text,
    like_this,
    sides,
)
from dataport.tui.messages import Changed, Failed
from dataport.tui.modals import ConfirmModal
from dataport.tui.screens.base import Section
from dataport.tui.state import Conflict
from dataport.tui.widgets.panes import TextPane
from dataport.tui.widgets.rows import Row, Rows
from dataport.tui.work import as_dataport_error, background

WINDOW = 200
"""Conflicts asked for at a time."""
REFILL = 40
"""With fewer left in the window, more are asked for."""

TAKEN = {Take.OURS: "Keep the Store's value", Take.THEIRS: "Take the File's value"}


class Conflicts(Section):
    """Choices leave the list at once and are sent in order; a refused one comes back."""

    section = "conflicts"
    BINDINGS = bindings_of("conflicts")

    @dataclass
    class Loaded(Message):
        """A window of open conflicts."""

        offset: int
        total: int
        conflicts: tuple[Conflict, ...]
        go_to: int | None
        epoch: int

    @dataclass
    class Settled(Message):
        """The daemon took a choice."""

        conflict: Conflict

    @dataclass
    class Refused(Message):
        """The daemon did not take a choice."""

        conflict: Conflict
        error: DataportError

    @dataclass
    class ToSettleAll(Message):
        """How many conflicts are like one."""

        conflict: Conflict
        take: Take
        total: int

    @dataclass
    class SettledMany(Message):
        """Many were settled at once, or, with a negative number, opened again."""

        number: int
        text: str

    def __init__(self) -> None:
        super().__init__()
        self._conflicts: dict[int, Conflict] = {}
        self._pending: dict[int, Conflict] = {}
        self._lines: dict[int, Row] = {}
        """Lines of the list that are drawn already."""
        self._history: list[int] = []
        self._offset, self._total, self._done = 0, 0, 0
        self._is_loaded = False
        self._epoch = 0
        """Grows with every choice, so that an answer from before one is not shown after it."""
        self._is_stale = False
        self._order = asyncio.Lock()

    def body(self) -> ComposeResult:
        yield Static("", id="conflict-progress", markup=False)
        rows = Rows(COLUMNS, id="conflicts")
        rows.add_class("pane")
        rows.border_title = "Conflicts"
        yield rows
        yield Static("", id="conflict-head", markup=False)
        with Horizontal(id="sides"):
            yield TextPane("Last sent (b)", id="side-base")
            yield TextPane("Store (s)", id="side-store")
            yield TextPane("File (f)", id="side-file")
        fields = Rows(FIELD_COLUMNS, id="fields", has_idle_cursor=False)
        fields.add_class("pane")
        fields.border_title = "Whole row"
        yield fields

    def on_mount(self) -> None:
        self.query_one("#conflicts", Rows).focus()
        self._show_current()

    @property
    def current(self) -> Conflict | None:
        """The conflict under the cursor."""
        key = self.query_one("#conflicts", Rows).current
        return self._conflicts.get(int(key)) if key else None

    def facts(self) -> Facts:
        return replace(super().facts(), conflict=self.current, has_rows=bool(self._conflicts))

    def load(self) -> Worker[None]:
        return self.load_window(self._offset)

    @background("conflicts", exclusive=True)
    async def load_window(self, offset: int, go_to: int | None = None) -> None:
        epoch = self._epoch
        answer = await self.port.client.get(
            "/v1/conflicts", status="open", limit=WINDOW, offset=offset
        )
        found = tuple(Conflict.of(item) for item in answer["items"])
        self.post_message(self.Loaded(offset, int(answer["total"]), found, go_to, epoch))

    @background("resolve")
    async def resolve(self, conflict: Conflict, choice: dict[str, Any]) -> None:
        body = {**choice, "shown": conflict.ours, "shown_theirs": conflict.theirs}
        async with self._order:
            try:
                path = f"/v1/conflicts/{conflict.number}/resolve"
                await self.port.client.post(path, body)
            except Exception as error:  # noqa: BLE001 - whatever failed, the choice comes back
                self.post_message(self.Refused(conflict, as_dataport_error(error)))
                return
        self.post_message(self.Settled(conflict))

    @background("resolve")
    async def undo(self) -> None:
        async with self._order:
            answer = await self.port.client.post("/v1/conflicts/undo", {})
        reopened = int(answer.get("reopened") or 0)
        text = f"Opened again: {counted(reopened, 'conflict')}."
        self.post_message(self.SettledMany(-reopened, text))

    @background("count-alike", exclusive=True)
    async def count_alike(self, conflict: Conflict, take: Take) -> None:
        answer = await self.port.client.get(
            "/v1/conflicts", status="open", limit=1, **_scope(conflict)
        )
        self.post_message(self.ToSettleAll(conflict, take, int(answer["total"])))

    @background("resolve")
    async def resolve_alike(self, conflict: Conflict, take: Take) -> None:
        body = {"take": take.value, **_scope(conflict)}
        async with self._order:
            answer = await self.port.client.post("/v1/conflicts/resolve", body)
        number = int(answer.get("resolved") or 0)
        text = f"Settled {counted(number, 'conflict')}; z takes it back."
        self.post_message(self.SettledMany(number, text))

    @on(Loaded)
    def _loaded(self, message: Loaded) -> None:
        if message.epoch != self._epoch:
            self._is_stale = True
            self._reload_if_stale()
            return
        if not message.conflicts and message.total and message.offset:
            self.load_window(0)
            return
        self._is_loaded = True
        self._lines = {}
        self._offset, self._total = message.offset, message.total
        pending = sum(1 for conflict in message.conflicts if conflict.number in self._pending)
        self._total -= pending
        self._conflicts = {
            conflict.number: conflict
            for conflict in message.conflicts
            if conflict.number not in self._pending
        }
        self._show_list()
        if message.go_to is not None:
            self.query_one("#conflicts", Rows).go_to(str(message.go_to))

    @on(Settled)
    def _settled(self, message: Settled) -> None:
        self._pending.pop(message.conflict.number, None)
        self._epoch += 1
        self._history.append(message.conflict.number)
        has_more = self._total > self._offset + len(self._conflicts)
        if (has_more or self._offset) and len(self._conflicts) < REFILL and not self._pending:
            self.load_window(0)
        self._reload_if_stale()

    def _reload_if_stale(self) -> None:
        """Ask again, once no choice is under way, for what an outdated answer could not tell."""
        if self._is_stale and not self._pending:
            self._is_stale = False
            self.load()

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        self._pending.pop(message.conflict.number, None)
        self._done = max(0, self._done - 1)
        if isinstance(message.error, StateError):
            text = f"{message.error} Nothing was done; this is how it stands now."
            self.notify(text, title="Changed meanwhile", severity="warning", markup=False)
            self.load_window(self._offset, message.conflict.number)
            return
        self._total += 1
        self._conflicts = {message.conflict.number: message.conflict, **self._conflicts}
        self._show_list()
        self.query_one("#conflicts", Rows).go_to(str(message.conflict.number))
        self.post_message(Failed(message.error))

    @on(SettledMany)
    def _settled_many(self, message: SettledMany) -> None:
        self._done = max(0, self._done + message.number)
        self.port.load_status()
        self.notify(message.text, markup=False)
        reopened = self._history.pop() if message.number < 0 and self._history else None
        self.load_window(0 if message.number > 0 else self._offset, reopened)

    @on(ToSettleAll)
    def _to_settle_all(self, message: ToSettleAll) -> None:
        modal = ConfirmModal(
            f"{TAKEN[message.take]} for {counted(message.total, 'conflict')}?",
            f"{like_this(message.conflict)}\nOne commit; z takes all of it back.",
            f"settle {message.total:,}",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.resolve_alike(message.conflict, message.take)

        self.app.push_screen(modal, answered)

    def on_changed(self, message: Changed) -> None:
        """Reload only for news from elsewhere: own choices are shown already."""
        is_known = message.changes.open_conflicts == self._total
        if "conflicts" in message.changes.kinds and not self._pending and not is_known:
            self.load()

    @on(Rows.Highlighted, "#conflicts")
    def _highlighted(self) -> None:
        self._show_current()

    @on(Rows.EdgeReached, "#conflicts")
    def _edge(self, message: Rows.EdgeReached) -> None:
        offset = max(0, self._offset + message.direction * WINDOW)
        if offset != self._offset and offset < self._total:
            self.load_window(offset)

    def do_store(self) -> None:
        self._choose({"take": Take.OURS.value})

    def do_file(self) -> None:
        self._choose({"take": Take.THEIRS.value})

    def do_base(self) -> None:
        self._choose({"take": Take.BASE.value})

    def do_edit(self) -> None:
        from dataport.tui.modals_edit import Edited, EditModal

        conflict = self.current
        if conflict is None:
            return
        values = (conflict.merged, conflict.ours, conflict.theirs, conflict.base)
        sample = next((value for value in values if value is not None), None)
        title = f"New value of {conflict.key} · {conflict.field or 'whole row'}"

        def edited(result: Edited | None) -> None:
            if result is not None and self.current == conflict:
                self._choose({"value": result.value})

        value = next(
            (v for v in (conflict.merged, conflict.ours) if v is not None), conflict.theirs
        )
        self.app.push_screen(EditModal(formatting.visible(title), value, sample), edited)

    def do_skip(self) -> None:
        self.query_one("#conflicts", Rows).action_move(1)

    def do_undo(self) -> None:
        self.undo()

    def do_all_store(self) -> None:
        self._settle_all(Take.OURS)

    def do_all_file(self) -> None:
        self._settle_all(Take.THEIRS)

    def _settle_all(self, take: Take) -> None:
        if conflict := self.current:
            self.count_alike(conflict, take)

    def _choose(self, choice: dict[str, Any]) -> None:
        """Send a choice and go on to the next conflict without waiting."""
        conflict = self.current
        if conflict is None:
            return
        self._pending[conflict.number] = self._conflicts.pop(conflict.number)
        self._total -= 1
        self._done += 1
        self._epoch += 1
        self._show_list()
        self.resolve(conflict, choice)

    def _show_list(self) -> None:
        rows = self.query_one("#conflicts", Rows)
        done = f"\n{self._done:,} settled; z takes the newest back." if self._done else ""
        rows.set_placeholder(
            f"✓ No conflicts: Store and Files agree.{done}\nPress 1 for what else waits."
        )
        tones = self.tones
        self._lines = {
            number: self._lines.get(number) or conflict_row(conflict, tones)
            for number, conflict in self._conflicts.items()
        }
        rows.set_rows(list(self._lines.values()))
        self._show_progress()
        self._show_current()

    def _show_progress(self) -> None:
        total = self._done + self._total
        rows = self.query_one("#conflicts", Rows)
        first, last = self._offset + 1, self._offset + len(self._conflicts)
        rows.border_title = (
            f"Conflicts {first:,}–{last:,} of {self._total:,}" if self._total else "Conflicts"
        )
        text = Text("")
        if self._is_loaded and total:
            fraction = self._done / total
            text.append(f" {formatting.bar(fraction, 20)}", self.tones.good)
            text.append(f" {self._done:,} of {total:,} settled", "bold")
            if self._total == 0:
                text.append("  ✓ Done, nothing is left", self.tones.good)
        self.query_one("#conflict-progress", Static).update(text)

    def _show_current(self) -> None:
        conflict = self.current
        is_row = conflict is not None and conflict.is_row
        self.query_one("#sides").display = conflict is not None and not is_row
        fields = self.query_one("#fields", Rows)
        fields.display = is_row
        head = self.query_one("#conflict-head", Static)
        head.display = conflict is not None
        if conflict is not None:
            head.update(head_text(conflict, self.tones))
            if is_row:
                fields.set_rows(field_rows(conflict, self.tones), cursor=0)
            else:
                names = ("#side-base", "#side-store", "#side-file")
                for name, text in zip(names, sides(conflict, self.tones), strict=True):
                    self.query_one(name, TextPane).show(text)
            hint = "" if is_row else f"S all Store, F all File: {like_this(conflict)}"
            self.query_one("#conflicts", Rows).border_subtitle = Text(hint)
        self.show_footer()


def _scope(conflict: Conflict) -> dict[str, str]:
    scope = {
        "dataset": conflict.dataset,
        "field": conflict.field or "",
        "source": conflict.source,
    }
    return {name: value for name, value in scope.items() if value}
