"""What a bulk change asks for, checked before there is a job."""

from __future__ import annotations

from typing import Any

from dataport.core.errors import UsageError
from dataport.core.words import BulkAction
from dataport.engine.catalog.model import Dataset
from dataport.engine.requests import BulkRequest


def check_request(dataset: Dataset, request: BulkRequest) -> None:
    """Raise UsageError for a request that names no records, or nothing to do with them."""
    if (request.where is None) != request.by_keys:
        raise UsageError(
            "keys-or-where",
            "Which records are meant was not said."
            if request.where is None
            else "Records are named by a condition or by their keys, not by both.",
            hint="Give a condition, true for all of them, or a list of keys.",
        )
    values = request.values
    if request.action is BulkAction.DELETE and values:
        raise UsageError("nothing-to-set", "A deletion sets no values.")
    if request.action is BulkAction.UPDATE and not values:
        raise UsageError(
            "nothing-to-set",
            "No new value was given.",
            hint="Set a field, as in: --set status=won; status= empties it.",
        )
    if request.action is BulkAction.ASSIGN:
        _check_assignment(dataset, values)


def _check_assignment(dataset: Dataset, values: dict[str, Any]) -> None:
    """An assignment sets one field, and the definition says which (BLK-02)."""
    field = dataset.assignee_field
    if field is None:
        raise UsageError(
            "no-assignee-field",
            f"Records of {dataset.name} are assigned to nobody.",
            "Its definition has no assigneeField.",
            "Set the field you mean with: dataport bulk update.",
        )
    if list(values) != [field]:
        raise UsageError(
            "nothing-to-set" if not values else "not-the-assignee",
            f"An assignment sets {field!r} and nothing else.",
            hint=f"Write --set {field}=SOMEBODY; set other fields with: dataport bulk update.",
        )
