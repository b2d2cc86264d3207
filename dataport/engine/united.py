"""What rows with one key say together (merge.md 5.1, 5.2).

A field that a row does not state it leaves to the others: two rows contradict each other only where
both state a field and its values differ. Rows that don't are one statement made in parts, as if
they had come one after the other, and the row that stands for them says all of it.

Everything here is SQL over rows `t`, which have `_absent`, the names of the fields that they don't
state, where any of their fields is `partial`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dataport.engine.sql import ident, literal


def is_absent(name: str) -> str:
    """True where row `t` says nothing of a partial field."""
    return f"coalesce(list_contains(t._absent, {literal(name)}), false)"


def contradict(names: Sequence[str], partial: Collection[str]) -> str:
    """True for a group of rows of which two differ in one of these fields; NULL is a value."""
    whole = ", ".join(f"t.{ident(name)}" for name in names if name not in partial)
    terms = [f"count(DISTINCT row({whole})) > 1"] if whole else []
    terms += [
        f"count(DISTINCT row(t.{ident(name)})) FILTER (NOT {is_absent(name)}) > 1"
        for name in names
        if name in partial
    ]
    return f"({' OR '.join(terms)})" if terms else "false"


def together(partial: Sequence[str]) -> str:
    """Columns of what a group of rows that agree says: its partial fields, and `_absent`."""
    said = {name: f"FILTER (NOT {is_absent(name)})" for name in partial}
    values = [f"min(t.{ident(name)}) {those} AS {ident(name)}" for name, those in said.items()]
    silent = [
        f"CASE WHEN count(*) {those} = 0 THEN {literal(name)} END" for name, those in said.items()
    ]
    absent = f"list_filter([{', '.join(silent)}], lambda name: name IS NOT NULL)"
    return ", ".join([*values, f"CASE WHEN len({absent}) > 0 THEN {absent} END AS _absent"])


def completed(
    rows: str, groups: str, by: str, partial: Sequence[str], others: Mapping[str, str] | None = None
) -> str:
    """SELECT of `rows`, those that stand for one of the `groups` with what all of it says.

    `by` is the column that tells in both which row stands; `groups` have the columns of `together`.
    `others` gives columns that are completed too the SQL to do so, over row `t` and its group `u`.
    """
    whole = {column: f"u.{column}" for column in [*map(ident, partial), "_absent"]}
    columns = ", ".join(
        f"CASE WHEN u.{by} IS NULL THEN t.{column} ELSE {sql} END AS {column}"
        for column, sql in (whole | dict(others or {})).items()
    )
    return f"SELECT t.* REPLACE ({columns}) FROM {rows} t LEFT JOIN {groups} u ON u.{by} = t.{by}"
