"""Where files go when their job ends, and where reject files are put (design section 5)."""

from __future__ import annotations

import filecmp
import logging
import stat
import zlib
from pathlib import Path

from dataport.core.errors import DataportError
from dataport.core.paths import PRIVATE_DIRECTORY, Home
from dataport.daemon.inboxes.names import free_name, move_into
from dataport.engine.exporting.records import sidecar
from dataport.engine.importing.targets import import_request
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job, part_directory
from dataport.engine.requests import ImportRequest
from dataport.engine.staging.reject_file import has_rejects, write_reject_file
from dataport.engine.staging.reject_layout import rejects_of
from dataport.engine.staging.request import (
    ALL_REJECTS_CSV,
    REJECTS_CSV,
    StageResult,
    read_stage,
)

log = logging.getLogger(__name__)

DONE, FAILED = "done", "failed"


def dispose(home: Home, job: Job) -> None:
    """Move an ended job's file out of its inbox, unless it has changed since it was read."""
    folder, job_disposal = job.inbox, job.disposal
    job.disposal = None
    if not folder or not job_disposal:
        return
    if job.parts and import_request(job).sources == (job.file,) and Path(job.file or "").is_dir():
        _dispose_folder(home.inbox(folder), job_disposal, job)
        return
    for part in job.members:
        _dispose(home.inbox(folder), job_disposal, job, part)


def _dispose_folder(inbox: Path, disposal: str, job: Job) -> None:
    """Move the folder of a package, unless a file in it has changed since it was read."""
    folder = Path(job.file or "")
    if not folder.is_relative_to(inbox):
        return
    for part in job.parts:
        path = Path(part.file or "")
        if part.identity is not None and path.is_file() and part.identity != identity(path):
            log.info("Job %d: %s has changed since and stays in the inbox.", job.job, path.name)
            return
    target = free_name(inbox / f".{disposal}", folder.name)
    try:
        target.parent.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        folder.rename(target)
    except OSError as error:
        log.warning("Job %d: %s can't be moved to %s: %s", job.job, folder, target, error)
        job.notices.append(f"{folder.name} is still in the inbox: {error.strerror}.")
        return
    log.info("Job %d: %s is now %s.", job.job, folder.name, target)


def _dispose(inbox: Path, disposal: str, job: Job, part: JobPart) -> None:
    path = Path(part.file or "")
    if not path.is_relative_to(inbox) or not path.is_file():
        return
    if part.identity is not None and part.identity != identity(path):
        log.info("Job %d: %s has changed since and stays in the inbox.", job.job, path.name)
        return
    target = inbox / f".{disposal}"
    try:
        target.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        moved = move_into(path, target)
        if sidecar(path).is_file():
            sidecar(path).replace(sidecar(moved))
    except OSError as error:
        log.warning("Job %d: %s can't be moved to %s: %s", job.job, path, target, error)
        job.notices.append(f"{path.name} is still in the inbox: {error.strerror}.")
        return
    log.info("Job %d: %s is now %s.", job.job, path.name, moved)


def put_rejects(home: Home, job: Job) -> None:
    """Write the rejected rows next to the sources, in the inbox's own folder for an inbox.

    A file that was written before the merge rejected rows too is replaced, unless somebody has
    begun to mend it.
    """
    for part in job.members:
        _put_rejects(home, job, part)


def _put_rejects(home: Home, job: Job, part: JobPart) -> None:
    directory = part_directory(home, job, part)
    staged = read_stage(directory)
    if staged is None or not has_rejects(directory, staged):
        return
    if part.rejects_file and _is_whole(Path(part.rejects_file), directory, staged):
        return
    source = Path(part.file or "file")
    beside = home.inbox(job.inbox) / ".rejects" if job.inbox else source.parent
    for place in (beside, home.root / "rejects"):
        try:
            place.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
            target = free_name(place, f"{_plain_stem(source, part, job)}.rejects.csv")
            write_reject_file(directory, staged, target)
        except OSError as error:
            log.info("Rejects of job %d can't be written to %s: %s", job.job, place, error)
            continue
        part.rejects_file = str(target)
        return
    raise DataportError(
        "rejects-unwritable",
        "The rejected rows can't be written down.",
        f"Neither {beside} nor {home.root} can be written.",
        "Check the rights of both and the space left, then retry the job.",
    )


def _is_whole(written: Path, directory: Path, staged: StageResult) -> bool:
    """Whether a job's reject file holds all its rejected rows, if need be from now on."""
    if not (directory / ALL_REJECTS_CSV).is_file():
        return True
    try:
        if not filecmp.cmp(written, directory / REJECTS_CSV, shallow=False):
            return False
        return write_reject_file(directory, staged, written)
    except OSError:
        return False


def sources_now(home: Home, job: Job, request: ImportRequest) -> dict[str, object]:
    """Where what an ended job was to read lies now, as keys of its request."""
    found = tuple(str(_source_now(home, job, Path(source))) for source in request.sources)
    return {"paths": found} if request.paths else {"path": found[0]}


def _source_now(home: Home, job: Job, path: Path) -> Path:
    """Where a file or folder lies: where it was, or moved aside."""
    if path.exists() or not job.inbox:
        return path
    for folder in (FAILED, DONE):
        aside = home.inbox(job.inbox) / f".{folder}" / path.name
        if aside.exists():
            return aside
    return path


def _plain_stem(source: Path, part: JobPart, job: Job) -> str:
    """`leads` of `leads.csv`, and of the `leads.rejects.csv` that was fixed and dropped back.

    Of one of several tables it is the dataset, by which it is known when it is dropped back.
    """
    if job.parts and (part.inside is not None or part.tables):
        return str(part.dataset)
    return rejects_of(source.name) or source.stem


def _inside(folder: Path) -> dict[str, int]:
    """What tells apart two states of what lies in a folder."""
    inside = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    names = zlib.crc32("/".join(name for name, _ in inside).encode())
    return {"names": names, "mtime_ns": max((time for _, time in inside), default=0)}


def identity(path: Path, *, with_files: bool = False) -> dict[str, int]:
    """What a job remembers to tell whether its file is still the same.

    A directory is the same whatever is put into it, unless it is taken for its files. Raises
    OSError.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return {"inode": status.st_ino, **(_inside(path) if with_files else {})}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "inode": status.st_ino}
