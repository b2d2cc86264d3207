"""Merge policies as definitions spell them, parsed and checked (merge.md 5.6)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dataport.core.errors import ConfigError
from dataport.engine.catalog.model import Dataset, FieldType


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
_SYNONYMS = {"ours": "store", "theirs": "file"}


@dataclass(frozen=True)
class Policy:
    """One link of a policy chain."""

    name: PolicyName
    argument: str | None = None
    """The timestamp field of `newest(field)`."""


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


def check_policies(dataset: Dataset, path: Path) -> None:
    """Raise ConfigError for a policy that is misspelt or does not fit its field."""
    for index, field in enumerate(dataset.fields):
        try:
            for policy in parse_policies(field.policies):
                _check_fit(dataset, field.type, policy)
        except ValueError as error:
            raise ConfigError(
                "wrong-value",
                f"{path}: 'fields[{index}].merge' of {field.name!r} has a wrong value.",
                f"{error}.",
            ) from error


def _check_fit(dataset: Dataset, kind: FieldType, policy: Policy) -> None:
    if policy.argument is not None and policy.argument not in dataset.field_names:
        raise ValueError(f"newest({policy.argument}): no field is called {policy.argument!r}")
    if policy.name in _LISTS_ONLY and kind is not FieldType.LIST:
        raise ValueError(f"{policy.name.value!r} fits list fields only")
    if policy.name in _NUMBERS_ONLY and kind not in (FieldType.INTEGER, FieldType.NUMBER):
        raise ValueError(f"{policy.name.value!r} fits integer and number fields only")
