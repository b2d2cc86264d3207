"""What an export wrote, remembered, so that the file is known again when it comes back edited.

A record is two files: what was exported as of which commit, and the keys. A copy of the first
lies beside the exported file. A workbook or a Parquet file has a mark of it inside too; a CSV or
JSON file has no place for one that other readers would not stumble over. A record may be lost or deleted at any time: its file
is then one like any other.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dataport.core.files import write_whole
from dataport.core.paths import PRIVATE_DIRECTORY, PRIVATE_FILE, SIDECAR, Home
from dataport.engine.export_marks import Mark
from dataport.engine.sql import literal
from dataport.engine.store import Connection

log = logging.getLogger(__name__)

MOST_RECORDS = 100
"""Records that a home keeps; the oldest go first."""
MOST_WRITTEN = 1000
"""Written files of which it knows the digest."""


@dataclass(frozen=True)
class ExportRecord:
    """One dataset's file of one export job."""

    export: int
    """The job."""
    dataset: str
    commit: int
    """The rows are those of the store as of this commit."""
    format: str
    fields: tuple[str, ...]
    """In the order of the file's columns; the primary key's are among them."""
    filter: dict[str, str]
    """`where`, `from` and `until`, as far as they were given."""
    rows: int
    keys: str
    """Digest of the exported keys, whatever their order."""
    sha256: str = ""
    """Of the file as it was written."""
    package: str | None = None
    """The one that was exported as a whole."""

    @property
    def name(self) -> str:
        """Of the record's own files; sorts by age."""
        return f"{self.export:06d}-{self.dataset}"

    @property
    def mark(self) -> Mark:
        """What the file says of itself, where its format has a place for it."""
        return Mark(self.export, self.commit, self.keys)

    @classmethod
    def read(cls, path: Path) -> tuple[ExportRecord, ...]:
        """The records in a file: one, or those of the datasets of one file; none in any other."""
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
            each = found if isinstance(found, list) else [found]
            return tuple(cls(**given | {"fields": tuple(given["fields"])}) for given in each)
        except (OSError, ValueError, KeyError, TypeError):
            return ()


class ExportRecords:
    """The records of one home."""

    def __init__(self, home: Home) -> None:
        # In the exports' directory, for the store's engine may read there.
        self._directory = home.exports / ".records"
        self._written = self._directory / "written.txt"

    def keep(self, record: ExportRecord, keys: Path, digest: str) -> ExportRecord:
        """Keep the record of a file that was written, with its `keys`, a Parquet file that is
        moved; the record with the file's digest. Raises OSError."""
        record = replace(record, sha256=digest)
        self._directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        keys.chmod(PRIVATE_FILE)
        keys.replace(self.keys_file(record))
        _write(self._directory / f"{record.name}.json", [record])
        for path in sorted(self._directory.glob("*.json"), reverse=True)[MOST_RECORDS:]:
            path.unlink(missing_ok=True)
            path.with_suffix(".parquet").unlink(missing_ok=True)
        return record

    def note(self, written: Sequence[str]) -> None:
        """Remember the digests of files that were written, so that `wrote` knows them. Raises OSError."""
        self._directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        newest = [*dict.fromkeys([*self._digests(), *written])][-MOST_WRITTEN:]
        write_whole(self._written, "".join(f"{digest}\n" for digest in newest))

    def wrote(self, path: Path) -> bool:
        """Whether a file is as an export of this home wrote it, or holds nothing: nobody would
        miss it. Raises OSError."""
        return path.is_file() and (not path.stat().st_size or digest_of(path) in self._digests())

    def _digests(self) -> list[str]:
        """Of the files that were written, the newest last."""
        try:
            return self._written.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []

    def keys_file(self, record: ExportRecord) -> Path:
        """Parquet with one column, `_key`."""
        return self._directory / f"{record.name}.parquet"

    def of(self, dataset: str) -> list[ExportRecord]:
        """The records of a dataset whose keys are kept, newest first."""
        paths = sorted(self._directory.glob(f"*-{dataset}.json"), reverse=True)
        records = (record for path in paths for record in ExportRecord.read(path))
        return [
            record
            for record in records
            if record.dataset == dataset and self.keys_file(record).is_file()
        ]


def write_keys(cursor: Connection, query: str, path: Path) -> tuple[int, str]:
    """Write the `_key`s of `query` to a Parquet file; their number and their digest."""
    source = f"SELECT _key FROM ({query})"
    cursor.execute(f"COPY ({source}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    row = cursor.execute(
        "SELECT count(*), coalesce(bit_xor(md5_number(_key)), 0)"
        f" FROM read_parquet({literal(str(path))})"
    ).fetchone()
    count, digest = row or (0, 0)
    return int(count), f"{count}:{int(digest):032x}"


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sidecar(path: Path) -> Path:
    """Where the record beside an exported file lies."""
    return path.with_name(path.name + SIDECAR)


def write_sidecar(records: Sequence[ExportRecord], path: Path) -> None:
    """Put a copy of the records of its datasets beside the file at `path`, if that is possible."""
    try:
        _write(sidecar(path), records)
    except OSError as error:
        log.info("Nothing can be written beside %s: %s", path, error)


def _write(path: Path, records: Sequence[ExportRecord]) -> None:
    documents = [asdict(record) for record in records]
    content = documents if len(documents) > 1 else documents[0]
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
