"""The plan of a job that waits: what would change, row by row, before anything does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.widgets import Static

from dataport.core.errors import NotFoundError
from dataport.tui import formatting
from dataport.tui.commands import Facts, bindings_of
from dataport.tui.messages import Changed, Notice
from dataport.tui.modals import ChooseModal, ConfirmModal
from dataport.tui.plan_text import COLUMNS, detail_text, plan_row
from dataport.tui.screens.base import Section
from dataport.tui.screens.jobs import approve_modal
from dataport.tui.state import Job, PlanPage, PlanRow
from dataport.tui.widgets.kinds import KINDS, KindTabs
from dataport.tui.widgets.panes import TextPane
from dataport.tui.widgets.rows import Rows
from dataport.tui.work import background

WINDOW = 200
"""Rows asked for at a time."""


class Review(Section):
    """One window of the plan at a time; the cursor at its edge fetches the next."""

    section = "review"
    BINDINGS = bindings_of("review")

    @dataclass
    class JobsLoaded(Message):
        """The job to review, if any, and all that wait."""

        job: Job | None
        waiting: tuple[int, ...]

    @dataclass
    class PageLoaded(Message):
        """A window of the plan; `cursors` lead to it from the start, itself last."""

        page: PlanPage
        cursors: tuple[str | None, ...]
        is_back: bool

    @dataclass
    class NoPlan(Message):
        """The job has no plan (any more)."""

        reason: str

    def __init__(self) -> None:
        super().__init__()
        self._job: Job | None = None
        self._waiting: tuple[int, ...] = ()
        self._page: PlanPage | None = None
        self._cursors: tuple[str | None, ...] = (None,)
        self._operation, self._field, self._key, self._dataset = "", "", "", ""
        self._fields: set[str] = set()

    def body(self) -> ComposeResult:
        yield Static("", id="review-title", markup=False)
        yield KindTabs()
        with Container(classes="split"):
            rows = Rows(COLUMNS, id="plan")
            rows.add_class("pane")
            rows.border_title = "Plan"
            yield rows
            yield TextPane("Row", id="plan-detail")

    def on_mount(self) -> None:
        self.query_one(Rows).focus()

    @property
    def _is_of_several(self) -> bool:
        """Whether the plan is of several datasets, so that a key does not say whose it is."""
        return bool(self._job and self._job.datasets)

    def facts(self) -> Facts:
        has_rows = bool(self._page and self._page.rows)
        return replace(super().facts(), job=self._job, has_rows=has_rows,
                       waiting=len(self._waiting))  # fmt: skip

    @background("review-jobs", exclusive=True)
    async def load(self) -> None:
        client = self.port.client
        answer = await client.get("/v1/jobs", status="waiting", limit=WINDOW)
        waiting = [Job.of(item) for item in answer["items"]]
        wanted = self.port.review_job
        job = next((job for job in waiting if job.number == wanted), None)
        if job is None and wanted is not None:
            job = Job.of(await client.get(f"/v1/jobs/{wanted}"))
        if job is None and waiting:
            mine = self._job.number if self._job else None
            job = next((job for job in waiting if job.number == mine), waiting[-1])
        numbers = tuple(sorted(job.number for job in waiting))
        self.post_message(self.JobsLoaded(job, numbers))

    @background("review-page", exclusive=True)
    async def load_page(self, cursors: tuple[str | None, ...], is_back: bool = False) -> None:
        if self._job is None:
            return
        params = {"operation": self._operation, "field": self._field, "key": self._key,
                  "dataset": self._dataset, "after": cursors[-1]}  # fmt: skip
        given = {name: value for name, value in params.items() if value}
        try:
            answer = await self.port.client.get(
                f"/v1/plans/{self._job.number}", limit=WINDOW, **given
            )
        except NotFoundError as error:
            self.post_message(self.NoPlan(error.title))
            return
        self.post_message(self.PageLoaded(PlanPage.of(answer), cursors, is_back))

    @background("review-choose")
    async def choose(self, job: int, verb: str, row: PlanRow) -> None:
        which = {"dataset": row.dataset} if self._is_of_several else {}
        await self.port.client.patch(f"/v1/plans/{job}", {verb: [row.raw_key], **which})
        self.load_page(self._cursors)

    @background("review-command")
    async def ask(self, job: int, verb: str, done: str) -> None:
        await self.port.client.post(f"/v1/jobs/{job}/{verb}")
        self.post_message(Notice(f"Job {job}: {done}."))
        if self.port.review_job == job:
            self.port.review_job = None
        self.load()

    @on(JobsLoaded)
    def _jobs_loaded(self, message: JobsLoaded) -> None:
        is_same = message.job and self._job and message.job.number == self._job.number
        self._job, self._waiting = message.job, message.waiting
        self.port.review_job = message.job.number if message.job else None
        if message.job is None:
            self._show_empty("✓ No plan waits for you.\nAn inbox with hold = true, or import "
                             "--hold, stops here first.\nPress 2 for all jobs, p there opens "
                             "the plan of one.")  # fmt: skip
            return
        if not is_same:
            self._operation = self._field = self._key = self._dataset = ""
            self._fields = set()
            self._page = None
        self._show_title()
        self.load_page(self._cursors if is_same else (None,))

    @on(PageLoaded)
    def _page_loaded(self, message: PageLoaded) -> None:
        is_same_window = self._cursors == message.cursors and self._page is not None
        self._page, self._cursors = message.page, message.cursors
        for row in message.page.rows:
            self._fields.update(row.changed, row.conflicts, row.after or (), row.before or ())
        rows = self.query_one(Rows)
        rows.set_placeholder("No row of this kind.\n← → show other kinds, f another field.")
        cursor = None if is_same_window else (len(message.page.rows) - 1 if message.is_back else 0)
        lines = [
            plan_row(n, row, self.tones, names_dataset=self._is_of_several)
            for n, row in enumerate(message.page.rows)
        ]
        rows.set_rows(lines, cursor=cursor)
        self._show_title()
        self._show_detail()

    @on(NoPlan)
    def _no_plan(self, message: NoPlan) -> None:
        self._show_empty(f"This job has no plan: {message.reason}\nPress 2 for all jobs.")

    def on_changed(self, message: Changed) -> None:
        number = self._job.number if self._job else None
        mine = message.changes.jobs.get(number) if number is not None else None
        is_news = any(job.is_waiting for job in message.changes.jobs.values())
        has_moved = mine is not None and self._job is not None and mine.status != self._job.status
        if is_news or has_moved:
            self.load()

    def _show_empty(self, text: str) -> None:
        self._page = None
        rows = self.query_one(Rows)
        rows.set_placeholder(text)
        rows.set_rows([])
        self._show_title()
        self._show_detail()

    def _show_title(self) -> None:
        self.query_one("#review-title", Static).update(self._title())
        counts = dict(self._page.counts) if self._page else {}
        self.query_one(KindTabs).show(counts, self._operation, self.tones)
        rows, page = self.query_one(Rows), self._page
        if page is None or not page.rows:
            rows.border_title = "Plan"
        else:
            first = (len(self._cursors) - 1) * WINDOW + 1
            last = first + len(page.rows) - 1
            field = f", field {formatting.visible(self._field)}" if self._field else ""
            key = f", key with {formatting.visible(self._key)}" if self._key else ""
            only = f", only {self._dataset}" if self._dataset else ""
            rows.border_title = f"Rows {first:,}–{last:,} of {page.total:,}{only}{field}{key}"
        self.show_footer()

    def _title(self) -> Text:
        job = self._job
        if job is None:
            return Text("")
        tones = self.tones
        glyph = formatting.STATUS_GLYPHS.get(job.status, "?")
        text = Text().append(f" Job {job.number} ", "bold")
        text.append(f"{glyph} {job.status}  ", tones.status(job.status))
        source = f" from {job.source}" if job.source else ""
        text.append(formatting.visible(f"{job.dataset}{source}  {formatting.file_name(job.file)}"))
        if job.number in self._waiting and len(self._waiting) > 1:
            place = self._waiting.index(job.number) + 1
            text.append(f"  {place} of {len(self._waiting)} waiting", tones.warn)
        unchanged = self._page.counts.get("unchanged") if self._page else 0
        if unchanged:
            text.append(f"  {unchanged:,} unchanged", tones.quiet)
        return text

    def _show_detail(self) -> None:
        key, pane = self.query_one(Rows).current, self.query_one(TextPane)
        if key is None or self._page is None:
            pane.show("")
        else:
            row = self._page.rows[int(key)]
            pane.show(detail_text(row, self.tones, names_dataset=self._is_of_several))

    @on(Rows.Highlighted, "#plan")
    def _highlighted(self) -> None:
        self._show_detail()

    @on(Rows.Chosen, "#plan")
    def _chosen(self) -> None:
        self.query_one(TextPane).focus()

    @on(Rows.EdgeReached, "#plan")
    def _edge(self, message: Rows.EdgeReached) -> None:
        if message.direction > 0 and self._page and self._page.next:
            self.load_page((*self._cursors, self._page.next))
        elif message.direction < 0 and len(self._cursors) > 1:
            self.load_page(self._cursors[:-1], is_back=True)

    @on(KindTabs.Pressed)
    def _pressed(self, message: KindTabs.Pressed) -> None:
        self._show_kind(message.operation)

    def _show_kind(self, operation: str) -> None:
        self._operation = operation
        self._page = None
        self.load_page((None,))

    def _toggle(self, operation: str) -> None:
        self._show_kind("" if self._operation == operation else operation)

    def _step(self, by: int) -> None:
        names = [operation for operation, _, _ in KINDS]
        self._show_kind(names[(names.index(self._operation) + by) % len(names)])

    def do_right(self) -> None:
        self._step(1)

    def do_left(self) -> None:
        self._step(-1)

    def do_inserts(self) -> None:
        self._toggle("insert")

    def do_updates(self) -> None:
        self._toggle("update")

    def do_deletes(self) -> None:
        self._toggle("delete")

    def do_skips(self) -> None:
        self._toggle("skip")

    def do_conflicts(self) -> None:
        self._toggle("conflict")

    def do_excluded(self) -> None:
        self._toggle("excluded")

    def do_exclude(self) -> None:
        place = self.query_one(Rows).current
        if self._job and self._page and place is not None:
            row = self._page.rows[int(place)]
            self.choose(self._job.number, "include" if row.is_excluded else "exclude", row)

    def do_find(self) -> None:
        from dataport.tui.modals_edit import Edited, EditModal

        def found(result: Edited | None) -> None:
            if result is not None:
                self._key = result.value or ""
                self._page = None
                self.load_page((None,))

        self.app.push_screen(EditModal("Rows whose key contains", self._key, ""), found)

    def do_field(self) -> None:
        modal = ChooseModal("Rows that change which field?", sorted(self._fields), "Every field")
        self.app.push_screen(modal, self._field_chosen)

    def _field_chosen(self, field: str | None) -> None:
        if field is not None:
            self._field = field
            self._page = None
            self.load_page((None,))

    def do_dataset(self) -> None:
        if self._job:
            modal = ChooseModal("Rows of which dataset?", list(self._job.datasets), "Every dataset")
            self.app.push_screen(modal, self._dataset_chosen)

    def _dataset_chosen(self, dataset: str | None) -> None:
        if dataset is not None:
            self._dataset = dataset
            self._page = None
            self.load_page((None,))

    def do_next(self) -> None:
        if self._job and self._waiting:
            later = [number for number in self._waiting if number > self._job.number]
            self.port.review_job = (later or list(self._waiting))[0]
            self.load()

    def do_rejects(self) -> None:
        from dataport.tui.modals_rejects import RejectsModal

        if self._job:
            self.app.push_screen(RejectsModal(self._job))

    def do_approve(self) -> None:
        if self._job and self._page:
            modal = approve_modal(self._job, self._page)
            self.app.push_screen(modal, self._asker("approve", "approved"))

    def do_discard(self) -> None:
        if self._job:
            modal = ConfirmModal(
                f"Discard the plan of job {self._job.number}?",
                f"{formatting.file_name(self._job.file)}. The store stays as it is.",
                "discard it",
            )
            self.app.push_screen(modal, self._asker("discard", "discarded"))

    def _asker(self, verb: str, done: str) -> Callable[[bool | None], None]:
        number = self._job.number if self._job else 0

        def answered(yes: bool | None) -> None:
            if yes and number:
                self.ask(number, verb, done)

        return answered
