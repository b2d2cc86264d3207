"""`dataport conflicts`: values that store and file both changed, and what is to stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Group, Session, given, message_option, screenful
from dataport.core.text import counted
from dataport.core.words import ConflictStatus, Take

if TYPE_CHECKING:
    from dataport.client.api import Client

_STATUSES = [*(status.value for status in ConflictStatus), "all"]


@click.group("conflicts", cls=Group)
def conflicts_command() -> None:
    """List, look into and settle conflicts."""


@conflicts_command.command("list")
@click.option("--dataset", type=DATASET, help="Only of this dataset.")
@click.option("--field", help="Only of this field.")
@click.option("--source", help="Only with this source.")
@click.option("--status", type=click.Choice(_STATUSES), default="open", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Most of them; 50, or all with --json.")
@click.option("--offset", type=click.IntRange(min=0), default=0)
@click.pass_obj
def list_conflicts(session: Session, /, limit: int | None, offset: int, **choices: Any) -> None:
    """Conflicts, with what the source last sent, what the store holds and what the file says."""
    query = given(**choices, limit=screenful(session, limit), offset=offset)
    with session.client() as client:
        document = client.get("/v1/conflicts", **query)
    session.emit(document, lambda found: _show_conflicts(session, found))


def _show_conflicts(session: Session, document: dict[str, Any]) -> None:
    items = document["items"]
    if not items:
        output.say("No conflicts.")
        return
    output.table(
        ("id", "dataset", "key", "field", "last sent", "store", "file", "source", "kind", "line"),
        [
            (
                item["id"],
                item["dataset"],
                item["key"],
                item.get("field") or "(row)",
                item.get("base"),
                item.get("ours"),
                item.get("theirs"),
                item.get("source"),
                item["kind"],
                item.get("line"),
            )
            for item in items
        ],
    )
    output.shown_of(document, "items", "conflict")
    if any(item["status"] == ConflictStatus.OPEN for item in items):
        settle = session.command("conflicts", "resolve", items[0]["id"], "--take", "theirs")
        output.say(f"The store stands until you decide. To take the file's value: {settle}")


@conflicts_command.command("show")
@click.argument("conflict", metavar="ID", type=click.IntRange(min=1))
@click.pass_obj
def show(session: Session, conflict: int) -> None:
    """One conflict, with all its values in full."""
    with session.client() as client:
        document = client.get(f"/v1/conflicts/{conflict}")
    session.emit(document, _show_conflict)


def _show_conflict(item: dict[str, Any]) -> None:
    output.pairs(
        [
            ("conflict", item["id"]),
            ("status", item["status"]),
            ("record", f"{item['dataset']} {output.plain(item['key'])}"),
            ("field", item.get("field") or "(the whole row)"),
            ("kind", item["kind"]),
            ("last sent (base)", item.get("base")),
            ("store (ours)", item.get("ours")),
            ("file (theirs)", item.get("theirs")),
            ("source", item.get("source")),
            ("from", _place(item)),
            ("since", output.local_time(item.get("time"))),
        ]
    )


def _place(item: dict[str, Any]) -> str | None:
    parts = [str(item["file"])] if item.get("file") else []
    parts += [f"line {item['line']:,}"] if item.get("line") else []
    parts += [f"job {item['job']}"] if item.get("job") else []
    return ", ".join(parts) or None


@conflicts_command.command("resolve")
@click.argument("conflict", metavar="[ID]", required=False, type=click.IntRange(min=1))
@click.option("--take", type=click.Choice([take.value for take in Take]), help="Whose value.")
@click.option("--value", help="Another value; an empty one stands for none.")
@click.option("--all", "every", is_flag=True, help="Every open conflict that fits.")
@click.option("--dataset", type=DATASET, help="With --all: only of this dataset.")
@click.option("--field", help="With --all: only of this field.")
@click.option("--source", help="With --all: only with this source.")
@message_option
@click.pass_obj
def resolve(
    session: Session,
    /,
    conflict: int | None,
    every: bool,
    take: str | None,
    value: str | None,
    message: str | None,
    **chosen: str | None,
) -> None:
    """Settle a conflict: ours is the store, theirs the file, base what was sent last.

    One conflict is shown first and settled only if nothing moved meanwhile. With --all the rule
    applies to the values of that moment.

    \b
    dataport conflicts resolve 5 --take theirs
    dataport conflicts resolve --all --take ours --dataset leads --field phone
    """  # noqa: D301 - click keeps the lines of a paragraph that begins so
    _check_choice(conflict, every, take, value, chosen)
    with session.client() as client:
        if conflict is None:
            body = given(take=take, message=message, **chosen)
            document = client.post("/v1/conflicts/resolve", body)
        else:
            body = {"take": take} if take else {"value": value or None}
            document = _settle(session, client, conflict, body | given(message=message))
    session.emit(document, lambda found: _show_resolved(session, found))


def _settle(
    session: Session, client: Client, conflict: int, body: dict[str, Any]
) -> dict[str, Any]:
    """Show one conflict and settle it as it was shown; `conflict` of the answer is what was."""
    item = client.get(f"/v1/conflicts/{conflict}")
    if not session.json and item["status"] == ConflictStatus.OPEN:
        _show_conflict(item)
        output.say()
    shown = {"shown": item["ours"], "shown_theirs": item["theirs"]}
    answer = client.post(f"/v1/conflicts/{conflict}/resolve", body | shown)
    return {**answer, "conflict": item}


def _check_choice(
    conflict: int | None,
    every: bool,
    take: str | None,
    value: str | None,
    chosen: dict[str, str | None],
) -> None:
    if (conflict is None) != every:
        raise click.UsageError("Name one conflict by its ID, or all with --all.")
    if (take is None) == (value is None):
        raise click.UsageError("Say what stands: either --take or --value.")
    if every and value is not None:
        raise click.UsageError("--all goes with --take; --value settles one conflict.")
    if not every and any(chosen.values()):
        raise click.UsageError("--dataset, --field and --source go with --all.")


def _show_resolved(session: Session, document: dict[str, Any]) -> None:
    said = f"{counted(document['resolved'], 'conflict')} resolved"
    commit = document.get("commit")
    said += "; the store stands as it was." if commit is None else f", commit {commit}."
    output.say(said)
    if document["resolved"]:
        output.say(f"To take it back: {session.command('conflicts', 'undo')}")


@conflicts_command.command("undo")
@message_option
@click.pass_obj
def undo(session: Session, message: str | None) -> None:
    """Take back the newest resolution."""
    with session.client() as client:
        document = client.post("/v1/conflicts/undo", given(message=message))
    session.emit(document, _show_undone)


def _show_undone(document: dict[str, Any]) -> None:
    reopened = counted(document.get("reopened"), "conflict")
    commit = f", commit {document['commit']}" if document.get("commit") is not None else ""
    output.say(f"{reopened} open again{commit}.")
