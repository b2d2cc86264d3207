"""Values that a person types, read and checked exactly as a file's cells are."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataport.core.errors import UsageError
from dataport.engine.catalog.load import find_field
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.sql import ident, json_value
from dataport.engine.staging.mapping import Mapped
from dataport.engine.staging.phones import PhoneResolver, register
from dataport.engine.staging.plan import Plan, make_plan, messages
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.row_sql import check_sql
from dataport.engine.store import Connection, scratch_connection


def check_edit(
    dataset: Dataset, values: Mapping[str, Any], *, timezone: str, region: str
) -> dict[str, str | None]:
    """As `check_values`, for values that a person gives to records that are there.

    Raises UsageError also for a field that the dataset does not have, that is part of its key or
    computed.
    """
    for name in values:
        if find_field(dataset, name).is_computed:
            raise UsageError(
                "value-is-computed",
                f"{name!r} follows from other values and can't be set.",
                hint="Change what it is made of.",
            )
        if name in dataset.primary_key:
            raise UsageError(
                "key-is-fixed",
                f"{name!r} is part of the key and can't be edited.",
                hint="Import the record under its new key and delete the old one.",
            )
    return check_values(dataset, values, timezone=timezone, region=region)


def check_values(
    dataset: Dataset, values: Mapping[str, Any], *, timezone: str = "UTC", region: str = "US"
) -> dict[str, str | None]:
    """The canonical value of each field as JSON text, None where it is cleared.

    Text is read as a cell would be; lists, objects, numbers and booleans as JSON has them.
    Raises UsageError for the first value that is wrong, with what to write instead.
    """
    cleared = {name for name, value in values.items() if value is None}
    for name in cleared:
        if dataset.field(name).constraints.required:
            raise _wrong(dataset.field(name), None, "The field is required: it can't be cleared.")
    texts = {name: _text(value) for name, value in values.items() if name not in cleared}
    if not texts:
        return dict.fromkeys(values)
    request = StageRequest(
        Path(), Path(), dataset, constants=texts, timezone=timezone, region=region
    )
    plan = make_plan(request, _no_columns())
    with scratch_connection() as connection:
        found = _check(connection, plan, request, texts)
    return {name: found.get(name) for name in values}


def _check(
    connection: Connection, plan: Plan, request: StageRequest, texts: Mapping[str, str]
) -> dict[str, str | None]:
    for field in plan.fields:
        if field.resolver:
            register(connection, field.resolver, PhoneResolver(field.field, request.region))
    connection.execute("CREATE TEMP VIEW raw AS SELECT 1 AS one")
    connection.execute(f"CREATE TEMP TABLE checked AS {check_sql(plan, states_keys=False)}")
    fields = [plan.dataset.field(name) for name in texts]
    columns = ", ".join(["_errors", *(json_value(f, ident(f.name)) for f in fields)])
    row = connection.execute(f"SELECT {columns} FROM checked").fetchone() or ()
    errors = row[0] if row else None
    for at, number in enumerate(errors or []):
        if number is not None and at < len(plan.fields):
            wrong = plan.fields[at].field
            value = texts.get(wrong.name)
            raise _wrong(wrong, value, _message(plan, at + 1, number, value or ""))
    return dict(zip(texts, row[1:], strict=True))


def _message(plan: Plan, part: int, number: int, value: str) -> str:
    for entry in messages(plan):
        if (entry["part"], entry["error"]) == (part, number):
            words = entry["words"] if isinstance(entry["words"], list) else []
            found = difflib.get_close_matches(value.lower(), words, n=1)
            nearest = f" Did you mean {found[0]!r}?" if found else ""
            text = str(entry["message"])
            return text.replace("{value}", value).replace("{nearest}", nearest)
    return "The value is not valid."


def _wrong(field: Field, value: str | None, message: str) -> UsageError:
    shown = "" if value is None else f" {value!r}"
    return UsageError(
        "wrong-value", f"{field.name!r} can't be set to{shown or ' nothing'}.", message
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _no_columns() -> Reading:
    # The daemon holds no arrays until somebody types a value.
    from dataport.engine.staging.readers.spool import Spool

    mapped = Mapped(positions={}, ignored=())
    return Reading("values", "utf-8", None, False, (), mapped, Spool(), "")
