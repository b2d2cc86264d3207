"""Where a file belongs: an import's request with its words checked and its defaults filled in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataport.core.errors import InputError, NotFoundError, UsageError
from dataport.core.settings import Inbox
from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.jobs import Job
from dataport.engine.requests import DEFAULT_SOURCE, ImportRequest

FORMATS = ("csv", "txt", "json")


@dataclass(frozen=True)
class Target:
    """What a request means once inbox, settings and defaults are applied."""

    dataset: Dataset
    source: str
    mode: Mode
    on_match: OnMatch
    is_held: bool
    is_strict: bool

    def signature(self) -> str:
        """Tells apart imports of one file that would not do the same."""
        parts = [self.mode, self.on_match, self.dataset.model_dump_json(by_alias=True)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def import_request(job: Job) -> ImportRequest:
    """What an import job was asked for."""
    if not isinstance(job.request, ImportRequest):
        raise TypeError(f"job {job.job} is no import")
    return job.request


def resolve_target(job: Job, inboxes: Iterable[Inbox], datasets: Mapping[str, Dataset]) -> Target:
    """Where the job's file belongs; what is known of it is noted on the job first.

    Raises NotFoundError `unknown-dataset`, InputError `unknown-target`.
    """
    request = import_request(job)
    inbox = next((inbox for inbox in inboxes if inbox.name == request.inbox), None)
    job.file, job.inbox = request.path, inbox.name if inbox else None
    job.source = request.source or (inbox.source if inbox else DEFAULT_SOURCE)
    job.dataset = request.dataset or (inbox.dataset if inbox else None)
    check_words(request)
    if request.package or (inbox and inbox.package and not job.dataset):
        package = request.package or (inbox.package if inbox else None)
        raise NotFoundError(
            "unknown-package",
            f"There is no package called {package!r}.",
            hint="Import into one dataset with --dataset.",
        )
    if not job.dataset:
        raise _unknown_target(request, datasets)
    return Target(
        dataset=find_dataset(datasets, job.dataset),
        source=job.source,
        mode=request.mode or (inbox.mode if inbox else Mode.MERGE),
        on_match=request.on_match or (inbox.on_match if inbox else OnMatch.MERGE),
        is_held=request.hold or bool(inbox and inbox.hold),
        is_strict=request.strict or bool(inbox and inbox.strict),
    )


def check_words(request: ImportRequest) -> None:
    """Refuse what can't be done before anything is read (EXF-10's rule, for the way in)."""
    if request.format is not None and request.format not in FORMATS:
        raise UsageError(
            "unknown-format",
            f"Unsupported import format: {request.format!r}.",
            hint=f"Valid: {', '.join(FORMATS)}; or leave it out, and the content decides.",
        )
    if request.mapping is not None:
        raise NotFoundError(
            "unknown-mapping",
            f"There is no mapping called {request.mapping!r}.",
            hint="Leave it out: columns are found by name, title and alias.",
        )


def _unknown_target(request: ImportRequest, datasets: Mapping[str, Dataset]) -> InputError:
    return InputError(
        "unknown-target",
        f"Where {Path(request.path).name} belongs was not said.",
        hint=f"Add --dataset NAME; known datasets: {', '.join(sorted(datasets))}.",
    )
