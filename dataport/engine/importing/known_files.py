"""Files seen: the same bytes dropped again do nothing and say so (merge.md 5.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dataport.core.clock import naive_utc, now
from dataport.engine.commits import NO_CHANGES
from dataport.engine.importing.report import NO_ROWS
from dataport.engine.importing.targets import Target
from dataport.engine.job_parts import JobPart
from dataport.engine.staging.request import StageResult
from dataport.engine.store import Connection


@dataclass(frozen=True)
class KnownFile:
    """The newest file that a source sent to a dataset."""

    sha256: str
    bytes: int
    signature: str | None
    """Of the target it was imported into, see `Target.signature`; None where a person left some
    of its rows out, or some referred to nothing, so that the same bytes bring them again."""
    job: int
    commit: int | None
    """None where it changed nothing."""
    undone_by: int | None

    def says_the_same(self, path: Path, target: Target) -> bool:
        """Whether importing `path` into `target` would only repeat this file."""
        try:
            if path.stat().st_size != self.bytes:
                return False
        except OSError:
            return False
        if self.signature != target.signature() or self.undone_by is not None:
            return False
        return _digest(path) == self.sha256


def newest_file(cursor: Connection, target: Target) -> KnownFile | None:
    """The last file of the target's source; an older one that comes back is news again."""
    row = cursor.execute(
        'SELECT sha256, bytes, signature, job, "commit", undone_by FROM store.files'
        " WHERE dataset = ? AND source = ? ORDER BY job DESC LIMIT 1",
        [target.dataset.name, target.source],
    ).fetchone()
    return KnownFile(*row) if row else None


def remember_file(
    cursor: Connection,
    job: int,
    part: JobPart,
    target: Target,
    staged: StageResult,
    *,
    is_final: bool,
) -> None:
    """Record a file in the transaction that holds its effects.

    The same bytes do nothing only where it `is_final`: nothing of them is still to be had.
    """
    cursor.execute(
        "INSERT INTO store.files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        [
            staged.sha256,
            staged.bytes,
            target.dataset.name,
            target.source,
            target.signature() if is_final else None,
            job,
            part.commit,
            part.file,
            naive_utc(now()),
        ],
    )


def note_known(cursor: Connection, part: JobPart, target: Target) -> None:
    """Note that the bytes of a file were applied already."""
    known = newest_file(cursor, target)
    earlier = known.job if known else None
    origin = f"commit {known.commit}" if known and known.commit else f"job {earlier}"
    part.message = f"Already imported ({origin}): the file has the same bytes. Nothing to do."
    part.rows, part.changes = dict(NO_ROWS), dict(NO_CHANGES)


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
