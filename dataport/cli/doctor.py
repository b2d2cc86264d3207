"""`dataport doctor`: is the installation sound, the home private, the configuration right?"""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

import dataport
from dataport.cli import errors, output
from dataport.cli.options import Command, Session

if TYPE_CHECKING:
    from pathlib import Path

    from dataport.core.paths import Home

LOW_SPACE = 2**30
"""Free bytes below which imports are likely to fail."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    state: str
    """`ok`, `warning` or `error`."""
    detail: str
    hint: str = ""


@click.command("doctor", cls=Command)
@click.pass_obj
def doctor_command(session: Session) -> None:
    """Check the installation, the home and its configuration. Starts nothing; exit 1 for errors."""
    findings = list(examine(session.home))
    session.emit({"items": [asdict(finding) for finding in findings]}, _show_findings)
    if any(finding.state == "error" for finding in findings):
        raise click.exceptions.Exit(errors.FAILED)


def examine(home: Home) -> Iterator[Finding]:
    """What there is to say about `home` and this installation."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("installation", "ok", f"Dataport {dataport.__version__}, Python {version}.")
    if not home.exists:
        hint = "Make one: dataport init"
        yield Finding("home", "error", f"There is no home at {home.root}.", hint)
        return
    yield _privacy(home)
    yield _checked("settings", home.config_file, partial(_check_settings, home))
    for path in sorted(home.datasets.glob("*.toml")):
        yield _checked(f"dataset {path.stem}", path, partial(_check_dataset, home, path))
    for path in sorted(home.packages.glob("*.toml")):
        yield _checked(f"package {path.stem}", path, partial(_check_package, home, path))
    for path in sorted(home.mappings.glob("*.toml")):
        yield _checked(f"mapping {path.stem}", path, partial(_check_mapping, home, path))
    yield _space(home)
    yield _daemon(home)


def _privacy(home: Home) -> Finding:
    mode = stat.S_IMODE(home.root.stat().st_mode)
    if mode & 0o077:
        detail = f"{home.root} has mode {mode:04o}: others on this machine can look into it."
        return Finding("home", "warning", detail, f"chmod 700 {home.root}")
    return Finding("home", "ok", f"{home.root}, private to you.")


def _checked(name: str, path: Path, check: Callable[[], object]) -> Finding:
    from dataport.core.errors import DataportError

    try:
        check()
    except DataportError as error:
        return Finding(name, "error", f"{error.title} {error.detail}".strip(), error.hint)
    return Finding(name, "ok", f"{path} is right.")


def _check_settings(home: Home) -> object:
    from dataport.core.settings import load_settings

    return load_settings(home.config_file)


def _check_dataset(home: Home, path: Path) -> object:
    from dataport.core.paths import shipped_config
    from dataport.engine.catalog.load import check_file

    return check_file(path, [shipped_config() / "datasets", home.datasets])


def _check_package(home: Home, path: Path) -> object:
    from dataport.engine.definitions import check_package_file

    return check_package_file(home, path)


def _check_mapping(home: Home, path: Path) -> object:
    from dataport.engine.definitions import check_mapping_file

    return check_mapping_file(home, path)


def _space(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free
    detail = f"{free / 2**30:,.1f} GiB free."
    if free < LOW_SPACE:
        return Finding("disk space", "warning", detail, "Make room before large imports.")
    return Finding("disk space", "ok", detail)


def _daemon(home: Home) -> Finding:
    from dataport.client.api import Client
    from dataport.core.errors import DataportError, NoDaemonError

    try:
        with Client(home, start=False) as client:
            found = client.get("/v1/hello")
    except NoDaemonError:
        return Finding("daemon", "ok", "None runs; the next command that needs it starts it.")
    except DataportError as error:
        return Finding("daemon", "error", error.title, error.hint)
    detail = f"Version {found['version']} is {found['state']}, process {found['pid']}."
    if found["version"] != dataport.__version__:
        return Finding("daemon", "warning", detail, "Run: dataport daemon restart")
    return Finding("daemon", "ok", detail)


def _show_findings(document: dict[str, Any]) -> None:
    for item in document["items"]:
        output.say(f"{item['state']:<8} {item['check']}: {item['detail']}")
        if item["hint"]:
            output.say(f"         {item['hint']}")
