"""One field's outcome, as SQL over the relations `t` (file), `_b` (base) and `_o` (store).

Rules F0 to F7 of merge.md 5.4. A base that does not exist reads as NULL, which gives exactly
the outcomes of F7: store empty takes the file's value, file empty keeps the store's, equal
values converge, and everything else is for the policy.
"""

from __future__ import annotations

from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.model import Field
from dataport.engine.catalog.units import Unit
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.policies import Context, decision
from dataport.engine.sql import ident, literal

KEEP, FILE, POLICY, CONFLICT = ".", "t", "p", "x"
"""Outcome codes: the store's value stays, the file's is taken, a policy decided, a person must."""


def code_column(field: Field) -> str:
    """Name of the column that holds the field's outcome code."""
    return ident(f"_code_{field.name}")


def outcome(field: Field, merge: MergeInput) -> str:
    """SQL of the field's outcome code."""
    name = ident(field.name)
    rules = _two_way_rules(name, merge) or _three_way_rules(field, merge)
    unstated = (
        f"WHEN t._absent IS NOT NULL AND list_contains(t._absent, {literal(field.name)})"
        f" THEN '{KEEP}' "
        if field.name in merge.partial
        else ""
    )
    return f"CASE {unstated}WHEN t.{name} IS NOT DISTINCT FROM _o.{name} THEN '{KEEP}' {rules} END"


def merged_value(field: Field, merge: MergeInput) -> str:
    """SQL of the field's value after the merge. The outcome stands in it once more, rather than
    as the column's alias, because a policy may hold a subquery."""
    name = ident(field.name)
    choice = decision(field, merge.chain(_unit(field)), _context(merge))
    policy = f"WHEN '{POLICY}' THEN {choice.value} " if choice else ""
    return f"CASE {outcome(field, merge)} WHEN '{FILE}' THEN t.{name} {policy}ELSE _o.{name} END"


def _three_way_rules(field: Field, merge: MergeInput) -> str:
    name = ident(field.name)
    choice = decision(field, merge.chain(_unit(field)), _context(merge))
    policy = f"WHEN {choice.decides} THEN '{POLICY}' " if choice else ""
    return (
        f"WHEN t.{name} IS NOT DISTINCT FROM _b.{name} THEN '{KEEP}' "
        f"WHEN _o.{name} IS NOT DISTINCT FROM _b.{name} THEN '{FILE}' "
        f"{policy}ELSE '{CONFLICT}'"
    )


def _two_way_rules(name: str, merge: MergeInput) -> str | None:
    """Rules of the modes that settle every difference by themselves."""
    if merge.mode is Mode.REPLACE:
        return f"ELSE '{FILE}'"
    if merge.inserts_only:
        return f"ELSE '{KEEP}'"
    if merge.on_match is OnMatch.OVERWRITE:
        # An empty value overwrites only where the source had sent one before.
        return f"WHEN t.{name} IS NULL AND _b.{name} IS NULL THEN '{KEEP}' ELSE '{FILE}'"
    if merge.on_match is OnMatch.FILL:
        return f"WHEN _o.{name} IS NULL THEN '{FILE}' ELSE '{KEEP}'"
    return None


def _unit(field: Field) -> Unit:
    return Unit((field,), field.name)


def _context(merge: MergeInput) -> Context:
    return Context(merge.dataset, merge.source or "", merge.stated, merge.source_ranks)
