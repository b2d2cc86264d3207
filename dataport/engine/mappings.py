"""The mappings of a home: which there are, what they say, and what people decide about columns."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from dataport.core.errors import UsageError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.mappings import MappingFile, find_mapping
from dataport.engine.catalog.model import Dataset, check_name
from dataport.engine.export_sources import check_source
from dataport.engine.importing.belonging import chosen
from dataport.engine.importing.columns import (
    decided_mapping,
    settle_columns,
    waiting_suggestion,
    write_mapping,
)
from dataport.engine.importing.reading import stage_limits
from dataport.engine.importing.suggestions import suggest
from dataport.engine.jobs import Job
from dataport.engine.requests import Request
from dataport.engine.staging.look import LookRequest
from dataport.engine.staging.process import look


class SuggestRequest(Request):
    """Which file's columns are in question, and of which dataset they should become fields."""

    path: str = Field(description="Absolute path of the file on this machine.")
    dataset: str
    inside: str | None = Field(None, min_length=1, description="Which table of the file.")
    format: str | None = None


class SaveRequest(SuggestRequest):
    """What was decided about a file's columns, for all files of a source with that header."""

    source: str = Field(min_length=1, description="Who such files come from.")
    fields: dict[str, str] = Field({}, description="Field to column; '' for none.")
    name: str | None = None


class Mappings:
    """Mappings of one home, as definitions in force."""

    def __init__(
        self,
        home: Home,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
        mappings: Callable[[], Mapping[str, MappingFile]],
    ) -> None:
        self._home = home
        self._settings = settings
        self._datasets = datasets
        self._mappings = mappings

    @property
    def by_name(self) -> Mapping[str, MappingFile]:
        return self._mappings()

    def documents(self) -> list[dict[str, Any]]:
        """Every mapping: what it is for, and by which columns its files are told."""
        return [
            {
                "name": mapping.name,
                "title": mapping.title,
                "dataset": mapping.dataset,
                "source": mapping.source,
                "detect": list(mapping.detect),
                "signature": mapping.signature,
                "fields": len(mapping.fields),
            }
            for mapping in self._mappings().values()
        ]

    def show(self, name: str) -> dict[str, Any]:
        """A mapping as its file spells it. Raises NotFoundError `unknown-mapping`."""
        return document_of(find_mapping(self._mappings(), name))

    def suggest(self, request: SuggestRequest) -> dict[str, Any]:
        """What the columns of a file could be: `file`, `dataset`, `certain`, `items` and more.

        The file is looked into by a worker. Raises NotFoundError `unknown-dataset`, InputError
        for a file that can't be read, UsageError for one without a header, or of several tables.
        """
        dataset, path = find_dataset(self._datasets(), request.dataset), Path(request.path)
        directory = Path(tempfile.mkdtemp(prefix="look-", dir=self._home.staging))
        try:
            limits = stage_limits(self._settings())
            found = look(LookRequest(path, directory, request.format, limits=limits)).tables
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        tables = chosen(found, request.inside, path.name)
        if len(tables) != 1:
            names = ", ".join(str(table.inside) for table in tables)
            raise UsageError(
                "several-tables", f"{path.name} holds several tables.", hint=f"Name one: {names}."
            )
        if not tables[0].has_header:
            raise UsageError(
                "no-header",
                f"{path.name} has no header.",
                "Its first row looks like values.",
                "Put names of columns above it.",
            )
        suggestion = suggest(tables[0].columns, tables[0].rows, dataset)
        return {"file": str(path), **suggestion.document()}

    def waiting(self, job: Job) -> dict[str, Any]:
        """What is suggested for the file that a job waits with. Raises StateError."""
        return waiting_suggestion(self._home, job)

    def save(self, request: SaveRequest) -> dict[str, Any]:
        """Keep what was decided about a file's columns as a mapping; its document.

        Raises what `suggest` and `decided_mapping` do.
        """
        check_source(request.source)
        self._check_free(request.name)
        suggested = self.suggest(request)
        dataset = find_dataset(self._datasets(), request.dataset)
        mapping = decided_mapping(suggested, dataset, request.source, request.fields, request.name)
        return {**document_of(mapping), "file": str(write_mapping(self._home, mapping))}

    def decide(self, job: Job, said: Mapping[str, str], name: str | None) -> MappingFile:
        """Keep what is decided about the file that a job waits with as a mapping of its source."""
        self._check_free(name)
        suggested = self.waiting(job)
        dataset = find_dataset(self._datasets(), str(suggested["dataset"]))
        mapping = decided_mapping(suggested, dataset, str(suggested["source"]), said, name)
        write_mapping(self._home, mapping)
        return mapping

    def _check_free(self, name: str | None) -> None:
        """Raise UsageError for what is no name, or that of a mapping that somebody wrote."""
        if name is None:
            return
        try:
            check_name(name)
        except ValueError as error:
            raise UsageError(
                "wrong-name", "The mapping can't be called so.", f"{error}."
            ) from error
        known = self._mappings().get(name)
        if known is not None and known.signature is None:
            raise UsageError(
                "mapping-exists",
                f"There is a mapping called {name!r}, which was not made of an answer.",
                hint="Choose another name, or leave --name out.",
            )

    def settle(self, job: Job, mapping: MappingFile) -> None:
        """Let a job that waits go on by a mapping that is in force."""
        find_mapping(self._mappings(), mapping.name)
        settle_columns(self._home, job, mapping)


def document_of(mapping: MappingFile) -> dict[str, Any]:
    """A mapping without what its file leaves to the defaults."""
    return mapping.model_dump(mode="json", exclude_defaults=True)
