"""Definitions in force: those of the files, and the last good one where a file is broken."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dataport.core.errors import ConfigError
from dataport.core.paths import Home, shipped_config
from dataport.engine.catalog.collisions import check_places
from dataport.engine.catalog.load import definition_files, load_dataset, load_datasets
from dataport.engine.catalog.mappings import MappingFile, check_mapping, load_mapping
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import (
    Package,
    check_package,
    load_package,
)
from dataport.engine.catalog.parents import check_parent
from dataport.engine.catalog.references import check_references, without_dangling
from dataport.engine.store import Store
from dataport.engine.tables import ensure_tables

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Definitions:
    """What the files of a home and the shipped ones define."""

    datasets: dict[str, Dataset]
    packages: dict[str, Package] = field(default_factory=dict)
    mappings: dict[str, MappingFile] = field(default_factory=dict)


def read_definitions(home: Home) -> Definitions:
    """Every dataset, package and mapping, the home's files above the shipped ones.

    A shipped file gives way to what the home defines otherwise: its foreign keys that lead
    nowhere then are left out, and so is a package whose members do not fit any more, or a mapping
    whose fields are not there. Raises ConfigError.
    """
    paths = definition_files(definition_directories(home))
    datasets = load_datasets(definition_directories(home))
    for name, dataset in datasets.items():
        if _is_shipped(paths[name]):
            datasets[name] = without_dangling(dataset, datasets)
        else:
            check_references(dataset, datasets, paths[name])
    packages, problem = _read_packages(home, datasets)
    mappings, wrong = _read_mappings(home, datasets)
    problem = problem or wrong
    if problem is not None:
        raise problem
    return Definitions(datasets, packages, mappings)


def definition_directories(home: Home) -> tuple[Path, Path]:
    """Where datasets are defined; the later stands above the earlier."""
    return shipped_config() / "datasets", home.datasets


def package_directories(home: Home) -> tuple[Path, Path]:
    """Where packages are defined; the later stands above the earlier."""
    return shipped_config() / "packages", home.packages


def mapping_directories(home: Home) -> tuple[Path, Path]:
    """Where mappings are defined; the later stands above the earlier."""
    return shipped_config() / "mappings", home.mappings


def open_definitions(home: Home, store: Store) -> tuple[Definitions, ConfigError | None]:
    """Definitions to start with, and what is wrong with a file, if anything.

    A broken file does not keep the daemon from starting: the definition that its tables were
    made for stays in force, and a dataset that never had one is left out. A foreign key that
    leads nowhere is left out alone, and a package or mapping that is broken as a whole.
    """
    paths = definition_files(definition_directories(home))
    datasets, problem = _read_datasets(store, paths)
    for name, dataset in datasets.items():
        if _is_shipped(paths[name]):
            continue
        try:
            check_references(dataset, datasets, paths[name])
        except ConfigError as error:
            log.error("%s", error)
            problem = problem or error
    usable = {name: without_dangling(dataset, datasets) for name, dataset in datasets.items()}
    packages, wrong = _read_packages(home, usable)
    mappings, also_wrong = _read_mappings(home, usable)
    return Definitions(usable, packages, mappings), problem or wrong or also_wrong


def check_package_file(home: Home, path: Path) -> Package:
    """The package that `path` defines, of the datasets of `home` and of those beside the file.

    Raises ConfigError for what is wrong in `path`; a dataset that is broken counts as none.
    """
    package = load_package(path)
    _check_package(package, _datasets_beside(home, path), path)
    return package


def check_mapping_file(home: Home, path: Path) -> MappingFile:
    """The mapping that `path` defines, of a dataset of `home` or of one beside the file.

    Raises ConfigError for what is wrong in `path`; a dataset that is broken counts as none.
    """
    mapping = load_mapping(path)
    check_mapping(mapping, _datasets_beside(home, path), path)
    if mapping.parent is not None:
        known: dict[str, MappingFile] = {}
        for name, file in definition_files((*mapping_directories(home), path.parent)).items():
            with contextlib.suppress(ConfigError):
                known[name] = load_mapping(file)
        check_parent(mapping, known, path)
    return mapping


def _datasets_beside(home: Home, path: Path) -> dict[str, Dataset]:
    datasets: dict[str, Dataset] = {}
    beside = (path.parent, path.parent.parent / "datasets")
    for name, file in definition_files((*definition_directories(home), *beside)).items():
        with contextlib.suppress(ConfigError):
            datasets[name] = load_dataset(file)
    return datasets


def ensure_all(store: Store, datasets: Mapping[str, Dataset]) -> None:
    """Tables for every dataset, all or none. Raises ConfigError when values would be lost."""
    with store.writing() as cursor:
        for dataset in datasets.values():
            ensure_tables(cursor, dataset)


def _read_datasets(
    store: Store, paths: Mapping[str, Path]
) -> tuple[dict[str, Dataset], ConfigError | None]:
    """The definitions that have tables, and the first thing that is wrong in a file."""
    known = _known_definitions(store)
    found: dict[str, Dataset | ConfigError] = {}
    for name, path in paths.items():
        try:
            found[name] = load_dataset(path)
        except ConfigError as error:
            found[name] = error
    datasets: dict[str, Dataset] = {}
    problem: ConfigError | None = None
    for name, each in _with_tables(store, found).items():
        if isinstance(each, Dataset):
            datasets[name] = each
            continue
        log.error("%s", each)
        problem = problem or each
        if name in known:
            datasets[name] = known[name]
    return datasets, problem


def _with_tables(
    store: Store, found: Mapping[str, Dataset | ConfigError]
) -> dict[str, Dataset | ConfigError]:
    """The definitions whose tables are there, made in one transaction at best; errors of others."""
    result = dict(found)
    usable = {name: each for name, each in found.items() if isinstance(each, Dataset)}
    try:
        ensure_all(store, usable)
    except ConfigError:
        for name, dataset in usable.items():
            try:
                ensure_all(store, {name: dataset})
            except ConfigError as error:
                result[name] = error
    return result


def _read_packages(
    home: Home, datasets: Mapping[str, Dataset]
) -> tuple[dict[str, Package], ConfigError | None]:
    return _read_usable(package_directories(home), load_package, _check_package, datasets)


def _check_package(package: Package, datasets: Mapping[str, Dataset], path: Path) -> None:
    check_package(package, datasets, path)
    check_places(package, datasets, path)


def _read_mappings(
    home: Home, datasets: Mapping[str, Dataset]
) -> tuple[dict[str, MappingFile], ConfigError | None]:
    directories = mapping_directories(home)
    mappings, problem = _read_usable(directories, load_mapping, check_mapping, datasets)
    paths, usable = definition_files(directories), dict(mappings)
    for name, mapping in mappings.items():
        try:
            check_parent(mapping, mappings, paths[name])
        except ConfigError as error:
            log.error("%s", error)
            if not _is_shipped(paths[name]):
                problem = problem or error
            del usable[name]
    return usable, problem


def _read_usable(
    directories: Iterable[Path],
    load: Callable[[Path], T],
    check: Callable[[T, Mapping[str, Dataset], Path], None],
    datasets: Mapping[str, Dataset],
) -> tuple[dict[str, T], ConfigError | None]:
    """The definitions that are right, and the first thing that is wrong in a file of the home."""
    usable: dict[str, T] = {}
    problem: ConfigError | None = None
    for name, path in definition_files(directories).items():
        try:
            definition = load(path)
            check(definition, datasets, path)
        except ConfigError as error:
            log.error("%s", error)
            if not _is_shipped(path):
                problem = problem or error
        else:
            usable[name] = definition
    return usable, problem


def _is_shipped(path: Path) -> bool:
    return path.is_relative_to(shipped_config())


def _known_definitions(store: Store) -> dict[str, Dataset]:
    with store.reading() as cursor:
        rows = cursor.execute("SELECT name, definition FROM store.datasets").fetchall()
    return {name: Dataset.model_validate_json(text) for name, text in rows}
