"""The SQL of a plan: one SELECT that cleans, types and checks every row at once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from dataport.engine.catalog.model import Empty
from dataport.engine.sql import ident, literal
from dataport.engine.staging.checks import Check
from dataport.engine.staging.keys import derived_sql, key_sql
from dataport.engine.staging.made import made_sql, next_day_sql
from dataport.engine.staging.plan import Plan
from dataport.engine.staging.reject_absent import is_left_sql, lacks_sql, listed_sql
from dataport.engine.staging.reject_rows import same_row_sql

_LISTED = "_listed"
"""Column with the names that a row of a reject file lists as absent."""


def skip_sql(plan: Plan) -> str:
    """SQL of which rule leaves a row out, from 1; NULL for the others."""
    return _first([Check(rule.condition, "", "") for rule in plan.skips])


def check_sql(plan: Plan, *, states_keys: bool, extra: Sequence[str] = ()) -> str:
    """One SELECT over `raw`: typed columns, key, the errors of every row, and `extra` columns.

    `_errors` holds a number for each field, then one for the key and one for the whole row: which
    check failed, from 1, or NULL. It is NULL altogether for a row without errors. `_raw` holds the
    cells of others, `_lacks` the positions of columns that they don't have, if rows state theirs.
    In a reject file `_same` is what the lines about one row have in common.
    """
    cells = [f"c{at}" for at in range(len(plan.columns))]
    keys = ["_keys"] if states_keys else []
    if plan.layout and plan.layout.absent is not None:
        keys.append(f"{listed_sql(f'c{plan.layout.absent}')} AS {_LISTED}")
    sql = "raw"
    texts = [f"{field.source} AS t{at}" for at, field in enumerate(plan.fields)]
    sql = _select([*cells, *keys, *texts], sql)
    sql = _replace({f"t{at}": field.text for at, field in enumerate(plan.fields)}, sql)
    sql = _replace({f"t{at}": field.present for at, field in enumerate(plan.fields)}, sql)
    for layer in itertools.zip_longest(*(field.layers for field in plan.fields), fillvalue={}):
        columns = [f"{value} AS {name}" for named in layer for name, value in named.items()]
        sql = _select(["*", *columns], sql)
    sql = _select(["*", *(f"{field.value} AS v{at}" for at, field in enumerate(plan.fields))], sql)
    sql = _made(plan, sql)
    sql = _select(["*", *_key_columns(plan), *_errors(plan)], sql)
    sql = _select(["*", f"{_key_error(plan)} AS e{len(plan.fields)}"], sql)
    marks = [f"e{at}" for at in range(len(plan.fields) + 1)]
    if plan.row_checks:
        sql = _select(["*", f"{_first(plan.row_checks)} AS er"], sql)
        hidden = ("_key", "_derived", *marks)
        sql = _replace({name: f"CASE WHEN er IS NULL THEN {name} END" for name in hidden}, sql)
        marks.append("er")
    listed = ", ".join(marks)
    sql = _select(["*", f"coalesce({listed}) IS NOT NULL AS _bad"], sql)
    values = [f"v{at} AS {ident(field.field.name)}" for at, field in enumerate(plan.fields)]
    errors = f"CASE WHEN _bad THEN [{listed}] END AS _errors"
    kept = "true" if plan.keeps_cells else "_bad"
    raw = f"CASE WHEN {kept} THEN [{', '.join(cells)}]::VARCHAR[] END AS _raw"
    lacks = f"CASE WHEN {kept} THEN {lacks_sql(plan.columns)} END AS _lacks"
    absent = [f"{_absent(plan, states_keys=states_keys)} AS _absent"] if plan.partial else []
    same = [f"{same_row_sql(plan.layout)} AS _same"] if plan.layout else []
    raws = [raw, lacks] if states_keys else [raw]
    return _select(["_key", "_derived", *absent, *values, errors, *raws, *same, *extra], sql)


def _select(columns: list[str], source: str) -> str:
    given = source if source == "raw" else f"({source})"
    return f"SELECT {', '.join(columns)} FROM {given}"


def _replace(columns: Mapping[str, str], source: str) -> str:
    changes = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f"SELECT * REPLACE ({changes}) FROM ({source})"


def _made(plan: Plan, source: str) -> str:
    """SELECT with the values that rows do not state and other fields give them."""
    made = [field.field.name for field in plan.fields if field.is_made]
    values = made_sql(plan.dataset, made, plan.text_column, plan.value_column)
    values |= next_day_sql(plan.next_day, plan.value_column)
    if not values:
        return source
    return _replace({plan.value_column(name): sql for name, sql in values.items()}, source)


def _key_columns(plan: Plan) -> list[str]:
    stated = set(plan.stated)
    has_key = stated.issuperset(plan.dataset.primary_key)
    key = key_sql(plan.dataset, plan.value_column) if has_key else "NULL::VARCHAR"
    derived = derived_sql(plan.dataset, stated, plan.value_column) or "NULL::VARCHAR"
    return [f"{key} AS _key", f"CASE WHEN {key} IS NULL THEN {derived} END AS _derived"]


def _errors(plan: Plan) -> list[str]:
    return [f"{_first(field.checks)} AS e{at}" for at, field in enumerate(plan.fields)]


def _first(checks: list[Check]) -> str:
    """SQL of the number, from 1, of the first check that fails."""
    branches = " ".join(
        f"WHEN {check.condition} THEN {number}" for number, check in enumerate(checks, start=1)
    )
    return f"(CASE {branches} END)::UTINYINT" if branches else "NULL::UTINYINT"


def _key_error(plan: Plan) -> str:
    """A row needs a key, a derived one, or all fields of a way to match it."""
    stated = plan.stated
    dataset = plan.dataset
    conditions = ["_key IS NULL", "_derived IS NULL"]
    for way in dataset.match:
        if way != dataset.primary_key and set(stated).issuperset(way):
            known = " AND ".join(f"{plan.value_column(name)} IS NOT NULL" for name in way)
            conditions.append(f"NOT ({known})")
    told = [f"e{stated.index(name)}" for name in dataset.primary_key if name in stated]
    conditions += [f"{error} IS NULL" for error in told]
    return f"(CASE WHEN {' AND '.join(conditions)} THEN 1 END)::UTINYINT"


def _absent(plan: Plan, *, states_keys: bool) -> str:
    names = []
    for at, field in enumerate(plan.fields):
        name = field.field.name
        if name not in plan.partial:
            continue
        reasons = [f"t{at} IS NULL"] if field.field.empty is Empty.ABSENT else []
        silent = [_silent(plan, at, states_keys=states_keys) for at in field.columns]
        if field.may_be_silent and silent and all(silent):
            reasons.append(f"({' AND '.join(filter(None, silent))})")
        if reasons:
            missing = f"({' OR '.join(reasons)})" + (f" AND v{at} IS NULL" if field.is_made else "")
            names.append(f"CASE WHEN {missing} THEN {literal(name)} END")
    listed = f"list_filter([{', '.join(names)}], lambda x: x IS NOT NULL)"
    return f"CASE WHEN len({listed}) > 0 THEN {listed} END" if names else "NULL::VARCHAR[]"


def _silent(plan: Plan, at: int, *, states_keys: bool) -> str | None:
    """SQL that is true for a row without the column at `at`; None where all rows have it."""
    label = plan.columns[at]
    if states_keys:
        return f"c{at} IS NULL AND NOT list_contains(_keys, {literal(label)})"
    has_list = plan.layout is not None and plan.layout.absent is not None
    return is_left_sql(at, label, _LISTED) if has_list else None
