"""What every command shares: the session, `--home` and `--json`, and groups that list by default."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dataport.cli import output

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from dataport.client.api import Client
    from dataport.core.paths import Home


Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FOR_PEOPLE = 50
"""Items of a list that a screen shows when nobody said how many."""


@dataclass
class Session:
    """One run of the command line: which home, and whether people or programs read the answer."""

    home_option: str | None = None
    json: bool = False

    @property
    def home(self) -> Home:
        from dataport.core.paths import Home

        return Home.at(self.home_option)

    def client(self, start: bool = True) -> Client:
        """A client of this home's daemon; starts one, and makes a home, unless `start` is false."""
        from dataport.client.api import Client
        from dataport.core.words import Origin

        if start:
            self.need_home()
        return Client(self.home, start=start, origin=Origin.CLI)

    def need_home(self) -> None:
        """Make the home if it is not there yet. Raises StateError for a directory of other things."""
        home = self.home
        if home.exists:
            return
        from dataport.core.errors import StateError
        from dataport.engine.homes import create_home

        if home.root.exists() and any(home.root.iterdir()):
            raise StateError(
                "not-a-home",
                f"{home.root} is not a Dataport home.",
                "It holds other things, and no config/dataport.toml.",
                f"Name another directory with --home, or run: {self.command('init')}",
            )
        create_home(home)
        output.note(f"Made a new home: {home.root}")

    def command(self, *words: object) -> str:
        """A command line that a hint can show; it names the home if this run did."""
        home = ["--home", self.home_option] if self.home_option else []
        return shlex.join(["dataport", *home, *map(str, words)])

    def emit(self, document: Any, show: Callable[[Any], None]) -> None:
        """Print `document`: as JSON with `--json`, else by `show`."""
        if self.json:
            output.document(document)
        else:
            show(document)


def session_of(context: click.Context) -> Session:
    """The session of this run, made by whichever option or command asks first."""
    return context.find_root().ensure_object(Session)


def _set_home(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        session_of(context).home_option = value


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        session_of(context).json = True


def shared_options() -> list[click.Parameter]:
    """`--home` and `--json`, which are taken before and after the command alike."""
    return [
        click.Option(
            ["--home"],
            metavar="DIR",
            type=click.Path(file_okay=False),
            expose_value=False,
            callback=_set_home,
            help="The home to work on; else DATAPORT_HOME, else the platform's data directory.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_set_json,
            help="Print one JSON document.",
        ),
    ]


def _laid_out(text: str | None) -> str | None:
    """Help with click's mark for lines that stay as they are, which raw docstrings spell out."""
    return text and text.replace("\\b\n", "\b\n")


class Command(click.Command):
    """A command that takes the shared options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = _laid_out(self.help)
        self.params += shared_options()

    def invoke(self, context: click.Context) -> Any:
        session_of(context)
        return super().invoke(context)


class Group(click.Group):
    """A group that takes the shared options too and lists when no command is named."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Named alone, a group that can't list is an error like any other, not a page of help.
        kwargs.setdefault("no_args_is_help", False)
        super().__init__(*args, **kwargs)
        self.help = _laid_out(self.help)
        self.params += shared_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options_only = not args or args[0].startswith("-")
        named = any(word in self.commands or word == "--help" for word in args)
        if "list" in self.commands and options_only and not named:
            args = ["list", *args]
        return super().parse_args(ctx, args)


def names(text: str | None) -> list[str] | None:
    """The words of a comma-separated option; None if it was not given."""
    if text is None:
        return None
    return [word.strip() for word in text.split(",") if word.strip()]


def given(**values: Any) -> dict[str, Any]:
    """The options that were given: what a request leaves out, the daemon decides."""
    return {
        name: value for name, value in values.items() if value is not None and value is not False
    }


def screenful(session: Session, limit: int | None) -> int | None:
    """How many items to ask for: as many as was said; else a screen for people, all for programs."""
    return limit if limit or session.json else FOR_PEOPLE


def absolute(path: str) -> str:
    """`path` from the root on, links left as they are. Raises UsageError for names JSON can't hold."""
    from dataport.core.errors import UsageError
    from dataport.core.text import is_text, legible

    if path == "-":
        raise UsageError(
            "no-standard-streams",
            "Dataport works on files, not on standard input or output.",
            "A file keeps its name and stays until what it says is committed.",
            "Write a file first and name it.",
        )
    named = Path(path).expanduser().absolute()
    found = str(named.resolve() if ".." in named.parts else named)
    if not is_text(found):
        raise UsageError(
            "file-name-not-text",
            f"The path {legible(found)} is not UTF-8.",
            hint="Rename the file, or the directory that it lies in.",
        )
    return found


def message_option(function: Decorated) -> Decorated:
    """`--message TEXT`, `-m TEXT`: what the log is to say of a commit."""
    return click.option("-m", "--message", metavar="TEXT", help="Why, for the log.")(function)


class _DefinedName(click.ParamType[str]):
    """The name of something that files define; the shell completes it from the home's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> str:
        """A name that can be part of an address; the daemon knows whether there is such a thing."""
        if value and not set(value) & set("/?#%"):
            return value
        from dataport.core.errors import NotFoundError

        raise NotFoundError(
            f"unknown-{self.name}",
            f"There is no {self.name} called {value!r}.",
            hint=f"List them: dataport {self.name}s",
        )

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        directory = session_of(ctx).home.config / f"{self.name}s"
        found = sorted(directory.glob("*.toml"))
        return [CompletionItem(path.stem) for path in found if path.stem.startswith(incomplete)]


DATASET = _DefinedName("dataset")
PACKAGE = _DefinedName("package")
MAPPING = _DefinedName("mapping")


def is_interactive() -> bool:
    """Whether a person sits at both ends of this terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
