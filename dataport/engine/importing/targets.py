"""Where a file belongs: an import's request with its words checked and its defaults filled in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dataport.core.errors import NotFoundError, UsageError
from dataport.core.settings import Inbox
from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.documents import Layout
from dataport.engine.catalog.load import find_dataset, find_field
from dataport.engine.catalog.mappings import MappingFile, find_mapping
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package
from dataport.engine.catalog.parents import with_parent_rules
from dataport.engine.export_sources import as_of_source, check_source
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.requests import DEFAULT_SOURCE, NO_BASE, ImportRequest
from dataport.engine.staging import sniff
from dataport.engine.staging.detect import candidates
from dataport.engine.staging.look import JOINT

FORMATS = tuple(dict.fromkeys(sniff.FORMATS.values()))


@dataclass(frozen=True)
class Target:
    """What a request means once inbox, settings and defaults are applied."""

    dataset: Dataset
    source: str
    mode: Mode
    on_match: OnMatch
    is_held: bool
    is_strict: bool
    inside: str | None = None
    """Which table of the file."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What every row has, by field (IMF-02)."""
    mapping: MappingFile | None = None
    """How its columns become fields, where that was said or found."""
    candidates: tuple[MappingFile, ...] = ()
    """Else: mappings of which the header may tell that it is theirs."""
    header_line: int | None = None
    """As of a StageRequest."""
    date_order: str | None = None
    """As of a StageRequest."""
    layout: Layout | None = None
    """As of a StageRequest."""

    def signature(self) -> str:
        """Tells apart imports of one file that would not do the same."""
        parts = [self.mode, self.on_match, self.dataset.model_dump_json(by_alias=True)]
        parts += [self.inside] if self.inside is not None else []
        parts += [json.dumps(self.values, sort_keys=True)] if self.values else []
        parts += self.mapping_documents
        parts += [self.date_order] if self.date_order else []
        parts += [f"header-line {self.header_line}"] if self.header_line else []
        parts += [json.dumps(asdict(self.layout))] if self.layout else []
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def mapping_documents(self) -> list[str]:
        """All that decides how columns become fields, as text."""
        known = self.candidates if self.mapping is None else (self.mapping,)
        return [mapping.model_dump_json(exclude_defaults=True) for mapping in known]


def import_request(job: Job) -> ImportRequest:
    """What an import job was asked for."""
    if not isinstance(job.request, ImportRequest):
        raise TypeError(f"job {job.job} is no import")
    return job.request


def completed_request(
    request: ImportRequest, inboxes: Iterable[Inbox], packages: Mapping[str, Package]
) -> ImportRequest:
    """`request` with everything filled in that its inbox, its package or a default says.

    What a job is asked for is settled when it is asked, so that a retry does the same after the
    inbox was changed or removed. Raises NotFoundError `unknown-inbox`, UsageError
    `reserved-source`. The source stays open where the mapping that is found may say it, and what
    happens on a match where the package that is found may.
    """
    filled: dict[str, object] = {
        "mode": request.mode or Mode.MERGE,
        "on_match": request.on_match,
    }
    if request.inbox is not None:
        inbox = _find_inbox(request.inbox, inboxes)
        if request.dataset is None and request.package is None:
            filled |= {"dataset": inbox.dataset, "package": inbox.package}
        filled |= {
            "source": request.source or inbox.source,
            "mode": request.mode or inbox.mode,
            "on_match": request.on_match or _said(inbox),
            "mapping": request.mapping or inbox.mapping,
            "hold": request.hold or inbox.hold,
            "strict": request.strict or inbox.strict,
        }
    package = packages.get(str(filled.get("package", request.package)))
    default = package.on_match if package else OnMatch.MERGE
    source, dataset = filled.get("source", request.source), filled.get("dataset", request.dataset)
    is_two_way = request.base not in (None, NO_BASE)
    if package is not None or dataset is not None or is_two_way:
        filled["on_match"] = filled["on_match"] or default
    if source is None and dataset is not None:
        source = DEFAULT_SOURCE
    if source is not None:
        check_source(str(source))
    return request.model_copy(update={**filled, "source": source})


def _said(inbox: Inbox) -> OnMatch | None:
    """What an inbox itself says about matches; None where it leaves that to its package."""
    return inbox.on_match if "on_match" in inbox.model_fields_set else None


def resolve_target(
    job: Job, datasets: Mapping[str, Dataset], mappings: Mapping[str, MappingFile]
) -> Target:
    """Where the job's file belongs; what is known of it is noted on the job first.

    Raises NotFoundError `unknown-dataset` or `unknown-mapping`, UsageError `unknown-target`.
    """
    request = import_request(job)
    job.file = request.sources[0]
    job.mapping = request.mapping or job.mapping
    mapping = find_mapping(mappings, job.mapping) if job.mapping else None
    job.source = source_of(request, mapping)
    job.dataset = request.dataset or job.dataset or (mapping.dataset if mapping else None)
    job.inside = request.inside or job.inside
    if not job.dataset:
        raise unknown_target(request, datasets)
    if len(request.sources) > 1:
        raise UsageError(
            "several-files",
            f"{len(request.sources)} files were named for one dataset.",
            hint="Import them one by one, or as a package with --package.",
        )
    return target_of(request, job, datasets, mappings)


def source_of(request: ImportRequest, mapping: MappingFile | None) -> str:
    """Who a file comes from: as was said, else as its mapping says."""
    return request.source or (mapping and mapping.source) or DEFAULT_SOURCE


def target_of(
    request: ImportRequest,
    part: JobPart,
    datasets: Mapping[str, Dataset],
    mappings: Mapping[str, MappingFile],
    on_match: OnMatch | None = None,
) -> Target:
    """The target in the dataset of `part`; `on_match` counts where the request leaves it open.

    Raises NotFoundError `unknown-dataset` or `unknown-mapping`, UsageError where the mapping is
    one of another dataset.
    """
    mapping = find_mapping(mappings, part.mapping) if part.mapping else None
    mapping = mapping and with_parent_rules(mapping, mappings)
    commit, source = request.base_commit, source_of(request, mapping)
    dataset = find_dataset(datasets, str(part.dataset))
    if mapping is not None and mapping.dataset != dataset.name:
        raise UsageError(
            "mapping-of-other-dataset",
            f"The mapping {mapping.name} is for {mapping.dataset}, not for {dataset.name}.",
            hint=f"Leave --dataset out, or name a mapping for {dataset.name}.",
        )
    return Target(
        dataset=dataset,
        source=source if commit is None else as_of_source(commit),
        mode=request.mode or Mode.MERGE,
        on_match=request.on_match or on_match or OnMatch.MERGE,
        is_held=request.hold,
        is_strict=request.strict,
        inside=part.inside,
        values=_values(request, dataset),
        mapping=mapping,
        candidates=() if mapping else _candidates(mappings, source, dataset.name),
        header_line=request.header_line,
        date_order=request.date_order,
        layout=mapping.layout if mapping and list_path(part) in mapping.paths else None,
    )


def list_path(part: JobPart) -> str:
    """Which list of a document a part's rows lie in, whatever that is packed in."""
    return (part.inside or next(iter(part.tables), "")).rpartition(JOINT)[2]


def _candidates(
    mappings: Mapping[str, MappingFile], source: str, dataset: str
) -> tuple[MappingFile, ...]:
    """Those that a header alone may tell."""
    found = candidates(mappings.values(), source, dataset)
    return tuple(mapping for mapping in found if not mapping.paths)


def _values(request: ImportRequest, dataset: Dataset) -> dict[str, str]:
    """What every row of `dataset` has: in a package, each member takes the fields that it has.

    Raises UsageError for a field that the dataset does not have.
    """
    if request.package is not None:
        return {name: text for name, text in request.values.items() if name in dataset.field_names}
    for name in request.values:
        if find_field(dataset, name).is_computed:
            raise UsageError(
                "value-is-computed", f"{name!r} follows from other values and can't be set."
            )
    return dict(request.values)


def check_words(request: ImportRequest) -> None:
    """Refuse what can't be done before anything is read (EXF-10's rule, for the way in)."""
    if request.format is not None and request.format not in FORMATS:
        raise UsageError(
            "unknown-format",
            f"Unsupported import format: {request.format!r}.",
            hint=f"Valid: {', '.join(FORMATS)}; or leave it out, and the content decides.",
        )


def unknown_target(
    request: ImportRequest, datasets: Mapping[str, Dataset], detail: str = ""
) -> UsageError:
    """The error of a file that could be of any dataset."""
    return UsageError(
        "unknown-target",
        f"Where {Path(request.sources[0]).name} belongs was not said.",
        detail,
        hint=f"Add --dataset NAME; known datasets: {', '.join(sorted(datasets))}.",
    )


def _find_inbox(name: str, inboxes: Iterable[Inbox]) -> Inbox:
    known = {inbox.name: inbox for inbox in inboxes}
    if name not in known:
        raise NotFoundError(
            "unknown-inbox",
            f"There is no inbox called {name!r}.",
            hint=f"Inboxes: {', '.join(sorted(known)) or 'none'}.",
        )
    return known[name]
