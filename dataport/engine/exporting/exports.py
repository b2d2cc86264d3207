"""Export jobs: select, write to a private file, put it where it was asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataport.core.errors import InputError, UsageError
from dataport.core.paths import PRIVATE_DIRECTORY, PRIVATE_FILE, Home
from dataport.core.settings import Settings
from dataport.core.words import JobStatus, Phase
from dataport.engine.as_of import commit_as_of
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, find_package, members_in_order
from dataport.engine.commits import Author, head, write_audit
from dataport.engine.exporting.descriptor import write_descriptor
from dataport.engine.exporting.records import (
    ExportRecord,
    ExportRecords,
    digest_of,
    sidecar,
    write_keys,
    write_sidecar,
)
from dataport.engine.exporting.writers import WRITERS
from dataport.engine.expressions import filtering
from dataport.engine.jobs import Job, write_job
from dataport.engine.requests import ExportRequest
from dataport.engine.selection import Selection, order_by, selected
from dataport.engine.store import Connection, Store


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

    def run(
        self,
        job: Job,
        author: Author,
        progress: Callable[[Phase, int, int | None], None],
        on_cursor: Callable[[Connection | None], None],
    ) -> None:
        """Write one file a dataset, whole or not at all; those of a package into one folder.

        Raises NotFoundError for an unknown dataset or package, UsageError for a wrong filter or target,
        InputError when the target can't be written.
        """
        request = _export_request(job)
        package = find_package(self._packages(), request.package) if request.package else None
        names = members_in_order(package, self._datasets()) if package else request.datasets
        datasets = [find_dataset(self._datasets(), name) for name in names]
        job.dataset = datasets[0].name if len(datasets) == 1 and not package else None
        targets = self._targets(job.job, request, names)
        with self._scratch(job.job) as scratch:
            parts = self._write_all(job, datasets, targets, scratch, progress, on_cursor)
            if package:
                _deliver_package(package, parts, request.format)
            else:
                for each in parts:
                    each.deliver()
        written = sum(part.rows for part in parts)
        job.rows = {"written": written}
        job.file = str(targets[0] if len(targets) == 1 and not package else targets[0].parent)
        job.notices = [] if written else ["No row matched: the file has a header and no rows."]
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
                metadata={"format": request.format, "file": job.file},
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
        self,
        job: Job,
        datasets: Sequence[Dataset],
        targets: Sequence[Path],
        scratch: Path,
        progress: Callable[[Phase, int, int | None], None],
        on_cursor: Callable[[Connection | None], None],
    ) -> list[_Part]:
        """Write `datasets` into `scratch`, all as of one commit."""
        request, parts = _export_request(job), list[_Part]()
        with self._store.reading() as cursor:
            on_cursor(cursor)
            try:
                cursor.execute("BEGIN")
                for dataset, target in zip(datasets, targets, strict=True):
                    progress(Phase.EXPORT, len(parts), len(datasets))
                    part = scratch / f"{len(parts)}.part"
                    parts.append(self._write(cursor, job.job, request, dataset, part, target))
                cursor.execute("COMMIT")
            finally:
                on_cursor(None)
        return parts

    def _write(
        self,
        cursor: Connection,
        job: int,
        request: ExportRequest,
        dataset: Dataset,
        part: Path,
        target: Path,
    ) -> _Part:
        selection = self._selection(dataset, request)
        rows = _write(cursor, selection, request.format, part)
        record = self._remember(cursor, job, selection, request, part, rows)
        return _Part(dataset, part, target, rows, record)

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

    def _remember(
        self,
        cursor: Connection,
        job: int,
        selection: Selection,
        request: ExportRequest,
        part: Path,
        rows: int,
    ) -> ExportRecord | None:
        """Keep what the export in `part` is; None where it can't come back.

        Rows that do not say which they are can't be told again, and no rows have nothing to say.
        """
        dataset, fields = selection.dataset, tuple(field.name for field in selection.columns)
        if not rows or not set(dataset.primary_key) <= set(fields):
            return None
        keys = part.with_suffix(".keys")
        with filtering(request.where):
            digest = write_keys(cursor, selected(cursor, selection), keys)
        bounds = {"where": request.where, "from": request.from_, "until": request.until}
        record = ExportRecord(
            export=job,
            dataset=dataset.name,
            commit=_commit(cursor, selection),
            format=request.format,
            fields=fields,
            filter={name: text for name, text in bounds.items() if text},
            rows=rows,
            keys=digest,
            sha256=digest_of(part),
        )
        self._records.write(record, keys)
        return record

    def _targets(self, job: int, request: ExportRequest, names: Sequence[str]) -> list[Path]:
        suffix = request.format
        if request.package:
            place = request.to or str(self._home.exports / f"{request.package}-{job}")
            return [_folder(Path(place)) / f"{name}.{suffix}" for name in names]
        if request.to is None:
            return [self._home.exports / f"{name}-{job}.{suffix}" for name in request.datasets]
        target = Path(request.to)
        if target.is_dir():
            return [target / f"{name}.{suffix}" for name in request.datasets]
        if len(request.datasets) > 1:
            raise UsageError(
                "target-not-a-directory",
                f"{target} is not a directory, and {len(request.datasets)} datasets are exported.",
                hint="Give a directory with --to, or export one dataset at a time.",
            )
        if not target.parent.is_dir():
            raise InputError(
                "target-missing",
                f"The directory {target.parent} does not exist.",
                hint="Make it, or export somewhere else.",
            )
        return [target]


def _folder(folder: Path) -> Path:
    """The folder that a package is written into, made if need be."""
    try:
        folder.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    except OSError as error:
        raise InputError(
            "target-unwritable",
            f"The folder {folder} can't be made.",
            f"{error.strerror or error}.",
            "Name another folder with --to; the one around it has to be there.",
        ) from error
    return folder


def _deliver_package(package: Package, parts: Sequence[_Part], kind: str) -> None:
    """Put files of the datasets that hold rows in place, and what describes them.

    A file without rows can't be read back, so there is one only where none of them has any.
    """
    filled = [part for part in parts if part.rows] or list(parts)
    for part in parts:
        if part in filled:
            part.deliver()
        else:
            part.withdraw()
    folder = parts[0].target.parent
    try:
        write_descriptor(folder, package, [part.dataset for part in filled], kind)
    except OSError as error:
        raise _unwritable(folder, error) from error


@dataclass(frozen=True)
class _Part:
    """One dataset's file, written but not in place yet."""

    dataset: Dataset
    path: Path
    target: Path
    rows: int
    record: ExportRecord | None

    def deliver(self) -> None:
        """Put it in place. Raises InputError."""
        _deliver(self.path, self.target)
        if self.record:
            write_sidecar(self.record, self.target)

    def withdraw(self) -> None:
        """Take away what an earlier export left in its place."""
        self.target.unlink(missing_ok=True)
        sidecar(self.target).unlink(missing_ok=True)


def _write(cursor: Connection, selection: Selection, kind: str, path: Path) -> int:
    query = f"SELECT * FROM ({selected(cursor, selection)}) {order_by(selection)}"
    with filtering(selection.where):
        return WRITERS[kind](cursor, query, selection.columns, path)


def _commit(cursor: Connection, selection: Selection) -> int:
    if selection.as_of is None:
        return head(cursor)
    return commit_as_of(cursor, selection.as_of, selection.timezone)


def _export_request(job: Job) -> ExportRequest:
    if not isinstance(job.request, ExportRequest):
        raise TypeError(f"job {job.job} is no export")
    return job.request


def _deliver(part: Path, target: Path) -> None:
    """Put the finished file in place; an earlier one of that name is replaced as a whole."""
    partial = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(part, partial)
        partial.chmod(PRIVATE_FILE)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(
        "target-unwritable",
        f"{target} can't be written.",
        f"{error.strerror or error}.",
        "Check the directory's rights and the space left, or choose another place.",
    )
