"""`dataport packages`: datasets that belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import PACKAGE, Group, Session
from dataport.core.text import counted


@click.group("packages", cls=Group)
def packages_command() -> None:
    """List packages, show and check their definitions."""


@packages_command.command("list")
@click.pass_obj
def list_packages(session: Session) -> None:
    """Packages, and their datasets in the order in which they are merged."""
    with session.client() as client:
        document = client.get("/v1/packages")
    session.emit(document, _show_packages)


def _show_packages(document: dict[str, Any]) -> None:
    if not document["items"]:
        output.say("No packages; definitions belong in config/packages/ of the home.")
        return
    output.table(
        ("package", "title", "datasets"),
        [(item["name"], item["title"], ", ".join(item["datasets"])) for item in document["items"]],
    )


@packages_command.command("show", epilog="Example: dataport packages show time_tracking")
@click.argument("package", type=PACKAGE)
@click.pass_obj
def show(session: Session, package: str) -> None:
    """A package's datasets: the files that are theirs, and which of the others come first."""
    with session.client() as client:
        document = client.get(f"/v1/packages/{package}")
    session.emit(document, _show_package)


def _show_package(document: dict[str, Any]) -> None:
    output.pairs(
        [
            ("package", document["name"]),
            ("title", document["title"]),
            ("description", document["description"]),
        ]
    )
    output.say()
    output.table(
        ("dataset", "rows", "files", "after"),
        [
            (
                member["dataset"],
                member["rows"],
                ", ".join(member["files"]),
                ", ".join(member["after"]) or None,
            )
            for member in document["members"]
        ],
    )


@packages_command.command("check", epilog="Example: dataport packages check time_tracking.toml")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def check(session: Session, file: Path) -> None:
    """Check a package definition, without a daemon. Exit 2 if it is wrong.

    Its members may be datasets of the home, and those defined beside the file.
    """
    from dataport.engine.definitions import check_package_file

    path = file.expanduser().absolute()
    package = check_package_file(session.home, path)
    document = {
        "ok": True,
        "file": str(path),
        "name": package.name,
        "datasets": list(package.datasets),
    }
    session.emit(document, _show_checked)


def _show_checked(document: dict[str, Any]) -> None:
    members = counted(len(document["datasets"]), "dataset")
    output.say(f"{document['file']} is right: package {document['name']}, {members}.")
