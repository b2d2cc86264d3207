"""What waits for a person first, then what runs, then where files land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import Worker

from dataport.core.text import counted
from dataport.tui import formatting
from dataport.tui.commands import Facts, bindings_of
from dataport.tui.messages import Changed, Notice
from dataport.tui.screens.base import Section
from dataport.tui.state import Inbox, Job, Waiting
from dataport.tui.tones import Tones
from dataport.tui.widgets.columns import Column
from dataport.tui.widgets.panes import TextPane
from dataport.tui.widgets.rows import Row, Rows
from dataport.tui.work import background

WAITING_COLUMNS = (Column("What", 30, grow=1), Column("Press", 34, grow=1))
INBOX_COLUMNS = (
    Column("Inbox", 12, grow=1),
    Column("Dataset", 13, grow=1),
    Column("Source", 10, grow=1, drop=1),
    Column("Mode", 14, drop=2),
    Column("Folder", 16, grow=6),
)


class Overview(Section):
    """The first screen."""

    section = "overview"
    BINDINGS = bindings_of("overview")

    @dataclass
    class InboxesLoaded(Message):
        """The watched folders."""

        inboxes: tuple[Inbox, ...]

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[int, Job] = {}
        self._inboxes: dict[str, Inbox] = {}

    def body(self) -> ComposeResult:
        waiting = Rows(WAITING_COLUMNS, id="waiting", has_idle_cursor=False)
        waiting.border_title = "Waits for you"
        yield waiting
        yield TextPane("Runs now", id="running")
        inboxes = Rows(INBOX_COLUMNS, id="inboxes", has_idle_cursor=False)
        inboxes.border_title = "Inboxes"
        yield inboxes

    def on_mount(self) -> None:
        for pane in self.query(Rows):
            pane.add_class("pane")
        self.query_one("#waiting", Rows).focus()
        self.query_one(TextPane).show("Loading…")

    def facts(self) -> Facts:
        has_rows = bool(self.query_one("#waiting", Rows).rows)
        return replace(super().facts(), has_rows=has_rows)

    def load(self) -> Worker[None]:
        self.port.load_status()
        return self.load_inboxes()

    @background("inboxes", exclusive=True)
    async def load_inboxes(self) -> None:
        answer = await self.port.client.get("/v1/inboxes")
        self.post_message(self.InboxesLoaded(tuple(Inbox.of(item) for item in answer["items"])))

    @background("rescan", exclusive=True)
    async def rescan(self) -> None:
        answer = await self.port.client.post("/v1/inboxes/rescan")
        found = counted(int(answer.get("queued") or 0), "file")
        self.post_message(Notice(f"Looked into every inbox: {found} to import."))

    def show_status(self) -> None:
        """Show a fresh status."""
        status = self.port.status
        if status is None:
            return
        self._jobs = {job.number: job for job in status.running}
        rows = self.query_one("#waiting", Rows)
        rows.set_placeholder("✓ Nothing waits for you.\nDrop a file into an inbox to import it.")
        rows.set_rows(waiting_rows(status.waiting, self.tones))
        self._show_running()
        self.show_footer()

    @on(InboxesLoaded)
    def _inboxes_loaded(self, message: InboxesLoaded) -> None:
        self._inboxes = {inbox.name: inbox for inbox in message.inboxes}
        rows = self.query_one("#inboxes", Rows)
        rows.set_placeholder(
            "No inboxes yet. Make one in a shell:\n"
            "dataport inboxes add NAME --dataset leads --source crm"
        )
        rows.border_title = f"Inboxes ({len(message.inboxes)})" if message.inboxes else "Inboxes"
        rows.set_rows([_inbox_row(inbox, self.tones) for inbox in message.inboxes])

    def on_changed(self, message: Changed) -> None:
        for job in message.changes.jobs.values():
            if job.is_running:
                self._jobs[job.number] = job
            else:
                self._jobs.pop(job.number, None)
        self._show_running()
        if message.changes.kinds & {"config", "inbox"}:
            self.load_inboxes()

    @on(Rows.Chosen, "#waiting")
    def _open_waiting(self, message: Rows.Chosen) -> None:
        self.port.go(message.key.partition(":")[0])

    @on(Rows.Chosen, "#inboxes")
    def _open_inbox(self, message: Rows.Chosen) -> None:
        inbox = self._inboxes[message.key]
        self.app.copy_to_clipboard(inbox.path)
        self.notify(f"Folder copied (OSC 52): {inbox.path}", markup=False)

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._show_running)

    def do_open(self) -> None:
        focused = self.focused if isinstance(self.focused, Rows) else self.query_one(Rows)
        focused.action_choose()

    def do_rescan(self) -> None:
        self.rescan()

    def _show_running(self) -> None:
        if self.port.status is None:
            return
        pane = self.query_one(TextPane)
        jobs = sorted(self._jobs.values(), key=lambda job: job.number)
        pane.border_title = f"Runs now ({len(jobs)})" if jobs else "Runs now"
        pane.show(running_text(jobs, pane.size.width - 2, self.tones))


def waiting_rows(waiting: Waiting, tones: Tones) -> list[Row]:
    """A row for each kind of thing that waits; its key begins with the section to open."""
    kinds = (
        (waiting.approvals, "◆", "plan to approve", "plans to approve", "review", "3 to review"),
        (waiting.conflicts, "!", "conflict", "conflicts", "conflicts", "4 to settle them"),
        (waiting.mappings, "◆", "mapping to check", "mappings to check", "jobs", "2 for the jobs"),
        (waiting.rejects, "✗", "rejected row", "rejected rows", "jobs", "2, then x on the job"),
    )
    return [
        Row(
            f"{section}:{one}",
            (
                Text(f"{glyph} {counted(number, one, many)}", style=tones.warn),
                Text(f"Enter or {keys}", style=tones.quiet),
            ),
        )
        for number, glyph, one, many, section, keys in kinds
        if number
    ]


def running_text(jobs: Sequence[Job], width: int, tones: Tones) -> Text:
    """Two lines a job: what it is, and how far."""
    if not jobs:
        return Text("○ Nothing runs. Press i to look into the inboxes now.", style=tones.quiet)
    text = Text()
    for job in jobs:
        if text:
            text.append("\n")
        text.append(f"{formatting.STATUS_GLYPHS['processing']} {job.number} ", tones.accent)
        words = f"{job.kind} {job.dataset} from {job.source}" if job.source else job.kind
        text.append(f"{formatting.visible(words)}  ")
        text.append(f"{formatting.file_name(job.file)}\n", tones.quiet)
        text.append_text(progress_line(job, width, tones))
    return text


def progress_line(job: Job, width: int, tones: Tones) -> Text:
    """`  plan ████░░░ 45%  45,000 of 100,000  12,000 rows/s  5 s left`, cut to `width`."""
    progress = job.progress
    if progress is None:
        return Text(f"  {job.phase or job.status}", style=tones.quiet)
    fraction = progress.fraction
    numbers = formatting.count(progress.processed)
    if progress.total:
        numbers += f" of {progress.total:,}"
    tail = [numbers]
    if progress.rate:
        tail.append(formatting.rate(progress.rate))
    if progress.eta_s is not None:
        tail.append(f"{formatting.duration(progress.eta_s)} left")
    words = "  ".join(tail)
    line = Text(f"  {formatting.fit(progress.phase or job.phase, 6)} ")
    if fraction is not None:
        bar_width = max(6, min(30, width - len(words) - 16))
        line.append(formatting.bar(fraction, bar_width), tones.accent)
        line.append(f" {int(fraction * 100):>3}%  ")
    line.append(words, tones.quiet)
    line.truncate(max(10, width), overflow="ellipsis")
    return line


def _inbox_row(inbox: Inbox, tones: Tones) -> Row:
    mode = f"{inbox.mode}, held" if inbox.hold else inbox.mode
    path = inbox.path
    home = str(Path.home())
    if path.startswith(f"{home}/"):
        path = f"~{path[len(home) :]}"
    values = (inbox.name, inbox.target, inbox.source, mode)
    cells = [Text(formatting.visible(value)) for value in values]
    return Row(inbox.name, (*cells, Text(formatting.visible(path), style=tones.quiet)))
