"""A home with the shipped definitions, and imports and exports of it as the daemon makes them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import JobKind, Origin
from dataport.engine.engine import Engine
from dataport.engine.homes import create_home
from dataport.engine.jobs import Job
from dataport.engine.requests import NO_BASE, ExportRequest, ImportRequest
from tests.engine.importing.working import work
from tests.engine.staging.packing import zipped


@contextmanager
def open_shop(home: Home) -> Iterator[Shop]:
    """An open home, made if there is none."""
    create_home(home)
    engine = Engine.open(home, Settings())
    try:
        yield Shop(engine)
    finally:
        engine.close()


class Shop:
    """Sends files in and takes files out."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder = engine.home.root.parent / "files"
        self.folder.mkdir(exist_ok=True)

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, encoding="utf-8", newline="")
        return path

    def pack(self, name: str, members: Mapping[str, str]) -> Path:
        """A ZIP of these texts, by their names in it."""
        path = self.folder / name
        path.write_bytes(zipped(members))
        return path

    def table(self, name: str, *rows: Mapping[str, str]) -> Path:
        """A CSV file of rows with the same columns."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def send(self, path: Path, dataset: str | None = None, **asked: Any) -> Job:
        """Import a file, as source `test`, and like any other even where it is an export."""
        asked = {"source": "test", "base": NO_BASE, **asked}
        request = ImportRequest(path=str(path), dataset=dataset, **asked)
        return self.work(self.engine.jobs.create(JobKind.IMPORT, self.complete(request)))

    def complete(self, request: ImportRequest) -> ImportRequest:
        return self.engine.imports.complete(request)

    def work(self, job: Job) -> Job:
        """Do what the daemon does for a new import."""
        return work(self.engine, job)

    def take(self, *datasets: str, **asked: Any) -> Path:
        """Export datasets, or a package; where the file or folder lies."""
        request = ExportRequest(datasets=datasets, **asked)
        job = self.engine.jobs.create(JobKind.EXPORT, request)
        author = self.engine.author(Origin.CLI)
        self.engine.exports.run(job, author, lambda *_: None, lambda _: None)
        return Path(job.file or "")

    def rows(self, dataset: str, **wanted: Any) -> list[dict[str, Any]]:
        """The stored rows, by key."""
        selection = self.engine.selection(dataset, **wanted)
        rows: list[dict[str, Any]] = json.loads(self.engine.rows(selection))["rows"]
        return rows
