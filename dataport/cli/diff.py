"""`dataport diff`: what differs between two commits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, FOR_PEOPLE, Command, Session, given

if TYPE_CHECKING:
    from dataport.client.api import Client

PAGE = 10_000
"""Rows asked for at once; all of a large difference is never held in memory."""

_SIGNS = {"insert": "+", "update": "~", "delete": "-"}


@click.command("diff", cls=Command)
@click.argument("before", metavar="COMMIT")
@click.argument("after", metavar="[COMMIT]", required=False)
@click.option("--dataset", type=DATASET, help="Only this dataset.")
@click.option("--stat", is_flag=True, help="Only how many rows and values changed.")
@click.option("--limit", type=click.IntRange(min=1), help="Most rows; 50, or all with --json.")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Rows to pass over first.")
@click.pass_obj
def diff_command(
    session: Session,
    before: str,
    after: str | None,
    dataset: str | None,
    stat: bool,
    limit: int | None,
    offset: int,
) -> None:
    r"""What the second commit has that the first has not, and the other way round.

    Each may be a commit or a time; without the second, the store as it is now. With --json the
    items are a patch: `before` and `after` hold the changed fields of each row.

    \b
    dataport diff 11 12
    dataport diff 2026-01-01 --dataset leads --stat
    """
    query = given(**{"from": before, "to": after}, dataset=dataset)
    with session.client() as client:
        if stat:
            session.emit(client.get("/v1/diff", stat=True, **query), _show_counts)
        elif session.json:
            output.long_document(*_everything(client, query, limit, offset))
        else:
            rows = min(limit or FOR_PEOPLE, PAGE)
            _show(client.get("/v1/diff", **query, limit=rows, offset=offset))


def _everything(
    client: Client, query: dict[str, Any], limit: int | None, offset: int
) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """The document without its items, and the items, a page at a time."""
    first = client.get("/v1/diff", **query, limit=min(limit or PAGE, PAGE), offset=offset)
    head = {name: value for name, value in first.items() if name != "items"}
    end = first["total"] if limit is None else min(first["total"], offset + limit)
    # Both commits by number from here on: what the second page is about has not moved.
    query = {**query, "from": first["from"], "to": first["to"]}

    def items() -> Iterator[dict[str, Any]]:
        page, place = first["items"], offset
        while page:
            yield from page
            place += len(page)
            if place >= end:
                return
            page = client.get("/v1/diff", **query, limit=min(PAGE, end - place), offset=place)[
                "items"
            ]

    return head, items()


def _show(document: dict[str, Any]) -> None:
    if not document["total"]:
        output.say(f"Nothing differs between {_named(document)}.")
        return
    for item in document["items"]:
        key = output.plain(item["key"])
        output.say(f"{_SIGNS[item['operation']]} {item['dataset']} {key}")
        before, after = item["before"] or {}, item["after"] or {}
        for field in item["changed"]:
            if item["operation"] == "update":
                output.change(field, before[field], after[field], is_new=False)
            else:
                output.change(field, None, (before | after)[field], is_new=True)
    output.say(f"{output.counts(document['changes'])} between {_named(document)}.")
    output.shown_of(document, "items", "row")


def _show_counts(document: dict[str, Any]) -> None:
    if not document["total"]:
        output.say(f"Nothing differs between {_named(document)}.")
        return
    for item in document["items"]:
        fields = ", ".join(f"{name} {count:,}" for name, count in item["fields"].items())
        changes = {word: item[word] for word in document["changes"]}
        output.say(f"{item['dataset']}: {output.counts(changes)}")
        if fields:
            output.say(f"    values changed: {fields}")
    output.say(f"{output.counts(document['changes'])} between {_named(document)}.")


def _named(document: dict[str, Any]) -> str:
    return f"commit {document['from']} and commit {document['to']}"
