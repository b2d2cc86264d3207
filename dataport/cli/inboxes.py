"""`dataport inboxes`: the watched folders."""

from __future__ import annotations

from typing import Any

import click

from dataport.cli import output
from dataport.cli.imports import MODE, ON_MATCH
from dataport.cli.options import DATASET, MAPPING, PACKAGE, Group, Session, given
from dataport.core.text import counted


@click.group("inboxes", cls=Group)
def inboxes_command() -> None:
    """List, add and remove watched folders."""


@inboxes_command.command("list")
@click.pass_obj
def list_inboxes(session: Session) -> None:
    """Inboxes, and what becomes of the files dropped there."""
    with session.client() as client:
        document = client.get("/v1/inboxes")
    session.emit(document, lambda found: _show_inboxes(session, found))


def _show_inboxes(session: Session, document: dict[str, Any]) -> None:
    if not document["items"]:
        add = session.command("inboxes", "add", "NAME", "--dataset", "leads", "--source", "crm")
        output.say(f"No inboxes. Add one: {add}")
        return
    output.table(
        ("inbox", "into", "source", "mode", "on match", "hold", "path"),
        [
            (
                item["name"],
                item.get("dataset") or item.get("package") or item.get("mapping"),
                item["source"],
                item.get("mode"),
                item.get("on_match"),
                "yes" if item.get("hold") else None,
                item["path"],
            )
            for item in document["items"]
        ],
    )


@inboxes_command.command("add")
@click.argument("name")
@click.option("--dataset", type=DATASET, help="Dataset that its files belong to.")
@click.option("--package", type=PACKAGE, help="Package that its files belong to.")
@click.option("--mapping", type=MAPPING, help="Mapping that turns columns into fields.")
@click.option("--source", required=True, help="Who the files come from, such as crm.")
@click.option("--mode", type=MODE, help="What a file says about rows it leaves out.")
@click.option("--on-match", type=ON_MATCH, help="What happens to rows that are already there.")
@click.option("--hold", is_flag=True, help="Wait for approval before anything is applied.")
@click.pass_obj
def add(session: Session, /, **choices: Any) -> None:
    """Watch a new folder below HOME/inbox."""
    if choices["dataset"] and choices["package"]:
        raise click.UsageError("Name either --dataset or --package.")
    if not (choices["dataset"] or choices["package"] or choices["mapping"]):
        raise click.UsageError("Name either --dataset or --package, or a --mapping.")
    with session.client() as client:
        document = client.post("/v1/inboxes", given(**choices))
    session.emit(document, lambda item: output.say(f"Drop files into {item['path']}"))


@inboxes_command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Stop watching a folder; the folder and its files stay."""
    from urllib.parse import quote

    with session.client() as client:
        client.delete(f"/v1/inboxes/{quote(name, safe='')}")
    session.emit(
        {"removed": name},
        lambda _: output.say(f"Inbox {name} is no longer watched; its folder stays."),
    )


@inboxes_command.command("rescan")
@click.pass_obj
def rescan(session: Session) -> None:
    """Look into every inbox now."""
    with session.client() as client:
        document = client.post("/v1/inboxes/rescan", {})
    session.emit(document, lambda found: output.say(f"{counted(found['queued'], 'file')} queued."))
