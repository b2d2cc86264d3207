"""The engine of one home: one object that every front end's calls end at."""

from __future__ import annotations

import getpass
import logging
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataport.core.errors import ConfigError, UsageError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import JobStatus, Origin
from dataport.engine import changes
from dataport.engine.bulk.bulk import Bulk
from dataport.engine.bulk.keys import KEYS_FILE
from dataport.engine.catalog.load import find_dataset, load_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import (
    Package,
    find_package,
    member_documents,
    members_in_order,
)
from dataport.engine.commits import Author
from dataport.engine.decisions import Decisions
from dataport.engine.definitions import (
    Definitions,
    ensure_all,
    open_definitions,
    read_definitions,
)
from dataport.engine.exporting.exports import Exports
from dataport.engine.expressions import filtering
from dataport.engine.importing.imports import Imports
from dataport.engine.jobs import JobRecords, part_directory
from dataport.engine.mappings import Mappings
from dataport.engine.merging.preview import PREVIEW_FILE
from dataport.engine.plans import Plans
from dataport.engine.policies import (
    check_policies,
    usable_policies,
)
from dataport.engine.rejects import count_rejects, read_rejects
from dataport.engine.selection import Selection, rows_document
from dataport.engine.sql import rows_table
from dataport.engine.staging.request import REFERENCE_REJECTS_FILE, REJECTS_FILE
from dataport.engine.store import Store, count_rows
from dataport.engine.templates import Kind, template
from dataport.engine.timeline import Timeline

log = logging.getLogger(__name__)


class Engine:
    """An open home. Close it before the process ends."""

    def __init__(
        self, home: Home, settings: Settings, store: Store, definitions: Definitions
    ) -> None:
        self.home = home
        self.store = store
        self._settings = settings
        self._datasets = definitions.datasets
        self._packages = definitions.packages
        self._mappings = definitions.mappings
        self._reload_lock = threading.Lock()
        self.definition_error: ConfigError | None = None
        self.jobs = JobRecords(store)
        self.imports = Imports(
            home,
            store,
            lambda: self._settings,
            lambda: self._datasets,
            lambda: self._packages,
            lambda: self._mappings,
        )
        self.mappings = Mappings(
            home, lambda: self._settings, lambda: self._datasets, lambda: self._mappings
        )
        self.decisions = Decisions(home, store, lambda: self._settings, lambda: self._datasets)
        self.plans = Plans(home, store, self.jobs, lambda: self._datasets)
        self.exports = Exports(
            home,
            store,
            lambda: self._settings,
            lambda: self._datasets,
            lambda: self._packages,
        )
        self.bulk = Bulk(home, store, lambda: self._settings, lambda: self._datasets)
        self.timeline = Timeline(store, lambda: self._settings, lambda: self._datasets)

    @classmethod
    def open(cls, home: Home, settings: Settings) -> Engine:
        """Open the store of `home` and put its definitions in force.

        A broken definition or policy is not fatal: see `definition_error`. Raises StoreError when
        the store can't be opened.
        """
        store = Store.open(home, settings.daemon)
        try:
            definitions, problem = open_definitions(home, store)
        except BaseException:
            store.close()
            raise
        try:
            check_policies(home, settings.policies, definitions.datasets)
        except ConfigError as error:
            problem = problem or error
            usable = usable_policies(settings.policies, definitions.datasets)
            settings = settings.model_copy(update={"policies": usable})
        engine = cls(home, settings, store, definitions)
        engine.definition_error = problem
        return engine

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def datasets(self) -> Mapping[str, Dataset]:
        return self._datasets

    @property
    def packages(self) -> Mapping[str, Package]:
        return self._packages

    def reload(self, settings: Settings) -> None:
        """Take new settings and definitions; raises ConfigError and keeps the old ones."""
        with self._reload_lock:
            definitions = read_definitions(self.home)
            datasets = definitions.datasets
            check_policies(self.home, settings.policies, datasets)
            if datasets != self._datasets:
                ensure_all(self.store, datasets)
            self._settings, self._datasets = settings, datasets
            self._packages = definitions.packages
            self._mappings = definitions.mappings

    def author(self, origin: Origin) -> Author:
        """The person of this home, acting through `origin`."""
        return Author(self._settings.actor or getpass.getuser(), origin)

    # -- looking ---------------------------------------------------------------------------

    def list_datasets(self) -> list[dict[str, Any]]:
        """Every dataset with its number of rows."""
        with self.store.reading() as cursor:
            return [
                {
                    "name": dataset.name,
                    "title": dataset.title,
                    "description": dataset.description,
                    "rows": count_rows(cursor, rows_table(dataset.name)),
                    "fields": len(dataset.fields),
                    "primary_key": list(dataset.primary_key),
                }
                for dataset in self._datasets.values()
            ]

    def show_dataset(self, name: str) -> dict[str, Any]:
        """A dataset's definition as its file spells it, and its number of rows."""
        dataset = find_dataset(self._datasets, name)
        with self.store.reading() as cursor:
            rows = count_rows(cursor, rows_table(name))
        document = dataset.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {**document, "rows": rows}

    def template(self, name: str, kind: Kind) -> dict[str, Any]:
        """A file of the dataset called `name` to fill in. Raises NotFoundError."""
        return template(find_dataset(self._datasets, name), kind)

    def list_packages(self) -> list[dict[str, Any]]:
        """Every package with its datasets, in the order in which they are merged."""
        return [
            {
                "name": package.name,
                "title": package.title,
                "description": package.description,
                "datasets": list(members_in_order(package, self._datasets)),
            }
            for package in self._packages.values()
        ]

    def show_package(self, name: str) -> dict[str, Any]:
        """A package and its members: their files, rows, and the members that they refer to."""
        package = find_package(self._packages, name)
        with self.store.reading() as cursor:
            members = [
                {**member, "rows": count_rows(cursor, rows_table(member["dataset"]))}
                for member in member_documents(package, self._datasets)
            ]
        return {
            "name": package.name,
            "title": package.title,
            "description": package.description,
            "members": members,
        }

    def selection(self, name: str, **wanted: Any) -> Selection:
        """A selection of rows of the dataset called `name`."""
        dataset = find_dataset(self._datasets, name)
        zone = self._settings.timezone
        return Selection(dataset, timezone=zone, related=self._datasets, **wanted)

    def rows(self, selection: Selection) -> str:
        """The `rows` document as JSON text."""
        with self.store.reading() as cursor, filtering(selection.where):
            return rows_document(cursor, selection)

    def rejects(
        self, number: int, limit: int, offset: int, dataset: str | None = None
    ) -> dict[str, Any]:
        """Rejected and duplicate rows of a job, in file order, dataset by dataset.

        Raises UsageError for a dataset that the job is not about.
        """
        job = self.jobs.get(number)
        parts = {str(part.dataset): part_directory(self.home, job, part) for part in job.members}
        if dataset is not None:
            if dataset not in parts:
                raise UsageError(
                    "dataset-not-in-job",
                    f"Job {number} is not about {dataset!r}.",
                    hint=f"Name one of its own: {', '.join(parts)}.",
                )
            parts = {dataset: parts[dataset]}
        with self.store.reading() as cursor:
            return {
                "job": number,
                "total": count_rejects(cursor, parts),
                "items": read_rejects(cursor, parts, limit, offset),
            }

    # -- changing --------------------------------------------------------------------------

    def edit(
        self, name: str, key: str, values: Mapping[str, Any], author: Author, message: str = ""
    ) -> dict[str, Any]:
        """Set fields of one record, as a commit by the user."""
        dataset = find_dataset(self._datasets, name)
        return changes.edit(
            self.store,
            self._datasets,
            dataset,
            changes.normal_key(dataset, key),
            values,
            author,
            message=message,
            timezone=self._settings.timezone,
            region=self._settings.region,
        )

    # -- keeping house ---------------------------------------------------------------------

    def clear_staging(self, keep_rejects_of: int) -> None:
        """Remove the staging of ended jobs but the newest `keep_rejects_of` with rejects."""
        live = {job.job for job in self.jobs.unfinished()}
        ended = sorted(
            (path for path in self.home.staging.iterdir() if path.name.isdigit()),
            key=lambda path: int(path.name),
            reverse=True,
        )
        kept = 0
        for path in ended:
            if int(path.name) in live:
                continue
            kept += 1
            if kept > keep_rejects_of:
                shutil.rmtree(path, ignore_errors=True)

    def trim_staging(self, number: int) -> None:
        """Drop what an ended job no longer needs; its rejects and plan stay for a look back."""
        job = self.jobs.get(number)
        if job.status is JobStatus.WAITING:
            return
        parts = [part_directory(self.home, job, part) for part in job.members]
        for directory in {self.home.job_staging(number), *parts}:
            for path in directory.iterdir() if directory.is_dir() else ():
                if path in parts or path.name in KEPT_AFTER_END:
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


KEPT_AFTER_END = frozenset(
    {REJECTS_FILE, REFERENCE_REJECTS_FILE, "stage.json", PREVIEW_FILE, KEYS_FILE}
)


def check_definition(path: Path) -> Dataset:
    """The dataset that a file defines; raises ConfigError with what is wrong."""
    if not path.is_file():
        raise ConfigError("config-unreadable", f"{path} does not exist or is no file.")
    return load_dataset(path)
