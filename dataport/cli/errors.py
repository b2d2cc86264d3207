"""How failures leave the command line: an error for people or as JSON, and an exit code."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any

import click

from dataport.cli import output

if TYPE_CHECKING:
    from dataport.core.errors import DataportError

DONE = 0
FAILED = 1
USAGE = 2
WAITS = 3
NO_DAEMON = 4
INTERRUPTED = 130

DEBUG = "DATAPORT_DEBUG"
"""Environment variable: show the traceback of an unexpected failure."""


def report(error: DataportError, as_json: bool) -> int:
    """Print `error`; its exit code."""
    if as_json:
        output.document({"error": error.as_dict()})
    else:
        explain(error.as_dict())
    return error.exit_code


def explain(parts: dict[str, Any]) -> None:
    """Print an error's title, particulars and hint on stderr."""
    output.note(f"Error: {parts.get('title', '')}")
    for part in ("detail", "hint"):
        for line in str(parts.get(part) or "").splitlines():
            output.note(f"  {line}")


def from_click(error: click.ClickException) -> DataportError:
    """A wrong command line as an error of ours: code `usage`, exit 2."""
    from dataport.core.errors import UsageError

    context = error.ctx if isinstance(error, click.UsageError) else None
    detail = context.get_usage() if context else ""
    return UsageError("usage", error.format_message(), detail, _help_for(context))


def _help_for(context: click.Context | None) -> str:
    """Where to read on; for a group also the commands that may follow."""
    if context is None:
        return ""
    see = f"See: {context.command_path} --help"
    if not isinstance(context.command, click.Group):
        return see
    return f"Commands: {', '.join(context.command.list_commands(context))}.\n{see}"


def from_bug(error: Exception) -> DataportError:
    """A failure that nobody foresaw; the traceback is shown when DATAPORT_DEBUG is set."""
    from dataport.core.errors import DataportError

    if os.environ.get(DEBUG):
        click.echo("".join(traceback.format_exception(error)), err=True)
    return DataportError(
        "internal-error",
        "Dataport failed in a way it should not.",
        f"{type(error).__name__}: {error}",
        f"Set {DEBUG}=1 and run it again to see where.",
    )
