"""What an exported file says of itself, where its format has a place for it that others leave alone.

A workbook has custom properties, which spreadsheet programs keep when they save it; a Parquet file
has key-value metadata. There is one mark a dataset. What a mark says is believed only as far as it
agrees with the export's own record (see `exporting.records`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

PREFIX = "dataport:"
"""Before the name of a dataset: what its mark is called in a file."""

LONGEST = 255
"""Characters of a mark: what a custom property of a workbook holds."""


@dataclass(frozen=True)
class Mark:
    """Which rows a table of a file has."""

    export: int
    """The job that wrote it."""
    commit: int
    """The rows are those of the store as of this commit."""
    keys: str
    """Digest of the exported keys, as of an ExportRecord."""

    def to_text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Mark | None:
        """The mark that `to_text` wrote; None for anything else."""
        if len(text) > LONGEST:
            return None
        try:
            found = json.loads(text)
            return cls(int(found["export"]), int(found["commit"]), str(found["keys"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def mark_name(dataset: str) -> str:
    """What the mark of a dataset's rows is called."""
    return PREFIX + dataset
