"""`dataport import`: files in, as jobs of the daemon."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output
from dataport.cli.options import (
    DATASET,
    MAPPING,
    PACKAGE,
    Command,
    Session,
    absolute,
    given,
    message_option,
)
from dataport.cli.rows import field_values
from dataport.cli.summary import exit_code, show_job
from dataport.cli.waiting import Job, wait_for
from dataport.core.words import Mode, OnMatch

if TYPE_CHECKING:
    from dataport.client.api import Client
    from dataport.core.errors import DataportError

MODE = click.Choice([mode.value for mode in Mode])
ON_MATCH = click.Choice([how.value for how in OnMatch])


@click.command(
    "import", cls=Command, epilog="Example: dataport import hours/ --package time_tracking"
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=str))
@click.option("--dataset", type=DATASET, help="Dataset that the rows belong to.")
@click.option(
    "--package",
    type=PACKAGE,
    help="Package that the files, or those in a folder, belong to: one job, one commit.",
)
@click.option(
    "--inside",
    metavar="NAME",
    help="Which table of the file: a file in an archive, a sheet of a workbook.",
)
@click.option("--source", help="Who the file comes from, such as crm.")
@click.option("--mapping", type=MAPPING, help="Mapping that turns columns into fields.")
@click.option(
    "--set",
    "sets",
    metavar="FIELD=VALUE",
    multiple=True,
    help="Value that every row has, as in campaign_id=spring; may be given several times.",
)
@click.option("--format", help="Format of the file; else its content tells.")
@click.option(
    "--header-line",
    type=click.IntRange(min=1),
    metavar="LINE",
    help="Line of the file, or row of the sheet, that names the columns, where it isn't found.",
)
@click.option(
    "--date-order",
    type=click.Choice(["dmy", "mdy"]),
    help="Whether day or month comes first in 1/2/2026, where the file itself doesn't tell.",
)
@click.option("--mode", type=MODE, help="What the file says about rows it leaves out.")
@click.option("--on-match", type=ON_MATCH, help="What happens to rows that are already there.")
@click.option("--dry-run", is_flag=True, help="Check and plan; change nothing.")
@click.option("--hold", is_flag=True, help="Wait for approval before anything is applied.")
@click.option(
    "--strict", is_flag=True, help="Any rejected row fails the file; exit 3 if one waits."
)
@click.option(
    "--base",
    metavar="COMMIT|TIME|none",
    help="Compare the file with the store as of then; none: take an export that comes back edited"
    " for a file like any other.",
)
@message_option
@click.option("--no-wait", is_flag=True, help="Return as soon as the job is queued.")
@click.pass_obj
def import_command(
    session: Session,
    /,
    paths: tuple[str, ...],
    no_wait: bool,
    strict: bool,
    sets: tuple[str, ...],
    **choices: Any,
) -> None:
    """Check files and merge them into the store.

    What a person must decide waits: see `dataport conflicts` and `dataport jobs`.
    """
    _check_target(choices)
    files = [absolute(path) for path in paths]
    values = {name: value or "" for name, value in field_values(sets).items()}
    asked = given(origin="cli", strict=strict, set=values or None, **choices)
    with session.client() as client:
        if choices["package"]:
            job = int(client.post("/v1/imports", {"paths": files, **asked})["job"])
            jobs = [_finish(session, client, choices["package"], job, no_wait)]
        else:
            jobs = _each(session, client, files, asked, no_wait)
    if session.json:
        output.document(jobs[0] if len(jobs) == 1 else {"items": jobs})
    raise click.exceptions.Exit(exit_code(jobs, strict))


def _check_target(choices: dict[str, Any]) -> None:
    if choices["source"] is not None and not choices["source"].strip():
        raise click.UsageError("--source is empty. Name who the file comes from, such as crm.")
    if choices["inside"] and choices["package"]:
        raise click.UsageError(
            "--inside names one table, and --package takes all that are its own: name a --dataset."
        )
    if choices["dataset"] and choices["package"]:
        raise click.UsageError("Name either --dataset or --package, not both.")


def _each(
    session: Session, client: Client, files: list[str], asked: dict[str, Any], no_wait: bool
) -> list[Job]:
    """Import files one by one. Raises DataportError where the only one is refused."""
    submitted = [_submit(client, path, asked) for path in files]
    if len(submitted) == 1 and isinstance(submitted[0], Exception):
        raise submitted[0]
    return [
        _finish(session, client, path, job, no_wait)
        for path, job in zip(files, submitted, strict=True)
    ]


def _submit(client: Client, path: str, asked: dict[str, Any]) -> int | DataportError:
    """The number of the new job, or why there is none; other files are not held up by it."""
    from dataport.core.errors import DataportError, NoDaemonError

    try:
        answer = client.post("/v1/imports", {"path": path, **asked})
    except NoDaemonError:
        raise
    except DataportError as error:
        return error
    return int(answer["job"])


def _finish(
    session: Session, client: Client, path: str, job: int | DataportError, no_wait: bool
) -> Job:
    """The job's document once it ended, printed for people as it comes."""
    if not isinstance(job, int):
        document = _refused(path, job)
    elif no_wait:
        document = client.get(f"/v1/jobs/{job}")
    else:
        document = wait_for(session, client, job, PurePath(path).name)
    if not session.json:
        show_job(session, document)
    return document


def _refused(path: str, error: DataportError) -> Job:
    """The document of a file that never became a job."""
    nothing = dict.fromkeys(
        ("job", "dataset", "source", "rows", "changes", "commit", "rejects_file")
    )
    return {
        **nothing,
        "kind": "import",
        "status": "failed",
        "file": path,
        "elapsed_s": 0.0,
        "error": error.as_dict(),
        "exit_code": error.exit_code,
    }
