"""`dataport mappings`: how columns of other programs' files become fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import MAPPING, Group, Session
from dataport.core.text import counted


@click.group("mappings", cls=Group)
def mappings_command() -> None:
    """List mappings, show and check their definitions."""


@mappings_command.command("list")
@click.pass_obj
def list_mappings(session: Session) -> None:
    """Mappings, and the columns by which their files are told."""
    with session.client() as client:
        document = client.get("/v1/mappings")
    session.emit(document, _show_mappings)


def _show_mappings(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No mappings; definitions belong in config/mappings/ of the home.")
        return
    output.table(
        ("mapping", "title", "dataset", "source", "told by"),
        [
            (
                item["name"],
                item["title"],
                item["dataset"],
                item["source"],
                ", ".join(item["detect"]) or None,
            )
            for item in document["items"]
        ],
    )


@mappings_command.command("show", epilog="Example: dataport mappings show toggl_detailed")
@click.argument("mapping", type=MAPPING)
@click.pass_obj
def show(session: Session, mapping: str) -> None:
    """Which fields a mapping makes, of which columns, and how."""
    with session.client() as client:
        document = client.get(f"/v1/mappings/{mapping}")
    session.emit(document, _show_mapping)


def _show_mapping(document: dict[str, Any]) -> None:
    keys = ("name", "title", "description", "dataset", "source")
    output.pairs([(key, document.get(key)) for key in keys])
    output.pairs([("told by", ", ".join(document.get("detect", ())) or None)])
    output.say()
    output.table(
        ("field", "from", "how"),
        [(each["field"], _origin(each), _transforms(each)) for each in document["fields"]],
    )


def _origin(field: dict[str, Any]) -> str:
    if "constant" in field:
        return f"always {field['constant']!r}"
    if "file" in field:
        return "the file's name"
    return ", ".join([field["column"]] if "column" in field else field["columns"])


def _transforms(field: dict[str, Any]) -> str | None:
    named = ("field", "column", "columns", "constant", "file")
    return ", ".join(key for key in field if key not in named) or None


@mappings_command.command("check", epilog="Example: dataport mappings check my_crm.toml")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def check(session: Session, file: Path) -> None:
    """Check a mapping's definition, without a daemon. Exit 2 if it is wrong.

    Its dataset may be one of the home, or defined beside the file.
    """
    from dataport.engine.definitions import check_mapping_file

    path = file.expanduser().absolute()
    mapping = check_mapping_file(session.home, path)
    document = {
        "ok": True,
        "file": str(path),
        "name": mapping.name,
        "dataset": mapping.dataset,
        "fields": [each.field for each in mapping.fields],
    }
    session.emit(document, _show_checked)


def _show_checked(document: dict[str, Any]) -> None:
    fields = counted(len(document["fields"]), "field")
    output.say(
        f"{document['file']} is right: mapping {document['name']}, {fields} of {document['dataset']}."
    )
