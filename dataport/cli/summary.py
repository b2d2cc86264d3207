"""A job in words: what was read, what changed, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from dataport.cli import errors, output
from dataport.cli.options import Session
from dataport.cli.waiting import Job
from dataport.core.text import counted, size

_WORST_FIRST = (errors.FAILED, errors.USAGE, errors.INTERRUPTED, errors.WAITS)
_ROWS = ("read", "valid", "rejected", "duplicate")
_CHANGES = ("inserted", "updated", "deleted", "unchanged", "skipped", "conflicts")


def show_job(session: Session, job: Job) -> None:
    """Print how a job went; a failed one goes to stderr, a cancelled one is no failure."""
    if job.get("error"):
        _show_failure(session, job)
    elif job.get("kind") == "export":
        _show_export(job)
    elif job.get("kind") == "bulk":
        _show_bulk(session, job)
    else:
        _show_import(session, job)
    show_notices(job)


def show_notices(document: dict[str, Any]) -> None:
    """Print what a document says that its counts don't."""
    for notice in document.get("notices") or ():
        output.say(f"Note: {_sentence(notice)}")
    for item in document.get("items") or ():
        for notice in item.get("notices") or ():
            output.say(f"Note: {item['dataset']}: {_sentence(notice)}")


def exit_code(jobs: list[Job], strict: bool) -> int:
    """The worst of what the jobs ended with; with `strict` 3 if somebody is needed."""
    codes = {job.get("exit_code") or errors.DONE for job in jobs}
    if strict and any(map(_needs_person, jobs)):
        codes.add(errors.WAITS)
    return next((code for code in _WORST_FIRST if code in codes), errors.DONE)


def _needs_person(job: Job) -> bool:
    conflicts = (job.get("changes") or {}).get("conflicts", 0)
    rejected = (job.get("rows") or {}).get("rejected", 0)
    return job.get("status") == "waiting" or conflicts > 0 or rejected > 0


def _show_failure(session: Session, job: Job) -> None:
    if job.get("status") == "cancelled":
        output.say(f"{_name(job)}: cancelled, nothing was changed.")
        if job["error"].get("code") != "cancelled":
            output.say(job["error"].get("title", ""))
        return
    output.note(f"{_name(job)}: {job.get('status')}, nothing was changed.")
    errors.explain(job["error"])
    _show_rejects(session, job, output.note)


def _show_export(job: Job) -> None:
    rows = job.get("rows") or {}
    written = rows.get("written")
    if job.get("status") != "completed":
        output.say(f"Export {job['job']}: {job.get('status')}.")
        return
    if not written:
        output.say(f"No rows to export; {job.get('file')} holds the columns only.")
        return
    said = f" ({size(job['file_size'])})" if job.get("file_size") is not None else ""
    output.say(f"{counted(written, 'row')} written to {job.get('file')}{said}")


def _show_import(session: Session, job: Job) -> None:
    target = f" -> {job['dataset']}" if job.get("dataset") else ""
    origin = f" from {job['source']}" if job.get("source") else ""
    output.say(f"{_name(job)}{target}{origin}: {_rows(job) or job['status']}")
    if job.get("mapping"):
        output.say(f"Its columns were read by the mapping {job['mapping']}.")
    for item in job.get("items") or ():
        _show_item(item)
    if job.get("changes"):
        output.say(_changes(job))
    if job.get("message"):
        output.say(_sentence(job["message"]))
    _show_rejects(session, job, output.say)
    _show_next(session, job)


def _rows(job: Job) -> str:
    rows = job.get("rows")
    return ", ".join(f"{rows.get(word, 0):,} {word}" for word in _ROWS) if rows else ""


def _show_item(item: Job) -> None:
    """One dataset of a package: what was read, and what of it changes something."""
    changes = item.get("changes") or {}
    changed = output.counts({word: changes.get(word, 0) for word in _CHANGES})
    said = "; ".join(text for text in (_rows(item), changed) if text)
    output.say(f"  {item['dataset']}, {_file(item)}: {said or item['status']}")


def _show_bulk(session: Session, job: Job) -> None:
    matched = job.get("matched")
    if matched is None:
        output.say(f"Bulk {job.get('action')} of {job.get('dataset')}: {job['status']}")
        _show_next(session, job)
        return
    verb = "matches" if matched == 1 else "match"
    output.say(f"{counted(matched, 'record')} of {job.get('dataset')} {verb}")
    changes = job.get("changes") or {}
    words = ("deleted",) if job.get("action") == "delete" else ("updated", "unchanged")
    counts = ", ".join(f"{changes.get(word, 0):,} {word}" for word in words)
    if job.get("dry_run"):
        output.say(f"dry run, nothing was changed; it would be: {counts}")
    elif job.get("commit") is None:
        output.say(f"no commit: {counts}")
    else:
        undo = session.command("undo", job["commit"])
        output.say(f"commit {job['commit']}: {counts}. To take it back: {undo}")


def _changes(job: Job) -> str:
    changes = job["changes"]
    counts = output.counts({word: changes.get(word, 0) for word in _CHANGES}, every=True)
    if job.get("excluded"):
        counts += f", {counted(job['excluded'], 'row')} left out"
    if job.get("commit") is not None:
        return f"commit {job['commit']}: {counts}"
    if job.get("dry_run"):
        return f"dry run, nothing was changed; it would be: {counts}"
    if job.get("status") == "waiting":
        return f"planned: {counts}"
    return f"no commit: {counts}"


def _show_rejects(session: Session, job: Job, tell: Callable[[str], None]) -> None:
    rejected = (job.get("rows") or {}).get("rejected", 0)
    if not rejected:
        return
    tell(
        f"{counted(rejected, 'row')} rejected; why, and where: "
        f"{session.command('jobs', 'rejects', job['job'])}"
    )
    for each in (job, *(job.get("items") or ())):
        if each.get("rejects_file"):
            tell(f"To fix and import again: {each['rejects_file']}")


def _show_next(session: Session, job: Job) -> None:
    number, status = job["job"], job.get("status")
    if status in ("pending", "processing"):
        output.say(f"Job {number} is {status}: {session.command('jobs', 'show', number)}")
    elif status == "waiting" and job.get("reason") == "mapping":
        look = session.command("mappings", "suggest", "--job", number)
        output.say(f"Job {number} waits for you. What its columns could be: {look}")
        output.say(f"  take that: {session.command('jobs', 'approve', number)}")
        save = session.command("mappings", "save", "--job", number, "--set", "FIELD=COLUMN")
        output.say(f"  otherwise: {save}")
    elif status == "waiting":
        output.say(f"Job {number} waits for you. Look: {session.command('jobs', 'plan', number)}")
        output.say(f"  apply it: {session.command('jobs', 'approve', number)}")
        output.say(f"  drop it:  {session.command('jobs', 'discard', number)}")
    elif job.get("dry_run"):
        output.say(f"Before and after: {session.command('jobs', 'plan', number)}")
    elif conflicts := (job.get("changes") or {}).get("conflicts", 0):
        verb = "waits" if conflicts == 1 else "wait"
        command = session.command("conflicts", "list")
        output.say(f"{counted(conflicts, 'conflict')} {verb}: {command}")


def _name(job: Job) -> str:
    return job.get("package") or _file(job) or f"job {job['job']}"


def _file(job: Job) -> str:
    return PurePath(job["file"]).name if job.get("file") else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
