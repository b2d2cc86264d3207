"""Merge policies as files spell them, parsed, checked, and found by scope (merge.md 5.6)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dataport.core.errors import ConfigError
from dataport.core.settings import PolicyRule
from dataport.engine.catalog.model import Dataset, FieldType, Granularity, spelled
from dataport.engine.catalog.units import Unit, as_row, cells_of, group_name, unit_named, unit_names


class PolicyName(StrEnum):
    """What may settle a value that store and source both changed."""

    ASK = "ask"
    STORE = "store"
    FILE = "file"
    SOURCE_RANK = "source_rank"
    NEWEST = "newest"
    FILL = "fill"
    LONGEST = "longest"
    MAX = "max"
    MIN = "min"
    ADD_DELTA = "add_delta"
    UNION = "union"
    UNION_GROW = "union_grow"


_SPELLING = re.compile(r"([a-z_]+)(?:\(([A-Za-z][A-Za-z0-9_]*)\))?")

_LISTS_ONLY = (PolicyName.UNION, PolicyName.UNION_GROW)
_NUMBERS_ONLY = (PolicyName.ADD_DELTA,)
_WHOLE = (
    PolicyName.ASK,
    PolicyName.STORE,
    PolicyName.FILE,
    PolicyName.SOURCE_RANK,
    PolicyName.NEWEST,
    PolicyName.FILL,
)
"""Policies that choose a side: they can settle several fields at once."""
_SYNONYMS = {"ours": "store", "theirs": "file"}


@dataclass(frozen=True)
class Policy:
    """One link of a policy chain."""

    name: PolicyName
    argument: str | None = None
    """The timestamp field of `newest(field)`."""

    @property
    def is_lossless(self) -> bool:
        """Whether its value holds what both sides did."""
        return self.name in (PolicyName.ADD_DELTA, PolicyName.UNION)


def parse_policy(text: str) -> Policy:
    """`text` as a policy. Raises ValueError with the nearest valid word."""
    found = _SPELLING.fullmatch(text.strip())
    word = _SYNONYMS.get(found[1], found[1]) if found else text
    if found is None or word not in list(PolicyName):
        nearest = difflib.get_close_matches(word, list(PolicyName), n=1)
        hint = (
            f"did you mean {str(nearest[0])!r}?" if nearest else "valid: " + ", ".join(PolicyName)
        )
        raise ValueError(f"{text!r} is no merge policy; {hint}")
    policy = Policy(PolicyName(word), found[2])
    if (policy.name is PolicyName.NEWEST) != (policy.argument is not None):
        raise ValueError(f"{text!r}: 'newest' takes a field, as in newest(updated_at); others none")
    return policy


def parse_policies(texts: tuple[str, ...]) -> tuple[Policy, ...]:
    """A chain of policies; the first that decides wins."""
    return tuple(parse_policy(text) for text in texts)


def _default_chain(unit: Unit) -> tuple[Policy, ...]:
    """What settles a unit that no scope has a policy for: lists grow together, the rest asks."""
    is_list = unit.is_single and unit.fields[0].type is FieldType.LIST
    return (Policy(PolicyName.UNION if is_list else PolicyName.ASK),)


def units_for(
    dataset: Dataset, stated: Iterable[str], rules: Sequence[PolicyRule], source: str | None
) -> tuple[Unit, ...]:
    """What files of `source` that speak of the fields `stated` are merged by.

    Where whole rows are compared, a field with a policy of its own still stands alone: a rule
    settles it, whatever happens to the row.
    """
    cells = cells_of(dataset, stated)
    if dataset.granularity in (Granularity.CELL, Granularity.GROUP):
        return cells
    alone = [unit for unit in cells if _is_settled(_own_chain(dataset, unit, rules, source))]
    rest = [unit for unit in cells if unit not in alone]
    return (*alone, as_row(rest)) if rest else tuple(alone)


def chain_for(
    dataset: Dataset, unit: Unit, rules: Sequence[PolicyRule], source: str | None
) -> tuple[Policy, ...]:
    """The policies that hold for a unit of files from `source`, in order.

    The strongest scope that has any decides alone: source and field, field, source, dataset; in
    one scope a rule of the settings stands above the definition. What a wider scope says of
    other kinds of fields is passed over.
    """
    own = _own_chain(dataset, unit, rules, source)
    if own:
        return parse_policies(own)
    found = {rule.scope: rule.chain for rule in rules}
    wider = (
        found.get((dataset.name, source, None)) if source else None,
        found.get((None, source, None)),
        found.get((dataset.name, None, None)),
        spelled(dataset.merge),
    )
    for texts in wider:
        policies = parse_policies(texts or ())
        fitting = tuple(p for p in policies if _misfit(dataset, unit, p) is None)
        if fitting:
            return fitting
    return _default_chain(unit)


def _own_chain(
    dataset: Dataset, unit: Unit, rules: Sequence[PolicyRule], source: str | None
) -> tuple[str, ...]:
    """What is said of this very field or group; nothing is said of rows so."""
    if unit.name is None:
        return ()
    found = {rule.scope: rule.chain for rule in rules}
    mine = found.get((dataset.name, source, unit.name)) if source else None
    return mine or found.get((dataset.name, None, unit.name)) or _defined(dataset, unit.name)


def _is_settled(texts: tuple[str, ...]) -> bool:
    return bool(texts) and parse_policy(texts[0]).name is not PolicyName.ASK


def check_policies(dataset: Dataset, path: Path) -> None:
    """Raise ConfigError for a policy that is misspelt or does not fit its field."""
    for index, field in enumerate(dataset.fields):
        with _blaming(path, f"'fields[{index}].merge' of {field.name!r}"):
            _check_chain(dataset, Unit((field,), field.name), field.policies)
    for group in dataset.groups:
        with _blaming(path, f"'merge' of the group {group_name(group)}"):
            spelt = {dataset.field(name).policies for name in group} - {()}
            if len(spelt) > 1:
                raise ValueError("its fields are merged as one and need the same policies")
            _check_chain(dataset, unit_named(dataset, group_name(group)), *spelt)
    with _blaming(path, "'merge'"):
        for policy in parse_policies(spelled(dataset.merge)):
            _check_argument(dataset, policy)


def check_rule(rule: PolicyRule, datasets: Mapping[str, Dataset]) -> None:
    """Raise ValueError where a rule names what does not exist, or a policy that can't be."""
    policies = parse_policies(rule.chain)
    if rule.dataset is None:
        return
    if rule.dataset not in datasets:
        raise ValueError(f"there is no dataset {rule.dataset!r}{_near(rule.dataset, datasets)}")
    dataset = datasets[rule.dataset]
    if rule.field is None:
        for policy in policies:
            _check_argument(dataset, policy)
        return
    names = unit_names(dataset)
    if rule.field not in names:
        groups = [name for name in names if rule.field in name.split("+")]
        nearest = f"; it belongs to {groups[0]}" if groups else _near(rule.field, names)
        raise ValueError(f"{dataset.name} has no field {rule.field!r} of its own{nearest}")
    _check_chain(dataset, unit_named(dataset, rule.field), rule.chain)


def _defined(dataset: Dataset, name: str) -> tuple[str, ...]:
    """What the definition says of a field, or of the fields of a group."""
    chains = (dataset.field(member).policies for member in name.split("+"))
    return next((chain for chain in chains if chain), ())


@contextmanager
def _blaming(path: Path, place: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        title = f"{path}: {place} has a wrong value."
        raise ConfigError("wrong-value", title, f"{error}.") from error


def _check_chain(dataset: Dataset, unit: Unit | None, texts: tuple[str, ...] = ()) -> None:
    for policy in parse_policies(texts):
        _check_argument(dataset, policy)
        misfit = _misfit(dataset, unit, policy) if unit else None
        if misfit:
            raise ValueError(misfit)


def _check_argument(dataset: Dataset, policy: Policy) -> None:
    if policy.argument is not None and policy.argument not in dataset.field_names:
        raise ValueError(f"newest({policy.argument}): no field is called {policy.argument!r}")


def _misfit(dataset: Dataset, unit: Unit, policy: Policy) -> str | None:
    """Why a policy can't settle a unit; None where it can."""
    kind, name = unit.fields[0].type, policy.name.value
    if policy.argument is not None and policy.argument not in dataset.field_names:
        return f"no field is called {policy.argument!r}"
    if not unit.is_single and policy.name not in _WHOLE:
        return f"{name!r} fits single fields only, not several at once"
    if policy.name in _LISTS_ONLY and kind is not FieldType.LIST:
        return f"{name!r} fits list fields only"
    if policy.name in _NUMBERS_ONLY and kind not in (FieldType.INTEGER, FieldType.NUMBER):
        return f"{name!r} fits integer and number fields only"
    return None


def _near(word: str, words: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
