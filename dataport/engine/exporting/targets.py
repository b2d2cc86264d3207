"""Where an export goes: files, one folder of them, or one ZIP (EXF-12, EXF-25)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataport.core.errors import InputError, UsageError
from dataport.core.paths import DESCRIPTOR, PRIVATE_DIRECTORY, Home
from dataport.engine.requests import ExportRequest

SEVERAL = "export"
"""What the ZIP of several datasets is called."""


@dataclass(frozen=True)
class Targets:
    """What an export writes."""

    place: Path
    """What it comes to: the file, the ZIP, or the folder with several files."""
    files: Sequence[Path]
    """One for each dataset, or one for all; of those in a ZIP the names alone count."""
    is_zipped: bool = False
    is_described: bool = False
    """Whether a page about the files lies beside them: a package is a folder, in a ZIP or not."""

    def check(self, wrote: Callable[[Path], bool]) -> None:
        """Raise UsageError where something is there already that no export wrote as it is."""
        beside = [self.place / DESCRIPTOR] if self.is_described else []
        places = [self.place] if self.is_zipped else [*self.files, *beside]
        for path in places:
            if path.exists() and not wrote(path):
                raise UsageError(
                    "target-exists",
                    f"{path} is there already, and not as an export wrote it.",
                    hint="Say --overwrite to replace it, or name another place with --to.",
                )

    def make_folder(self) -> None:
        """Make the folder of a package. Raises InputError where there can be none."""
        if not self.is_described or self.is_zipped:
            return
        try:
            self.place.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        except OSError as error:
            raise InputError(
                "target-unwritable",
                f"The folder {self.place} can't be made.",
                f"{error.strerror or error}.",
                "Name another folder with --to; the one around it has to be there.",
            ) from error


def targets_of(
    home: Home, job: int, request: ExportRequest, names: Sequence[str], *, is_bundle: bool
) -> Targets:
    """Where the export `job` of the datasets `names` goes; `is_bundle` is one file for all.

    Raises UsageError or InputError where it can't.
    """
    suffix = f".{request.format}"
    stems = [str(request.package)] if is_bundle else list(names)
    is_described = request.package is not None and not is_bundle
    if request.is_zipped:
        files = [Path(stem + suffix) for stem in stems]
        return Targets(_zip(home, job, request, names), files, True, is_described)
    if is_described:
        folder = Path(request.to or home.exports / f"{request.package}-{job}")
        return Targets(folder, [folder / (stem + suffix) for stem in stems], False, True)
    files = _files(home, job, request, stems)
    return Targets(files[0] if len(files) == 1 else files[0].parent, files)


def _zip(home: Home, job: int, request: ExportRequest, names: Sequence[str]) -> Path:
    stem = request.package or (names[0] if len(names) == 1 else SEVERAL)
    if request.to is None:
        return home.exports / f"{stem}-{job}.zip"
    target = Path(request.to)
    if target.is_dir():
        return target / f"{stem}.zip"
    is_named = target.suffix.lower() == ".zip"
    return _checked(target if is_named else target.with_name(target.name + ".zip"))


def _files(home: Home, job: int, request: ExportRequest, stems: Sequence[str]) -> list[Path]:
    suffix = f".{request.format}"
    if request.to is None:
        return [home.exports / f"{stem}-{job}{suffix}" for stem in stems]
    target = Path(request.to)
    if target.is_dir():
        return [target / (stem + suffix) for stem in stems]
    if len(stems) > 1:
        raise UsageError(
            "target-not-a-directory",
            f"{target} is not a directory, and {len(stems)} datasets are exported.",
            hint="Give a directory with --to, export one dataset at a time, or all with --zip.",
        )
    if request.package and not target.suffix:
        target = target.with_name(target.name + suffix)
    return [_checked(target)]


def _checked(target: Path) -> Path:
    """A path whose folder is there. Raises InputError."""
    if not target.parent.is_dir():
        raise InputError(
            "target-missing",
            f"The directory {target.parent} does not exist.",
            hint="Make it, or export somewhere else.",
        )
    return target
