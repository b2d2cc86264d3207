"""`dataport init` and `dataport status`: the home, and what goes on in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import Command, Session
from dataport.core.text import counted

_WAITING = {
    "approvals": ("plan waits for approval", "plans wait for approval", "jobs list"),
    "conflicts": ("conflict waits", "conflicts wait", "conflicts list"),
    "mappings": ("file waits for a mapping", "files wait for a mapping", "jobs list"),
    "rejects": ("rejected row waits", "rejected rows wait", "jobs list"),
}


@click.command("init", cls=Command)
@click.option("--sample", is_flag=True, help="Add sample files and an inbox for them.")
@click.pass_obj
def init_command(session: Session, sample: bool) -> None:
    """Make a home. What is there already stays as it is."""
    from dataport.engine.homes import create_home, samples

    home = session.home
    existed = home.exists
    made = create_home(home, sample)
    document = {
        "home": str(home.root),
        "existed": existed,
        "made": [str(path) for path in made],
        "samples": [str(path) for path in _files(samples(home))] if sample else [],
    }
    session.emit(document, lambda found: _show_made(session, found))


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _show_made(session: Session, document: dict[str, Any]) -> None:
    made = counted(len(document["made"]), "file")
    if not document["existed"]:
        output.say(f"Made a home: {document['home']}")
    elif document["made"]:
        output.say(f"This home is there already; {made} added: {document['home']}")
    else:
        output.say(f"This home is there already, and nothing is missing: {document['home']}")
    if document["samples"]:
        _show_samples(session, [Path(path) for path in document["samples"]])
    elif not document["existed"]:
        output.say("\nImport a file, or open the terminal UI:")
        output.say(f"  {session.command('import')} FILE --dataset leads --source crm")
        output.say(f"  {session.command()}")


def _show_samples(session: Session, files: list[Path]) -> None:
    october, november, fair = (
        next((str(path) for path in files if path.name.startswith(start)), "FILE")
        for start in ("leads-crm-2026-10", "leads-crm-2026-11", "leads-fair")
    )
    output.say(f"Sample files are in {files[0].parent}. Try, one after the other:\n")
    for words in (
        ("import", october, "--dataset", "leads", "--source", "crm"),
        ("import", november, "--dataset", "leads", "--source", "crm"),
        ("import", fair, "--dataset", "leads", "--source", "fair"),
        ("conflicts", "list"),
        ("log",),
        (),
    ):
        output.say(f"  {session.command(*words)}")
    output.say(
        "\nThe last one opens the terminal UI. Files that you drop into this inbox do the same:"
    )
    output.say(f"  {session.home.inbox('sample-leads')}")


@click.command("status", cls=Command)
@click.option("--no-start", is_flag=True, help="Exit 4 if no daemon runs, instead of starting one.")
@click.pass_obj
def status_command(session: Session, no_start: bool) -> None:
    """What runs and what waits for you."""
    with session.client(start=not no_start) as client:
        document = client.get("/v1/status")
    session.emit(document, lambda found: _show_status(session, found))


def _show_status(session: Session, document: dict[str, Any]) -> None:
    output.say(f"{document['home']}: {document['state']}, process {document['pid']}")
    if error := document.get("config_error"):
        output.say(f"The configuration on disk is not in force. {error.get('title', '')}")
        for part in ("detail", "hint"):
            if error.get(part):
                output.say(f"  {error[part]}")
    for job in document["running"]:
        output.say(f"Runs: {_running(job)}")
    waits = False
    for word, number in document["waiting"].items():
        if number:
            waits = True
            one, several, command = _WAITING.get(word, (word, word, "status"))
            waiting = counted(number, one, several)
            output.say(f"{waiting}: {session.command(*command.split())}")
    if not waits and not document["running"]:
        output.say("Nothing runs, and nothing waits for you.")


def _running(job: dict[str, Any]) -> str:
    progress = job.get("progress") or {}
    name = Path(job["file"]).name if job.get("file") else job["kind"]
    said = f"job {job['job']}, {name}, {progress.get('phase') or job.get('phase')}"
    if progress.get("total"):
        said += f" {progress.get('processed') or 0:,} of {progress['total']:,}"
    return said
