"""What a staging worker is asked to do and what it found; both travel as JSON files."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dataport.engine.catalog.documents import Layout
from dataport.engine.catalog.mappings import MappingFile
from dataport.engine.catalog.model import Dataset
from dataport.engine.export_marks import Mark
from dataport.engine.staging.reject_layout import rejects_of
from dataport.engine.table_lines import ONE_TABLE, TableLines

CHUNK = 2**21

REQUEST_FILE = "request.json"
STAGED_FILE = "staged.parquet"
"""With `_raw`, the rows' cells, and `_lacks`, columns that they don't have, where they may still be rejected for what they refer to."""
REJECTS_FILE = "rejects.parquet"
DISPUTED_FILE = "disputed.parquet"
"""Shaped like the staged file; only of a dataset whose duplicates are asked about."""
REJECTS_CSV = "rejects.csv"
REFERENCE_REJECTS_FILE = "reference_rejects.parquet"
"""Shaped like the rejects: rows that were rejected later, for what they refer to."""
ALL_REJECTS_CSV = "all_rejects.csv"
"""The reject file with those rows; there only where some are."""
STAGE_FILE = "stage.json"
SEEN_FILE = "seen.parquet"
"""Key and digests of accepted rows: what their source's memory gains."""
REPEATED_FILE = "repeated.parquet"
"""Keys of rows that were recognised."""
PARTS = "parts"
"""Directory of a worker's private copies and spilled data; gone when it ends."""

MEBIBYTE = 2**20


@dataclass(frozen=True)
class StageLimits:
    """What one file may cost (SEC-05, X-27)."""

    file_size: int = 2048 * MEBIBYTE
    """Bytes of the file."""
    rows: int = 50_000_000
    columns: int = 2_000
    field_size: int = 16 * MEBIBYTE
    """Bytes of one value."""
    nesting: int = 100
    """Brackets around a value of a JSON record, its own included."""
    members: int = 10_000
    """Files in an archive."""
    expanded: int = 4096 * MEBIBYTE
    """Bytes that all that is unpacked of one file may have, as they are written."""
    ratio: int = 200
    """Times its own size that a file may unpack to, once that is a lot."""
    memory: int = 1024 * MEBIBYTE
    """Bytes the worker may use."""
    seconds: int = 3_600
    """Wall time the worker may take."""


@dataclass(frozen=True)
class StageRequest:
    """One file to be read into clean rows of one dataset."""

    source_path: Path
    directory: Path
    """Where the result goes; exists and belongs to this request alone."""
    dataset: Dataset
    format: str | None = None
    """`csv`, `txt` or `json`; found from the content when None."""
    layout: Layout | None = None
    """How the rows lie in a nested document; None where nobody told."""
    inside: str | None = None
    """Which of the file's tables; None where it has one only. See `look.TableLook.inside`."""
    tables: tuple[str, ...] = ()
    """Instead of one: several tables that say one thing together; see `uniting`."""
    name: str | None = None
    """What the file is called, where it lies in another one."""
    columns: dict[str, str] = field(default_factory=dict)
    """Forced mapping, field to column."""
    constants: dict[str, str] = field(default_factory=dict)
    """Values, as text, of fields that every row has alike."""
    mapping: MappingFile | None = None
    """How columns become fields; by their names when None."""
    candidates: tuple[MappingFile, ...] = ()
    """Where none is given: mappings of which the header may tell that it is theirs."""
    header_line: int | None = None
    """Line of a text, or row of a sheet, that names the columns; found from the content when None."""
    date_order: str | None = None
    """`dmy` or `mdy` for days as 1/2/2026; None where each column tells for itself."""
    timezone: str = "UTC"
    """Zone of times that name none."""
    region: str = "US"
    """Country of phone numbers that name none."""
    limits: StageLimits = StageLimits()
    threads: int = 2
    buckets: int = 0
    """Pieces in which rows are compared with one another; 0 means as many as the memory asks for.
    The result is the same."""
    chunk: int = CHUNK
    """Bytes of the file that are looked at in one piece. The result is the same."""
    remembers: bool = False
    """Whether the digests of accepted rows are wanted."""
    memory: tuple[str, ...] = ()
    """Names in `directory` of what earlier imports left in their seen.parquet, oldest first."""
    memory_at: int | None = None
    """The commit at which that was true."""
    memory_signature: str = ""
    """Of all that decides what a record says, besides itself."""

    @property
    def file_name(self) -> str:
        """Name of the file; of one with rejected rows, that of the file they come from."""
        name = self.name or self.source_path.name
        stem = rejects_of(name)
        return name if stem is None else f"{stem}.csv"

    def to_json(self) -> str:
        document = asdict(self) | {
            "source_path": str(self.source_path),
            "directory": str(self.directory),
            "dataset": self.dataset.model_dump(mode="json", by_alias=True),
            "mapping": self.mapping and self.mapping.model_dump(mode="json"),
            "candidates": [each.model_dump(mode="json") for each in self.candidates],
        }
        return json.dumps(document, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> StageRequest:
        document: dict[str, Any] = json.loads(text)
        return cls(
            **document
            | {
                "source_path": Path(document["source_path"]),
                "directory": Path(document["directory"]),
                "dataset": Dataset.model_validate_json(json.dumps(document["dataset"])),
                "mapping": document["mapping"] and _mapping(document["mapping"]),
                "candidates": tuple(map(_mapping, document["candidates"])),
                "limits": StageLimits(**document["limits"]),
                "layout": _layout_of(document["layout"]),
                "memory": tuple(document["memory"]),
                "tables": tuple(document.get("tables", ())),
            }
        )


def _mapping(document: dict[str, Any]) -> MappingFile:
    return MappingFile.model_validate_json(json.dumps(document))


def _layout_of(document: dict[str, Any] | None) -> Layout | None:
    if document is None:
        return None
    fields = {name: tuple(paths) for name, paths in document["fields"].items()}
    return Layout(tuple(document["paths"]), fields, tuple(document["lists"]))


@dataclass(frozen=True)
class Identity:
    """What tells one state of a file from another."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class RowCounts:
    """`read` is always the sum of the others."""

    read: int
    valid: int
    rejected: int
    duplicate: int
    skipped: int = 0
    """Rows that are none of the dataset's, as the mapping says."""


@dataclass(frozen=True)
class StageResult:
    """What a worker found: the content of stage.json."""

    format: str
    encoding: str
    delimiter: str | None
    has_header: bool
    sha256: str
    """Digest of the file's own bytes, before any decoding."""
    bytes: int
    identity: Identity
    columns: list[str]
    """Names the file gives its columns, in file order."""
    mapping: dict[str, str]
    """Field to column, for mapped fields."""
    ignored: list[str]
    """Columns that no field takes."""
    stated: list[str]
    """Fields the file speaks of, in dataset order: the columns of staged.parquet."""
    partial: list[str]
    """Stated fields that some rows say nothing about; see `_absent`."""
    rows: RowCounts
    quarantined: int
    """Rejected lines whose quotes make no record."""
    null_keys: int
    """Rejected rows whose key is not known."""
    notices: list[str]
    disputed: int = 0
    """Rows, counted as duplicates, that contradict each other: see DISPUTED_FILE."""
    is_reject_file: bool = False
    """Whether it is a reject file that came back: rows it leaves out are none of its business."""
    repeated: int = 0
    """Valid rows that stand in repeated.parquet only: their source sent the same last time."""
    memory_is_whole: bool = False
    """Whether seen.parquet holds what was remembered before, too."""
    recalled_at: int | None = None
    """The commit at which the memory was true; None where none was used."""
    memory_signature: str = ""
    """As in the request."""
    mapped_by: str | None = None
    """Name of the mapping that was used."""
    mark: Mark | None = None
    """What the file says of the export that it is, if it says so."""
    table_lines: TableLines = ONE_TABLE
    """Where the lines of each table begin, if these are several."""
    boot: str = ""
    """The run of the machine in which this was written; see `boot_id`."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> StageResult:
        document: dict[str, Any] = json.loads(text)
        return cls(
            **document
            | {
                "identity": Identity(**document["identity"]),
                "rows": RowCounts(**document["rows"]),
                "mark": Mark(**document["mark"]) if document.get("mark") else None,
                "table_lines": _table_lines_of(document.get("table_lines")),
            }
        )


def _table_lines_of(document: dict[str, Any] | None) -> TableLines:
    if document is None:
        return ONE_TABLE
    return TableLines(tuple((before, name) for before, name in document["tables"]))


def boot_id() -> str:
    """Differs from one start of the machine to the next; empty where the system has no such id."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def make_durable(directory: Path) -> None:
    """Wait until everything in a staging directory is on the disk."""
    for path in (*directory.iterdir(), directory):
        if path.is_file() or path == directory:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def read_stage(directory: Path) -> StageResult | None:
    """The finished stage in `directory`, None where none is complete."""
    try:
        return StageResult.from_json((directory / STAGE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
