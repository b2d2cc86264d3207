"""Where exported files go, and putting them there."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataport.core.errors import InputError, UsageError
from dataport.core.paths import PRIVATE_DIRECTORY, PRIVATE_FILE, Home
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package
from dataport.engine.exporting.descriptor import write_descriptor
from dataport.engine.exporting.records import ExportRecord, sidecar, write_sidecar
from dataport.engine.requests import ExportRequest


@dataclass(frozen=True)
class Part:
    """One dataset's file, written but not in place yet."""

    dataset: Dataset
    path: Path
    target: Path
    rows: int
    record: ExportRecord | None

    def deliver(self) -> None:
        """Put it in place. Raises InputError."""
        deliver(self.path, self.target)
        if self.record:
            write_sidecar([self.record], self.target)

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
    return [checked(target)]


def checked(target: Path) -> Path:
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
    try:
        write_descriptor(folder, package, [part.dataset for part in filled], kind)
    except OSError as error:
        raise _unwritable(folder, error) from error


def deliver(part: Path, target: Path) -> None:
    """Put a finished file in place; an earlier one of that name is replaced as a whole.

    Raises InputError.
    """
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
