"""Rows of one file that have one key and contradict each other (merge.md 5.2).

Where the dataset says `duplicates = "ask"`, none of them stands: they are put aside with their
values, so that the merge can ask which one is meant. Copies of one row contradict nobody, nor do
rows that state different fields: the first of them stands, and says what all of them say.
"""

from __future__ import annotations

from dataport.engine.catalog.model import Duplicates
from dataport.engine.staging.places import Places
from dataport.engine.staging.plan import Plan
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.table_lines import TableLines
from dataport.engine.united import completed, contradict, together

DISPUTED = "disputed"
AGREED = "agreed"
WHOLE = "whole"
DISPUTED_CODE = "primary-key.differs"
LINES = 5
"""Lines that a message names."""


def dispute_step(plan: Plan) -> Step:
    """The repeated keys whose rows differ, as a table of `_key` and `_id`."""
    if plan.dataset.duplicates is not Duplicates.ASK:
        nothing = "SELECT NULL::VARCHAR AS _key, NULL::VARCHAR AS _id WHERE false"
        return Step("find disputed keys", Scope.KEY, nothing, (), DISPUTED)
    sql = (
        "SELECT t._key, r._id FROM numbered t JOIN repeated r"
        " ON coalesce(t._key, t._derived) = r._id WHERE t._errors IS NULL"
        f" GROUP BY ALL HAVING {contradict(plan.stated, plan.partial)}"
    )
    return Step("find disputed keys", Scope.KEY, sql, ("numbered", "repeated"), DISPUTED)


def whole_rows(plan: Plan) -> str:
    """The relation of a file's rows, each with all that is said of its key by rows that agree."""
    return WHOLE if plan.dataset.duplicates is Duplicates.ASK and plan.partial else "numbered"


def unite_steps(plan: Plan) -> list[Step]:
    """Steps that make `whole_rows`, after the disputed keys were found."""
    if whole_rows(plan) != WHOLE:
        return []
    cells, others = _cells(plan) if plan.keeps_cells else ("", {})
    agreed = (
        f"SELECT r._key, r.stands AS _row, {together(plan.partial)}{cells}"
        " FROM numbered t JOIN repeated r ON coalesce(t._key, t._derived) = r._id AND t._key IS NOT DISTINCT FROM r._key"
        f" ANTI JOIN {DISPUTED} d ON d._id = r._id WHERE t._errors IS NULL GROUP BY r._key, r.stands"
    )
    inputs = ("numbered", "repeated", DISPUTED)
    whole = completed("numbered", AGREED, "_row", plan.partial, others)
    return [
        Step("put together what rows of one key say", Scope.KEY, agreed, inputs, AGREED),
        Step("complete rows", Scope.GROUP, whole, ("numbered", AGREED), WHOLE, Kept.VIEW),
    ]


def _cells(plan: Plan) -> tuple[str, dict[str, str]]:
    """Columns of what the cells of rows that agree say, and SQL of those of the row that stands.

    It may be rejected yet, and then its line in the reject file has to say all of it.
    """
    width = range(len(plan.columns))
    said = ", ".join(f"min(t._raw[{at + 1}]) FILTER (t._raw[{at + 1}] <> '')" for at in width)
    lacked = ", ".join(
        f"CASE WHEN bool_and(coalesce(list_contains(t._lacks, {at}), false)) THEN {at} END"
        for at in width
    )
    cells = ", ".join(
        f"coalesce(nullif(t._raw[{at + 1}], ''), u._raw[{at + 1}], t._raw[{at + 1}])"
        for at in width
    )
    lacks = f"list_filter([{lacked}]::INTEGER[], lambda n: n IS NOT NULL)"
    return f", [{said}] AS _raw, {lacks} AS _lacks", {"_raw": f"[{cells}]", "_lacks": "u._lacks"}


def lines_sql(places: Places, tables: TableLines) -> str:
    """SELECT of the disputed keys' `_id` and the `lines` they stand in, as a text."""
    return (
        "SELECT _id, array_to_string(list_transform("
        f"min({places.line}, {LINES}), lambda line: {tables.told('line')}), ', ')"
        f" || CASE WHEN count(*) > {LINES} THEN ', …' ELSE '' END AS lines"
        f" FROM duplicates n{places.joins} WHERE is_disputed GROUP BY _id"
    )
