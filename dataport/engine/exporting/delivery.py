"""Putting exported files where they belong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataport.core.errors import InputError
from dataport.core.files import copy_whole
from dataport.engine.exporting.packing import Check, pack
from dataport.engine.exporting.records import ExportRecord, sidecar, write_sidecar


@dataclass(frozen=True)
class Part:
    """A file, written but not in place yet."""

    counts: Mapping[str, int]
    """Rows by dataset: of one, unless it is the one file of a package or a ZIP."""
    path: Path
    target: Path
    records: Sequence[ExportRecord]

    @property
    def rows(self) -> int:
        """Of all datasets."""
        return sum(self.counts.values())

    def deliver(self) -> None:
        """Put it in place. Raises InputError."""
        deliver(self.path, self.target)
        if self.records:
            write_sidecar(self.records, self.target)
        else:
            sidecar(self.target).unlink(missing_ok=True)


def filled(parts: Sequence[Part]) -> list[Part]:
    """The parts of a package with rows, or all where none has any.

    A file without rows can't be read back.
    """
    return [part for part in parts if part.rows] or list(parts)


def withdraw(written: Sequence[Part], but: Sequence[Part]) -> None:
    """Take away what an earlier export left in the places of parts that are left out."""
    kept = {part.target for part in but}
    for part in written:
        if part.target not in kept:
            part.target.unlink(missing_ok=True)
            sidecar(part.target).unlink(missing_ok=True)


def packed(parts: Sequence[Part], path: Path, target: Path, check: Check) -> Part:
    """One part, a ZIP at `path`, of several (EXF-25). Raises OSError, and what `check` does."""
    pack({part.target.name: part.path for part in parts}, path, check)
    counts = {name: rows for part in parts for name, rows in part.counts.items()}
    return Part(counts, path, target, [record for part in parts for record in part.records])


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


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(
        "target-unwritable",
        f"{target} can't be written.",
        f"{error.strerror or error}.",
        "Check the directory's rights and the space left, or choose another place.",
    )
