"""Definitions in force: those of the files, and the last good one where a file is broken."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from dataport.core.errors import ConfigError
from dataport.core.paths import Home, shipped_config
from dataport.engine.catalog.load import dataset_files, load_dataset, load_datasets
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.references import check_references, without_dangling
from dataport.engine.store import Store
from dataport.engine.tables import ensure_tables

log = logging.getLogger(__name__)


def read_definitions(home: Home) -> dict[str, Dataset]:
    """Every dataset, the home's files above the shipped ones. Raises ConfigError."""
    paths = dataset_files(definition_directories(home))
    datasets = load_datasets(definition_directories(home))
    for name, dataset in datasets.items():
        check_references(dataset, datasets, paths[name])
    return datasets


def definition_directories(home: Home) -> tuple[Path, Path]:
    """Where datasets are defined; the later stands above the earlier."""
    return shipped_config() / "datasets", home.datasets


def open_definitions(home: Home, store: Store) -> tuple[dict[str, Dataset], ConfigError | None]:
    """Definitions to start with, and what is wrong with a file, if anything.

    A broken file does not keep the daemon from starting: the definition that its tables were
    made for stays in force, and a dataset that never had one is left out. A foreign key that
    leads nowhere is left out alone.
    """
    datasets: dict[str, Dataset] = {}
    problem: ConfigError | None = None
    known, paths = _known_definitions(store), dataset_files(definition_directories(home))
    for name, path in paths.items():
        try:
            dataset = load_dataset(path)
            _ensure(store, dataset)
        except ConfigError as error:
            log.error("%s", error)
            problem = problem or error
            if name not in known:
                continue
            dataset = known[name]
        datasets[name] = dataset
    for name, dataset in datasets.items():
        try:
            check_references(dataset, datasets, paths[name])
        except ConfigError as error:
            log.error("%s", error)
            problem = problem or error
    return {
        name: without_dangling(dataset, datasets) for name, dataset in datasets.items()
    }, problem


def ensure_all(store: Store, datasets: Mapping[str, Dataset]) -> None:
    """Tables for every dataset, all or none. Raises ConfigError when values would be lost."""
    with store.writing() as cursor:
        for dataset in datasets.values():
            ensure_tables(cursor, dataset)


def _ensure(store: Store, dataset: Dataset) -> None:
    ensure_all(store, {dataset.name: dataset})


def _known_definitions(store: Store) -> dict[str, Dataset]:
    with store.reading() as cursor:
        rows = cursor.execute("SELECT name, definition FROM store.datasets").fetchall()
    return {name: Dataset.model_validate_json(text) for name, text in rows}
