"""The `dataport` command: finds the command asked for, loads its module, turns failures into exits."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

import dataport
from dataport.cli import errors, output
from dataport.cli.options import Group, Session, is_interactive, session_of

if TYPE_CHECKING:
    from dataport.core.errors import DataportError

_COMMANDS = {
    "blame": "blame",
    "bulk": "bulk",
    "completion": "completion",
    "conflicts": "conflicts",
    "daemon": "daemon",
    "datasets": "datasets",
    "diff": "diff",
    "doctor": "doctor",
    "edit": "rows",
    "export": "exports",
    "history": "history",
    "import": "imports",
    "inboxes": "inboxes",
    "init": "home",
    "jobs": "jobs",
    "log": "history",
    "mappings": "mappings",
    "packages": "packages",
    "policies": "policies",
    "rows": "rows",
    "status": "home",
    "undo": "history",
}
"""Commands and the modules that hold them; a module is imported when its command is named."""


class _LazyGroup(Group):
    """The commands above, found without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"dataport.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


def _show_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        document = {"name": "dataport", "version": dataport.__version__}
        session_of(context).emit(document, lambda found: output.say(f"dataport {found['version']}"))
        context.exit()


@click.group(
    "dataport",
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Print the version and exit.",
)
@click.pass_context
def dataport_command(context: click.Context) -> None:
    """Files in, one clean store, every change explained.

    Without a command, the terminal UI opens.
    """
    session = session_of(context)
    if context.invoked_subcommand is None:
        _open_tui(session)


def _open_tui(session: Session) -> None:
    from dataport.core.errors import UsageError

    if session.json or not is_interactive():
        raise UsageError(
            "no-terminal",
            "The terminal UI needs a terminal to open in.",
            hint="Name a command; `dataport --help` lists them.",
        )
    from dataport.tui.app import run_tui

    session.need_home()
    run_tui(session.home)


def run(arguments: list[str]) -> int:
    """Run one command line; its exit code (design section 12)."""
    session = Session(json=_asks_for_json(arguments))
    try:
        _check_text(arguments)
        result = dataport_command.main(
            args=arguments, prog_name="dataport", standalone_mode=False, obj=session
        )
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader left; a second flush at exit must not complain about it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.FAILED
    except click.Abort:
        return errors.report(_interrupted(), session.json)
    except click.ClickException as error:
        return errors.report(errors.from_click(error), session.json)
    except Exception as error:  # noqa: BLE001 - whatever fails, its reader gets an answer
        return errors.report(_explained(error), session.json)
    return result if isinstance(result, int) else errors.DONE


def _asks_for_json(arguments: list[str]) -> bool:
    """Known before parsing, so that a command line that can't be parsed is answered in JSON too."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _check_text(arguments: list[str]) -> None:
    """Refuse bytes that are no UTF-8: neither JSON nor the store could hold them."""
    from dataport.core.text import is_text, legible

    wrong = next((word for word in arguments if not is_text(word)), None)
    if wrong is not None:
        from dataport.core.errors import UsageError

        raise UsageError(
            "argument-not-text",
            f"The argument {legible(wrong)!r} is not UTF-8.",
            hint="Write it as UTF-8; rename a file whose name is not.",
        )


def _interrupted() -> DataportError:
    from dataport.core.errors import CancelledError

    return CancelledError("interrupted", "Interrupted.")


def _explained(error: Exception) -> DataportError:
    from dataport.core.errors import DataportError

    return error if isinstance(error, DataportError) else errors.from_bug(error)


def main() -> None:
    """The console script."""
    _speak_utf8()
    sys.exit(run(sys.argv[1:]))


def _speak_utf8() -> None:
    """JSON is UTF-8 whatever the locale; a terminal that can't show a character gets a stand-in."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
