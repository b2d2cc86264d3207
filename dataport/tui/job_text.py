"""A job in words: a row of the list, and everything about it."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from dataport.core.text import counted
from dataport.tui import formatting
from dataport.tui.state import Job
from dataport.tui.tones import Tones
from dataport.tui.widgets.columns import Column
from dataport.tui.widgets.rows import Row

COLUMNS = (
    Column("Job", 4, is_number=True),
    Column("Status", 12),
    Column("Dataset", 8, grow=2),
    Column("File", 12, grow=4),
    Column("Rows", 9, is_number=True, drop=1),
    Column("Changes", 15, grow=1, drop=2),
    Column("Source", 6, grow=1, drop=3),
    Column("Kind", 6, drop=5),
    Column("Elapsed", 11, is_number=True, drop=4),
)


def status_text(job: Job, tones: Tones) -> Text:
    """Glyph and word."""
    words = f"{formatting.STATUS_GLYPHS.get(job.status, '?')} {job.status}"
    return Text(words, style=tones.status(job.status))


def changes_text(job: Job, tones: Tones) -> Text:
    """`+3 ~12 -1 !2`, zero counts left out; a bar while the job runs."""
    text = Text()
    if job.is_running and job.progress and job.progress.fraction is not None:
        fraction = job.progress.fraction
        text.append(formatting.bar(fraction, 8), tones.accent)
        return text.append(f" {int(fraction * 100)}%")
    signs = (
        ("inserted", "+", tones.good),
        ("updated", "~", tones.accent),
        ("deleted", "-", tones.bad),
        ("conflicts", "!", tones.warn),
    )
    for name, sign, style in signs:
        if number := job.changes.get(name):
            text.append(" " if text else "").append(f"{sign}{number:,}", style)
    if not text and job.changes:
        text.append("no change", tones.quiet)
    return text


def job_row(job: Job, tones: Tones) -> Row:
    """The job's line in the list."""
    rows = job.rows.get("read", job.rows.get("written", job.rows.get("matched")))
    if rows is None and job.is_running and job.progress:
        rows = job.progress.processed
    cells = (
        Text(str(job.number)),
        status_text(job, tones),
        Text(formatting.visible(job.dataset)),
        Text(formatting.file_name(job.file)),
        Text(formatting.count(rows)),
        changes_text(job, tones),
        Text(formatting.visible(job.source)),
        Text(job.kind),
        Text(formatting.duration(job.elapsed_s) if job.started else ""),
    )
    return Row(str(job.number), cells)


def search_text(job: Job) -> str:
    """What a filter looks at."""
    parts = (str(job.number), job.status, job.kind, job.dataset, job.source, job.file, job.inbox)
    return " ".join((*parts, job.message)).casefold()


def detail_text(job: Job, progress: Text | None, tones: Tones) -> Text:
    """Everything about a job, most urgent first."""
    text = Text()
    text.append_text(status_text(job, tones))
    text.append(f"  {formatting.visible(job.message)}" if job.message else "")
    if job.is_running and progress is not None:
        text.append("\n").append_text(progress)
    if job.is_waiting:
        text.append("\np reviews the plan, a applies it, d drops it", tones.warn)
    if job.error:
        text.append(f"\n✗ {formatting.visible(job.error.title)}", tones.bad + Style(bold=True))
        for part in (job.error.detail, job.error.hint):
            if part:
                text.append(f"\n  {_lines(part)}")
        text.append(f"\n  ({job.error.code})", tones.quiet)
    for notice in job.notices:
        text.append(f"\n! {_lines(notice)}", tones.warn)
    for name, value in _facts(job):
        text.append(f"\n{formatting.fit(name, 10)}", tones.quiet).append(value)
    return text


def _facts(job: Job) -> list[tuple[str, str]]:
    facts = [
        (
            "Rows",
            _counts(job.rows, ("read", "valid", "rejected", "duplicate", "written", "matched")),
        ),
        ("Changes", _counts(job.changes, tuple(job.changes))),
        ("Commit", str(job.commit) if job.commit is not None else ""),
        ("File", job.file),
        ("Rejects", job.rejects_file),
        ("Dataset", job.dataset),
        ("Parts", ", ".join(job.datasets)),
        ("Source", job.source),
        ("Inbox", job.inbox),
        ("Mode", " · ".join(part for part in (job.mode, job.on_match) if part)),
        ("Origin", job.origin),
        ("Created", formatting.moment(job.created)),
        ("Started", formatting.moment(job.started)),
        ("Finished", formatting.moment(job.finished)),
        ("Elapsed", formatting.duration(job.elapsed_s) if job.started else ""),
    ]
    return [(name, formatting.visible(value)) for name, value in facts if value]


def _counts(counts: object, names: tuple[str, ...]) -> str:
    if not isinstance(counts, dict) or not counts:
        return ""
    found = (
        counted(counts[name], name.removesuffix("s"), name) for name in names if counts.get(name)
    )
    return "  ".join(found) or "none"


def _lines(text: str) -> str:
    return "\n  ".join(formatting.visible(line) for line in text.splitlines())
