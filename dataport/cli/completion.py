"""`dataport completion`: the script that lets a shell complete commands."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from dataport.cli.options import Command, Session

VARIABLE = "_DATAPORT_COMPLETE"

_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_obj
def completion_command(session: Session, shell: str) -> None:
    r"""Print a completion script for bash, zsh or fish.

    \b
    bash:  eval "$(dataport completion bash)"                  in ~/.bashrc
    zsh:   eval "$(dataport completion zsh)"                   in ~/.zshrc
    fish:  dataport completion fish > ~/.config/fish/completions/dataport.fish
    """
    from dataport.cli.main import dataport_command

    script = _SHELLS[shell](dataport_command, {}, "dataport", VARIABLE).source()
    session.emit({"shell": shell, "script": script}, lambda _: click.echo(script))
