"""A value of a person's own that settles a conflict, checked as a file's cells are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dataport.core.errors import UsageError
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

    Of several fields it is an object; those it leaves out stay as the store has them. Times
    and phone numbers are read as an edit's are. Raises UsageError.
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
    names = [field.name for field in unit.fields] if unit else list(item["theirs"])
    return checked(_as_object(value, [name for name in names if name not in dataset.primary_key]))


def _as_object(value: Any, names: Sequence[str]) -> dict[str, Any]:
    """A value as an object with some of `names`. Raises UsageError."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, dict) and found and set(found) <= set(names):
        return found
    example = json.dumps(dict.fromkeys(names[:2], "..."))
    raise UsageError(
        "wrong-value",
        "The conflict is about several fields: its value is a JSON object.",
        f"Its fields are {', '.join(names)}.",
        f"As in: --value '{example}'. A field that is left out stays as it is.",
    )
