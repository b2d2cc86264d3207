"""`dataport daemon`: host, start and stop the background process."""

from __future__ import annotations

from typing import Any

import click

from dataport.cli import output
from dataport.cli.options import Group, Session


@click.group("daemon", cls=Group)
def daemon_command() -> None:
    """Start, stop and look after the background process.

    Any command that needs it starts it; these are for services and scripts.
    """


@daemon_command.command("run")
@click.pass_obj
def run(session: Session) -> None:
    """Run in the foreground, as a service manager wants it. Ctrl-C stops it."""
    from dataport.daemon.main import run_daemon

    session.need_home()
    raise click.exceptions.Exit(run_daemon(session.home, foreground=True))


@daemon_command.command("start")
@click.pass_obj
def start(session: Session) -> None:
    """Start it in the background, unless it runs."""
    _start(session)


@daemon_command.command("stop")
@click.pass_obj
def stop(session: Session) -> None:
    """Stop it once running jobs have ended or were cancelled; they are taken up again later."""
    was_running = _stop(session)
    session.emit(
        {"home": str(session.home.root), "state": "stopped", "was_running": was_running},
        lambda _: output.say(
            "The daemon has stopped." if was_running else "No daemon was running."
        ),
    )


@daemon_command.command("restart")
@click.pass_obj
def restart(session: Session) -> None:
    """Stop it, and start it again."""
    _stop(session)
    _start(session)


@daemon_command.command("status")
@click.pass_obj
def status(session: Session) -> None:
    """Whether it runs. Exit 4 if not; this starts nothing."""
    with session.client(start=False) as client:
        document = client.get("/v1/hello")
    session.emit(document, _show_hello)


def _start(session: Session) -> None:
    with session.client() as client:
        document = client.get("/v1/hello")
    session.emit(document, _show_hello)


def _stop(session: Session) -> bool:
    from dataport.client.start import stop_daemon

    return stop_daemon(session.home)


def _show_hello(document: dict[str, Any]) -> None:
    output.say(
        f"Daemon {document['version']} is {document['state']}: process {document['pid']}, "
        f"home {document['home']}"
    )
