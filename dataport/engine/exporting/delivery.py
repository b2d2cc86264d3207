"""Where exported files go, and putting them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataport.core.errors import InputError, UsageError
from dataport.core.files import copy_whole
from dataport.core.paths import PRIVATE_DIRECTORY, Home
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package
from dataport.engine.exporting.descriptor import write_descriptor
from dataport.engine.exporting.records import ExportRecord, sidecar, write_sidecar
from dataport.engine.requests import ExportRequest


@dataclass(frozen=True)
class Part:
    """A file, written but not in place yet."""

    datasets: Sequence[Dataset]
    """Whose rows are in it: one, unless a package has one file for all."""
    path: Path
    target: Path
    rows: int
    records: Sequence[ExportRecord]

    def deliver(self) -> None:
        """Put it in place. Raises InputError."""
        deliver(self.path, self.target)
        if self.records:
            write_sidecar(self.records, self.target)
        else:
            sidecar(self.target).unlink(missing_ok=True)

    def withdraw(self) -> None:
        """Take away what an earlier export left in its place."""
        self.target.unlink(missing_ok=True)
        sidecar(self.target).unlink(missing_ok=True)


def targets_of(home: Home, job: int, request: ExportRequest, names: Sequence[str]) -> list[Path]:
    """A file for each dataset. Raises UsageError or InputError where there can be none."""
    suffix = request.format
    if request.package:
        place = request.to or str(home.exports / f"{request.package}-{job}")
        return [_folder(Path(place)) / f"{name}.{suffix}" for name in names]
    if request.to is None:
        return [home.exports / f"{name}-{job}.{suffix}" for name in names]
    target = Path(request.to)
    if target.is_dir():
        return [target / f"{name}.{suffix}" for name in names]
    if len(names) > 1:
        raise UsageError(
            "target-not-a-directory",
            f"{target} is not a directory, and {len(names)} datasets are exported.",
            hint="Give a directory with --to, or export one dataset at a time.",
        )
    return [_checked(target)]


def bundle_target(home: Home, job: int, request: ExportRequest) -> Path:
    """The one file of a package. Raises InputError where there can be none (EXF-12)."""
    suffix = f".{request.format}"
    if request.to is None:
        return home.exports / f"{request.package}-{job}{suffix}"
    target = Path(request.to)
    if target.is_dir():
        return target / f"{request.package}{suffix}"
    return _checked(target if target.suffix else target.with_name(target.name + suffix))


def _checked(target: Path) -> Path:
    """A path whose folder is there. Raises InputError."""
    if not target.parent.is_dir():
        raise InputError(
            "target-missing",
            f"The directory {target.parent} does not exist.",
            hint="Make it, or export somewhere else.",
        )
    return target


def deliver_package(package: Package, parts: Sequence[Part], kind: str) -> None:
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
    datasets = [dataset for part in filled for dataset in part.datasets]
    try:
        write_descriptor(folder, package, datasets, kind)
    except OSError as error:
        raise _unwritable(folder, error) from error


def deliver(part: Path, target: Path) -> None:
    """Put a finished file in place; an earlier one of that name is replaced as a whole.

    Raises InputError.
    """
    try:
        copy_whole(part, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        part.unlink(missing_ok=True)


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


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(
        "target-unwritable",
        f"{target} can't be written.",
        f"{error.strerror or error}.",
        "Check the directory's rights and the space left, or choose another place.",
    )
