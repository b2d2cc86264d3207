"""Foreign keys between definitions: what they name exists, fits and can be done (design section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dataport.core.errors import ConfigError
from dataport.core.text import nearest_hint
from dataport.engine.catalog.model import Dataset, Field, ForeignKey, OnMissing


def referenced(dataset: Dataset, key: ForeignKey) -> str:
    """The name of the dataset that `key` of `dataset` leads to; an empty one is the dataset itself."""
    return key.reference.resource or dataset.name


def check_references(dataset: Dataset, datasets: Mapping[str, Dataset], path: Path) -> None:
    """Raise ConfigError for a foreign key that leads nowhere or can't do what it says.

    `datasets` are all definitions, `path` is the file that defines `dataset`.
    """
    for index, key in enumerate(dataset.foreign_keys):
        problem = _problem(dataset, key, {**datasets, dataset.name: dataset})
        if problem is not None:
            title, hint = problem
            raise ConfigError("wrong-value", f"{path}: 'foreignKeys[{index}]' {title}.", hint=hint)
    for index, field in enumerate(dataset.fields):
        problem = _count_problem(dataset, field, {**datasets, dataset.name: dataset})
        if problem is not None:
            title, hint = problem
            where = f"{path}: 'fields[{index}].counts'"
            raise ConfigError("wrong-value", f"{where} {title}.", hint=hint)


def without_dangling(dataset: Dataset, datasets: Mapping[str, Dataset]) -> Dataset:
    """`dataset` with those of its foreign keys that `check_references` has nothing against."""
    known = {**datasets, dataset.name: dataset}
    usable = tuple(key for key in dataset.foreign_keys if _problem(dataset, key, known) is None)
    if len(usable) == len(dataset.foreign_keys):
        return dataset
    return dataset.model_copy(update={"foreign_keys": usable})


def _problem(
    dataset: Dataset, key: ForeignKey, datasets: Mapping[str, Dataset]
) -> tuple[str, str] | None:
    """What is wrong with a foreign key, and a hint; None where nothing is."""
    name = referenced(dataset, key)
    if name not in datasets:
        return f"refers to the dataset {name!r}, which is not defined", nearest_hint(name, datasets)
    target = datasets[name]
    for field in key.reference.fields:
        if field not in target.field_names:
            return (
                f"refers to {name}.{field}, but {name} has no such field",
                nearest_hint(field, target.field_names),
            )
    if not key.fields or len(key.fields) != len(key.reference.fields):
        return (
            f"has {len(key.fields)} fields that refer to {len(key.reference.fields)}",
            "Name as many fields here as there.",
        )
    for mine, theirs in zip(key.fields, key.reference.fields, strict=True):
        types = dataset.field(mine).type, target.field(theirs).type
        if dataset.field(mine).sql_type != target.field(theirs).sql_type:
            return (
                f"compares {mine}, a {types[0]}, with {name}.{theirs}, a {types[1]}",
                "Give both the same type.",
            )
    return _impossible(dataset, key, target)


def _count_problem(
    dataset: Dataset, field: Field, datasets: Mapping[str, Dataset]
) -> tuple[str, str] | None:
    """What is wrong with the rows that a field counts, and a hint; None where nothing is."""
    if field.counts is None:
        return None
    name = field.counts.resource
    if name not in datasets:
        return f"counts rows of the dataset {name!r}, which is not defined", nearest_hint(
            name, datasets
        )
    for mine, theirs in zip(dataset.primary_key, field.counts.fields, strict=True):
        target = datasets[name]
        if theirs not in target.field_names:
            hint = nearest_hint(theirs, target.field_names)
            return f"names {name}.{theirs}, but {name} has no such field", hint
        if target.field(theirs).sql_type != dataset.field(mine).sql_type:
            return f"compares {mine} with {name}.{theirs}", "Both must be of the same type."
    return None


def _impossible(dataset: Dataset, key: ForeignKey, target: Dataset) -> tuple[str, str] | None:
    """Why what `onMissing` says can't be done; None where it can."""
    if key.on_missing is OnMissing.NULL:
        for name in key.fields:
            if name in dataset.primary_key or dataset.field(name).constraints.required:
                return (
                    f"would leave {name} empty, which is required or part of the key",
                    "Use onMissing = keep, reject or stub.",
                )
    if key.on_missing is OnMissing.STUB and set(key.reference.fields) != set(target.primary_key):
        names = ", ".join(target.primary_key)
        return (
            f"would add rows to {target.name} that have no key",
            f"Refer to its whole key, {names}, or use onMissing = keep, null or reject.",
        )
    return None
