"""`dataport policies`: what settles conflicts without asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Group, Session, given

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = "(every one)"


def _scope(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what a policy is for."""
    for option in (
        click.option("--field", help="For this field; needs --dataset."),
        click.option("--source", help="For what this source sends."),
        click.option("--dataset", type=DATASET, help="For this dataset."),
    ):
        command = option(command)
    return command


@click.group("policies", cls=Group)
def policies_command() -> None:
    """List and change the merge policies of this home."""


@policies_command.command("list")
@click.pass_obj
def list_policies(session: Session) -> None:
    """The policies in config/dataport.toml; those of datasets show with the dataset."""
    with session.client() as client:
        document = client.get("/v1/policies")
    session.emit(document, _show_policies)


def _show_policies(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No policies but those of the datasets: dataport datasets show NAME.")
        return
    names = ("dataset", "source", "field")
    output.table(
        (*names, "policies"),
        [
            (*(item[name] or EVERY for name in names), ", ".join(item["merge"]))
            for item in document["items"]
        ],
    )


@policies_command.command(
    "set", epilog="Example: dataport policies set --dataset leads --source crm --field phone file"
)
@_scope
@click.argument("merge", metavar="POLICY...", nargs=-1, required=True)
@click.pass_obj
def set_policy(session: Session, /, merge: tuple[str, ...], **scope: str | None) -> None:
    """Settle conflicts of a scope by these policies, asked in order.

    As in store, file, fill, longest, max, min, newest(FIELD), union, ask.
    """
    with session.client() as client:
        document = client.put("/v1/policies", given(**scope) | {"merge": list(merge)})
    session.emit(document, lambda found: output.say(f"{policy_sentence(found)}."))


@policies_command.command(
    "remove", epilog="Example: dataport policies remove --dataset leads --source crm --field phone"
)
@_scope
@click.pass_obj
def remove_policy(session: Session, /, **scope: str | None) -> None:
    """Remove the policy of exactly this scope."""
    with session.client() as client:
        client.delete("/v1/policies", **given(**scope))
    session.emit({"removed": scope}, lambda _: output.say("The policy is removed."))


def policy_sentence(policy: dict[str, Any]) -> str:
    """A policy in words: `From now on, phone of leads from crm: file`."""
    field, dataset, source = policy["field"], policy["dataset"], policy["source"]
    about = f"{field} of {dataset}" if field else dataset or "every dataset"
    origin = f" from {source}" if source else ""
    return f"From now on, {about}{origin}: {', '.join(policy['merge'])}"
