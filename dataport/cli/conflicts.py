"""`dataport conflicts`: values that store and file both changed, and what is to stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Group, Session, given, message_option, screenful
from dataport.cli.policies import policy_sentence
from dataport.cli.summary import show_notices
from dataport.core.text import counted
from dataport.core.words import ConflictKind, ConflictStatus, Take

if TYPE_CHECKING:
    from dataport.client.api import Client

_SCOPE = ("dataset", "source", "field")
_STATUSES = [*(status.value for status in ConflictStatus), "all"]


FILTER = (
    ("dataset", DATASET, "of this dataset."),
    ("field", click.STRING, "of this field."),
    ("source", click.STRING, "with this source."),
    ("key", click.STRING, "of this record; a JSON array where the key has several fields."),
    ("job", click.IntRange(min=1), "that this job asked about last."),
    ("kind", click.Choice([kind.value for kind in ConflictKind]), "of this kind."),
)
"""What conflicts are narrowed by: name, type and help."""


def _filter(prefix: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options that say which conflicts; `prefix` begins their help."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, kind, text in reversed(FILTER):
            command = click.option(f"--{name}", type=kind, help=f"{prefix} {text}")(command)
        return command

    return add


@click.group("conflicts", cls=Group)
def conflicts_command() -> None:
    """List, look into and settle conflicts."""


@conflicts_command.command(
    "list", epilog="Example: dataport conflicts list --dataset leads --field phone --source crm"
)
@_filter("Only")
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
    is_past = any(item["status"] != ConflictStatus.OPEN for item in items)
    names = (
        "id",
        "dataset",
        "key",
        "field",
        "last sent",
        "store",
        "file",
        "source",
        "kind",
        "line",
    )
    output.table(
        (*names, "status", "why") if is_past else names,
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
                *((item["status"], item.get("reason")) if is_past else ()),
            )
            for item in items
        ],
    )
    output.shown_of(document, "items", "conflict")
    waiting = next((item for item in items if item["status"] == ConflictStatus.OPEN), None)
    if waiting:
        take, does = Take.THEIRS, "take the file's value"
        if waiting["kind"] == ConflictKind.DUPLICATE_KEY:
            take, does = Take.OURS, "leave it so"
        settle = session.command("conflicts", "resolve", waiting["id"], "--take", take.value)
        output.say(f"The store stands until you decide. To {does}: {settle}")


@conflicts_command.command("show")
@click.argument("conflict", metavar="ID", type=click.IntRange(min=1))
@click.pass_obj
def show(session: Session, conflict: int) -> None:
    """One conflict, with all its values in full and what it said before."""
    with session.client() as client:
        document = client.get(f"/v1/conflicts/{conflict}")
    session.emit(document, _show_all)


def _show_all(item: dict[str, Any]) -> None:
    _show_conflict(item)
    past = item.get("history") or []
    if len(past) > 1:
        output.say("\nHistory:")
        for version in past:
            output.say(f"  {_version(version)}")


def _version(version: dict[str, Any]) -> str:
    """One line of a conflict's history."""
    head = f"commit {version['commit']}  {output.local_time(version['time'])}  {version['status']}"
    if version["status"] == ConflictStatus.OPEN:
        sides = f"store {output.plain(version['ours'])}, file {output.plain(version['theirs'])}"
        place = _place(version)
        return f"{head}: {sides}{f' ({place})' if place else ''}"
    how = f" ({version['resolution']})" if version["resolution"] else ""
    return f"{head}{how} by {version['actor']}"


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
            *_breach(item),
            ("source", item.get("source")),
            ("from", _place(item)),
            ("since", output.local_time(item.get("time"))),
            *_ending(item),
        ]
    )


def _breach(item: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a merged row would be, and every rule that it would break."""
    if not item.get("violations"):
        return []
    broken = [("breaks", each["message"]) for each in item["violations"]]
    return [("would become", item.get("merged")), *broken]


def _ending(item: dict[str, Any]) -> list[tuple[str, Any]]:
    if not item.get("closed"):
        return []
    by = f", commit {item['closed_by']}" if item.get("closed_by") else ""
    return [("closed", f"{output.local_time(item['closed'])}{by}"), ("why", item.get("reason"))]


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
@_filter("With --all: only")
@click.option(
    "--always", is_flag=True, help="Decide so from now on, for this field of this source."
)
@message_option
@click.pass_obj
def resolve(
    session: Session,
    /,
    conflict: int | None,
    every: bool,
    take: str | None,
    value: str | None,
    always: bool,
    message: str | None,
    **chosen: Any,
) -> None:
    """Settle a conflict: ours is the store, theirs the file, base what was sent last.

    One conflict is shown first and settled only if nothing moved meanwhile. With --all the rule
    applies to the values of that moment. With --always it becomes a policy: the source's next
    files are merged without asking about that field.

    \b
    dataport conflicts resolve 5 --take theirs
    dataport conflicts resolve --all --take ours --dataset leads --field phone
    dataport conflicts resolve --all --take theirs --dataset leads --field phone --source crm --always
    """  # noqa: D301 - click keeps the lines of a paragraph that begins so
    _check_choice(conflict, every, take, value, chosen)
    extra = {"always": True} if always else {}
    with session.client() as client:
        if conflict is None:
            body = given(take=take, message=message, **chosen) | extra
            document = client.post("/v1/conflicts/resolve", body)
        else:
            body = {"take": take} if take else {"value": value or None}
            document = _settle(session, client, conflict, body | given(message=message) | extra)
    session.emit(document, lambda found: _show_resolved(session, found))


def _settle(
    session: Session, client: Client, conflict: int, body: dict[str, Any]
) -> dict[str, Any]:
    """Show one conflict and settle it as it was shown; `conflict` of the answer is what it is then."""
    item = client.get(f"/v1/conflicts/{conflict}")
    if not session.json and item["status"] == ConflictStatus.OPEN:
        _show_conflict(item)
        output.say()
    shown = {"shown": item["ours"], "shown_theirs": item["theirs"]}
    answer = client.post(f"/v1/conflicts/{conflict}/resolve", body | shown)
    return {**answer, "conflict": client.get(f"/v1/conflicts/{conflict}")}


def _check_choice(
    conflict: int | None,
    every: bool,
    take: str | None,
    value: str | None,
    chosen: dict[str, Any],
) -> None:
    if (conflict is None) != every:
        raise click.UsageError("Name one conflict by its ID, or all with --all.")
    if (take is None) == (value is None):
        raise click.UsageError("Say what stands: either --take or --value.")
    if every and value is not None:
        raise click.UsageError("--all goes with --take; --value settles one conflict.")
    if not every and any(chosen.values()):
        names = ", ".join(f"--{name}" for name, _, _ in FILTER)
        raise click.UsageError(f"What narrows them down goes with --all: {names}.")


def _show_resolved(session: Session, document: dict[str, Any]) -> None:
    said = f"{counted(document['resolved'], 'conflict')} resolved"
    commit = document.get("commit")
    said += "; the store stands as it was." if commit is None else f", commit {commit}."
    output.say(said)
    show_notices(document)
    if document.get("left"):
        output.say(f"{counted(document['left'], 'conflict')} left: decide about each by its ID.")
    if document["resolved"]:
        output.say(f"To take it back: {session.command('conflicts', 'undo')}")
    if policy := document.get("policy"):
        scope = [word for name in _SCOPE for word in (f"--{name}", policy[name])]
        forget = session.command("policies", "remove", *scope)
        output.say(f"{policy_sentence(policy)}. To ask again: {forget}")


@conflicts_command.command("undo", epilog="Example: dataport conflicts undo 5")
@click.argument("conflict", metavar="[ID]", required=False, type=click.IntRange(min=1))
@message_option
@click.pass_obj
def undo(session: Session, conflict: int | None, message: str | None) -> None:
    """Take back the newest resolution, of one conflict or of many at once.

    With an ID, take back what was decided about that conflict alone.
    """
    path = "/v1/conflicts/undo" if conflict is None else f"/v1/conflicts/{conflict}/undo"
    with session.client() as client:
        document = client.post(path, given(message=message))
    session.emit(document, _show_undone)


def _show_undone(document: dict[str, Any]) -> None:
    reopened = counted(document.get("reopened"), "conflict")
    commit = f", commit {document['commit']}" if document.get("commit") is not None else ""
    output.say(f"{reopened} open again{commit}.")
    show_notices(document)
