"""`dataport export`: rows out, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataport.cli.options import DATASET, PACKAGE, Command, Session, absolute, given, names
from dataport.cli.summary import exit_code, show_job
from dataport.cli.waiting import wait_for

if TYPE_CHECKING:
    from dataport.client.api import Client

FORMATS = ("csv", "json", "xlsx", "xml", "txt", "parquet", "doc")


@click.command(
    "export", cls=Command, epilog="Example: dataport export --package time_tracking --to hours"
)
@click.argument("datasets", metavar="[D]...", nargs=-1, type=DATASET)
@click.option(
    "--package", type=PACKAGE, help="All of this package: a folder, a workbook or a document."
)
@click.option("--format", type=click.Choice(FORMATS), help="Else the ending of --to, else csv.")
@click.option(
    "--to",
    type=click.Path(path_type=str),
    help="File to write, or a folder; else below HOME/exports.",
)
@click.option("--zip", is_flag=True, help="Pack it as one ZIP; so does a --to that ends in .zip.")
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace what is there already, too, if it is not as an export wrote it.",
)
@click.option("--fields", metavar="A,B", help="Only these fields, in this order.")
@click.option("--where", metavar="EXPR", help="Only rows for which this SQL condition holds.")
@click.option("--sort", metavar="A,-B", help="By these fields; - turns one round.")
@click.option("--as-of", metavar="COMMIT|TIME", help="As the dataset was then.")
@click.option("--from", metavar="DATE", help="Not before this day or time.")
@click.option("--until", metavar="DATE", help="Not after this day or time; a day counts whole.")
@click.option("--no-wait", is_flag=True, help="Return as soon as the job is queued.")
@click.pass_obj
def export_command(
    session: Session, /, datasets: tuple[str, ...], no_wait: bool, **choices: Any
) -> None:
    """Write rows of datasets to a file; without a name, all datasets that hold rows."""
    if datasets and choices["package"]:
        raise click.UsageError("Name either datasets or --package, not both.")
    to = absolute(choices["to"]) if choices["to"] else None
    made = {
        "to": to,
        "format": choices["format"] or _format_of(to),
        "fields": names(choices["fields"]),
        "sort": names(choices["sort"]),
    }
    body = given(**{**choices, **made})
    with session.client() as client:
        if not choices["package"]:
            body["datasets"] = list(datasets) or _all_with_rows(client)
        job = int(client.post("/v1/exports", body)["job"])
        if no_wait:
            document = client.get(f"/v1/jobs/{job}")
        else:
            document = wait_for(session, client, job, "export")
    session.emit(document, lambda found: show_job(session, found))
    raise click.exceptions.Exit(exit_code([document], strict=False))


def _format_of(to: str | None) -> str:
    """The ending of a file, or of what lies in a ZIP: of `leads.json` and `leads.json.zip`."""
    name = Path(to or "")
    name = name.with_suffix("") if name.suffix.lower() == ".zip" else name
    ending = name.suffix.lstrip(".").lower()
    return ending if ending in FORMATS else "csv"


def _all_with_rows(client: Client) -> list[str]:
    from dataport.core.errors import NotFoundError

    found = [item["name"] for item in client.get("/v1/datasets")["items"] if item.get("rows")]
    if not found:
        raise NotFoundError(
            "nothing-to-export",
            "No dataset holds any rows.",
            hint="Import a file first, or name a dataset to get its columns.",
        )
    return found
