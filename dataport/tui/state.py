"""What the API's documents say, as small frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dataport.core.errors import DataportError, error_from_dict
from dataport.core.words import ConflictStatus, JobStatus

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far one phase of a job is."""

    phase: str
    processed: int
    total: int | None
    """None while nobody knows how much there is."""
    rate: float
    """Rows a second."""
    eta_s: float | None

    @property
    def fraction(self) -> float | None:
        return min(1.0, self.processed / self.total) if self.total else None

    @classmethod
    def of(cls, document: Document | None) -> Self | None:
        if not document:
            return None
        return cls(
            phase=str(document.get("phase") or ""),
            processed=int(document.get("processed") or 0),
            total=document.get("total"),
            rate=float(document.get("rate") or 0.0),
            eta_s=document.get("eta_s"),
        )


@dataclass(frozen=True)
class Job:
    """One unit of background work."""

    number: int
    kind: str
    status: str
    dataset: str
    source: str
    file: str
    """The file read, or written by an export; a path."""
    inbox: str
    origin: str
    rows: Mapping[str, int]
    """Empty before the counts are known."""
    changes: Mapping[str, int]
    commit: int | None
    rejects_file: str
    elapsed_s: float
    created: str
    started: str
    finished: str
    mode: str
    on_match: str
    phase: str
    progress: Progress | None
    message: str
    notices: tuple[str, ...]
    error: DataportError | None
    datasets: tuple[str, ...] = ()
    """Of an import of a package: those that it has files of."""

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL

    @property
    def is_running(self) -> bool:
        return self.status == JobStatus.PROCESSING

    @property
    def is_waiting(self) -> bool:
        return self.status == JobStatus.WAITING

    @property
    def rejected(self) -> int:
        return self.rows.get("rejected") or 0

    @classmethod
    def of(cls, document: Document) -> Self:
        error, items = document.get("error"), document.get("items") or ()
        said = [f"{item['dataset']}: {text}" for item in items for text in item["notices"]]
        return cls(
            number=int(document["job"]),
            kind=str(document.get("kind") or "import"),
            status=str(document["status"]),
            dataset=str(document.get("dataset") or document.get("package") or ""),
            source=str(document.get("source") or ""),
            file=str(document.get("file") or ""),
            inbox=str(document.get("inbox") or ""),
            origin=str(document.get("origin") or ""),
            rows=dict(document.get("rows") or {}),
            changes=dict(document.get("changes") or {}),
            commit=document.get("commit"),
            rejects_file=str(document.get("rejects_file") or ""),
            elapsed_s=float(document.get("elapsed_s") or 0.0),
            created=str(document.get("created") or ""),
            started=str(document.get("started") or ""),
            finished=str(document.get("finished") or ""),
            mode=str(document.get("mode") or ""),
            on_match=str(document.get("on_match") or ""),
            phase=str(document.get("phase") or ""),
            progress=Progress.of(document.get("progress")),
            message=str(document.get("message") or ""),
            notices=tuple(str(notice) for notice in (*(document.get("notices") or ()), *said)),
            error=error_from_dict(error) if error else None,
            datasets=tuple(str(item["dataset"]) for item in items),
        )


_FINAL = frozenset(status for status in JobStatus if status.is_final)


@dataclass(frozen=True)
class Waiting:
    """What waits for a person, by kind."""

    approvals: int = 0
    conflicts: int = 0
    mappings: int = 0
    rejects: int = 0

    @property
    def total(self) -> int:
        return self.approvals + self.conflicts + self.mappings + self.rejects


@dataclass(frozen=True)
class Status:
    """What the daemon does and what waits for a person."""

    pid: int
    version: str
    state: str
    home: str
    waiting: Waiting
    running: tuple[Job, ...]
    inboxes: int
    config_error: DataportError | None

    @classmethod
    def of(cls, document: Document) -> Self:
        waiting = document.get("waiting") or {}
        config_error = document.get("config_error")
        return cls(
            pid=int(document.get("pid") or 0),
            version=str(document.get("version") or ""),
            state=str(document.get("state") or ""),
            home=str(document.get("home") or ""),
            waiting=Waiting(
                approvals=int(waiting.get("approvals") or 0),
                conflicts=int(waiting.get("conflicts") or 0),
                mappings=int(waiting.get("mappings") or 0),
                rejects=int(waiting.get("rejects") or 0),
            ),
            running=tuple(Job.of(job) for job in document.get("running") or ()),
            inboxes=int(document.get("inboxes") or 0),
            config_error=error_from_dict(config_error) if config_error else None,
        )


@dataclass(frozen=True)
class Inbox:
    """A watched folder and what happens to the files dropped there."""

    name: str
    path: str
    target: str
    """Its dataset or package."""
    source: str
    mode: str
    on_match: str
    hold: bool

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(
            name=str(document["name"]),
            path=str(document.get("path") or ""),
            target=str(document.get("dataset") or document.get("package") or ""),
            source=str(document.get("source") or ""),
            mode=str(document.get("mode") or ""),
            on_match=str(document.get("on_match") or ""),
            hold=bool(document.get("hold")),
        )


@dataclass(frozen=True)
class PlanRow:
    """What a plan does to one row, with the row before and after."""

    key: str
    operation: str
    line: int | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    changed: tuple[str, ...]
    conflicts: tuple[str, ...]
    is_excluded: bool
    """A person left it out: it will not be applied."""
    raw_key: str
    """The key as the API writes it."""
    dataset: str = ""
    inside: str = ""
    """The table that the line is one of, where the file holds several."""

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(
            key=key_text(document.get("key")),
            operation=str(document["operation"]),
            line=document.get("line"),
            before=document.get("before"),
            after=document.get("after"),
            changed=tuple(document.get("changed") or ()),
            conflicts=tuple(document.get("conflicts") or ()),
            is_excluded=bool(document.get("excluded")),
            raw_key=str(document.get("key")),
            dataset=str(document.get("dataset") or ""),
            inside=str(document.get("inside") or ""),
        )


@dataclass(frozen=True)
class PlanPage:
    """One window of a plan's rows and the counts of the whole plan."""

    job: int
    dataset: str
    counts: Mapping[str, int]
    total: int
    """Rows that the filter lets through, in all windows together."""
    next: str | None
    """Cursor of the window after this one."""
    rows: tuple[PlanRow, ...]

    @classmethod
    def of(cls, document: Document) -> Self:
        following = document.get("next")
        return cls(
            job=int(document["job"]),
            dataset=str(document.get("dataset") or ""),
            counts=dict(document.get("counts") or {}),
            total=int(document.get("total") or 0),
            next=None if following is None else str(following),
            rows=tuple(PlanRow.of(row) for row in document.get("items") or ()),
        )


@dataclass(frozen=True)
class Reject:
    """One failed check of one row."""

    line: int | None
    row: int | None
    field: str
    code: str
    message: str
    value: Any
    dataset: str = ""
    inside: str = ""
    """The table that the line is one of, where the file holds several."""

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(
            line=document.get("line"),
            row=document.get("row"),
            field=str(document.get("field") or ""),
            code=str(document.get("code") or ""),
            message=str(document.get("message") or ""),
            value=document.get("value"),
            dataset=str(document.get("dataset") or ""),
            inside=str(document.get("inside") or ""),
        )


@dataclass(frozen=True)
class Conflict:
    """A field, or a row, that store and source both changed since the base."""

    number: int
    dataset: str
    key: str
    field: str | None
    """None where the whole row is in question."""
    kind: str
    base: Any
    ours: Any
    theirs: Any
    source: str
    job: int | None
    file: str
    line: int | None
    status: str
    time: str
    merged: Any = None
    """What a row would become that breaks a rule, and so waits as a whole."""
    violations: tuple[str, ...] = ()
    """The rules that it would break, each as a sentence."""

    @property
    def is_row(self) -> bool:
        return self.field is None

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(
            number=int(document["id"]),
            dataset=str(document.get("dataset") or ""),
            key=key_text(document.get("key")),
            field=document.get("field"),
            kind=str(document.get("kind") or ""),
            base=document.get("base"),
            ours=document.get("ours"),
            theirs=document.get("theirs"),
            source=str(document.get("source") or ""),
            job=document.get("job"),
            file=str(document.get("file") or ""),
            line=document.get("line"),
            status=str(document.get("status") or ConflictStatus.OPEN),
            time=str(document.get("time") or ""),
            merged=document.get("merged"),
            violations=tuple(str(each["message"]) for each in document.get("violations") or ()),
        )


@dataclass(frozen=True)
class Link:
    """How the app stands with the daemon."""

    state: str = "connecting"
    """connecting, starting, ready, draining or gone."""
    reason: str = ""
    version: str = ""
    pid: int = 0

    @property
    def is_up(self) -> bool:
        return self.state in ("ready", "starting", "draining")


@dataclass(frozen=True)
class Changes:
    """What a burst of events told, each job once with its newest state."""

    jobs: Mapping[int, Job] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    open_conflicts: int | None = None
    """Open conflicts in the whole home, where an event told."""


def key_text(key: Any) -> str:
    """A record's key as people read it: the value, several joined by a middle dot."""
    if isinstance(key, list | tuple):
        return " · ".join(str(part) for part in key)
    return "" if key is None else str(key)
