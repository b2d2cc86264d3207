"""Rows with the numbers of others that refer to them, counted when they are read (REC-04).

Nothing keeps such a number up to date: it is right by being made of the rows of the very commit
that is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataport.engine.as_of import rows_as_of
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.sql import ident, idents


def rows_with_counts(dataset: Dataset, datasets: Mapping[str, Dataset], commit: int | None) -> str:
    """As `rows_as_of`, with the fields that count rows filled in; `datasets` are all there are."""
    counts = [field for field in dataset.fields if field.counts]
    query = rows_as_of(dataset, commit)
    if not counts:
        return query
    replaced = ", ".join(
        f"{_number(field, at, datasets)} AS {ident(field.name)}" for at, field in enumerate(counts)
    )
    joins = " ".join(
        _join(dataset, field, at, datasets, commit)
        for at, field in enumerate(counts)
        if _is_countable(field, datasets)
    )
    return f"SELECT counted.* REPLACE ({replaced}) FROM ({query}) AS counted {joins}"


def _is_countable(field: Field, datasets: Mapping[str, Dataset]) -> bool:
    """Whether what is counted is defined; a definition that is gone leaves the number empty."""
    counts = field.counts
    return (
        counts is not None
        and counts.resource in datasets
        and set(counts.fields) <= set(datasets[counts.resource].field_names)
    )


def _number(field: Field, at: int, datasets: Mapping[str, Dataset]) -> str:
    return f"coalesce(n{at}.rows, 0)" if _is_countable(field, datasets) else "NULL::BIGINT"


def _join(
    dataset: Dataset, field: Field, at: int, datasets: Mapping[str, Dataset], commit: int | None
) -> str:
    if field.counts is None:
        return ""
    names = field.counts.fields
    on = " AND ".join(
        f"n{at}.{ident(theirs)} = counted.{ident(mine)}"
        for mine, theirs in zip(dataset.primary_key, names, strict=True)
    )
    rows = rows_as_of(datasets[field.counts.resource], commit)
    grouped = f"SELECT {idents(names)}, count(*) AS rows FROM ({rows}) GROUP BY {idents(names)}"
    return f"LEFT JOIN ({grouped}) AS n{at} ON {on}"
