"""`dataport mappings`: how columns of other programs' files become fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import DATASET, MAPPING, Group, Session, absolute, given
from dataport.cli.rows import field_values
from dataport.cli.summary import exit_code, show_job
from dataport.cli.waiting import wait_for
from dataport.core.text import counted

SHOWN = 60
"""Characters of a column's values that a table shows."""


@click.group("mappings", cls=Group)
def mappings_command() -> None:
    """List, show and check mappings; suggest and save what columns mean."""


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
                _told_by(item),
            )
            for item in document["items"]
        ],
    )


def _told_by(document: dict[str, Any]) -> str | None:
    if document.get("signature"):
        return "its exact header"
    return ", ".join(document.get("detect", ())) or None


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
    output.pairs([("told by", _told_by(document))])
    output.say()
    output.table(
        ("field", "from", "how"),
        [(each["field"], _origin(each), _transforms(each)) for each in document["fields"]],
    )


def _origin(field: dict[str, Any]) -> str:
    if "constant" in field:
        return f"always {field['constant']!r}"
    return ", ".join([field["column"]] if "column" in field else field["columns"])


def _transforms(field: dict[str, Any]) -> str | None:
    named = ("field", "column", "columns", "constant")
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


JOB = click.option("--job", type=click.IntRange(min=1), help="Instead: the job that waits.")
FILE = click.argument("file", required=False, type=click.Path(path_type=str))
DATASET_OPTION = click.option("--dataset", type=DATASET, help="Dataset of the file's rows.")
INSIDE = click.option("--inside", metavar="NAME", help="Which table of the file.")


@mappings_command.command(
    "suggest", epilog="Example: dataport mappings suggest customers.csv --dataset leads"
)
@FILE
@DATASET_OPTION
@INSIDE
@JOB
@click.pass_obj
def suggest(
    session: Session, file: str | None, dataset: str | None, inside: str | None, job: int | None
) -> None:
    """For each column of a file the field that it could be, and how sure that is.

    A column that is called like a field is one; others are guessed by name and values.
    """
    _check_origin(file, dataset, job)
    with session.client() as client:
        if job is not None:
            document = client.get(f"/v1/jobs/{job}/mapping")
        else:
            asked = given(path=absolute(str(file)), dataset=dataset, inside=inside)
            document = client.post("/v1/mappings/suggestions", asked)
    session.emit(document, _show_suggestion)


@mappings_command.command(
    "save",
    epilog="Example: dataport mappings save --job 7 --set email=Contact --set phone=Tel",
)
@FILE
@DATASET_OPTION
@INSIDE
@JOB
@click.option("--source", help="Who files with this header come from, such as crm.")
@click.option(
    "--set",
    "sets",
    metavar="FIELD=COLUMN",
    multiple=True,
    help="What is meant instead of what is suggested; FIELD= for no column.",
)
@click.option("--name", help="Name of the mapping; else one is made.")
@click.pass_obj
def save(
    session: Session,
    file: str | None,
    dataset: str | None,
    inside: str | None,
    job: int | None,
    source: str | None,
    sets: tuple[str, ...],
    name: str | None,
) -> None:
    """Keep what is suggested, and what you say otherwise, for files of a source with this header.

    With --job the job that waits for it goes on.
    """
    _check_origin(file, dataset, job)
    fields = {field: column or "" for field, column in field_values(sets).items()}
    if job is None and not source:
        raise click.UsageError("Name the --source that such files come from.")
    with session.client() as client:
        if job is not None:
            client.put(f"/v1/jobs/{job}/mapping", {"fields": fields, **given(name=name)})
            document = wait_for(session, client, job, f"job {job}")
            session.emit(document, lambda found: show_job(session, found))
            raise click.exceptions.Exit(exit_code([document], strict=False))
        asked = given(
            path=absolute(str(file)), dataset=dataset, inside=inside, source=source, name=name
        )
        document = client.post("/v1/mappings", {**asked, "fields": fields})
    session.emit(document, _show_saved)


def _check_origin(file: str | None, dataset: str | None, job: int | None) -> None:
    if (file is None) == (job is None):
        raise click.UsageError("Name either a FILE, or the --job that waits.")
    if file is not None and dataset is None:
        raise click.UsageError("Name the --dataset that the file's rows belong to.")


def _show_suggestion(document: dict[str, Any]) -> None:
    output.table(
        ("column", "field", "sure", "filled", "values"),
        [
            (
                item["column"],
                item["field"],
                f"{item['confidence']:.0%}" if item["field"] else None,
                f"{item['filled']:.0%}",
                ", ".join(item["samples"])[:SHOWN] or None,
            )
            for item in document["items"]
        ],
    )
    output.say()
    if document["lacking"]:
        output.say(f"Something is lacking. {document['lacking']['title']}")
    elif document["certain"]:
        output.say("An import needs no answer: it takes what is sure.")
    else:
        doubtful = ", ".join(document["doubtful"]) or "the key"
        output.say(f"An import would ask first: {doubtful} is only a guess.")


def _show_saved(document: dict[str, Any]) -> None:
    fields = counted(len(document["fields"]), "field")
    output.say(
        f"Mapping {document['name']} saved, {fields} of {document['dataset']}: {document['file']}"
    )
