"""Reads small files through the whole of staging, in this process; test_process.py has real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataport.core.paths import CHECKOUT_CONFIG
from dataport.engine.catalog.load import load_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.staging.request import StageRequest, StageResult
from dataport.engine.staging.stager import stage_file
from dataport.engine.staging.worker import connect


@dataclass(frozen=True)
class Staged:
    """What staging left behind."""

    result: StageResult
    directory: Path

    def rows(self, columns: str = "*") -> list[tuple[Any, ...]]:
        path = self.directory / "staged.parquet"
        return duckdb.sql(f"SELECT {columns} FROM '{path}' ORDER BY _record").fetchall()

    def rejects(self, columns: str = "_line, code") -> list[tuple[Any, ...]]:
        path = self.directory / "rejects.parquet"
        return duckdb.sql(f'SELECT {columns} FROM "{path}" ORDER BY _record, "column"').fetchall()


Read = Callable[..., Staged]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Stage a text or bytes as a file of a dataset."""

    def staged(
        content: str | bytes, dataset: Dataset, name: str = "file.csv", **words: Any
    ) -> Staged:
        source = tmp_path / name
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        directory = tmp_path / "stage"
        directory.mkdir(exist_ok=True)
        request = StageRequest(source, directory, dataset, **words)
        with connect(directory, request.limits.memory, request.threads) as connection:
            result = stage_file(connection, request, lambda phase, processed, total: None)
        return Staged(result, directory)

    return staged


@pytest.fixture(scope="session")
def leads() -> Dataset:
    return load_dataset(CHECKOUT_CONFIG / "datasets" / "leads.toml")


@pytest.fixture(scope="session")
def phone_numbers() -> Dataset:
    return load_dataset(CHECKOUT_CONFIG / "datasets" / "phone_numbers.toml")


@pytest.fixture(scope="session")
def time_entries() -> Dataset:
    return load_dataset(CHECKOUT_CONFIG / "datasets" / "time_entries.toml")


@pytest.fixture(scope="session")
def make() -> Callable[..., Dataset]:
    """A dataset of the given fields; the first one is its key."""

    def dataset(*fields: dict[str, Any], **words: Any) -> Dataset:
        key = words.pop("primaryKey", [fields[0]["name"]])
        document = {"name": "things", "primaryKey": key, "fields": list(fields), **words}
        return Dataset.model_validate_json(json.dumps(document))

    return dataset
