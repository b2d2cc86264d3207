"""Members of an import: each a dataset, the file that its rows come from, and where they go.

A file for one dataset is an import of one member. The files of a package are told apart by their
names, and its members stand in the order in which they are merged: what a row refers to comes
before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataport.core.errors import InputError, UsageError
from dataport.core.paths import DESCRIPTOR, SIDECAR, Home
from dataport.core.words import OnMatch
from dataport.engine.catalog.documents import Layout
from dataport.engine.catalog.mappings import MappingFile
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, find_package, in_order
from dataport.engine.importing.belonging import needs_look
from dataport.engine.importing.targets import (
    Target,
    check_words,
    import_request,
    list_path,
    resolve_target,
    target_of,
)
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job, part_directory
from dataport.engine.requests import DEFAULT_SOURCE
from dataport.engine.staging.reject_layout import rejects_of


@dataclass(frozen=True)
class Member:
    """One dataset's part of an import."""

    part: JobPart
    target: Target
    directory: Path
    """Where its file is staged."""


def resolve_members(
    job: Job,
    home: Home,
    datasets: Mapping[str, Dataset],
    packages: Mapping[str, Package],
    mappings: Mapping[str, MappingFile],
) -> tuple[Member, ...]:
    """Where each of the job's files belongs, in the order of merging; it is noted on the job.

    Files are told apart once, when the job is new: one that waits keeps those that were read.
    Nothing where only a look into the file can tell: see `belonging`.
    Raises NotFoundError `unknown-dataset` or `unknown-package`, UsageError for files that belong
    to no member or to several, InputError for a folder that can't be read.
    """
    request = import_request(job)
    job.inbox, job.source = request.inbox, request.source or DEFAULT_SOURCE
    job.file = _place(request.sources)
    check_words(request)
    if request.package is not None:
        find_package(packages, request.package)
    is_open = not (job.dataset or job.parts) and needs_look(request, packages, mappings)
    if is_open:
        return ()
    if request.package is None and not job.parts:
        target = resolve_target(job, datasets, mappings)
        return (Member(job, target, part_directory(home, job, job)),)
    if not job.parts:
        package = find_package(packages, str(request.package))
        paths, left_out = _files(request.sources)
        files = _files_by_dataset(package, paths)
        job.notices += [_left_out_notice(path) for path in left_out]
        job.parts = [
            JobPart(dataset=name, source=job.source, file=str(files[name]))
            for name in in_order(files, datasets)
        ]
    members = []
    for part in job.parts:
        on_match = OnMatch(job.on_match) if job.on_match else None
        target = target_of(request, part, datasets, mappings, on_match)
        layout = _layout(packages.get(request.package or job.package or ""), part)
        if layout is not None:
            target = replace(target, layout=layout, candidates=())
        members.append(Member(part, target, part_directory(home, job, part)))
    return tuple(members)


def _layout(package: Package | None, part: JobPart) -> Layout | None:
    """How the rows of a part lie in its document, where its package tells."""
    member = package.member(str(part.dataset)) if package and not part.mapping else None
    path = list_path(part)
    return package.layout(member) if package and member and path in member.paths else None


def parcels_of(package: Package, paths: Iterable[Path]) -> list[list[Path]]:
    """Files that may be imported together: of each dataset one, the first ones first.

    A file that belongs nowhere is alone, so that its job can say so.
    """
    parcels: list[dict[str, Path]] = []
    strays: list[list[Path]] = []
    for path in paths:
        owners = package.owners(path.name)
        if len(owners) != 1:
            strays.append([path])
            continue
        free = next((parcel for parcel in parcels if owners[0] not in parcel), None)
        if free is None:
            free = {}
            parcels.append(free)
        free[owners[0]] = path
    return [*(list(parcel.values()) for parcel in parcels), *strays]


def _place(sources: Sequence[str]) -> str:
    """What names all the files at once: the only one, or the folder of the first."""
    return sources[0] if len(sources) == 1 else str(Path(sources[0]).parent)


def _files_by_dataset(package: Package, paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        dataset = _owner(package, path)
        if found.setdefault(dataset, path) != path:
            raise UsageError(
                "two-files-of-one-dataset",
                f"{found[dataset].name} and {path.name} are both of {dataset}.",
                "An import of a package takes one file a dataset.",
                "Import one of them later, or by itself with --dataset.",
            )
    if not found:
        raise InputError(
            "no-files",
            f"There is no file of the package {package.name}.",
            hint=package.told_files,
        )
    return found


def _files(sources: Iterable[str]) -> tuple[list[Path], list[Path]]:
    """The files that were named, and those in folders that were; each once, in order.

    Besides them the reject files that such folders hold, which only a name of their own takes in.
    Raises InputError `file-not-found`.
    """
    files: dict[Path, None] = {}
    left_out: dict[Path, None] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise InputError(
                "file-not-found", f"There is no file {source}.", hint="Check the path."
            )
        inside = _inside(source) if source.is_dir() else [source]
        rejects = _reject_files(inside) if source.is_dir() else []
        files.update(dict.fromkeys(path for path in inside if path not in rejects))
        left_out.update(dict.fromkeys(rejects))
    return list(files), [path for path in left_out if path not in files]


def _reject_files(paths: Sequence[Path]) -> list[Path]:
    """Those of a folder's files that hold the rejected rows of another of them."""
    rejects = {path: stem for path in paths if (stem := rejects_of(path.name)) is not None}
    stems = {path.stem for path in paths if path not in rejects}
    return [path for path, stem in rejects.items() if stem in stems]


def _left_out_notice(path: Path) -> str:
    return (
        f"{path.name} is left out: it holds rows that an import of the folder rejected. To import"
        " it, name the file itself."
    )


def _inside(folder: Path) -> list[Path]:
    """What a folder holds, but for what is hidden or only describes the rest."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            "file-unreadable", f"The folder {folder} can't be read.", error.strerror or ""
        ) from error
    return [
        path
        for path in entries
        if not path.name.startswith((".", "~"))
        and not path.name.lower().endswith(SIDECAR)
        and path.name.lower() != DESCRIPTOR
    ]


def _owner(package: Package, path: Path) -> str:
    owners = package.owners(path.name)
    if len(owners) == 1:
        return owners[0]
    if owners:
        raise UsageError(
            "ambiguous-file",
            f"{path.name} could be of {' or '.join(owners)}.",
            "The package tells files apart by their names.",
            f"Rename it, as in {owners[0]}{path.suffix}.",
        )
    raise UsageError(
        "not-in-package",
        f"{path.name} belongs to no dataset of the package {package.name}.",
        "The package tells files apart by their names.",
        package.told_files,
    )
