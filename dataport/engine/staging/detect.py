"""Which mapping a file is for, as the names in its header tell (issue 4: detected without being told)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataport.core.errors import InputError
from dataport.engine.catalog.mappings import MappingFile
from dataport.engine.staging.mapping import fold
from dataport.engine.staging.reject_layout import own_columns

HEADER_WITHIN = 50
"""Records among which a header is looked for: some programs write about the file above it."""

MOST_CELLS = 5_000
"""Cells that are looked at for it; those of the first record in any case."""


@dataclass(frozen=True)
class Detected:
    """A mapping, and the record with the header that tells of it."""

    mapping: MappingFile
    row: int


def candidates(
    mappings: Iterable[MappingFile], source: str, dataset: str | None = None
) -> tuple[MappingFile, ...]:
    """The mappings that a file of `source` may be for, of one dataset or of any.

    What was decided about one source's files says nothing about those of others.
    """
    return tuple(
        mapping
        for mapping in mappings
        if dataset in (None, mapping.dataset)
        and (mapping.detect or (mapping.signature and mapping.source == source))
    )


def detect(mappings: Sequence[MappingFile], rows: Sequence[Sequence[str]]) -> Detected | None:
    """The mapping that most names in one of the first rows speak for.

    What was decided about exactly this header stands above that. Raises InputError
    `ambiguous-mapping` where several mappings do as well.
    """
    found: list[Detected] = []
    looked_at = 0
    for at, row in enumerate(rows[:HEADER_WITHIN] if mappings else ()):
        looked_at += len(row)
        if at and looked_at > MOST_CELLS:
            break
        cells = own_columns([cell.strip() for cell in row])
        folded, signature = {fold(cell) for cell in cells}, header_signature(cells)
        for mapping in mappings:
            if mapping.signature == signature:
                return Detected(mapping, at)
            if mapping.detect and all(fold(label) in folded for label in mapping.detect):
                found.append(Detected(mapping, at))
    most = max((len(each.mapping.detect) for each in found), default=0)
    best = [each for each in found if len(each.mapping.detect) == most]
    if len({each.mapping.name for each in best}) > 1:
        raise _ambiguous([each.mapping for each in best])
    return best[0] if best else None


def header_signature(columns: Iterable[str]) -> str:
    """Tells one set of column names from another; their order and spelling make no difference."""
    text = "\n".join(sorted(fold(column) for column in columns))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ambiguous(mappings: Sequence[MappingFile]) -> InputError:
    names = [mapping.name for mapping in mappings]
    return InputError(
        "ambiguous-mapping",
        f"The file could be read by {' or '.join(names)}.",
        "Its header has all the names that tell each of them.",
        f"Say which: --mapping {names[0]}.",
    )
