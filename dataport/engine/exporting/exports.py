"""Export jobs: select, write to a private file, put it where it was asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from dataport.core.errors import CancelledError
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
from dataport.engine.exporting.delivery import Part, filled, packed, withdraw
from dataport.engine.exporting.descriptor import write_descriptor
from dataport.engine.exporting.records import ExportRecord, ExportRecords, digest_of, write_keys
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.targets import Targets, targets_of
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

    def check(self, request: ExportRequest) -> None:
        """Raise what `run` would about names and targets, and UsageError for a file that is there
        already, unless it is to be replaced or is what an export wrote."""
        plan = self._plan(0, request)
        if request.to is not None and not request.overwrite:
            plan.targets.check(self._records.wrote)

    def run(self, job: Job, author: Author, progress: Progress, on_cursor: OnCursor) -> None:
        """Write one file a dataset, whole or not at all; of a package one folder, or one file.

        All of it may be one ZIP (EXF-25). Raises NotFoundError for an unknown dataset or package,
        UsageError for a wrong filter or target, InputError when the target can't be written, or
        the format can't hold the rows.
        """
        plan = self._plan(job.job, _export_request(job))
        job.dataset = plan.datasets[0].name if plan.is_of_one else None
        plan.targets.make_folder()
        with self._scratch(job.job) as scratch:
            with self._snapshot(job, on_cursor) as cursor:
                task = _Task(job, author, cursor, scratch, progress)
                written = self._write(task, plan)
            parts = self._finish(task, plan, written)
            job.file_size = sum(part.path.stat().st_size for part in parts)
            for part in parts:
                part.deliver()
            if not plan.targets.is_zipped:
                withdraw(written, but=parts)
        job.included = {name: count for part in written for name, count in part.counts.items()}
        self._end(job, author, plan.targets.place)

    def _plan(self, job: int, request: ExportRequest) -> _Plan:
        package = find_package(self._packages(), request.package) if request.package else None
        names = members_in_order(package, self._datasets()) if package else request.datasets
        datasets = [find_dataset(self._datasets(), name) for name in names]
        bundle = bundle_writer(package, request.format) if package else None
        targets = targets_of(self._home, job, request, names, is_bundle=bundle is not None)
        return _Plan(package, datasets, bundle, targets)

    def _finish(self, task: _Task, plan: _Plan, written: Sequence[Part]) -> list[Part]:
        """What is put in place for that which was `written`; what makes it known again is kept."""
        parts, targets = list(written), plan.targets
        task.tell(len(written), len(written))
        if plan.package and targets.is_described:
            parts = filled(parts)
            held = [
                each for each in plan.datasets if any(each.name in part.counts for part in parts)
            ]
            page = write_descriptor(task.scratch, plan.package, held, task.request.format)
            parts.append(Part({}, page, targets.place / page.name, ()))
        if targets.is_zipped:
            path = task.scratch / "packed.zip"
            parts = [
                packed(parts, path, targets.place, lambda: task.tell(len(written), len(written)))
            ]
        digests = [digest_of(part.path) for part in parts]
        self._records.note(digests)
        return [self._keep(task, part, digest) for part, digest in zip(parts, digests, strict=True)]

    def _keep(self, task: _Task, part: Part, digest: str) -> Part:
        """Keep what makes a file with this digest known again."""
        keep, scratch = self._records.keep, task.scratch
        kept = [keep(each, _keys_file(scratch, each.dataset), digest) for each in part.records]
        return replace(part, records=kept)

    def _end(self, job: Job, author: Author, place: Path) -> None:
        included = job.included or {}
        written = sum(included.values())
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
                datasets=list(included),
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

    def _write(self, task: _Task, plan: _Plan) -> list[Part]:
        """Write a file for each dataset, or one for a whole package, all as of one commit."""
        if plan.package and plan.bundle:
            return [self._write_bundle(task, plan, plan.package, plan.bundle)]
        request, parts = task.request, list[Part]()
        for dataset, target in zip(plan.datasets, plan.targets.files, strict=True):
            task.tell(len(parts), len(plan.datasets))
            path = task.scratch / f"{dataset.name}.part"
            drawn = self._draw(task, dataset, self._selection(dataset, request))
            with filtering(request.where):
                rows = WRITERS[request.format](task.cursor, drawn.table, path)
            parts.append(Part({dataset.name: rows}, path, target, drawn.records))
        return parts

    def _write_bundle(
        self, task: _Task, plan: _Plan, package: Package, writer: BundleWriter
    ) -> Part:
        """Write all datasets of a package into one file, their newest rows first (EXF-20)."""
        request, drawn = task.request, list[_Drawn]()
        selections = [self._selection(dataset, request) for dataset in plan.datasets]
        for dataset, selection in zip(plan.datasets, selections, strict=True):
            task.tell(len(drawn), len(plan.datasets))
            newest = (f"-{dataset.date_field}",) if dataset.date_field else ()
            ordered = replace(selection, sort=request.sort or newest)
            drawn.append(self._draw(task, dataset, ordered))
        path, [target] = task.scratch / "bundle.part", plan.targets.files
        bundle = Bundle(
            package=package,
            datasets={dataset.name: dataset for dataset in plan.datasets},
            tables=[each.table for each in drawn],
            request=request,
            job=task.job.job,
            commit=_commit(task.cursor, selections[0]),
            actor=task.author.actor,
        )
        with filtering(request.where):
            writer(task.cursor, bundle, path)
        counts = {each.table.dataset: each.table.rows for each in drawn}
        return Part(counts, path, target, [record for each in drawn for record in each.records])

    @contextmanager
    def _snapshot(self, job: Job, on_cursor: OnCursor) -> Iterator[Connection]:
        """A cursor that sees one state of the store, as long as it takes.

        Raises CancelledError where it was interrupted for the job.
        """
        with self._store.reading() as cursor:
            on_cursor(cursor)
            try:
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute("COMMIT")
            except (duckdb.Error, OSError) as error:
                # An interrupted query whose rows go to Arrow ends with an error of the latter.
                if job.cancel.is_set():
                    raise CancelledError from error
                raise
            finally:
                on_cursor(None)

    def _draw(self, task: _Task, dataset: Dataset, selection: Selection) -> _Drawn:
        """The rows of a dataset, and what makes their file known again.

        Rows that do not say which they are can't be told again, and no rows have nothing to say.
        """
        request, cursor = task.request, task.cursor
        rows, keys = selected(cursor, selection), _keys_file(task.scratch, dataset.name)
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
        return _Drawn(table, [record] if record else [])

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
class _Plan:
    """What an export is to write."""

    package: Package | None
    datasets: Sequence[Dataset]
    bundle: BundleWriter | None
    """What writes all of a package into one file; None where each dataset has its own."""
    targets: Targets

    @property
    def is_of_one(self) -> bool:
        """Whether one dataset was named."""
        return len(self.datasets) == 1 and self.package is None


@dataclass(frozen=True)
class _Task:
    """An export under way, and who wants to know of it."""

    job: Job
    author: Author
    cursor: Connection
    scratch: Path
    progress: Progress

    @property
    def request(self) -> ExportRequest:
        return _export_request(self.job)

    def tell(self, done: int, total: int) -> None:
        """Say how many datasets are written. Raises CancelledError where the job is to stop."""
        self.progress(Phase.EXPORT, done, total)


@dataclass(frozen=True)
class _Drawn:
    """Rows that were selected, and what is kept of them."""

    table: Table
    records: Sequence[ExportRecord]
    """One, without the digest of a file, for there is none yet; none of what can't come back."""


def _keys_file(scratch: Path, dataset: str) -> Path:
    """Where the keys of a dataset's rows lie until they are kept."""
    return scratch / f"{dataset}.keys"


def _commit(cursor: Connection, selection: Selection) -> int:
    if selection.as_of is None:
        return head(cursor)
    return commit_as_of(cursor, selection.as_of, selection.timezone)


def _export_request(job: Job) -> ExportRequest:
    if not isinstance(job.request, ExportRequest):
        raise TypeError(f"job {job.job} is no export")
    return job.request
