"""What is looked at in a reject file that comes back: whether its rows were fixed (ERR-13).

Nobody clears the columns that say what was wrong, so a row is judged by its own cells. Where
these can't tell, because the row is broken or its fault was another row, they are compared with
what the reject file said about them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataport.engine.catalog.model import Field
from dataport.engine.sql import literal
from dataport.engine.staging.checks import Check
from dataport.engine.staging.reject_layout import (
    CODE,
    FIELD,
    LINE,
    ROW,
    VALUE,
    RejectLayout,
    reject_layout,
)
from dataport.engine.steps import Scope, Step

UNIQUE = "constraint-error.unique"
BROKEN_CODES = (
    "missing-cell",
    "extra-cell",
    "unterminated-quote",
    "bad-quote",
    "nul-byte",
    "control-character",
    "encoding-error",
    "json-error",
    "not-an-object",
    "vcard-error",
    "duplicate-label",
    "nested-too-deep",
)
"""Codes of rows that could not be cut into cells."""


def broken_checks(columns: Sequence[str]) -> list[Check]:
    """Checks of a whole row: it stays rejected, for the same reason, while it has its old text."""
    layout = reject_layout(columns)
    if layout is None or layout.broken is None:
        return []
    message = (
        "The row was put aside as broken; put the values of its text into their columns, then clear"
        f" {columns[layout.broken]}."
    )
    is_broken = rf"regexp_matches(c{layout.broken}, '\S')"
    known = [
        Check(f"{is_broken} AND c{CODE} = {literal(code)}", code, message) for code in BROKEN_CODES
    ]
    return [*known, Check(is_broken, "row-error", message)]


def unique_check(field: Field, column: int) -> Check:
    """A value that another row had first, and which is still what it was."""
    return Check(
        f"c{CODE} = '{UNIQUE}' AND c{FIELD} = {literal(field.name)} AND c{VALUE} = c{column}",
        UNIQUE,
        "'{value}' is still what another row had first; change it, or clear the cell under code if"
        " it is right now.",
    )


def same_row_sql(layout: RejectLayout) -> str:
    """SQL of what the lines about one row have in common: its old place, and its key or cells."""
    own = ", ".join(f"c{at}" for at in range(layout.start, layout.stop))
    identity = f"coalesce(_key, _derived, CAST([{own}] AS VARCHAR))"
    return f"CASE WHEN c{ROW} <> '' THEN CAST([c{LINE}, c{ROW}, {identity}] AS VARCHAR) END"


def superseded_step() -> Step:
    """The lines that another line about the same row stands for: a fixed one, else the first.

    A row with several errors has a line for each; nobody should have to fix it more than once.
    """
    ranked = (
        "SELECT rowid AS _row, first_value(rowid)"
        " OVER (PARTITION BY _same ORDER BY _errors IS NOT NULL, rowid) AS stands"
        " FROM checked WHERE _same IS NOT NULL"
    )
    return Step(
        "find lines about one row",
        Scope.GROUP,
        f"SELECT _row, stands FROM ({ranked}) WHERE _row <> stands",
        ("checked",),
        "superseded",
    )
