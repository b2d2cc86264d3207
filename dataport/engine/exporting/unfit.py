"""What a format can't hold: found before anything is written, and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dataport.core.errors import InputError
from dataport.engine.exporting.table import Table
from dataport.engine.store import Connection


@dataclass(frozen=True)
class Problem:
    """Something about a text that a format can't hold."""

    code: str
    said: str
    """What it is, behind the text as a subject."""
    test: Callable[[str], str]
    """From SQL of a text to SQL that is true where it is so."""


def check_texts(
    cursor: Connection, table: Table, texts: Mapping[str, str], problems: Sequence[Problem]
) -> None:
    """Raise InputError that names field and record where one of the texts has a problem.

    `texts` are SQL by the name of their field.
    """
    cases = [(name, problem) for name in texts for problem in problems]
    if not cases:
        return
    cells = ", ".join(f"{text} AS t{at}" for at, text in enumerate(texts.values()))
    places = {name: f"t{at}" for at, name in enumerate(texts)}
    tests = ", ".join(f"min(_key) FILTER ({problem.test(places[name])})" for name, problem in cases)
    found = cursor.execute(f"SELECT {tests} FROM (SELECT _key, {cells} FROM ({table.query}))")
    for (name, problem), key in zip(cases, found.fetchone() or (), strict=True):
        if key is not None:
            raise InputError(
                problem.code,
                f"A value does not fit into the file: {name} of {table.dataset} {key!r}.",
                f"It {problem.said}.",
                "Export as csv or json, or leave the field out with --fields.",
            )
