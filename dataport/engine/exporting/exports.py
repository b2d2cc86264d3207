"""Export jobs: select, write to a private file, put it where it was asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dataport.core.paths import PRIVATE_DIRECTORY, Home
from dataport.core.settings import Settings
from dataport.core.words import JobStatus, Phase
from dataport.engine.as_of import commit_as_of
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, find_package, members_in_order
from dataport.engine.commits import Author, head, write_audit
from dataport.engine.exporting.bundle import Bundle
from dataport.engine.exporting.bundle_writers import BundleWriter, bundle_writer
from dataport.engine.exporting.delivery import Part, bundle_target, deliver_package, targets_of
from dataport.engine.exporting.records import ExportRecord, ExportRecords, write_keys
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.writers import WRITE_ONLY, WRITERS
from dataport.engine.expressions import filtering
from dataport.engine.jobs import Job, write_job
from dataport.engine.requests import ExportRequest
from dataport.engine.selection import Selection, order_by, selected
from dataport.engine.store import Connection, Store

OnCursor = Callable[[Connection | None], None]
Progress = Callable[[Phase, int, int | None], None]


class Exports:
    """Export jobs of one home."""

    def __init__(
        self,
        home: Home,
        store: Store,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
        packages: Callable[[], Mapping[str, Package]],
    ) -> None:
        self._home = home
        self._records = ExportRecords(home)
        self._store = store
        self._settings = settings
        self._datasets = datasets
        self._packages = packages

    def run(self, job: Job, author: Author, progress: Progress, on_cursor: OnCursor) -> None:
        """Write one file a dataset, whole or not at all; of a package one folder, or one file.

        Raises NotFoundError for an unknown dataset or package, UsageError for a wrong filter or target,
        InputError when the target can't be written, or the format can't hold the rows.
        """
        request = _export_request(job)
        package = find_package(self._packages(), request.package) if request.package else None
        names = members_in_order(package, self._datasets()) if package else request.datasets
        datasets = [find_dataset(self._datasets(), name) for name in names]
        job.dataset = datasets[0].name if len(datasets) == 1 and not package else None
        bundle = bundle_writer(package, request.format) if package else None
        if bundle:
            targets = [bundle_target(self._home, job.job, request)]
        else:
            targets = targets_of(self._home, job.job, request, names)
        with self._scratch(job.job) as scratch:
            with self._snapshot(on_cursor) as cursor:
                task = _Task(job, author, cursor, scratch, progress)
                if package and bundle:
                    parts = [self._write_bundle(task, package, bundle, datasets, targets[0])]
                else:
                    parts = self._write_all(task, datasets, targets)
            if package and not bundle:
                deliver_package(package, parts, request.format)
            else:
                for each in parts:
                    each.deliver()
        written = sum(part.rows for part in parts)
        is_folder = len(targets) > 1 or (package and not bundle)
        self._end(job, author, names, written, targets[0].parent if is_folder else targets[0])

    def _end(
        self, job: Job, author: Author, names: Sequence[str], written: int, place: Path
    ) -> None:
        job.rows = {"written": written}
        job.file = str(place)
        if not written:
            job.notices.append("No row matched: the file has a header and no rows.")
        job.end(JobStatus.COMPLETED)
        with self._store.noting() as cursor:
            write_job(cursor, job)
            write_audit(
                cursor,
                author,
                "export",
                "data_export",
                records=written,
                datasets=list(names),
                job=job.job,
                metadata={"format": _export_request(job).format, "file": job.file},
            )

    @contextmanager
    def _scratch(self, job: int) -> Iterator[Path]:
        """The job's own folder, for as long as it is needed."""
        folder = self._home.job_staging(job)
        folder.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _write_all(
        self, task: _Task, datasets: Sequence[Dataset], targets: Sequence[Path]
    ) -> list[Part]:
        """Write a file for each dataset, all as of one commit."""
        request, parts = _export_request(task.job), list[Part]()
        for dataset, target in zip(datasets, targets, strict=True):
            task.progress(Phase.EXPORT, len(parts), len(datasets))
            path = task.scratch / f"{dataset.name}.part"
            drawn = self._draw(task, dataset, self._selection(dataset, request))
            with filtering(request.where):
                rows = WRITERS[request.format](task.cursor, drawn.table, path)
            parts.append(Part([dataset], path, target, rows, self._keep([drawn], path)))
        return parts

    def _write_bundle(
        self,
        task: _Task,
        package: Package,
        writer: BundleWriter,
        datasets: Sequence[Dataset],
        target: Path,
    ) -> Part:
        """Write all datasets of a package into one file, their newest rows first (EXF-20)."""
        request, drawn = _export_request(task.job), list[_Drawn]()
        selections = [self._selection(dataset, request) for dataset in datasets]
        for dataset, selection in zip(datasets, selections, strict=True):
            task.progress(Phase.EXPORT, len(drawn), len(datasets))
            newest = (f"-{dataset.date_field}",) if dataset.date_field else ()
            ordered = replace(selection, sort=request.sort or newest)
            drawn.append(self._draw(task, dataset, ordered))
        path = task.scratch / "bundle.part"
        bundle = Bundle(
            package=package,
            datasets={dataset.name: dataset for dataset in datasets},
            tables=[each.table for each in drawn],
            request=request,
            job=task.job.job,
            commit=_commit(task.cursor, selections[0]),
            actor=task.author.actor,
        )
        with filtering(request.where):
            rows = writer(task.cursor, bundle, path)
        return Part(datasets, path, target, rows, self._keep(drawn, path))

    def _keep(self, drawn: Sequence[_Drawn], path: Path) -> list[ExportRecord]:
        """Keep what makes the file at `path` known again."""
        return [self._records.keep(each.record, each.keys, path) for each in drawn if each.record]

    @contextmanager
    def _snapshot(self, on_cursor: OnCursor) -> Iterator[Connection]:
        """A cursor that sees one state of the store, as long as it takes."""
        with self._store.reading() as cursor:
            on_cursor(cursor)
            try:
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute("COMMIT")
            finally:
                on_cursor(None)

    def _draw(self, task: _Task, dataset: Dataset, selection: Selection) -> _Drawn:
        """The rows of a dataset, and what makes their file known again.

        Rows that do not say which they are can't be told again, and no rows have nothing to say.
        """
        request, cursor = _export_request(task.job), task.cursor
        rows, keys = selected(cursor, selection), task.scratch / f"{dataset.name}.keys"
        with filtering(request.where):
            count, digest = write_keys(cursor, rows, keys)
        fields = tuple(field.name for field in selection.columns)
        record = None
        is_told = count and set(dataset.primary_key) <= set(fields)
        if is_told and request.format not in WRITE_ONLY:
            bounds = {"where": request.where, "from": request.from_, "until": request.until}
            record = ExportRecord(
                export=task.job.job,
                dataset=dataset.name,
                commit=_commit(cursor, selection),
                format=request.format,
                fields=fields,
                filter={name: text for name, text in bounds.items() if text},
                rows=count,
                keys=digest,
                package=request.package,
            )
        table = Table(
            dataset=dataset.name,
            query=f"SELECT * FROM ({rows}) {order_by(selection)}",
            fields=selection.columns,
            rows=count,
            timezone=selection.timezone,
            mark=record.mark if record else None,
        )
        return _Drawn(table, keys, record)

    def _selection(self, dataset: Dataset, request: ExportRequest) -> Selection:
        return Selection(
            dataset=dataset,
            where=request.where,
            fields=request.fields,
            sort=request.sort,
            as_of=request.as_of,
            since=request.from_,
            until=request.until,
            timezone=self._settings().timezone,
            related=self._datasets(),
        )


@dataclass(frozen=True)
class _Task:
    """An export under way, and who wants to know of it."""

    job: Job
    author: Author
    cursor: Connection
    scratch: Path
    progress: Progress


@dataclass(frozen=True)
class _Drawn:
    """Rows that were selected, and what is kept of them."""

    table: Table
    keys: Path
    record: ExportRecord | None
    """Without the digest of a file, for there is none yet."""


def _commit(cursor: Connection, selection: Selection) -> int:
    if selection.as_of is None:
        return head(cursor)
    return commit_as_of(cursor, selection.as_of, selection.timezone)


def _export_request(job: Job) -> ExportRequest:
    if not isinstance(job.request, ExportRequest):
        raise TypeError(f"job {job.job} is no export")
    return job.request
