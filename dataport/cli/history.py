"""`dataport log`, `history` and `undo`: what changed, who did it, and back."""

from __future__ import annotations

from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import (
    DATASET,
    Command,
    Group,
    Session,
    given,
    message_option,
    session_of,
)
from dataport.cli.prune import prune_command
from dataport.cli.rows import record_path
from dataport.cli.summary import show_notices
from dataport.core.text import counted


@click.group("log", cls=Group, invoke_without_command=True)
@click.option("--dataset", type=DATASET, help="Only commits that touch this dataset.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.pass_context
def log_command(context: click.Context, dataset: str | None, limit: int) -> None:
    """Commits, newest first."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    with session.client() as client:
        document = client.get("/v1/commits", **given(dataset=dataset, limit=limit))
    session.emit(document, _show_log)


log_command.add_command(prune_command)


def _show_log(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No commits yet.")
        return
    output.table(
        ("commit", "time", "who", "source", "job", "changes", "message"),
        [
            (
                item["commit"],
                output.local_time(item["time"]),
                item.get("actor"),
                item.get("source"),
                item.get("job"),
                output.counts(item.get("changes") or {}) or None,
                item.get("message"),
            )
            for item in document["items"]
        ],
    )
    if document.get("oldest"):
        output.say(f"Commits up to {document['oldest']} can no longer be undone.")


@click.command("history", cls=Command)
@click.argument("dataset", type=DATASET)
@click.argument("key", metavar="KEY")
@click.pass_obj
def history_command(session: Session, dataset: str, key: str) -> None:
    """Every version of one record, newest first.

    KEY is the key's value, or a JSON array where the key has several fields.
    """
    with session.client() as client:
        document = client.get(f"{record_path(dataset, key)}/history")
    session.emit(document, lambda found: _show_history(dataset, key, found))


def _show_history(dataset: str, key: str, document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say(f"{dataset} {key} has no history.")
        return
    oldest_first = sorted(document["items"], key=lambda item: int(item["commit"]))
    before: dict[str, Any] = {}
    versions = []
    for item in oldest_first:
        after = item.get("values") or {}
        versions.append((item, before, after))
        before = after
    for item, before, after in reversed(versions):
        _show_version(item, before, after)
    if oldest_first[0].get("boundary"):
        output.say("Versions from before that are no longer kept.")


def _show_version(item: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    origin = f" from {item['source']}" if item.get("source") else ""
    actor = f" by {item['actor']}" if item.get("actor") else ""
    moment = output.local_time(item["time"])
    output.say(f"commit {item['commit']}  {moment}  {item['operation']}{origin}{actor}")
    for field, value in after.items():
        if value != before.get(field):
            output.change(field, before.get(field), value, is_new=not before)


@click.command("undo", cls=Command)
@click.argument("commit", type=click.IntRange(min=1))
@message_option
@click.option("--dry-run", is_flag=True, help="Count what would change; change nothing.")
@click.pass_obj
def undo_command(session: Session, commit: int, message: str | None, dry_run: bool) -> None:
    r"""Take back one commit by a new one; what was changed since stays.

    A value that was changed since becomes a conflict. An undo can be undone too.

    \b
    dataport undo 12 --dry-run
    dataport undo 12 -m "Wrong file"
    """
    body = given(message=message, dry_run=dry_run)
    with session.client() as client:
        document = client.post(f"/v1/commits/{commit}/undo", body)
    session.emit(document, lambda found: _show_undo(session, found))


def _show_undo(session: Session, document: dict[str, Any]) -> None:
    undone = document["undoes"]
    said = output.counts(document["changes"]) or "no row changes"
    if document["reopened"]:
        said += f", {counted(document['reopened'], 'conflict')} open again"
    if document["dry_run"]:
        output.say(f"Taking back commit {undone} would come to: {said}. Nothing was changed.")
        show_notices(document)
        return
    output.say(f"commit {document['commit']} takes back commit {undone}: {said}")
    if document["conflicts"]:
        output.say(f"Some values were changed since: {session.command('conflicts', 'list')}")
    show_notices(document)
