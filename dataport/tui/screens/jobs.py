"""All jobs, newest first, alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import Input

from dataport.tui import formatting
from dataport.tui.commands import Facts, bindings_of
from dataport.tui.job_text import COLUMNS, detail_text, job_row, search_text
from dataport.tui.messages import Changed, Notice
from dataport.tui.modals import ConfirmModal, ErrorModal
from dataport.tui.screens.base import Section
from dataport.tui.screens.overview import progress_line
from dataport.tui.state import Job, PlanPage
from dataport.tui.widgets.panes import TextPane
from dataport.tui.widgets.rows import Row, Rows
from dataport.tui.work import background

WINDOW = 200
"""Newest jobs that are listed."""


class Jobs(Section):
    """A list that follows events, and everything about the job under the cursor."""

    section = "jobs"
    BINDINGS = bindings_of("jobs")

    @dataclass
    class Loaded(Message):
        """The newest jobs."""

        jobs: tuple[Job, ...]

    @dataclass
    class Updated(Message):
        """One job after a request about it."""

        job: Job

    @dataclass
    class ToApprove(Message):
        """A waiting job with the counts of its plan."""

        job: Job
        plan: PlanPage

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[int, Job] = {}
        self._rows: dict[int, Row] = {}
        self._search: dict[int, str] = {}
        self._filter = ""

    def body(self) -> ComposeResult:
        with Container(classes="split"):
            with Vertical(id="job-list", classes="pane"):
                yield Rows(COLUMNS, id="jobs")
                yield Input(placeholder="Text to look for", id="job-filter", compact=True)
            yield TextPane("Job", id="job-detail")

    def on_mount(self) -> None:
        self.query_one("#job-list").border_title = "Jobs"
        self.query_one("#job-filter").display = False
        self.query_one(Rows).focus()

    @property
    def selected(self) -> Job | None:
        """The job under the cursor."""
        key = self.query_one(Rows).current
        return self._jobs.get(int(key)) if key else None

    def facts(self) -> Facts:
        is_filtered = self.query_one("#job-filter").display
        return replace(
            super().facts(),
            job=self.selected,
            has_rows=bool(self._jobs),
            can_go_back=self.has_class("-detail") or is_filtered,
        )

    @background("jobs", exclusive=True)
    async def load(self) -> None:
        answer = await self.port.client.get("/v1/jobs", limit=WINDOW)
        self.post_message(self.Loaded(tuple(Job.of(item) for item in answer["items"])))

    @background("job-command")
    async def ask(self, job: int, verb: str) -> None:
        answer = await self.port.client.post(f"/v1/jobs/{job}/{verb}")
        self.post_message(self.Updated(Job.of(answer)))
        self.post_message(Notice(f"Job {job}: {_DONE[verb]}."))

    @background("job-plan", exclusive=True)
    async def load_counts(self, job: Job) -> None:
        page = await self.port.client.get(f"/v1/plans/{job.number}", limit=1)
        self.post_message(self.ToApprove(job, PlanPage.of(page)))

    @on(Loaded)
    def _loaded(self, message: Loaded) -> None:
        self._jobs = {job.number: job for job in message.jobs}
        self._rows = {job.number: job_row(job, self.tones) for job in message.jobs}
        self._search = {job.number: search_text(job) for job in message.jobs}
        self._show_list()

    @on(Updated)
    def _updated(self, message: Updated) -> None:
        self._follow({message.job.number: message.job})

    def on_changed(self, message: Changed) -> None:
        self._follow(dict(message.changes.jobs))

    def _follow(self, jobs: dict[int, Job]) -> None:
        """Take in jobs that changed; the list is rebuilt only when one is new."""
        has_new = not set(jobs) <= set(self._jobs)
        for number, job in jobs.items():
            self._jobs[number] = job
            self._rows[number] = job_row(job, self.tones)
            self._search[number] = search_text(job)
            if not has_new:
                self.query_one("#jobs", Rows).update_row(self._rows[number])
        if has_new or (jobs and self._filter):
            self._show_list()

    def _show_list(self) -> None:
        found = [n for n in sorted(self._jobs, reverse=True) if self._filter in self._search[n]]
        rows = self.query_one("#jobs", Rows)
        rows.set_placeholder(
            f"No job contains “{self._filter}”.\nEsc clears the filter."
            if self._jobs
            else "No jobs yet.\nDrop a file into an inbox; press 1 to see their folders."
        )
        rows.set_rows([self._rows[number] for number in found])
        total = len(self._jobs)
        newest = " newest" if total >= WINDOW else ""
        shown = f"{len(found):,} of {total:,}" if self._filter else f"{total:,}"
        self.query_one("#job-list").border_title = f"Jobs ({shown}{newest})" if total else "Jobs"
        self._show_detail()

    def _show_detail(self) -> None:
        pane, job = self.query_one(TextPane), self.selected
        if job is None:
            pane.border_title = "Job"
            pane.show("")
        else:
            pane.border_title = f"Job {job.number}"
            line = progress_line(job, pane.size.width - 2, self.tones)
            pane.show(detail_text(job, line, self.tones))
        self.show_footer()

    @on(Rows.Highlighted, "#jobs")
    def _highlighted(self) -> None:
        self._show_detail()

    @on(Rows.Chosen, "#jobs")
    def _chosen(self) -> None:
        self.do_detail()

    @on(Input.Changed, "#job-filter")
    def _filter_changed(self, message: Input.Changed) -> None:
        self._filter = message.value.casefold()
        self._show_list()

    @on(Input.Submitted, "#job-filter")
    def _filter_done(self) -> None:
        self.query_one("#jobs").focus()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._show_detail)

    def do_back(self) -> None:
        field = self.query_one("#job-filter", Input)
        if self.has_class("-detail"):
            self.remove_class("-detail")
        elif field.display:
            field.value = ""
            field.display = False
        self.query_one("#jobs").focus()
        self.show_footer()

    def do_detail(self) -> None:
        self.add_class("-detail")
        self.query_one(TextPane).focus()
        self.show_footer()

    def do_filter(self) -> None:
        field = self.query_one("#job-filter", Input)
        field.display = True
        field.focus()
        self.show_footer()

    def do_cancel(self) -> None:
        self._confirm("cancel", "Cancel job {}?", "Its work so far is rolled back.", "cancel it")

    def do_discard(self) -> None:
        self._confirm("discard", "Discard the plan of job {}?", "The store stays as it is.",
                      "discard it")  # fmt: skip

    def do_retry(self) -> None:
        if job := self.selected:
            self.ask(job.number, "retry")

    def do_approve(self) -> None:
        if job := self.selected:
            self.load_counts(job)

    @on(ToApprove)
    def _to_approve(self, message: ToApprove) -> None:
        modal = approve_modal(message.job, message.plan)
        self.app.push_screen(modal, self._asker(message.job.number, "approve"))

    def do_plan(self) -> None:
        if job := self.selected:
            self.port.open_review(job)

    def do_rejects(self) -> None:
        from dataport.tui.modals_rejects import RejectsModal

        if job := self.selected:
            self.app.push_screen(RejectsModal(job))

    def do_error(self) -> None:
        job = self.selected
        if job and job.error:
            self.app.push_screen(ErrorModal(job.error))

    def _confirm(self, verb: str, question: str, detail: str, answer: str) -> None:
        if job := self.selected:
            name = f"{formatting.file_name(job.file)}. {detail}"
            modal = ConfirmModal(question.format(job.number), name, answer)
            self.app.push_screen(modal, self._asker(job.number, verb))

    def _asker(self, job: int, verb: str) -> Callable[[bool | None], None]:
        def answered(yes: bool | None) -> None:
            if yes:
                self.ask(job, verb)

        return answered


_DONE = {
    "cancel": "cancelled",
    "retry": "queued again",
    "approve": "approved",
    "discard": "discarded",
}


def approve_modal(job: Job, plan: PlanPage) -> ConfirmModal:
    """The question before a plan is applied; it names every count."""
    return ConfirmModal(
        f"Apply job {job.number} to {formatting.visible(plan.dataset)}?",
        f"{formatting.file_name(job.file)}\n{formatting.plan_sentence(plan.counts)}.\n"
        "One commit; it can be undone as a whole.",
        "apply it",
    )
