"""The records that a bulk change names one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataport.core.errors import NotFoundError, StateError, UsageError
from dataport.core.paths import PRIVATE_DIRECTORY
from dataport.core.text import are, counted
from dataport.engine.catalog.model import Dataset
from dataport.engine.sql import literal, rows_table
from dataport.engine.store import Connection, count_rows

KEYS_FILE = "keys.parquet"
"""In the job's staging directory: `_key`, each once, and `times` it was named."""

MOST_LISTED = 100
"""Keys that an error lists; it counts the others."""


def read_keys(cursor: Connection, dataset: Dataset, keys: Sequence[Any]) -> None:
    """Make the temporary table `bulk_named` of `_key` and `times`.

    A key is its value or, where it has several fields, an array of their values or the text of
    one. White space around a key does not count, and a key of nothing is left out. Raises
    UsageError for keys that can't be any.
    """
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE bulk_texts AS SELECT trim(CASE json_type(key)"
        " WHEN 'VARCHAR' THEN json_extract_string(key, '$')"
        " ELSE CAST(key AS VARCHAR) END, E' \\t\\r\\n') AS text"
        " FROM (SELECT unnest(from_json(?, '[\"JSON\"]')) AS key)",
        [json.dumps(list(keys))],
    )
    cursor.execute("DELETE FROM bulk_texts WHERE coalesce(text, '') = ''")
    key = "text"
    if len(dataset.primary_key) > 1:
        _check_arrays(cursor, dataset)
        key = "CAST(to_json(from_json(text, '[\"VARCHAR\"]')) AS VARCHAR)"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE bulk_named AS SELECT {key} AS _key, count(*) AS times"
        " FROM bulk_texts GROUP BY ALL"
    )
    if count_rows(cursor, "bulk_named") == 0:
        raise UsageError("no-keys", "No key is named.", hint="Name at least one record.")


def write_keys(cursor: Connection, directory: Path) -> None:
    """Keep `bulk_named` in a job's staging directory."""
    directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    cursor.execute(f"COPY bulk_named TO {literal(str(directory / KEYS_FILE))} (FORMAT parquet)")


def require_keys(directory: Path) -> Path:
    """The file of a job's keys. Raises StateError when it is no longer there."""
    path = directory / KEYS_FILE
    if not path.is_file():
        raise StateError(
            "keys-gone",
            "The keys of the records are no longer kept.",
            hint="Ask for it anew, with the list of keys.",
        )
    return path


def load_keys(cursor: Connection, dataset: Dataset, directory: Path) -> int:
    """Make `bulk_rows`, the `_key`s of the records named; how many were named more than once.

    Raises NotFoundError that lists the keys of no record, StateError when the keys are gone.
    """
    path = literal(str(require_keys(directory)))
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE bulk_rows AS SELECT * FROM read_parquet({path})")
    unknown = f"FROM bulk_rows k ANTI JOIN {rows_table(dataset.name)} o ON o._key = k._key"
    number = count_rows(cursor, f"(SELECT k._key {unknown})")
    if number:
        rows = cursor.execute(
            f"SELECT k._key {unknown} ORDER BY k._key LIMIT {MOST_LISTED}"
        ).fetchall()
        raise _unknown(dataset, [str(key) for (key,) in rows], number)
    return count_rows(cursor, "(SELECT 1 FROM bulk_rows WHERE times > 1)")


def _check_arrays(cursor: Connection, dataset: Dataset) -> None:
    parts = len(dataset.primary_key)
    row = cursor.execute(
        "SELECT text FROM bulk_texts WHERE NOT coalesce(CASE WHEN json_valid(text) THEN"
        f" json_type(text) = 'ARRAY' AND json_array_length(text) = {parts} END, false) LIMIT 1"
    ).fetchone()
    if row is not None:
        example = json.dumps([f"<{name}>" for name in dataset.primary_key])
        raise UsageError(
            "wrong-key",
            f"{row[0]!r} is not a key of {dataset.name}.",
            f"Its key has {parts} fields: {', '.join(dataset.primary_key)}.",
            f"Write each as a JSON array, {example}, or a CSV file that names the fields.",
        )


def _unknown(dataset: Dataset, listed: Sequence[str], number: int) -> NotFoundError:
    more = f", and {number - len(listed):,} more" if number > len(listed) else ""
    some = f"{counted(number, 'key')} {are(number)}"
    return NotFoundError(
        "unknown-keys",
        f"{some} of no record of {dataset.name}; nothing was changed.",
        f"{', '.join(listed)}{more}.",
        f"Leave them out. Keys as they are: dataport rows {dataset.name} --fields "
        + ",".join(dataset.primary_key),
    )
