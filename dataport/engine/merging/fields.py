"""The outcome of one unit - a field, a group, a row - as SQL (rules F0 to F7 of merge.md 5.4).

It is evaluated where `t` (file), `_b` (base) and `_o` (store) are visible. A base that does not
exist reads as NULL, which gives exactly the outcomes of F7: store empty takes the file's value,
file empty keeps the store's, equal values converge, and everything else is for the policy.
"""

from __future__ import annotations

from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.model import Field
from dataport.engine.catalog.units import Unit
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.policies import Context, all_null, decision
from dataport.engine.sql import ident
from dataport.engine.united import is_absent

KEEP, FILE, POLICY, CONFLICT = ".", "t", "p", "x"
"""Outcome codes: the store's value stays, the file's is taken, a policy decided, a person must."""


def code_column(field: Field) -> str:
    """Name of the column that holds the outcome code of a field's unit."""
    return ident(f"_code_{field.name}")


def is_unstated(field: Field, merge: MergeInput) -> str | None:
    """SQL that is true where a row says nothing of the field; None where every row does."""
    if field.name not in merge.partial:
        return None
    return is_absent(field.name)


def outcome(unit: Unit, merge: MergeInput) -> str:
    """SQL of a unit's outcome code.

    A group or row that a file speaks of in parts is, for that file's row, those parts.
    """
    rules = _two_way_rules(unit, merge) or _three_way_rules(unit, merge)
    agrees = _same(unit, merge, "t", "_o")
    if merge.asks_when_touched:
        agrees = f"({agrees} AND {_is_first_contact(unit, merge)})"
    unstated = is_unstated(unit.fields[0], merge) if unit.is_single else None
    silent = f"WHEN {unstated} THEN '{KEEP}' " if unstated else ""
    return f"CASE {silent}WHEN {agrees} THEN '{KEEP}' {rules} END"


def merged_values(unit: Unit, merge: MergeInput, code: str) -> dict[str, str]:
    """SQL of the values that the unit's fields have after the merge, by field; `code` is SQL of
    its outcome code."""
    choice = decision(unit, merge.chain(unit), _context(merge))
    values = {}
    for field in unit.fields:
        name = ident(field.name)
        policy = f"WHEN '{POLICY}' THEN {choice.values[field.name]} " if choice else ""
        value = f"CASE {code} WHEN '{FILE}' THEN t.{name} {policy}ELSE _o.{name} END"
        unstated = None if unit.is_single else is_unstated(field, merge)
        values[field.name] = (
            f"CASE WHEN {unstated} THEN _o.{name} ELSE {value} END" if unstated else value
        )
    return values


def _same(unit: Unit, merge: MergeInput, left: str, right: str) -> str:
    """True where two sides agree on all that the row states."""
    terms = []
    for field in unit.fields:
        term = f"{left}.{ident(field.name)} IS NOT DISTINCT FROM {right}.{ident(field.name)}"
        unstated = None if unit.is_single else is_unstated(field, merge)
        terms.append(f"({unstated} OR {term})" if unstated else term)
    return terms[0] if len(terms) == 1 else "(" + " AND ".join(terms) + ")"


def _is_first_contact(unit: Unit, merge: MergeInput) -> str:
    """True where the source never spoke of the unit: then nobody can have changed it since."""
    known = any(field.name in merge.base_fields for field in unit.fields)
    return "NOT has_base" if known else "true"


def _three_way_rules(unit: Unit, merge: MergeInput) -> str:
    choice = decision(unit, merge.chain(unit), _context(merge))
    policy = f"WHEN {choice.decides} THEN '{POLICY}' " if choice else ""
    return (
        f"WHEN {_same(unit, merge, 't', '_b')} THEN '{KEEP}' "
        f"WHEN {_same(unit, merge, '_o', '_b')} THEN '{FILE}' "
        f"{policy}ELSE '{CONFLICT}'"
    )


def _two_way_rules(unit: Unit, merge: MergeInput) -> str | None:
    """Rules of the modes that settle every difference by themselves."""
    if merge.mode is Mode.REPLACE:
        return f"ELSE '{FILE}'"
    if merge.inserts_only:
        return f"ELSE '{KEEP}'"
    if merge.on_match is OnMatch.OVERWRITE:
        # An empty value overwrites only where the source had sent one before.
        never_sent = f"{all_null(unit, 't')} AND {all_null(unit, '_b')}"
        return f"WHEN {never_sent} THEN '{KEEP}' ELSE '{FILE}'"
    if merge.on_match is OnMatch.FILL:
        return f"WHEN {all_null(unit, '_o')} THEN '{FILE}' ELSE '{KEEP}'"
    return None


def _context(merge: MergeInput) -> Context:
    return Context(
        dataset=merge.dataset,
        source=merge.source or "",
        stated=merge.stated,
        partial=merge.partial,
        source_ranks=merge.source_ranks,
    )
