"""What a plan has to say beside its counts: things only shown, never acted upon (merge.md 5.2, 5.3)."""

from __future__ import annotations

from dataport.core.text import counted
from dataport.engine.export_sources import is_export
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.matching import RESOLVED
from dataport.engine.sql import ident, literal
from dataport.engine.steps import Scope, Step
from dataport.engine.store import Connection

ALIKE = 0.8
"""Share of the fields with a value in which two rows agree that may be one under a new key."""

FEWEST_ALIKE = 2
"""Fields that such rows agree in at least: one value is soon shared by chance."""

MOST_HOLDERS = 20
"""A value that more rows share than this tells no row from another."""

MOST_MOVES = 20_000
"""Deletions, or insertions, beyond which nobody looks for single rows among them."""

EXAMPLES = 3


def remarks(cursor: Connection, merge: MergeInput, ambiguous: int) -> tuple[str, ...]:
    """Sentences for the job: fields that are gone, `ambiguous` rows that could be several records,
    and rows that may have got another key."""
    if merge.source is None:
        return ()
    found = (_unsaid(merge), _ambiguous(merge, ambiguous), _moved(cursor, merge))
    return tuple(text for text in found if text)


def _unsaid(merge: MergeInput) -> str | None:
    """Fields that the source stated before and this file does not: they say nothing (F0)."""
    names = [field.name for field in merge.known if field.name not in merge.stated]
    if not names:
        return None
    before = "the export had" if is_export(merge.source or "") else f"{merge.source} sent before"
    return (
        f"The file says nothing of {', '.join(names)}, which {before}: stored values stay as they"
        " are."
    )


def _ambiguous(merge: MergeInput, ambiguous: int) -> str | None:
    if not ambiguous:
        return None
    ways = ", ".join(
        "+".join(way) for way in merge.dataset.match if way != merge.dataset.primary_key
    )
    return (
        f"{counted(ambiguous, 'row')} without a key could be several records by {ways}: none was"
        " chosen."
    )


def _moved(cursor: Connection, merge: MergeInput) -> str | None:
    """Deleted and inserted rows that are alike: perhaps the source gave them new keys."""
    if not merge.deletes or not merge.units:
        return None
    row = cursor.execute(
        "SELECT (SELECT count(*) FROM plan_deletes), (SELECT count(*) FROM plan_inserts)"
    ).fetchone()
    if not row or not all(0 < number <= MOST_MOVES for number in row):
        return None
    inputs = ("plan_gone", "plan_deletes", "plan_inserts", RESOLVED)
    merge.runner.run(cursor, Step("find moves", Scope.GROUP, _alike(merge), inputs, "plan_moves"))
    pairs = cursor.execute(
        f"SELECT *, count(*) OVER () FROM plan_moves ORDER BY 1, 2 LIMIT {EXAMPLES}"
    ).fetchall()
    if not pairs:
        return None
    number = pairs[0][2]
    examples = ", ".join(f"{old} → {new}" for old, new, _ in pairs)
    more = ", …" if number > EXAMPLES else ""
    agree = "agrees with an inserted one" if number == 1 else "agree with inserted ones"
    return (
        f"Key changed? {counted(number, 'deleted row')} {agree}: {examples}{more}. They are taken"
        " for different records."
    )


def _alike(merge: MergeInput) -> str:
    """Pairs of keys of deleted and inserted rows that agree in most fields, each row in one."""
    names = [ident(field.name) for unit in merge.units for field in unit.fields]
    same = " + ".join(f"CAST(coalesce(o.{name} = t.{name}, false) AS INTEGER)" for name in names)
    told = " + ".join(
        f"CAST(o.{name} IS NOT NULL OR t.{name} IS NOT NULL AS INTEGER)" for name in names
    )
    fields = ", ".join(f"g._o.{name} AS {name}" for name in names)
    old = f"SELECT g._key, {fields} FROM plan_gone g SEMI JOIN plan_deletes d ON d._key = g._key"
    new = f"SELECT t.* FROM {RESOLVED} t SEMI JOIN plan_inserts i ON i._record = t._record"
    return (
        f"WITH gone AS MATERIALIZED ({old}), come AS MATERIALIZED ({new}),"
        f" gone_values AS ({_values(merge, 'gone')}), come_values AS ({_values(merge, 'come')}),"
        " candidates AS (SELECT DISTINCT g._key AS old, c._key AS new"
        " FROM gone_values g JOIN come_values c ON c.field = g.field AND c.value = g.value),"
        f" scored AS (SELECT p.old, p.new, {same} AS same, {told} AS told FROM candidates p"
        " JOIN gone o ON o._key = p.old JOIN come t ON t._key = p.new)"
        f" SELECT old, new FROM scored WHERE same >= {FEWEST_ALIKE} AND same >= {ALIKE} * told"
        " QUALIFY row_number() OVER (PARTITION BY new ORDER BY same DESC, old) = 1"
        " AND row_number() OVER (PARTITION BY old ORDER BY same DESC, new) = 1"
    )


def _values(merge: MergeInput, rows: str) -> str:
    """`_key, field, value` of the values in a relation that only a few of its rows share."""
    fields = [field for unit in merge.units for field in unit.fields]
    values = " UNION ALL ".join(
        f"SELECT _key, {literal(field.name)} AS field,"
        f" CAST({ident(field.name)} AS VARCHAR) AS value FROM {rows}"
        f" WHERE {ident(field.name)} IS NOT NULL"
        for field in fields
    )
    return (
        f"SELECT * FROM ({values})"
        f" QUALIFY count(*) OVER (PARTITION BY field, value) <= {MOST_HOLDERS}"
    )
