"""When an import is held as a whole although nobody asked for it (merge.md 5.2)."""

from __future__ import annotations

from dataport.core.text import counted
from dataport.core.words import Mode
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan
from dataport.engine.store import Connection

FEWEST_DELETES = 50
"""Fewer deletions than this never hold an import."""

DELETED_SHARE = 0.05
"""Share of a source's rows that one file may delete unasked."""


def reason_to_hold(cursor: Connection, merge: MergeInput, plan: Plan) -> str | None:
    """Why this plan needs a person's word, as a sentence; None when it doesn't."""
    if merge.mode is Mode.REPLACE and (plan.deleted or plan.updated):
        return (
            f"Replacing {merge.dataset.name} would delete {counted(plan.deleted, 'row')} and change"
            f" {plan.updated:,}: approve it to go on."
        )
    if merge.mode is Mode.MIRROR and plan.deleted:
        row = cursor.execute("SELECT count(*) FROM plan_base").fetchone()
        known = int(row[0]) if row else 0
        if plan.deleted > max(FEWEST_DELETES, DELETED_SHARE * known):
            return (
                f"The file leaves out {plan.deleted:,} of {known:,} rows that {merge.source} sent"
                " before: approve it if they are really gone."
            )
    return None
