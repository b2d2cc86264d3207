"""`dataport blame`: who last set each value of a record, and from which file and line."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Command, Session
from dataport.cli.rows import record_path


@click.command("blame", cls=Command)
@click.argument("dataset", type=DATASET)
@click.argument("key", metavar="KEY")
@click.pass_obj
def blame_command(session: Session, dataset: str, key: str) -> None:
    r"""For every value of a record: the commit that set it, and where it came from.

    KEY is the key's value, or a JSON array where the key has several fields. A value that a
    decision or an undo put in place still names the file and line it came from.

    \b
    dataport blame leads L-1001
    """
    with session.client() as client:
        document = client.get(f"{record_path(dataset, key)}/blame")
    session.emit(document, _show)


def _show(document: dict[str, Any]) -> None:
    output.table(
        ("field", "value", "commit", "by", "who", "time", "from"),
        [
            (
                item["field"],
                item["value"],
                f"{item['commit']} or before" if item["boundary"] else item["commit"],
                item["kind"],
                item["actor"],
                output.local_time(item["time"]),
                _place(item),
            )
            for item in document["items"]
        ],
    )


def _place(item: dict[str, Any]) -> str | None:
    """Where the value came from: `crm, leads.csv line 12`."""
    file = PurePath(item["file"]).name if item["file"] else None
    line = f" line {item['line']:,}" if file and item["line"] else ""
    return ", ".join(part for part in (item["source"], file and file + line) if part) or None
