"""`dataport jobs`: what runs, ran and waits, with plans and rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Group, Session, given, screenful
from dataport.cli.summary import exit_code, show_job, show_notices
from dataport.cli.waiting import wait_for
from dataport.core.words import JobStatus, PlanPart

if TYPE_CHECKING:
    from rich.text import Text

    from dataport.client.api import Client

LARGEST_PAGE = 1_000
"""Items that the daemon gives at once."""

PLAN_PAGE = 50
"""Rows of a plan on one page, unless another number is asked for."""

JOB = click.argument("job", type=click.IntRange(min=1))

_MARKS = {"insert": "+", "update": "~", "delete": "-", "skip": "·", "conflict": "!"}
_STYLES = {"insert": "green", "update": "yellow", "delete": "red", "conflict": "magenta"}


@click.group("jobs", cls=Group)
def jobs_command() -> None:
    """List jobs, look into them, decide about them."""


@jobs_command.command("list")
@click.option("--status", type=click.Choice([status.value for status in JobStatus]))
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.pass_obj
def list_jobs(session: Session, status: str | None, limit: int) -> None:
    """Jobs, newest first."""
    with session.client() as client:
        document = client.get("/v1/jobs", **given(status=status, limit=limit))
    session.emit(document, _show_jobs)


def _show_jobs(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No jobs.")
        return
    output.table(
        ("job", "kind", "status", "dataset", "source", "rows", "commit", "created", "file"),
        [
            (
                job["job"],
                job["kind"],
                job["status"],
                job.get("dataset") or job.get("package"),
                job.get("source"),
                _rows_of(job),
                job.get("commit"),
                output.local_time(job.get("created")),
                job.get("file"),
            )
            for job in document["items"]
        ],
    )


def _rows_of(job: dict[str, Any]) -> int | None:
    rows = job.get("rows") or {}
    found = rows.get("read", rows.get("written", rows.get("matched")))
    return None if found is None else int(found)


@jobs_command.command("show")
@JOB
@click.pass_obj
def show(session: Session, job: int) -> None:
    """How a job stands."""
    with session.client() as client:
        document = client.get(f"/v1/jobs/{job}")
    session.emit(document, lambda found: _show_details(session, found))


def _show_details(session: Session, job: dict[str, Any]) -> None:
    progress = job.get("progress") or {}
    details = [
        ("job", job["job"]),
        ("kind", job["kind"]),
        ("status", job["status"]),
        ("file", job.get("file")),
        ("inbox", job.get("inbox")),
        ("created", output.local_time(job.get("created"))),
        ("finished", output.local_time(job.get("finished"))),
        ("seconds", job.get("elapsed_s")),
    ]
    if progress:
        done = f"{progress.get('processed') or 0:,}"
        total = f" of {progress['total']:,}" if progress.get("total") else ""
        details.append((str(progress.get("phase") or job.get("phase")), done + total))
    output.pairs(details)
    output.say()
    show_job(session, job)


def _decide(session: Session, job: int, verb: str, wait: bool) -> None:
    with session.client() as client:
        document = client.post(f"/v1/jobs/{job}/{verb}", {})
        if wait:
            document = wait_for(session, client, document.get("job", job), f"job {job}")
    session.emit(document, lambda found: show_job(session, found))
    if wait:
        raise click.exceptions.Exit(exit_code([document], strict=False))


NO_WAIT = click.option("--no-wait", is_flag=True, help="Return at once; the job goes on.")


@jobs_command.command("cancel")
@JOB
@click.pass_obj
def cancel(session: Session, job: int) -> None:
    """Stop a job; nothing of it is merged."""
    _decide(session, job, "cancel", wait=False)


@jobs_command.command("retry")
@JOB
@NO_WAIT
@click.pass_obj
def retry(session: Session, job: int, no_wait: bool) -> None:
    """Run a failed or cancelled job again."""
    _decide(session, job, "retry", wait=not no_wait)


@jobs_command.command("approve")
@JOB
@NO_WAIT
@click.pass_obj
def approve(session: Session, job: int, no_wait: bool) -> None:
    """Apply the plan of a job that waits."""
    _decide(session, job, "approve", wait=not no_wait)


@jobs_command.command("discard")
@JOB
@click.pass_obj
def discard(session: Session, job: int) -> None:
    """Drop the plan of a job that waits."""
    _decide(session, job, "discard", wait=False)


@jobs_command.command("plan", epilog="Example: dataport jobs plan 7 --exclude L-2 --exclude L-3")
@JOB
@click.option(
    "--operation",
    type=click.Choice([part.value for part in PlanPart]),
    help="Only rows this happens to.",
)
@click.option("--field", help="Only rows in which this field changes.")
@click.option("--key", metavar="TEXT", help="Only rows whose key contains this.")
@click.option("--dataset", type=DATASET, help="Only rows of this one, in the plan of a package.")
@click.option("--exclude", multiple=True, metavar="KEY", help="Leave this row out; repeatable.")
@click.option("--include", multiple=True, metavar="KEY", help="Take it in again; repeatable.")
@click.option("--after", help="Go on after this; the end of a page names it.")
@click.option(
    "--limit", type=click.IntRange(min=1, max=LARGEST_PAGE), default=PLAN_PAGE, show_default=True
)
@click.pass_obj
def plan(
    session: Session,
    /,
    job: int,
    exclude: tuple[str, ...],
    include: tuple[str, ...],
    **choices: Any,
) -> None:
    """What a job would change, or has changed: before and after of every field.

    Rows may be left out of a plan that waits. They are not applied, and the source's next file
    brings them again.
    """
    with session.client() as client:
        if exclude or include:
            body = given(exclude=exclude, include=include, dataset=choices["dataset"])
            client.patch(f"/v1/plans/{job}", body)
        document = client.get(f"/v1/plans/{job}", **given(**choices))
    session.emit(document, lambda found: _show_plan(session, found, choices))


def _show_plan(session: Session, document: dict[str, Any], choices: dict[str, Any]) -> None:
    counts = document["counts"]
    said = output.counts(counts, every=True)
    target = document.get("dataset") or document.get("package")
    output.say(f"Job {document['job']} -> {target}: {said}")
    parts = document.get("datasets") or ()
    for part in parts:
        output.say(f"  {part['dataset']}: {output.counts(part['counts'], every=True)}")
    show_notices({**document, "items": parts})
    if document.get("is_outdated"):
        output.say(
            "The store has moved on: approving plans again first, and asks again if need be."
        )
    screen = output.console()
    for item in document["items"]:
        screen.print(_plan_item(item, is_one_of_several=bool(parts)), soft_wrap=True)
    shown, total = len(document["items"]), document["total"]
    if document.get("next") is not None:
        going_on = {**given(**choices), "after": document["next"]}
        if going_on["limit"] == PLAN_PAGE:
            del going_on["limit"]
        words = [word for name, value in going_on.items() for word in (f"--{name}", value)]
        more = session.command("jobs", "plan", document["job"], *words)
        output.say(f"{shown:,} of {total:,} shown; more: {more}")


def _plan_item(item: dict[str, Any], *, is_one_of_several: bool) -> Text:
    from rich.text import Text

    operation = item["operation"]
    style = _STYLES.get(operation, "dim")
    text = Text.assemble((f"{_MARKS.get(operation, '?')} {operation:<8}", style), " ")
    if is_one_of_several:
        text.append(f"{item['dataset']}  ", "dim")
    text.append_text(output.styled(item["key"], "bold"))
    if item.get("line"):
        table = f" of {item['inside']}" if item.get("inside") else ""
        text.append(f"  line {item['line']:,}{table}", "dim")
    if item.get("excluded"):
        text.append("  left out", "bold red")
    before, after = item.get("before") or {}, item.get("after") or {}
    for field in _fields_of(item, after):
        text.append(f"\n    {field}  ", "dim")
        if operation != "insert":
            text.append_text(output.styled(before.get(field))).append(" -> ", "dim")
        text.append_text(output.styled(after.get(field)))
        if field in item.get("conflicts", ()):
            text.append("  conflict", "magenta")
    return text


def _fields_of(item: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The fields worth a line: those that change or clash; of a new row those that hold something."""
    if item["operation"] == "insert":
        return [field for field, value in after.items() if value is not None]
    if item["operation"] == "delete":
        return []
    return list(dict.fromkeys([*(item.get("changed") or ()), *(item.get("conflicts") or ())]))


@jobs_command.command("rejects")
@JOB
@click.option("--limit", type=click.IntRange(min=1), help="Most of them; 50, or all with --json.")
@click.option("--offset", type=click.IntRange(min=0), default=0)
@click.option("--dataset", type=DATASET, help="Only rows of this one, of a package.")
@click.pass_obj
def rejects(
    session: Session, job: int, limit: int | None, offset: int, dataset: str | None
) -> None:
    """Rows that were not taken: line, field, and what to do."""
    with session.client() as client:
        asked = given(dataset=dataset)
        document = _all_rejects(client, job, screenful(session, limit), offset, asked)
    session.emit(document, _show_rejects)


def _all_rejects(
    client: Client, job: int, limit: int | None, offset: int, asked: dict[str, Any]
) -> dict[str, Any]:
    """The rejects asked for, in as many requests as their number needs."""
    document: dict[str, Any] = {"job": job, "total": 0, "items": []}
    while limit is None or len(document["items"]) < limit:
        have = len(document["items"])
        size = LARGEST_PAGE if limit is None else min(limit - have, LARGEST_PAGE)
        page = client.get(f"/v1/rejects/{job}", limit=size, offset=offset + have, **asked)
        document = {**page, "items": document["items"] + page["items"]}
        if not page["items"] or offset + len(document["items"]) >= page["total"]:
            break
    return document


def _show_rejects(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No rejects.")
        return
    names = ["line", "row", "field", "code", "value", "message"]
    if len({item.get("dataset") for item in document["items"]}) > 1:
        names.insert(0, "dataset")
    if any("inside" in item for item in document["items"]):
        names.insert(names.index("line"), "inside")
    output.table(
        tuple(names), [tuple(item.get(name) for name in names) for item in document["items"]]
    )
    output.shown_of(document, "items", "reject")
