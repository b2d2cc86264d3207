"""Definitions from TOML files: the shipped ones and those of a home, which stand above them."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from dataport.core.errors import ConfigError, NotFoundError, UsageError
from dataport.core.toml_model import load_model
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.catalog.policies import check_policies
from dataport.engine.catalog.references import check_references
from dataport.engine.catalog.units import Unit, unit_named, unit_names


def load_dataset(path: Path) -> Dataset:
    """The dataset that `path` defines. Raises ConfigError naming file, key and nearest word."""
    dataset = load_model(Dataset, path)
    check_file_name(dataset.name, "dataset", path)
    check_policies(dataset, path)
    return dataset


def check_file_name(name: str, what: str, path: Path) -> None:
    """Raise ConfigError where a definition is not called as its file is."""
    if name != path.stem:
        raise ConfigError(
            "wrong-value",
            f"{path}: 'name' is {name!r}, but the file is called {path.name}.",
            hint=f"Rename the file to {name}.toml, or the {what} to {path.stem!r}.",
        )


def check_file(path: Path, directories: Iterable[Path]) -> Dataset:
    """The dataset that `path` defines, whose foreign keys may lead to those of `directories`.

    Raises ConfigError for what is wrong in `path`; another file that is broken counts as none.
    """
    dataset = load_dataset(path)
    if dataset.foreign_keys or any(field.counts for field in dataset.fields):
        known: dict[str, Dataset] = {}
        for name, other in definition_files(directories).items():
            with contextlib.suppress(ConfigError):
                known[name] = load_dataset(other)
        check_references(dataset, known, path)
    return dataset


def load_datasets(directories: Iterable[Path]) -> dict[str, Dataset]:
    """All datasets by name; a later directory stands above an earlier one."""
    return {name: load_dataset(path) for name, path in definition_files(directories).items()}


def definition_files(directories: Iterable[Path]) -> dict[str, Path]:
    """The file of each definition, by its name; a later directory stands above an earlier one."""
    paths: dict[str, Path] = {}
    for directory in directories:
        paths.update({path.stem: path for path in directory.glob("*.toml")})
    return dict(sorted(paths.items()))


def find_dataset(datasets: Mapping[str, Dataset], name: str) -> Dataset:
    """The dataset called `name`. Raises NotFoundError that names the nearest one."""
    if name in datasets:
        return datasets[name]
    nearest = difflib.get_close_matches(name, datasets, n=1, cutoff=0.5)
    known = ", ".join(sorted(datasets))
    hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known datasets: {known}."
    raise NotFoundError("unknown-dataset", f"There is no dataset called {name!r}.", hint=hint)


def find_field(dataset: Dataset, name: str) -> Field:
    """The field of `dataset` called `name`. Raises UsageError that names the others."""
    try:
        return dataset.field(name)
    except KeyError as error:
        raise UsageError(
            "unknown-field",
            f"{dataset.name} has no field {name!r}.",
            hint=f"Fields: {', '.join(dataset.field_names)}.",
        ) from error


def find_unit(dataset: Dataset, name: str) -> Unit:
    """The field or group of `dataset` called `name`. Raises UsageError that names the others."""
    unit = unit_named(dataset, name)
    if unit is None:
        raise UsageError(
            "unknown-field",
            f"{dataset.name} has no field {name!r}.",
            hint=f"Fields: {', '.join(unit_names(dataset))}.",
        )
    return unit
