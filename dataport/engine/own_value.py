"""A value of a person's own that settles a conflict, checked as a file's cells are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dataport.core.errors import UsageError
from dataport.core.words import ConflictKind
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.units import unit_named
from dataport.engine.merging.cells import VALUE_KINDS
from dataport.engine.values import check_values


def own_value(
    dataset: Dataset,
    item: Mapping[str, Any],
    value: Any,
    *,
    timezone: str = "UTC",
    region: str = "US",
) -> Any:
    """A person's value for a conflict's item, as its cells would hold it.

    Of several fields it is an object; those it leaves out stay as the store has them, or, in a
    merged row that broke a rule, as they were to become. Times and phone numbers are read as an
    edit's are. Raises UsageError.
    """

    def checked(wanted: Mapping[str, Any]) -> dict[str, Any]:
        texts = check_values(dataset, wanted, timezone=timezone, region=region)
        return {name: None if text is None else json.loads(text) for name, text in texts.items()}

    unit = unit_named(dataset, item["field"]) if item["field"] is not None else None
    if unit is not None and unit.is_single:
        name = unit.fields[0].name
        return checked({name: value})[name]
    if unit is None and item["kind"] not in VALUE_KINDS:
        return value
    if item["kind"] == ConflictKind.INVALID_MERGE:
        return _mended(dataset, item, value, checked)
    names = [field.name for field in unit.fields] if unit else list(item["theirs"])
    return checked(_as_object(value, [name for name in names if name not in dataset.primary_key]))


def _mended(
    dataset: Dataset,
    item: Mapping[str, Any],
    value: Any,
    checked: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """The merged row with a person's values; a value that broke a rule is checked even so."""
    merged, key = item["merged"], dataset.primary_key
    names = [name for name in dataset.field_names if name not in key]
    own = _as_object(value, names, {name: merged.get(name) for name in key})
    broken = {each["field"] for each in item["violations"]} & set(names)
    return {**merged, **checked({name: merged.get(name) for name in broken} | own)}


def _as_object(
    value: Any, names: Sequence[str], fixed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A value as an object with some of `names`, without members that say what is `fixed`.

    Raises UsageError.
    """
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, dict) and found:
        own = {n: v for n, v in found.items() if not (fixed and n in fixed and fixed[n] == v)}
        unknown = [name for name in own if name not in names]
        if not unknown:
            return own
        raise UsageError(
            "unknown-field",
            f"The conflict is not about a field {unknown[0]!r}.",
            f"Its fields are {', '.join(names)}.",
        )
    example = json.dumps(dict.fromkeys(names[:2], "..."))
    raise UsageError(
        "wrong-value",
        "The conflict is about several fields: its value is a JSON object.",
        f"Its fields are {', '.join(names)}.",
        f"As in: --value '{example}'. A field that is left out stays as it is.",
    )
