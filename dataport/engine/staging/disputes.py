"""Rows of one file that have one key and contradict each other (merge.md 5.2).

Where the dataset says `duplicates = "ask"`, none of them stands: they are put aside with their
values, so that the merge can ask which one is meant. Copies of one row contradict nobody.
"""

from __future__ import annotations

from dataport.engine.catalog.model import Duplicates
from dataport.engine.sql import ident
from dataport.engine.staging.places import Places
from dataport.engine.staging.plan import Plan
from dataport.engine.steps import Scope, Step
from dataport.engine.table_lines import TableLines

DISPUTED = "disputed"
DISPUTED_CODE = "primary-key.differs"
LINES = 5
"""Lines that a message names."""


def dispute_step(plan: Plan) -> Step:
    """The repeated keys whose rows differ, as a table of `_key` and `_id`."""
    if plan.dataset.duplicates is not Duplicates.ASK:
        nothing = "SELECT NULL::VARCHAR AS _key, NULL::VARCHAR AS _id WHERE false"
        return Step("find disputed keys", Scope.KEY, nothing, (), DISPUTED)
    absent = ["_absent"] if plan.partial else []
    values = ", ".join(f"n.{name}" for name in [*map(ident, plan.stated), *absent])
    sql = (
        "SELECT n._key, r._id FROM numbered n JOIN repeated r"
        " ON coalesce(n._key, n._derived) = r._id WHERE n._errors IS NULL"
        f" GROUP BY ALL HAVING count(DISTINCT row({values})) > 1"
    )
    return Step("find disputed keys", Scope.KEY, sql, ("numbered", "repeated"), DISPUTED)


def lines_sql(places: Places, tables: TableLines) -> str:
    """SELECT of the disputed keys' `_id` and the `lines` they stand in, as a text."""
    return (
        "SELECT _id, array_to_string(list_transform("
        f"min({places.line}, {LINES}), lambda line: {tables.told('line')}), ', ')"
        f" || CASE WHEN count(*) > {LINES} THEN ', …' ELSE '' END AS lines"
        f" FROM duplicates n{places.joins} WHERE is_disputed GROUP BY _id"
    )
