"""`dataport log prune`: drop earlier versions."""

from __future__ import annotations

from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import Command, Session, given, is_interactive
from dataport.core.text import counted


@click.command("prune", cls=Command)
@click.option("--keep", metavar="HOW MUCH", help="'500 commits', '90 days'; else the setting.")
@click.option("--before", metavar="COMMIT|TIME", help="Drop what was before then instead.")
@click.option("--dry-run", is_flag=True, help="Count what would go; drop nothing.")
@click.option("--yes", is_flag=True, help="Don't ask first.")
@click.pass_obj
def prune_command(
    session: Session, keep: str | None, before: str | None, dry_run: bool, yes: bool
) -> None:
    r"""Drop earlier versions, so that the store holds less of the past.

    Present rows, what the sources sent last, conflicts, the log and the audit trail stay. What
    was before the oldest commit that is kept can't be read, compared or undone any more. How
    much to keep is the setting history.keep, unless you say so here.

    \b
    dataport log prune --keep "90 days" --dry-run
    dataport log prune --before 120
    """
    body = given(keep=keep, before=before)
    with session.client() as client:
        if not (dry_run or yes or session.json) and is_interactive():
            _show(client.post("/v1/commits/prune", {**body, "dry_run": True}))
            click.confirm("Drop them?", abort=True)
        document = client.post("/v1/commits/prune", {**body, **given(dry_run=dry_run)})
    session.emit(document, _show)


def _show(document: dict[str, Any]) -> None:
    oldest, newest = document["oldest"], document["newest"]
    if oldest == document["was"]:
        output.say(f"Nothing to drop: {_reach(oldest)}")
        return
    done = "would be dropped" if document["dry_run"] else "dropped"
    for item in document["items"]:
        output.say(f"{item['dataset']}: {counted(item['versions'], 'version')} {done}")
        if item["still_bases"]:
            output.say(f"    kept, as what a source sent last: {item['still_bases']:,}")
    since = output.local_time(document["oldest_time"])
    output.say(f"What was before commit {oldest} ({since}) can't be read or compared any more.")
    output.say(
        f"Commits {oldest + 1} to {newest} can still be undone, those before can't."
        if oldest < newest
        else "No commit made so far can be undone any more."
    )


def _reach(oldest: int) -> str:
    return f"commit {oldest} is the oldest that can be read." if oldest else "all of it is kept."
