"""`dataport rows` and `dataport edit`: look into a dataset, change one record."""

from __future__ import annotations

from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Command, Session, given, message_option, names, screenful
from dataport.cli.summary import show_notices


@click.command("rows", cls=Command)
@click.argument("dataset", type=DATASET)
@click.option("--where", metavar="EXPR", help="Only rows for which this SQL condition holds.")
@click.option("--fields", metavar="A,B", help="Only these fields, in this order.")
@click.option("--sort", metavar="A,-B", help="By these fields; - turns one round.")
@click.option("--limit", type=click.IntRange(min=1), help="Most rows; 50, or all with --json.")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Rows to pass over first.")
@click.option("--as-of", metavar="COMMIT|TIME", help="As the dataset was then.")
@click.pass_obj
def rows_command(
    session: Session,
    dataset: str,
    where: str | None,
    fields: str | None,
    sort: str | None,
    limit: int | None,
    offset: int,
    as_of: str | None,
) -> None:
    """Rows of a dataset."""
    query = given(
        where=where,
        fields=_joined(fields),
        sort=_joined(sort),
        limit=screenful(session, limit),
        offset=offset,
        as_of=as_of,
    )
    with session.client() as client:
        document = client.get(f"/v1/datasets/{dataset}/rows", **query)
    session.emit(document, _show_rows)


def _joined(text: str | None) -> str | None:
    words = names(text)
    return None if words is None else ",".join(words)


def _show_rows(document: dict[str, Any]) -> None:
    rows = document["rows"]
    if not rows:
        output.say("No rows.")
        return
    fields = list(rows[0])
    output.table(fields, [[row.get(field) for field in fields] for row in rows])
    output.shown_of(document, "rows", "row")


@click.command("edit", cls=Command)
@click.argument("dataset", type=DATASET)
@click.argument("key", metavar="KEY")
@click.argument("assignments", metavar="FIELD=VALUE...", nargs=-1, required=True)
@message_option
@click.pass_obj
def edit_command(
    session: Session, dataset: str, key: str, assignments: tuple[str, ...], message: str | None
) -> None:
    """Change one record, as a commit of yours.

    KEY is the key's value, or a JSON array where the key has several fields. FIELD= empties a
    field.
    """
    body = given(set=field_values(assignments), message=message)
    with session.client() as client:
        document = client.patch(record_path(dataset, key), body)
    session.emit(document, lambda found: _show_edit(session, found))


def record_path(dataset: str, key: str) -> str:
    """The address of one record; every character of the key is data."""
    from urllib.parse import quote

    from dataport.core.errors import UsageError

    if not key:
        raise UsageError("empty-key", "The key is empty.", hint="Name the record's key.")
    return f"/v1/records/{dataset}/{quote(key, safe='')}"


def field_values(assignments: tuple[str, ...]) -> dict[str, str | None]:
    """What FIELD=VALUE words set; nothing behind the = clears. Raises UsageError."""
    from dataport.core.errors import UsageError

    values: dict[str, str | None] = {}
    for assignment in assignments:
        field, equals, value = assignment.partition("=")
        field = field.strip()
        if not equals or not field:
            raise UsageError(
                "wrong-assignment",
                f"{assignment!r} is not FIELD=VALUE.",
                hint="Write a field, = and its new value, as in status=won; status= empties it.",
            )
        if field in values:
            raise UsageError(
                "field-twice", f"{field!r} is given two values.", hint="Give it one of them."
            )
        values[field] = value or None
    return values


def _show_edit(session: Session, document: dict[str, Any]) -> None:
    commit = document.get("commit")
    if commit is None:
        output.say("Nothing changed: the record holds these values already.")
        return
    undo = session.command("undo", commit)
    output.say(f"commit {commit}: the record is changed. To take it back: {undo}")
    show_notices(document)
