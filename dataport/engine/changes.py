"""Changes that people make: edit a record, settle conflicts.

Each is one commit on the same tables that imports write, so each can be undone too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataport.core.errors import NotFoundError, UsageError
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import (
    NO_CHANGES,
    Author,
    Commit,
    CommitPart,
    next_commit,
    write_commit,
)
from dataport.engine.conflicts import ConflictFilter, count, get_conflict
from dataport.engine.own_value import own_value
from dataport.engine.reference_checks import check_change
from dataport.engine.resolving import Resolution, check_open, check_shown, resolve
from dataport.engine.row_changes import set_fields
from dataport.engine.settling import settle_moot
from dataport.engine.sql import rows_table
from dataport.engine.store import Connection, Store
from dataport.engine.values import check_edit


def normal_key(dataset: Dataset, text: str) -> str:
    """The canonical text of a key as people write it.

    Raises UsageError when the dataset's key has several fields and `text` is no JSON array.
    """
    if len(dataset.primary_key) == 1:
        return text
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, list) or len(values) != len(dataset.primary_key):
        example = json.dumps([f"<{name}>" for name in dataset.primary_key])
        raise UsageError(
            "wrong-key",
            f"{text!r} is not a key of {dataset.name}.",
            f"Its key has {len(dataset.primary_key)} fields.",
            f"Write a JSON array: {example}.",
        )
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":"))


def edit(
    store: Store,
    datasets: Mapping[str, Dataset],
    dataset: Dataset,
    key: str,
    values: Mapping[str, Any],
    author: Author,
    *,
    message: str = "",
    timezone: str = "UTC",
    region: str = "US",
) -> dict[str, Any]:
    """Set fields of one record. Text is read as a file's cell would be; None clears a field.

    `{commit, changes, notices}`. Raises NotFoundError for an unknown record, UsageError for a
    field or value that is wrong, StateError for one that is not unique or leads nowhere.
    """
    texts = check_edit(dataset, values, timezone=timezone, region=region)
    with store.writing() as cursor:
        _find_row(cursor, dataset, key)
        commit = next_commit(cursor)
        cursor.execute("CREATE OR REPLACE TEMP TABLE editing AS SELECT ? AS _key", [key])
        changed = set_fields(cursor, dataset, "editing", texts, commit)
        changes = {**NO_CHANGES, "updated": changed, "unchanged": 1 - changed}
        if not changed:
            return {"commit": None, "changes": changes, "notices": []}
        checked = check_change(cursor, datasets, dataset, commit)
        settle_moot(cursor, dataset, commit)
        text = message or f"Edit {dataset.name} {key}: {', '.join(values)}"
        parts = checked.parts(dataset.name, changes)
        write_commit(cursor, Commit(commit, "edit", author, text, parts))
    return {"commit": commit, "changes": changes, "notices": list(checked.notices)}


def _find_row(cursor: Connection, dataset: Dataset, key: str) -> None:
    table = rows_table(dataset.name)
    if cursor.execute(f"SELECT 1 FROM {table} WHERE _key = ?", [key]).fetchone() is None:
        raise NotFoundError(
            "unknown-record",
            f"{dataset.name} has no record with key {key!r}.",
            hint=f"List keys: dataport rows {dataset.name} --fields "
            + ",".join(dataset.primary_key),
        )


def resolve_one(
    store: Store,
    datasets: Mapping[str, Dataset],
    conflict: int,
    how: Resolution,
    author: Author,
    shown: Mapping[str, Any] | None = None,
    message: str = "",
    *,
    timezone: str = "UTC",
    region: str = "US",
) -> dict[str, Any]:
    """Settle one conflict; `shown` has the `ours` and `theirs` that the person decided about.

    A value of the person's own is read as an edit's is.
    Raises NotFoundError, StateError when it is settled already or a value has moved since it
    was shown (merge.md 5.5).
    """
    with store.writing() as cursor:
        item = get_conflict(cursor, datasets, conflict)
        check_open(item)
        check_shown(item, shown or {})
        if how.take is None:
            dataset = find_dataset(datasets, item["dataset"])
            value = own_value(dataset, item, how.value, timezone=timezone, region=region)
            how = Resolution(value=value)
        which = ConflictFilter(conflict=conflict, dataset=item["dataset"])
        text = f"Resolve conflict {conflict}: {item['dataset']} {item['key']} take {how.word()}"
        return _resolve(cursor, datasets, which, how, author, message or text)


def resolve_all(
    store: Store,
    datasets: Mapping[str, Dataset],
    which: ConflictFilter,
    how: Resolution,
    author: Author,
    message: str = "",
) -> dict[str, Any]:
    """Settle every open conflict that `which` names, as one commit.

    The rule applies to the values that store and conflicts hold at that moment. `left` of the
    answer counts those that have no such side: they are for a decision of their own. Raises
    UsageError when there are no others.
    """
    text = f"Resolve all conflicts{which.words()}: take {how.word()}"
    with store.writing() as cursor:
        matching, fit = count(cursor, which), replace(which, not_kinds=how.unfit())
        if count(cursor, fit):
            which = fit
        result = _resolve(cursor, datasets, which, how, author, message or text)
        return {**result, "left": matching - result["resolved"]}


def _resolve(
    cursor: Connection,
    datasets: Mapping[str, Dataset],
    which: ConflictFilter,
    how: Resolution,
    author: Author,
    message: str,
) -> dict[str, Any]:
    rows = cursor.execute(
        f"SELECT DISTINCT dataset FROM store.conflicts q WHERE {which.condition()} ORDER BY 1"
    ).fetchall()
    if not rows:
        return {"resolved": 0, "commit": None, "changes": dict(NO_CHANGES), "notices": []}
    commit = next_commit(cursor)
    resolved, parts, total = 0, list[CommitPart](), dict(NO_CHANGES)
    notices: list[str] = []
    for (name,) in rows:
        dataset = find_dataset(datasets, name)
        counts = resolve(cursor, dataset, which, how, commit)
        resolved += counts.pop("resolved")
        changes = {**NO_CHANGES, **counts}
        checked = check_change(cursor, datasets, dataset, commit)
        notices += checked.notices
        parts += checked.parts(name, changes)
        total = {key: total[key] + changes[key] for key in total}
    write_commit(cursor, Commit(commit, "resolve", author, message, tuple(parts)))
    return {"resolved": resolved, "commit": commit, "changes": total, "notices": notices}
