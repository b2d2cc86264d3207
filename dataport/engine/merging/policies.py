"""Policies as SQL: does it decide, and with which value (merge.md 5.6).

Relations: `t` is the file, `_b` the base, `_o` the store. Policies are consulted only where
both sides changed a value differently; every rule before that is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.catalog.policies import Policy, PolicyName
from dataport.engine.merging.bases import base_query
from dataport.engine.sql import ident, literal

STORE_RANK = "store"
"""Word in `source_ranks` for values that a person set in the store."""


@dataclass(frozen=True)
class Context:
    """What a policy may look at besides the three values."""

    dataset: Dataset
    source: str
    stated: tuple[str, ...]
    source_ranks: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """SQL of a policy: `decides` is a boolean, `value` has the field's type."""

    decides: str
    value: str


def decision(field: Field, chain: Sequence[Policy], context: Context) -> Decision | None:
    """The first policy of `chain` that decides, as SQL; None when the chain never does."""
    links: list[Decision] = []
    for policy in chain:
        if policy.name is PolicyName.ASK:
            break
        links.append(_LINKS[policy.name](field, policy, context))
    if not links:
        return None
    cases = " ".join(f"WHEN {link.decides} THEN {link.value}" for link in links)
    return Decision(
        decides="(" + " OR ".join(link.decides for link in links) + ")",
        value=f"CASE {cases} END",
    )


def _sides(field: Field) -> tuple[str, str, str]:
    name = ident(field.name)
    return f"_b.{name}", f"_o.{name}", f"t.{name}"


def _store(field: Field, _policy: Policy, _context: Context) -> Decision:
    return Decision("true", _sides(field)[1])


def _file(field: Field, _policy: Policy, _context: Context) -> Decision:
    return Decision("true", _sides(field)[2])


def _fill(field: Field, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(field)
    return Decision(f"(({ours} IS NULL) <> ({theirs} IS NULL))", f"coalesce({ours}, {theirs})")


def _longest(field: Field, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(field)
    if field.type is FieldType.LIST:
        length = "coalesce(len({}), -1)"
    else:
        length = "coalesce(length(trim(CAST({} AS VARCHAR))), -1)"
    ours_length, theirs_length = length.format(ours), length.format(theirs)
    value = (
        f"CASE WHEN {ours_length} > {theirs_length} THEN {ours}"
        f" WHEN {ours_length} < {theirs_length} THEN {theirs}"
        f" ELSE greatest({ours}, {theirs}) END"
    )
    return Decision("true", value)


def _max(field: Field, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(field)
    return Decision("true", f"greatest({ours}, {theirs})")


def _min(field: Field, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(field)
    return Decision("true", f"least({ours}, {theirs})")


def _newest(field: Field, policy: Policy, context: Context) -> Decision:
    _, ours, theirs = _sides(field)
    if policy.argument not in context.stated:
        return Decision("false", ours)
    stamp = ident(policy.argument or "")
    theirs_newer = f"(t.{stamp} > _o.{stamp} OR (_o.{stamp} IS NULL AND t.{stamp} IS NOT NULL))"
    return Decision(
        f"(_o.{stamp} IS DISTINCT FROM t.{stamp})",
        f"CASE WHEN {theirs_newer} THEN {theirs} ELSE {ours} END",
    )


def _add_delta(field: Field, _policy: Policy, _context: Context) -> Decision:
    base, ours, theirs = _sides(field)
    return Decision(
        f"({base} IS NOT NULL AND {ours} IS NOT NULL AND {theirs} IS NOT NULL)",
        f"CAST({ours} + ({theirs} - {base}) AS {field.sql_type})",
    )


def _union(field: Field, _policy: Policy, _context: Context) -> Decision:
    base, ours, theirs = (f"coalesce({side}, [])" for side in _sides(field))
    kept = f"list_filter({ours}, x -> list_contains({theirs}, x) OR NOT list_contains({base}, x))"
    added = (
        f"list_filter({theirs}, x -> NOT list_contains({ours}, x) AND NOT list_contains({base}, x))"
    )
    return Decision("true", f"list_concat({kept}, {added})")


def _union_grow(field: Field, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = (f"coalesce({side}, [])" for side in _sides(field))
    added = f"list_filter({theirs}, x -> NOT list_contains({ours}, x))"
    return Decision("true", f"list_concat({ours}, {added})")


def _source_rank(field: Field, _policy: Policy, context: Context) -> Decision:
    _, ours, theirs = _sides(field)
    ranks = {source: rank for rank, source in enumerate(context.source_ranks)}
    if context.source not in ranks:
        return Decision("false", ours)
    theirs_rank = ranks[context.source]
    others = {source: rank for source, rank in ranks.items() if source != context.source}
    name = ident(field.name)
    bases = " UNION ALL ".join(
        f"SELECT _key, {name}, {rank} AS _rank FROM ({base_query(context.dataset, source)})"
        for source, rank in others.items()
        if source != STORE_RANK
    )
    asserted = (
        f"(SELECT min(x._rank) FROM ({bases}) x WHERE x._key = t._key AND x.{name} = _o.{name})"
        if bases
        else "NULL"
    )
    ours_rank = f"coalesce({asserted}, {literal(others.get(STORE_RANK))})"
    return Decision(
        f"({ours_rank} IS NOT NULL)",
        f"CASE WHEN {ours_rank} < {theirs_rank} THEN {ours} ELSE {theirs} END",
    )


_LINKS: dict[PolicyName, Callable[[Field, Policy, Context], Decision]] = {
    PolicyName.STORE: _store,
    PolicyName.FILE: _file,
    PolicyName.FILL: _fill,
    PolicyName.LONGEST: _longest,
    PolicyName.MAX: _max,
    PolicyName.MIN: _min,
    PolicyName.NEWEST: _newest,
    PolicyName.ADD_DELTA: _add_delta,
    PolicyName.UNION: _union,
    PolicyName.UNION_GROW: _union_grow,
    PolicyName.SOURCE_RANK: _source_rank,
}
