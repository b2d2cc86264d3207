"""Rules that a merged row would break although store and file both keep them (merge.md 5.3).

Cell by cell, a merge may make a row that neither side has: a value that a policy computed, a
unique value that another row has by now, a reference of several fields put together from two, or
one to a row that did not get in. Each query gives `_record, field, code, message` of the rows of
`plan_judged` and `plan_inserts` that break a rule by what they would change, one a rule.

A row that does not get its change may keep the value that another was to have, or be one that
others refer to. Asked with `is_strict`, a query relies on nothing that another row is to become.
"""

from __future__ import annotations

from dataport.engine.catalog.model import Field
from dataport.engine.catalog.policies import PolicyName
from dataport.engine.catalog.references import referenced
from dataport.engine.merging.fields import FILE, POLICY, code_column
from dataport.engine.merging.inputs import Binding, MergeInput
from dataport.engine.merging.matching import RESOLVED, written_rows
from dataport.engine.merging.references import reference_text, same_values
from dataport.engine.merging.relations import OURS
from dataport.engine.sql import differs, ident, idents, json_value, literal
from dataport.engine.staging.checks import Check, constraint_checks

UNIQUE = "constraint-error.unique"
FOREIGN_KEY = "foreign-key"

_COMPUTED = (PolicyName.ADD_DELTA, PolicyName.UNION, PolicyName.UNION_GROW)
"""Policies whose value neither side has, so that nobody checked it."""

_CHANGED = "plan_judged j JOIN plan_matched m ON m._record = j._record"


def broken_values(merge: MergeInput) -> list[str]:
    """Queries for values that policies computed and that break a constraint of their field."""
    fields = [
        unit.fields[0]
        for unit in merge.units
        if unit.is_single and any(policy.name in _COMPUTED for policy in merge.chain(unit))
    ]
    return [
        _broken_value(field, check)
        for field in fields
        for check in constraint_checks(field, f"j.{ident(field.name)}", f"j.{ident(field.name)}")
    ]


def broken_links(merge: MergeInput, *, is_strict: bool) -> list[str]:
    """Queries for rows that would share a unique value, or refer to a row that is not there."""
    unique = [field for field in merge.dataset.unique_fields if field.name in merge.stated]
    shared = [_shared(field, is_strict=is_strict) for field in unique]
    return shared + [_dangling(merge, each, is_strict=is_strict) for each in merge.bindings]


def _broken_value(field: Field, check: Check) -> str:
    value = f"coalesce(CAST(j.{ident(field.name)} AS VARCHAR), '')"
    message = literal(check.message.replace("{nearest}", ""))
    return (
        f"SELECT j._record, {literal(field.name)}, {literal(check.code)},"
        f" replace({message}, '{{value}}', {value}) FROM {_CHANGED}"
        f" WHERE {_is_new((field.name,), (field,))} AND ({check.condition})"
    )


def _is_new(names: tuple[str, ...], fields: tuple[Field, ...]) -> str:
    """True where a changed row `j` gets other values of these fields than the store's `m._o`."""
    codes = " OR ".join(f"j.{code_column(field)} IN ('{FILE}', '{POLICY}')" for field in fields)
    return f"j.is_changed AND ({codes}) AND {differs(names, 'j', 'm._o')}"


def _shared(field: Field, *, is_strict: bool) -> str:
    """Rows that get a value which another row has then too."""
    name, shown = ident(field.name), json_value(field, "c.value")
    writes = (
        f"SELECT j._record, j._key, j.{name} AS value FROM {_CHANGED}"
        f" WHERE {_is_new((field.name,), (field,))} AND j.{name} IS NOT NULL"
        f" UNION ALL SELECT t._record, t._key, t.{name} FROM {RESOLVED} t"
        f" SEMI JOIN plan_inserts i ON i._record = t._record WHERE t.{name} IS NOT NULL"
    )
    moving = "" if is_strict else f" ANTI JOIN ({_moving(field)}) w ON w._key = o._key"
    stays = (
        f"SELECT o._key, o.{name} AS value FROM {OURS} o SEMI JOIN writes v ON v.value = o.{name}"
        f"{moving} ANTI JOIN plan_deletes d ON d._key = o._key"
    )
    message = literal(f"{field.name} must be unique: ") + f" || {shown} || ' is also that of '"
    return (
        f"WITH writes AS MATERIALIZED ({writes})"
        f" SELECT c._record, {literal(field.name)}, '{UNIQUE}', {message} || min(x._key) || '.'"
        f" FROM writes c JOIN (SELECT _key, value FROM writes UNION ALL {stays}) x"
        " ON x.value = c.value WHERE x._key <> c._key GROUP BY c._record, c.value"
    )


def _moving(field: Field) -> str:
    """Keys of the rows that give up the value they have."""
    return f"SELECT j._key FROM {_CHANGED} WHERE {_is_new((field.name,), (field,))}"


def _dangling(merge: MergeInput, binding: Binding, *, is_strict: bool) -> str:
    """Rows that get a reference which leads nowhere; what the file alone says was checked."""
    key = binding.key
    fields = tuple(field for field in merge.fields if field.name in key.fields)
    known = " AND ".join(f"w.{ident(name)} IS NOT NULL" for name in key.fields)
    writes = (
        f"SELECT j._record, {idents(key.fields, 'j.')} FROM {_CHANGED}"
        f" WHERE {_is_new(key.fields, fields)}"
        f" UNION ALL SELECT t._record, {idents(key.fields, 't.')} FROM {RESOLVED} t"
        " SEMI JOIN plan_inserts i ON i._record = t._record"
    )
    absent = "".join(
        f" ANTI JOIN {place} p{number}"
        f" ON {same_values(key.reference.fields, key.fields, f'p{number}', 'w')}"
        for number, place in enumerate(_places(merge, binding, is_strict=is_strict))
    )
    if binding.completed:
        absent += (
            f" ANTI JOIN {binding.completed} s ON s._record = w._record"
            f" AND {same_values(key.fields, key.fields, 's', 'w')}"
        )
    target = referenced(merge.dataset, key)
    names = "+".join(key.fields)
    message = f"{literal(names + ' refers to ')} || {reference_text(key, 'w')}"
    return (
        f"SELECT w._record, {literal(names)}, '{FOREIGN_KEY}',"
        f" {message} || {literal(f', which {target} does not have.')}"
        f" FROM ({writes}) w{absent} WHERE {known}"
    )


def _places(merge: MergeInput, binding: Binding, *, is_strict: bool) -> list[str]:
    """Relations of the rows that a reference may lead to."""
    names = binding.key.reference.fields
    is_own = referenced(merge.dataset, binding.key) == merge.dataset.name
    if is_strict or not is_own or not set(names) <= set(merge.stated):
        return list(binding.places)
    return [*binding.places, f"({written_rows(names)})"]
