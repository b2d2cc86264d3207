"""Policies as SQL: does it decide, and with which values (merge.md 5.6).

Sides: `t` is the file, `_b` the base, `_o` the store, of the row `j`. Policies are consulted only
where both sides changed a unit differently; every rule before that is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dataport.engine.catalog.model import Dataset, FieldType
from dataport.engine.catalog.policies import Policy, PolicyName
from dataport.engine.catalog.units import Unit
from dataport.engine.merging.relations import RANKED
from dataport.engine.sql import ident, literal
from dataport.engine.united import is_absent

STORE_RANK = "store"
"""Word in `source_ranks` for values that a person set in the store."""


@dataclass(frozen=True)
class Context:
    """What a policy may look at besides the three values."""

    dataset: Dataset
    source: str
    stated: tuple[str, ...]
    partial: tuple[str, ...]
    source_ranks: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """SQL of a policy: `decides` is a boolean, `values` are typed as their fields."""

    decides: str
    values: Mapping[str, str]


_Link = Callable[[Unit, Policy, Context], Decision | None]


def decision(unit: Unit, chain: Sequence[Policy], context: Context) -> Decision | None:
    """The first policy of `chain` that decides, as SQL; None when the chain never does."""
    links: list[Decision] = []
    for policy in chain:
        if policy.name is PolicyName.ASK:
            break
        link = _LINKS[policy.name](unit, policy, context)
        if link is not None:
            links.append(link)
    if not links:
        return None
    if len(links) == 1:
        return links[0]
    values = {}
    for field in unit.fields:
        cases = " ".join(f"WHEN {link.decides} THEN {link.values[field.name]}" for link in links)
        values[field.name] = f"CASE {cases} END"
    return Decision("(" + " OR ".join(link.decides for link in links) + ")", values)


def all_null(unit: Unit, side: str) -> str:
    """True where one side has no value in any field of the unit."""
    terms = [f"{side}.{ident(field.name)} IS NULL" for field in unit.fields]
    return "(" + " AND ".join(terms) + ")"


def _chosen(unit: Unit, decides: str, is_theirs: str) -> Decision:
    """A decision for one side as a whole."""
    names = [ident(field.name) for field in unit.fields]
    values = {
        field.name: f"CASE WHEN {is_theirs} THEN t.{name} ELSE _o.{name} END"
        for field, name in zip(unit.fields, names, strict=True)
    }
    return Decision(decides, values)


def _computed(unit: Unit, decides: str, value: str) -> Decision:
    """A decision for a value of its own, of a unit that is one field."""
    return Decision(decides, {unit.fields[0].name: value})


def _sides(unit: Unit) -> tuple[str, str, str]:
    name = ident(unit.fields[0].name)
    return f"_b.{name}", f"_o.{name}", f"t.{name}"


def _store(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    return _chosen(unit, "true", "false")


def _file(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    return _chosen(unit, "true", "true")


def _fill(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    ours, theirs = all_null(unit, "_o"), all_null(unit, "t")
    return _chosen(unit, f"({ours} <> {theirs})", ours)


def _longest(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(unit)
    if unit.fields[0].type is FieldType.LIST:
        length = "coalesce(len({}), -1)"
    else:
        length = "coalesce(length(trim(CAST({} AS VARCHAR))), -1)"
    ours_length, theirs_length = length.format(ours), length.format(theirs)
    value = (
        f"CASE WHEN {ours_length} > {theirs_length} THEN {ours}"
        f" WHEN {ours_length} < {theirs_length} THEN {theirs}"
        f" ELSE greatest({ours}, {theirs}) END"
    )
    return _computed(unit, "true", value)


def _max(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(unit)
    return _computed(unit, "true", f"greatest({ours}, {theirs})")


def _min(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = _sides(unit)
    return _computed(unit, "true", f"least({ours}, {theirs})")


def _newest(unit: Unit, policy: Policy, context: Context) -> Decision | None:
    """The row with the later time, for every unit of it that asks; a missing time is earliest.

    A file that does not say when its row was changed leaves this to the next policy.
    """
    name = policy.argument or ""
    if name not in context.stated:
        return None
    ours, theirs = f"_o.{ident(name)}", f"t.{ident(name)}"
    decides = f"{ours} IS DISTINCT FROM {theirs}"
    if name in context.partial:
        decides += f" AND NOT {is_absent(name)}"
    return _chosen(unit, f"({decides})", f"coalesce({theirs} > {ours}, {ours} IS NULL)")


def _add_delta(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    """Undecided where a side is missing, or where the sum is no value of the field's type."""
    base, ours, theirs = _sides(unit)
    total = f"TRY(CAST({ours} + ({theirs} - {base}) AS {unit.fields[0].sql_type}))"
    return _computed(unit, f"({total} IS NOT NULL)", total)


def _union(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    base, ours, theirs = (f"coalesce({side}, [])" for side in _sides(unit))
    kept = f"list_filter({ours}, x -> list_contains({theirs}, x) OR NOT list_contains({base}, x))"
    added = (
        f"list_filter({theirs}, x -> NOT list_contains({ours}, x) AND NOT list_contains({base}, x))"
    )
    return _computed(unit, "true", f"list_concat({kept}, {added})")


def _union_grow(unit: Unit, _policy: Policy, _context: Context) -> Decision:
    _, ours, theirs = (f"coalesce({side}, [])" for side in _sides(unit))
    added = f"list_filter({theirs}, x -> NOT list_contains({ours}, x))"
    return _computed(unit, "true", f"list_concat({ours}, {added})")


def _source_rank(unit: Unit, _policy: Policy, context: Context) -> Decision | None:
    """The side whose source ranks higher; the store's is the best one that last sent its value,
    else a person."""
    ranks = {source: rank for rank, source in enumerate(context.source_ranks)}
    if context.source not in ranks:
        return None
    theirs_rank, store_rank = ranks[context.source], ranks.get(STORE_RANK)
    names = [field.name for field in unit.fields]
    said = ", ".join(literal(name) for name in names)
    same = " AND ".join(f"x.{ident(n)} IS NOT DISTINCT FROM _o.{ident(n)}" for n in names)
    asserted = (
        f"(SELECT min(x._rank) FROM {RANKED} x"
        f" WHERE x._key = j._key AND list_has_all(x._said, [{said}]) AND {same})"
    )
    ours_rank = f"coalesce({asserted}, {literal(store_rank)})"
    return _chosen(unit, f"({ours_rank} IS NOT NULL)", f"{ours_rank} > {theirs_rank}")


_LINKS: dict[PolicyName, _Link] = {
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
