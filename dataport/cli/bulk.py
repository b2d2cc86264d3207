"""`dataport bulk`: change, assign or delete many records at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dataport.cli.options import DATASET, Group, Session, given, is_interactive, message_option
from dataport.cli.rows import field_values
from dataport.cli.summary import exit_code, show_job, show_notices
from dataport.cli.waiting import Job, wait_for
from dataport.core.text import counted

if TYPE_CHECKING:
    from dataport.client.api import Client

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@click.group("bulk", cls=Group)
def bulk_command() -> None:
    r"""Change many records at once, as one commit.

    Name the records by a condition, or by their keys in a file: one a line, or a CSV file whose
    header names the key fields, such as an export. If one of them is of no record, nothing is
    changed. docs/bulk.md tells more.

    \b
    dataport bulk update leads --where "score > 90" --set status=qualified --dry-run
    dataport bulk assign leads --keys chosen.txt --set assigned_to=ada@example.org
    dataport bulk delete leads --where "status = 'lost' AND updated_at < '2025-01-01'"
    """


def _selecting(function: Decorated) -> Decorated:
    """The options that all three commands share."""
    for option in reversed(
        (
            click.argument("dataset", type=DATASET),
            click.option("--where", metavar="EXPR", help="Records for which this SQL holds."),
            click.option(
                "--keys",
                metavar="FILE",
                type=click.Path(path_type=str, allow_dash=True),
                help="Records whose keys this file lists; - reads them from standard input.",
            ),
            click.option("--dry-run", is_flag=True, help="Count only; change nothing."),
            message_option,
            click.option("--no-wait", is_flag=True, help="Return as soon as the job is queued."),
        )
    ):
        function = option(function)
    return function


_SET = click.option("--set", "sets", metavar="FIELD=VALUE", multiple=True)


@bulk_command.command("update")
@_selecting
@_SET
@click.pass_obj
def update(session: Session, /, dataset: str, **choices: Any) -> None:
    """Give fields of many records a new value.

    --set FIELD= empties a field. Values are checked as those of `dataport edit` are.
    """
    _run(session, "update", dataset, choices)


@bulk_command.command("assign")
@_selecting
@_SET
@click.option("--to", metavar="SOMEBODY", help="Instead of --set: whom to assign them to.")
@click.pass_obj
def assign(session: Session, /, dataset: str, to: str | None, **choices: Any) -> None:
    """Assign many records to somebody.

    The dataset's definition names the field that says to whom a record is assigned.
    """
    if to is not None and choices["sets"]:
        raise click.UsageError("Name either --set or --to, not both.")
    _run(session, "assign", dataset, choices, to)


@bulk_command.command("delete")
@_selecting
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def delete(session: Session, /, dataset: str, yes: bool, **choices: Any) -> None:
    """Delete many records.

    On a terminal you are asked first, with their number; scripts are not. `dataport undo` brings
    the records back.
    """
    _run(session, "delete", dataset, choices, is_asked=not yes)


def _run(
    session: Session,
    action: str,
    dataset: str,
    choices: dict[str, Any],
    to: str | None = None,
    *,
    is_asked: bool = False,
) -> None:
    if (choices["where"] is None) == (choices["keys"] is None):
        raise click.UsageError("Name the records either with --where or with --keys.")
    is_asked = is_asked and is_interactive() and not (session.json or choices["dry_run"])
    with session.client() as client:
        body = _body(client, action, dataset, choices, to)
        if is_asked:
            body["expect"] = _agreed(session, client, dataset, body)
        document = _done(session, client, dataset, body, wait=not choices["no_wait"])
    session.emit(document, lambda found: show_job(session, found))
    raise click.exceptions.Exit(exit_code([document], strict=False))


def _body(
    client: Client, action: str, dataset: str, choices: dict[str, Any], to: str | None
) -> dict[str, Any]:
    """What the daemon is asked for; keys are read here, where the file is."""
    values: dict[str, str | None] = field_values(choices.get("sets") or ())
    definition: dict[str, Any] = {}
    if to is not None or choices["keys"] is not None:
        definition = client.get(f"/v1/datasets/{dataset}")
    if to is not None:
        # Without such a field, the daemon says what is missing.
        values = {str(definition.get("assigneeField") or "assigned_to"): to or None}
    keys = None
    if choices["keys"] is not None:
        from dataport.cli.key_file import read_keys

        keys = read_keys(choices["keys"], definition["primaryKey"])
    return given(
        action=action,
        where=choices["where"],
        keys=keys,
        set=values or None,
        dry_run=choices["dry_run"],
        message=choices["message"],
    )


def _agreed(session: Session, client: Client, dataset: str, body: dict[str, Any]) -> int:
    """The number of records, once a person said that so many are to go."""
    from dataport.core.errors import CancelledError

    found = _done(session, client, dataset, {**body, "dry_run": True}, wait=True)
    if found.get("error"):
        show_job(session, found)
        raise click.exceptions.Exit(exit_code([found], strict=False))
    matched = int(found["matched"])
    show_notices(found)
    question = f"Delete {counted(matched, 'record')} of {dataset}?"
    if matched and not click.confirm(question):
        raise CancelledError("not-agreed", "Nothing was deleted.")
    return matched


def _done(
    session: Session, client: Client, dataset: str, body: dict[str, Any], *, wait: bool
) -> Job:
    job = int(client.post(f"/v1/datasets/{dataset}/bulk", body)["job"])
    if not wait:
        found: Job = client.get(f"/v1/jobs/{job}")
        return found
    return wait_for(session, client, job, f"bulk {body['action']}")
