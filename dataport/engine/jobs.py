"""Jobs: units of background work, recorded so that they survive a restart (design section 10)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from dataport.core.clock import iso, naive_utc, now
from dataport.core.errors import DataportError, NotFoundError
from dataport.core.paths import Home
from dataport.core.words import JobKind, JobStatus, Origin, Phase
from dataport.engine.job_parts import JobPart, sum_of
from dataport.engine.requests import AnyRequest, BulkRequest, ExportRequest, ImportRequest
from dataport.engine.store import Connection, Store


@dataclass(kw_only=True)
class Job(JobPart):
    """One job as the daemon works on it. `record` is what survives; the rest is live."""

    job: int
    kind: JobKind
    request: AnyRequest
    origin: Origin
    created: datetime
    status: JobStatus = JobStatus.PENDING
    parts: list[JobPart] = field(default_factory=list)
    """Of an import of a package: one a dataset, in the order in which they are merged."""
    package: str | None = None
    """The package that the file turned out to be, where none was named."""
    on_match: str | None = None
    """What that package says of rows that are there already, where nobody else does."""
    inbox: str | None = None
    error: dict[str, str] | None = None
    exit_code: int | None = None
    """What the command line exits with for a job that ended; None before."""
    started: datetime | None = None
    finished: datetime | None = None
    disposal: str | None = None
    """`done` or `failed` while the inbox file still has to be moved there."""
    included: dict[str, int] | None = None
    """Of an export: rows written, by dataset."""
    file_size: int | None = None
    """Of an export: bytes of its file, or of those in its folder."""
    reason: str | None = None
    """What it waits for besides the approval of its plan: `mapping`."""
    planned_at: int | None = None
    """Newest commit when the plan that waits for approval was made."""
    planned_with: str | None = None
    """Digest of what else that plan depends on: definitions and settings."""
    planned_without: str | None = None
    """Digest of what was left out when it was made; None for nothing."""
    phase: Phase = Phase.QUEUED
    processed: int = 0
    total: int | None = None
    phase_started: datetime | None = None
    cancel: threading.Event = field(default_factory=threading.Event)

    STATE = (
        "inside",
        "tables",
        "strays",
        "unread",
        "mapping",
        "mapped_by",
        "columns",
        "package",
        "on_match",
        "reason",
        "rows",
        "changes",
        "rejects_file",
        "message",
        "notices",
        "exit_code",
        "identity",
        "planned_at",
        "planned_with",
        "planned_without",
        "excluded",
        "left_out",
        "returned",
        "included",
        "file_size",
    )

    @property
    def members(self) -> list[JobPart]:
        """What it does, dataset by dataset."""
        return self.parts or [self]

    def add_up(self) -> None:
        """Let its counts be those of its parts."""
        if self.parts:
            self.rows = sum_of(part.rows for part in self.parts)
            self.changes = sum_of(part.changes for part in self.parts)
            self.left_out = sum(part.left_out for part in self.parts)

    def change_nothing(self) -> None:
        """Let the counts of what was only planned be none."""
        for part in (self, *self.parts):
            part.changes = part.changes and dict.fromkeys(part.changes, 0)

    def advance(self, phase: Phase, processed: int = 0, total: int | None = None) -> None:
        """Note how far the work is; counts start again with each phase."""
        if phase is not self.phase:
            self.phase_started = now()
        self.phase, self.processed, self.total = phase, processed, total

    def end(self, status: JobStatus, error: DataportError | None = None) -> None:
        """Note the outcome and the time."""
        self.status, self.finished = status, now()
        self.error = error.as_dict() if error else None
        self.exit_code = error.exit_code if error else 0
        self.phase = Phase.DONE

    def document(self) -> dict[str, Any]:
        """The job as every front end shows it."""
        return {
            **self._said_of(self),
            "inbox": self.inbox,
            "origin": str(self.origin),
            "created": iso(self.created),
            "started": iso(self.started),
            "finished": iso(self.finished),
            **self._options(),
            "phase": str(self.phase),
            "progress": self._progress(),
            "error": self.error,
            "exit_code": self.exit_code,
        }

    def _said_of(self, part: JobPart) -> dict[str, Any]:
        """The document of the whole job, or the item of one of its parts."""
        until = self.finished or now()
        return {
            "job": self.job,
            "kind": str(self.kind),
            "status": str(self.status),
            **part.part_document(),
            "elapsed_s": round((until - (self.started or until)).total_seconds(), 3),
        }

    def _options(self) -> dict[str, Any]:
        if isinstance(self.request, ExportRequest):
            return {
                "format": self.request.format,
                "package": self.request.package,
                "zip": self.request.is_zipped,
                "file_name": PurePath(self.file).name if self.file else None,
                "file_size": self.file_size,
                "included": self.included,
            }
        if isinstance(self.request, BulkRequest):
            return {
                "action": str(self.request.action),
                "where": self.request.where,
                "set": self.request.values,
                "dry_run": self.request.dry_run,
                "matched": (self.rows or {}).get("matched"),
            }
        items = [{**self._said_of(part), "excluded": part.left_out} for part in self.parts]
        return {
            "package": self.request.package or self.package,
            **({"items": items} if items else {}),
            "excluded": self.left_out,
            **({"reason": self.reason} if self.reason else {}),
            "mode": str(self.request.mode or "merge"),
            "on_match": str(self.request.on_match or self.on_match or "merge"),
            "hold": self.request.hold,
            "dry_run": self.request.dry_run,
        }

    def _progress(self) -> dict[str, Any] | None:
        if self.status is not JobStatus.PROCESSING:
            return None
        seconds = (now() - self.phase_started).total_seconds() if self.phase_started else 0.0
        rate = self.processed / seconds if seconds > 0 and self.processed else None
        left = self.total - self.processed if self.total else None
        return {
            "phase": str(self.phase),
            "processed": self.processed,
            "total": self.total,
            "rate": round(rate, 1) if rate else None,
            "eta_s": round(left / rate, 1) if rate and left is not None else None,
        }


_MODELS: dict[JobKind, type[AnyRequest]] = {
    JobKind.IMPORT: ImportRequest,
    JobKind.EXPORT: ExportRequest,
    JobKind.BULK: BulkRequest,
}

_COLUMNS = (
    "job, kind, status, dataset, source, file, inbox, origin, request, state, error, created,"
    ' started, finished, "commit", disposal'
)


class JobRecords:
    """The table of jobs. Each job has one owner, so its row is never written by two."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        with store.reading() as cursor:
            row = cursor.execute("SELECT coalesce(max(job), 0) FROM store.jobs").fetchone()
        self._last = int(row[0]) if row else 0

    def create(
        self,
        kind: JobKind,
        request: AnyRequest,
        equip: Callable[[Job], None] = lambda _: None,
    ) -> Job:
        """A new pending job, recorded before anything is done for it (SRC-06).

        `equip` puts in place what the job needs besides its request; if it fails there is no job.
        """
        with self._lock:
            self._last += 1
            number = self._last
        job = Job(job=number, kind=kind, request=request, origin=request.origin, created=now())
        equip(job)
        with self._store.noting() as cursor:
            _insert(cursor, job)
        return job

    def save(self, job: Job) -> None:
        """Record the job's present state in a transaction of its own."""
        with self._store.noting() as cursor:
            write_job(cursor, job)

    def get(self, number: int) -> Job:
        """The job with this number. Raises NotFoundError."""
        with self._store.reading() as cursor:
            row = cursor.execute(
                f"SELECT {_COLUMNS} FROM store.jobs WHERE job = ?", [number]
            ).fetchone()
        if row is None:
            raise _unknown(number)
        return _job(row)

    def of_file(self, path: Path) -> list[Job]:
        """Jobs about the file at `path`, newest first."""
        with self._store.reading() as cursor:
            rows = cursor.execute(
                f"SELECT {_COLUMNS} FROM store.jobs WHERE file = ? ORDER BY job DESC", [str(path)]
            ).fetchall()
        return [_job(row) for row in rows]

    def newest(self, status: str | None = None, limit: int | None = None) -> list[Job]:
        """Jobs newest first."""
        with self._store.reading() as cursor:
            rows = cursor.execute(
                f"SELECT {_COLUMNS} FROM store.jobs WHERE $status IS NULL OR status = $status"
                f" ORDER BY job DESC {f'LIMIT {int(limit)}' if limit is not None else ''}",
                {"status": status},
            ).fetchall()
        return [_job(row) for row in rows]

    def unfinished(self) -> list[Job]:
        """Jobs that are not final, or whose inbox file still has to be moved; oldest first."""
        with self._store.reading() as cursor:
            rows = cursor.execute(
                f"SELECT {_COLUMNS} FROM store.jobs WHERE disposal IS NOT NULL"
                " OR status IN ('pending', 'processing', 'waiting') ORDER BY job"
            ).fetchall()
        return [_job(row) for row in rows]


def check_job(cursor: Connection, number: int) -> None:
    """Raise NotFoundError where there is no job with this number."""
    if cursor.execute("SELECT 1 FROM store.jobs WHERE job = ?", [number]).fetchone() is None:
        raise _unknown(number)


def _unknown(number: int) -> NotFoundError:
    return NotFoundError(
        "unknown-job", f"There is no job {number}.", hint="List jobs: dataport jobs."
    )


def write_job(cursor: Connection, job: Job) -> None:
    """Write the job's present state inside the caller's transaction."""
    cursor.execute(
        "UPDATE store.jobs SET status = $status, dataset = $dataset, source = $source,"
        " file = $file, inbox = $inbox, state = $state, error = $error, started = $started,"
        ' finished = $finished, "commit" = $commit, disposal = $disposal WHERE job = $job',
        _values(job),
    )


def _insert(cursor: Connection, job: Job) -> None:
    cursor.execute(
        f"INSERT INTO store.jobs ({_COLUMNS}) VALUES ($job, $kind, $status, $dataset, $source,"
        " $file, $inbox, $origin, $request, $state, $error, $created, $started, $finished,"
        " $commit, $disposal)",
        {
            **_values(job),
            "kind": str(job.kind),
            "origin": str(job.origin),
            "request": job.request.model_dump_json(by_alias=True),
            "created": naive_utc(job.created),
        },
    )


def _values(job: Job) -> dict[str, Any]:
    return {
        "job": job.job,
        "status": str(job.status),
        "dataset": job.dataset,
        "source": job.source,
        "file": job.file,
        "inbox": job.inbox,
        "state": json.dumps(_state(job), ensure_ascii=False),
        "error": json.dumps(job.error, ensure_ascii=False) if job.error else None,
        "started": naive_utc(job.started) if job.started else None,
        "finished": naive_utc(job.finished) if job.finished else None,
        "commit": job.commit,
        "disposal": job.disposal,
    }


def _job(row: tuple[Any, ...]) -> Job:
    number, kind, status, dataset, source, file, inbox, origin, request, state, error = row[:11]
    created, started, finished, commit, disposal = row[11:]
    job = Job(
        job=number,
        kind=JobKind(kind),
        request=_MODELS[JobKind(kind)].model_validate_json(request),
        origin=Origin(origin),
        created=_aware(created),
        status=JobStatus(status),
        dataset=dataset,
        source=source,
        file=file,
        inbox=inbox,
        commit=commit,
        error=json.loads(error) if error else None,
        started=_aware(started) if started else None,
        finished=_aware(finished) if finished else None,
        disposal=disposal,
    )
    for name, value in json.loads(state or "{}").items():
        setattr(job, name, [JobPart(**each) for each in value] if name == "parts" else value)
    if job.status.is_final:
        job.phase = Phase.DONE
    return job


def _state(job: Job) -> dict[str, Any]:
    state = {name: getattr(job, name) for name in Job.STATE}
    return {**state, "parts": [asdict(part) for part in job.parts]}


def part_directory(home: Home, job: Job, part: JobPart) -> Path:
    """Where the files of one part of a job lie until it ends."""
    directory = home.job_staging(job.job)
    return directory / str(part.dataset) if job.parts else directory


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
