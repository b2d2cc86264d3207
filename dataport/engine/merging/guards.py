"""When an import is held as a whole although nobody asked for it (merge.md 5.2).

Each guard but `_lost` needs a share of rows and also some number of them: a small file is never
held for what a few of its rows do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dataport.core.settings import Guards
from dataport.core.text import counted
from dataport.core.words import Mode
from dataport.engine.merging.fields import FILE, code_column
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan
from dataport.engine.merging.relations import BASE
from dataport.engine.sql import ident
from dataport.engine.store import Connection

MOST_TOLD = 5
"""Tables that a reason names."""


def reasons_to_hold(
    cursor: Connection, merge: MergeInput, plan: Plan, guards: Guards, unread: Sequence[str] = ()
) -> list[str]:
    """Why this plan needs a person's word, each as a sentence; none when it doesn't.

    `unread` is what is said of tables of the file that nobody knows.
    """
    lost = [*_lost(cursor, merge, unread)]
    if merge.mode is Mode.REPLACE and (plan.deleted or plan.updated):
        replacing = (
            f"Replacing {merge.dataset.name} would delete {counted(plan.deleted, 'row')} and change"
            f" {plan.updated:,}: approve it to go on."
        )
        return [replacing, *lost]
    if merge.inserts_only or plan.is_empty:
        return lost
    return [
        *lost,
        *_gone(cursor, merge, plan, guards),
        *_unknown(cursor, merge, plan, guards),
        *_cleared(cursor, merge, plan, guards),
        *_contested(cursor, merge, plan, guards),
    ]


def _lost(cursor: Connection, merge: MergeInput, unread: Sequence[str]) -> Iterator[str]:
    """Rows that the file leaves out, unless they are in a table of it that was not read.

    However few: such a table could hold any row, as one without a key could be any.
    """
    if not (unread and merge.deletes) or merge.has_unknown_keys:
        return
    gone = _number(cursor, merge, "plan_gone")
    if gone:
        shown = " ".join(unread[:MOST_TOLD]) + " …" * (len(unread) > MOST_TOLD)
        yield (
            f"{shown} What the file leaves out, {counted(gone, 'row')}, may stand there: say with a"
            " mapping what its columns are, name with --inside the one table that counts, or import"
            " in the mode merge; approve it if that is really gone."
        )


def _gone(cursor: Connection, merge: MergeInput, plan: Plan, guards: Guards) -> Iterator[str]:
    """Many deletions, or a file that is much shorter than what its source sent."""
    if merge.mode is not Mode.MIRROR:
        return
    left_out = _number(cursor, merge, "plan_dropped")
    if not left_out:
        return
    known = _known(cursor, merge)
    sent = f"{known:,} rows that {merge.source} sent before"
    if plan.deleted > max(guards.fewest_deletes, guards.deletes * known):
        yield (
            f"The file leaves out {plan.deleted:,} of {sent}: approve it if they are really gone."
        )
    rows = _rows(plan)
    if merge.present:
        rows += _number(cursor, merge, merge.present) - merge.repeated
    if known - rows > max(guards.fewest_rows, guards.shrinks * known):
        yield f"The file has {counted(rows, 'row')}, far fewer than the {sent}."


def _unknown(cursor: Connection, merge: MergeInput, plan: Plan, guards: Guards) -> Iterator[str]:
    """A mirror with keys that its source never sent: perhaps a file of something else.

    Any other file may hold news alone, whose keys are new by nature.
    """
    if merge.mode is not Mode.MIRROR:
        return
    rows = _rows(plan)
    unknown = _number(cursor, merge, "plan_delta", "count(*) FILTER (NOT has_base)")
    if unknown <= max(guards.fewest_unknown, guards.unknown * rows):
        return
    if _known(cursor, merge) > guards.fewest_unknown:
        yield (
            f"{unknown:,} of {counted(rows, 'row')} have keys that {merge.source} never sent before:"
            " is it the right file?"
        )


def _cleared(cursor: Connection, merge: MergeInput, plan: Plan, guards: Guards) -> Iterator[str]:
    """Fields that the source emptied in many rows, perhaps because a column broke."""
    if not merge.fields:
        return
    rows = _rows(plan)
    counts = ", ".join(
        f"count(*) FILTER ({code_column(field)} = '{FILE}' AND {ident(field.name)} IS NULL)"
        for field in merge.fields
    )
    judged = f"SELECT {counts} FROM plan_judged"
    found = merge.runner.totals(cursor, "count emptied fields", judged, ("plan_judged",))
    for field, cleared in zip(merge.fields, found, strict=True):
        if cleared > max(guards.fewest_rows, guards.cleared * rows):
            yield f"The file clears {field.name} in {cleared:,} of {counted(rows, 'row')}."


def _contested(cursor: Connection, merge: MergeInput, plan: Plan, guards: Guards) -> Iterator[str]:
    rows = _rows(plan)
    contested = _number(cursor, merge, "plan_conflicts", "count(DISTINCT key) FILTER (is_news)")
    if contested > max(guards.fewest_rows, guards.conflicts * rows):
        yield f"{contested:,} of {counted(rows, 'row')} contradict what is stored."


def _rows(plan: Plan) -> int:
    """Rows of the file that are merged."""
    return plan.inserted + plan.updated + plan.unchanged + plan.skipped


def _known(cursor: Connection, merge: MergeInput) -> int:
    return _number(cursor, merge, BASE)


def _number(cursor: Connection, merge: MergeInput, relation: str, counted: str = "count(*)") -> int:
    sql = f"SELECT {counted} FROM {relation}"
    return int(merge.runner.totals(cursor, "count for the guards", sql, (relation,))[0])
