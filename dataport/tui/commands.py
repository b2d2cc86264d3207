"""Every command, declared once: bindings, footer, palette and help are made from this table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from dataport.core.words import ConflictKind, JobKind, JobStatus
from dataport.tui.state import Conflict, Job

FOOTER_KEYS = 6
"""Most keys that a footer shows, `?` included."""

SECTIONS = {"overview": "Overview", "jobs": "Jobs", "review": "Review", "conflicts": "Conflicts"}
"""Sections by id, in the order of their number keys."""

KEY_LABELS = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "ctrl+p": "^p",
    "left": "←",
    "right": "→",
}


@dataclass(frozen=True)
class Facts:
    """What a screen shows now; decides which commands apply."""

    is_connected: bool = False
    job: Job | None = None
    """The job under the cursor, or the one under review."""
    conflict: Conflict | None = None
    """The conflict on screen."""
    has_rows: bool = False
    """Whether the screen's list holds anything to act on."""
    can_go_back: bool = False
    """Whether a detail or a filter is open."""
    waiting: int = 0
    """Jobs that wait for a review."""


Reason = Callable[[Facts], str]
"""Why a command can't run now, as a sentence; empty where it can."""


@dataclass(frozen=True)
class Command:
    """Something a person can do."""

    id: str
    """`screen.verb`; the verb names the screen's method `do_verb`."""
    key: str
    """Textual's name of the key; empty for palette only."""
    title: str
    """One or two words for the footer."""
    description: str
    """A sentence for help and palette."""
    screens: tuple[str, ...]
    footer: int = 0
    """Order in the footer; 0 keeps it out."""
    more_keys: tuple[str, ...] = ()
    why_not: Reason = lambda _facts: ""
    is_quiet: bool = False
    """Says nothing where it does not apply."""

    @property
    def verb(self) -> str:
        return self.id.partition(".")[2]

    @property
    def label(self) -> str:
        return key_label(self.key)


def key_label(key: str) -> str:
    """A key as people know it."""
    return KEY_LABELS.get(key, key)


def _needs_daemon(facts: Facts) -> str:
    return "" if facts.is_connected else "The daemon does not answer; press R to try again."


def _needs_rows(facts: Facts) -> str:
    return "" if facts.has_rows else "The list is empty."


def _needs_gone(facts: Facts) -> str:
    return "The daemon answers already." if facts.is_connected else ""


def _on_job(check: Callable[[Job], str]) -> Reason:
    def why_not(facts: Facts) -> str:
        if reason := _needs_daemon(facts):
            return reason
        return check(facts.job) if facts.job else "No job is selected."

    return why_not


def _cancellable(job: Job) -> str:
    return f"Job {job.number} has ended already." if job.is_final else ""


def _retryable(job: Job) -> str:
    is_over = job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
    return "" if is_over else "Only a failed or cancelled job can be tried again."


def _held(job: Job) -> str:
    return "" if job.is_waiting else f"Job {job.number} does not wait for approval."


def _choosable(facts: Facts) -> str:
    return _on_job(_held)(facts) or _needs_rows(facts)


def _planned(job: Job) -> str:
    return "" if job.kind == JobKind.IMPORT else "Only imports have a plan."


def _rejected(job: Job) -> str:
    return "" if job.rejected else f"Job {job.number} rejected no rows."


def _of_package(job: Job) -> str:
    return "" if job.datasets else "The plan is of one dataset."


def _failed(job: Job) -> str:
    return "" if job.error else f"Job {job.number} has no error."


def _open_conflict(facts: Facts) -> str:
    if reason := _needs_daemon(facts):
        return reason
    return "" if facts.conflict else "No conflict is selected."


def _field_conflict(facts: Facts) -> str:
    if reason := _open_conflict(facts):
        return reason
    if facts.conflict and facts.conflict.is_row:
        return "Whole rows are settled one at a time."
    return ""


def _editable_conflict(facts: Facts) -> str:
    if facts.conflict and facts.conflict.merged is not None:
        return _open_conflict(facts)
    return _field_conflict(facts)


def _based_conflict(facts: Facts) -> str:
    if facts.conflict and facts.conflict.kind in _WITHOUT_BASE:
        return "This conflict can't be set back: keep the Store, or take the File."
    return _open_conflict(facts)


def _can_go_back(facts: Facts) -> str:
    return "" if facts.can_go_back else "This is the whole list."


def _next_job(facts: Facts) -> str:
    return "" if facts.waiting > 1 else "No other job waits for a review."


_WITHOUT_BASE = (ConflictKind.DUPLICATE_KEY, ConflictKind.EDIT_DELETE, ConflictKind.INVALID_MERGE)
_ALL = tuple(SECTIONS)
_OVERVIEW, _JOBS, _REVIEW, _CONFLICTS = ((section,) for section in _ALL)

COMMANDS: tuple[Command, ...] = (
    Command("go.overview", "1", "Overview", "What waits for you, what runs, inboxes.", _ALL),
    Command("go.jobs", "2", "Jobs", "All jobs, newest first, with live progress.", _ALL),
    Command("go.review", "3", "Review", "The plan of a job that waits for approval.", _ALL),
    Command("go.conflicts", "4", "Conflicts", "Values that Store and File both changed.", _ALL),
    Command("overview.open", "enter", "Open", "Open what the cursor is on.", _OVERVIEW, 1, (),
            _needs_rows),
    Command("overview.rescan", "i", "Scan inboxes", "Look for files in every inbox now.",
            _OVERVIEW, 2, (), _needs_daemon),
    Command("jobs.detail", "enter", "Detail", "Read everything about the job; Esc goes back.",
            _JOBS, 9, (), _needs_rows),
    Command("jobs.back", "escape", "Back", "From the detail or the filter to all jobs.", _JOBS, 1,
            (), _can_go_back, is_quiet=True),
    Command("jobs.approve", "a", "Approve", "Apply the plan of a waiting job.", _JOBS, 2, (),
            _on_job(_held)),
    Command("jobs.discard", "d", "Discard", "Drop the plan of a waiting job.", _JOBS, 3, (),
            _on_job(_held)),
    Command("jobs.cancel", "c", "Cancel", "Stop the job; nothing of it is kept.", _JOBS, 4, (),
            _on_job(_cancellable)),
    Command("jobs.retry", "r", "Retry", "Run a failed or cancelled job again.", _JOBS, 5, (),
            _on_job(_retryable)),
    Command("jobs.rejects", "x", "Rejects", "Rows that failed a check, with their lines.", _JOBS,
            6, (), _on_job(_rejected)),
    Command("jobs.error", "e", "Error", "The job's error in full, to read or copy.", _JOBS, 7, (),
            _on_job(_failed)),
    Command("jobs.plan", "p", "Plan", "Review what the job changes, row by row.", _JOBS, 1, (),
            _on_job(_planned)),
    Command("jobs.filter", "slash", "Filter", "Show only jobs that contain a text.", _JOBS, 8, (),
            _needs_rows),
    Command("review.approve", "a", "Approve", "Apply this plan.", _REVIEW, 1, (), _on_job(_held)),
    Command("review.discard", "d", "Discard", "Drop this plan; the store stays as it is.",
            _REVIEW, 2, (), _on_job(_held)),
    Command("review.right", "right", "Next kind", "Show the next kind of change.", _REVIEW, 3,
            ("l",), _needs_daemon),
    Command("review.left", "left", "Previous kind", "Show the previous kind of change.", _REVIEW,
            0, ("h",), _needs_daemon),
    Command("review.inserts", "i", "Inserts", "Only inserts; again shows all.", _REVIEW, 0, (),
            _needs_daemon),
    Command("review.updates", "u", "Updates", "Only updates; again shows all.", _REVIEW, 0, (),
            _needs_daemon),
    Command("review.deletes", "e", "Deletes", "Only deletes; again shows all.", _REVIEW, 0, (),
            _needs_daemon),
    Command("review.skips", "s", "Skips", "Only skipped rows; again shows all.", _REVIEW, 0, (),
            _needs_daemon),
    Command("review.conflicts", "c", "Conflicts", "Only conflicts; again shows all.", _REVIEW, 0,
            (), _needs_daemon),
    Command("review.excluded", "o", "Left out", "Only rows that were left out; again shows all.",
            _REVIEW, 0, (), _needs_daemon),
    Command("review.exclude", "space", "Leave out",
            "Leave the row out of the plan, or take it in again.", _REVIEW, 7, (), _choosable),
    Command("review.find", "slash", "Find", "Only rows whose key contains a text.", _REVIEW, 8,
            (), _on_job(lambda _job: "")),
    Command("review.field", "f", "Field", "Only rows that change one field.", _REVIEW, 4, (),
            _on_job(lambda _job: "")),
    Command("review.dataset", "t", "Dataset", "Only rows of one dataset of a package.", _REVIEW,
            0, (), _on_job(_of_package)),
    Command("review.rejects", "x", "Rejects", "Rows that failed a check, with their lines.",
            _REVIEW, 6, (), _on_job(_rejected)),
    Command("review.next", "n", "Next job", "Review the next waiting job.", _REVIEW, 5, (),
            _next_job),
    Command("conflicts.store", "s", "Keep Store", "Keep the value that the Store has.",
            _CONFLICTS, 1, (), _open_conflict),
    Command("conflicts.file", "f", "Take File", "Take the value from the File.", _CONFLICTS, 2,
            (), _open_conflict),
    Command("conflicts.base", "b", "Last sent", "Go back to what the source sent last time.",
            _CONFLICTS, 3, (), _based_conflict),
    Command("conflicts.edit", "e", "Edit", "Type another value.", _CONFLICTS, 4, (),
            _editable_conflict),
    Command("conflicts.skip", "space", "Skip", "Leave it open and go to the next.", _CONFLICTS,
            6, ("n",), _open_conflict),
    Command("conflicts.undo", "z", "Undo", "Take back the newest resolution.", _CONFLICTS, 5, (),
            _needs_daemon),
    Command("conflicts.all_store", "S", "Keep Store for all",
            "Keep the Store for every conflict of this dataset, field and source.", _CONFLICTS, 0,
            (), _field_conflict),
    Command("conflicts.all_file", "F", "Take File for all",
            "Take the File for every conflict of this dataset, field and source.", _CONFLICTS, 0,
            (), _field_conflict),
    Command("app.retry", "R", "Reconnect", "Reach the daemon again, starting it if need be.",
            _ALL, 0, (), _needs_gone),
    Command("app.palette", "ctrl+p", "Commands", "Find a command by its name.", _ALL, 20,
            ("colon",)),
    Command("app.theme", "", "Theme", "Change the colours.", _ALL),
    Command("app.quit", "q", "Quit", "Leave; the daemon goes on.", _ALL, 21),
    Command("app.help", "question_mark", "Help", "The keys of this screen.", _ALL, 99),
)  # fmt: skip

BY_ID = {command.id: command for command in COMMANDS}


def commands_of(section: str) -> list[Command]:
    """The commands of one screen, in the table's order."""
    return [command for command in COMMANDS if section in command.screens]


def bindings_of(section: str) -> list[BindingType]:
    """Textual bindings for the commands of one screen."""
    return [
        Binding(key, f"command('{command.id}')", command.title, show=False)
        for command in commands_of(section)
        for key in (command.key, *command.more_keys)
        if key
    ]


def footer_of(section: str, facts: Facts, width: int) -> list[Command]:
    """The commands a footer of `width` cells shows: those that apply, as many as fit."""
    *others, help_command = sorted(
        (command for command in commands_of(section) if command.footer),
        key=lambda command: command.footer,
    )
    shown: list[Command] = []
    left = width - footer_width([help_command])
    for command in others:
        cost = footer_width([command])
        if not command.why_not(facts) and len(shown) < FOOTER_KEYS - 1 and cost <= left:
            shown.append(command)
            left -= cost
    return [*shown, help_command]


def footer_width(commands: Iterable[Command]) -> int:
    """Cells that the footer needs for `commands`: blank, key, blank, title, blank."""
    return sum(len(command.label) + len(command.title) + 3 for command in commands)
