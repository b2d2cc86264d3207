"""`dataport datasets`: which there are, what their fields are, whether a definition is right."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, Command, Group, Session
from dataport.core.errors import UsageError
from dataport.core.paths import shipped_config
from dataport.core.text import counted

TEMPLATES = ("csv", "json", "xlsx")
"""Formats of files to fill in."""


@click.group("datasets", cls=Group)
def datasets_command() -> None:
    """List datasets, show and check their definitions."""


@datasets_command.command("list")
@click.pass_obj
def list_datasets(session: Session) -> None:
    """Datasets and how many rows each holds."""
    with session.client() as client:
        document = client.get("/v1/datasets")
    session.emit(document, _show_datasets)


def _show_datasets(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No datasets; definitions belong in config/datasets/ of the home.")
        return
    output.table(
        ("dataset", "title", "rows", "fields", "key"),
        [
            (
                item["name"],
                item.get("title"),
                item.get("rows"),
                _number_of(item.get("fields")),
                _words(item.get("primary_key")),
            )
            for item in document["items"]
        ],
    )


def _number_of(fields: Any) -> Any:
    return len(fields) if isinstance(fields, list) else fields


def _words(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@datasets_command.command("show")
@click.argument("dataset", type=DATASET)
@click.pass_obj
def show(session: Session, dataset: str) -> None:
    """A dataset's fields, types, checks and merge policies."""
    with session.client() as client:
        document = client.get(f"/v1/datasets/{dataset}")
    session.emit(document, _show_definition)


def _show_definition(definition: dict[str, Any]) -> None:
    output.pairs(
        [
            ("dataset", definition["name"]),
            ("title", definition.get("title")),
            ("description", definition.get("description")),
            ("key", _words(definition.get("primaryKey", definition.get("primary_key")))),
            ("rows", definition.get("rows")),
        ]
    )
    output.say()
    output.table(
        ("field", "type", "format", "merge", "checks", "also called"),
        [
            (
                field["name"],
                field.get("type"),
                field.get("format"),
                _words(field.get("merge")),
                _checks(field.get("constraints") or {}),
                _words(field.get("aliases")) or None,
            )
            for field in definition["fields"]
        ],
    )


def _checks(constraints: dict[str, Any]) -> str | None:
    said = [
        name if value is True else f"{name} {_words(value)}"
        for name, value in constraints.items()
        if value is not None and value is not False
    ]
    return "; ".join(said) or None


@datasets_command.command(
    "template",
    cls=Command,
    epilog="Example: dataport datasets template leads --to leads.xlsx",
)
@click.argument("dataset", type=DATASET)
@click.option(
    "--format",
    "kind",
    type=click.Choice(TEMPLATES),
    help="Else the ending of --to, else csv.",
)
@click.option(
    "--to",
    "target",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="File to write, or its folder. A page that describes the columns lies beside it; a"
    " workbook has a sheet that does.",
)
@click.pass_obj
def template(session: Session, dataset: str, kind: str | None, target: Path | None) -> None:
    """A file to fill in: a header and one example row.

    Without --to it is printed. Personal values stay out of the example where a row can do without.
    """
    ending = target.suffix.lstrip(".").lower() if target else ""
    kind = kind or (ending if ending in TEMPLATES else "csv")
    if kind == "xlsx" and target is None:
        raise click.UsageError("A workbook can't be printed: name a file with --to.")
    with session.client() as client:
        document = client.get(f"/v1/datasets/{dataset}/template", format=kind)
    if target is not None:
        document |= _write_template(document, target.expanduser().absolute())
    session.emit(document, _show_template)


def _write_template(document: dict[str, Any], target: Path) -> dict[str, str]:
    """Where the file, and its page if it needs one, were written.

    Raises UsageError where they can't be.
    """
    file = target / f"{document['dataset']}.{document['format']}" if target.is_dir() else target
    page = file.with_suffix(".md")
    try:
        if document["text"] is None:
            file.write_bytes(base64.b64decode(document["content"]))
            return {"file": str(file)}
        file.write_text(document["text"], encoding="utf-8")
        page.write_text(document["page"], encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "target-unwritable",
            f"{error.filename} can't be written.",
            f"{error.strerror or error}.",
            "Name another place with --to.",
        ) from error
    return {"file": str(file), "page_file": str(page)}


def _show_template(document: dict[str, Any]) -> None:
    if "file" in document:
        page = document.get("page_file", "its second sheet")
        output.say(f"{document['file']} is ready to fill in; {page} describes it.")
    else:
        output.say(document["text"].rstrip("\n"))


@datasets_command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def check(session: Session, file: Path) -> None:
    """Check a dataset definition, without a daemon. Exit 2 if it is wrong.

    Foreign keys may lead to the datasets of the home, and to those defined beside the file.
    """
    from dataport.engine.catalog.load import check_file

    path = file.expanduser().absolute()
    dataset = check_file(path, [shipped_config() / "datasets", session.home.datasets, path.parent])
    document = {
        "ok": True,
        "file": str(file.expanduser().absolute()),
        "name": dataset.name,
        "fields": len(dataset.fields),
        "primary_key": list(dataset.primary_key),
    }
    session.emit(document, _show_checked)


def _show_checked(document: dict[str, Any]) -> None:
    key = ", ".join(document["primary_key"])
    fields = counted(document["fields"], "field")
    output.say(f"{document['file']} is right: dataset {document['name']}, {fields}, key {key}.")
