"""Everything the command line prints: JSON documents, lines and tables on stdout, notes on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from dataport.core.text import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MISSING = "-"
"""What stands for null; the screen shows it dim."""

_NO_TERMINAL_WIDTH = 100_000
"""Columns of a pipe: nothing is cut off there."""

_WIDEST_CELL = 60
"""Terminal cells that one value may take in a table."""

_VISIBLE: dict[int, int | str] = {code: 0x2400 + code for code in range(32)}
_VISIBLE |= {0x7F: 0x2421, 0x0A: "↵ ", 0x0D: "", 0x202D: "", 0x202E: ""}
_VISIBLE |= dict.fromkeys(range(128, 160), "�")
"""Control characters shown, not sent: a value from a file must not steer the terminal."""


def visible(text: str) -> str:
    """`text` on one line, with its control characters made visible."""
    return text.translate(_VISIBLE)


def document(value: Any) -> None:
    """Print one JSON document on stdout."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(value, ensure_ascii=False, indent=indent))


def long_document(head: dict[str, Any], items: Iterable[Any]) -> None:
    """Print one JSON document on stdout as it comes: `head`, then `items` as its last member."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(head, ensure_ascii=False)[:-1] + ', "items": [', nl=False)
    for number, item in enumerate(items):
        text = json.dumps(item, ensure_ascii=False, indent=indent)
        click.echo(("," if number else "") + "\n" + text, nl=False)
    click.echo("]}")


def say(text: str = "") -> None:
    """Print lines of the answer on stdout."""
    for line in text.split("\n"):
        click.echo(visible(line))


def note(text: str) -> None:
    """Print a line beside the answer on stderr."""
    click.echo(visible(text), err=True)


def counts(changes: Mapping[str, int], *, every: bool = False) -> str:
    """What changed, in words: `900 inserted, 1 conflict`; noughts only where `every` is asked for."""
    return ", ".join(
        counted(number, "conflict") if word == "conflicts" else f"{number:,} {word}"
        for word, number in changes.items()
        if number or every
    )


def local_time(moment: str | None) -> str:
    """An instant of the API (ISO 8601, UTC) as a wall clock here shows it, to the second."""
    if not moment:
        return MISSING
    parsed = datetime.fromisoformat(moment).astimezone()
    return parsed.strftime("%Y-%m-%d %H:%M:%S")


def plain(value: Any) -> str:
    """A value of a record as one line of text."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return visible("; ".join(value))
    return visible(json.dumps(value, ensure_ascii=False))


def styled(value: Any, style: str = "") -> Text:
    """A value as rich text: null is a dim dash, markup in data stays data."""
    from rich.text import Text

    return Text(plain(value), "dim" if value is None else style)


def console() -> Console:
    """A console on stdout; as wide as the terminal, or boundless where there is none."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _NO_TERMINAL_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, emoji=False, markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their column names; numbers stand to the right.

    On a terminal, columns that don't fit are left out and named below the table.
    """
    cells = [list(row) for row in rows]
    shown = len(columns)
    if sys.stdout.isatty():
        shown = _columns_that_fit(columns, cells)
    _print_table(columns[:shown], [row[:shown] for row in cells])
    if shown < len(columns):
        say(f"Not shown, for want of room: {', '.join(columns[shown:])}")


def _columns_that_fit(columns: Sequence[str], rows: list[list[Any]]) -> int:
    from rich.cells import cell_len

    room = console().width
    for index, name in enumerate(columns):
        widest = max((cell_len(plain(row[index])) for row in rows), default=0)
        room -= max(cell_len(name), min(widest, _WIDEST_CELL)) + 2
        if room < -2:
            return max(index, 1)
    return len(columns)


def _print_table(columns: Sequence[str], rows: list[list[Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        values = [row[index] for row in rows if row[index] is not None]
        is_number = bool(values) and all(type(value) in (int, float) for value in values)
        grid.add_column(
            Text(name),
            justify="right" if is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=_WIDEST_CELL if is_terminal else None,
        )
    for row in rows:
        grid.add_row(*(styled(value) for value in row))
    screen = console()
    if is_terminal:
        screen.print(grid)
        return
    with screen.capture() as captured:
        screen.print(grid)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def pairs(rows: Iterable[tuple[str, Any]]) -> None:
    """Print names and values below each other; null is a dim dash."""
    from rich.text import Text

    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    screen = console()
    for name, value in listed:
        line = Text(f"{name:<{width}}  ", "dim") + styled(value)
        screen.print(line, soft_wrap=True)


def change(field: str, before: Any, after: Any, *, is_new: bool) -> None:
    """Print what a field was and became, or only what it is where there was nothing before."""
    from rich.text import Text

    line = Text(f"    {visible(field)}  ", "dim")
    if not is_new:
        line.append_text(styled(before)).append(" -> ", "dim")
    console().print(line + styled(after), soft_wrap=True)


def shown_of(answer: dict[str, Any], key: str, noun: str) -> None:
    """Say how much of a list stands above, if that is not all of it."""
    shown, total = len(answer[key]), answer.get("total") or 0
    if shown < total:
        say(f"{shown:,} of {counted(total, noun)} shown; more with --limit and --offset.")
