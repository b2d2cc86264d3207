"""Which dataset a table of a file is of: by a package's layout, a mapping, its name or its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dataport.core.errors import InputError
from dataport.engine.catalog.documents import base_of
from dataport.engine.catalog.mappings import FILE, MappingFile
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, PackageMember
from dataport.engine.importing.targets import source_of
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.requests import ImportRequest
from dataport.engine.staging.column_names import is_headerless
from dataport.engine.staging.detect import detect
from dataport.engine.staging.look import JOINT, TableLook
from dataport.engine.staging.mapping import find_field, map_columns
from dataport.engine.staging.reject_layout import own_columns

FEWEST = 2
"""Columns of a table that a dataset must know at the least, to be found by them; and lists of a
document that a package must know."""


@dataclass(frozen=True)
class Owned:
    """A table, or a list in the items of one, and where it belongs."""

    table: TableLook
    dataset: str
    mapping: MappingFile | None = None
    path: str | None = None
    """Where in a document its rows lie, if a package or mapping says so."""

    @property
    def inside(self) -> str | None:
        """What a StageRequest calls it."""
        return self.table.inside if self.path is None else _within(self.table, self.path)

    @property
    def told(self) -> str:
        """What it is read by."""
        return f"the mapping {self.mapping.name}" if self.mapping else "what its columns are called"

    @property
    def is_whole(self) -> bool:
        """Whether its mapping prefers it to others."""
        pattern, inside = self.mapping and self.mapping.prefer, self.table.inside
        return bool(pattern and inside and re.search(pattern, inside))

    def is_read_as(self, other: Owned) -> bool:
        """Whether its rows and those of another table may be put together before they are read."""
        has_layout = self.path is not None and self.mapping is None
        return other.mapping == self.mapping and not has_layout

    def part(self, job: Job, request: ImportRequest) -> JobPart:
        """What a job does with it."""
        return JobPart(
            dataset=self.dataset,
            source=source_of(request, self.mapping),
            file=job.file,
            inside=self.inside,
            mapping=self.mapping.name if self.mapping else None,
        )


def preferred(owned: Sequence[Owned]) -> tuple[Sequence[Owned], Sequence[Owned]]:
    """The tables that are read, and those that only show a part of them (MappingFile.prefer)."""
    whole = [each for each in owned if each.is_whole]
    return (whole, [each for each in owned if not each.is_whole]) if whole else (owned, [])


def by_layout(tables: Sequence[TableLook], package: Package) -> dict[str, Owned]:
    """By dataset, the lists of a document that the package's layout knows.

    What lies within their items is not in the look: it is there if they are.
    """
    found: dict[str, Owned] = {}
    for table in tables:
        for member in package.members if table.path else ():
            path = _path_at(table, member.paths)
            if path is not None and member.dataset not in found:
                found[member.dataset] = Owned(table, member.dataset, path=path)
    return found


def by_mapping(table: TableLook, mappings: Sequence[MappingFile]) -> list[Owned]:
    """What a table is by its header, and what the lists in its items are: one of each dataset."""
    rows, own = first_rows(table), [each for each in mappings if not each.paths]
    within: dict[str, list[MappingFile]] = {}
    for mapping in mappings:
        path = _path_at(table, mapping.paths)
        if path is not None and "[]." in path:
            within.setdefault(mapping.dataset, []).append(mapping)
        elif path is not None:
            own.append(mapping)
    found: list[Owned] = []
    for group in (own, *within.values()):
        detected = detect(group, rows)
        if detected is not None and all(each.dataset != detected.mapping.dataset for each in found):
            mapping = detected.mapping
            found.append(Owned(table, mapping.dataset, mapping, _path_at(table, mapping.paths)))
    return found


def by_name(request: ImportRequest, table: TableLook, package: Package) -> Owned | None:
    """What a table is by its own name in a package."""
    for name in dict.fromkeys((table.sheet, _name_of(request, table))):
        owners = package.owners(name if "." in name else f"{name}.") if name else []
        if len(owners) == 1:
            return Owned(table, owners[0])
    return None


def by_columns(table: TableLook, datasets: Mapping[str, Dataset]) -> Owned | None:
    """The one dataset that a table's columns fit best, None where several do or none does."""
    if not table.has_header:
        return None
    scores: dict[str, int] = {}
    for name, dataset in datasets.items():
        try:
            scores[name] = len(map_columns(table.columns, dataset, {}, {}).positions)
        except InputError:
            continue
    most = max(scores.values(), default=0)
    best = [name for name, score in scores.items() if score == most]
    own = [label for label in own_columns(table.columns) if label != FILE]
    fits = most >= FEWEST and 2 * most >= len(own)
    return Owned(table, best[0]) if len(best) == 1 and fits else None


def is_list_of(table: TableLook, dataset: Dataset) -> bool:
    """Whether a table lists a dataset's values without naming columns (V-14, IMF-04, IMF-05).

    Any line of a text could be a value: it is where most of the first ones pass the checks.
    """
    if not dataset.headerless or (table.has_header and table.format != "txt"):
        return False
    rows = first_rows(table) if table.has_header else table.rows
    return sum(is_headerless(row, dataset) for row in rows) > len(rows) / 2


def package_of(
    tables: Sequence[TableLook], packages: Mapping[str, Package], datasets: Mapping[str, Dataset]
) -> Package | None:
    """The one package that knows several of a document's lists, by their paths and columns."""
    found = [
        package
        for package in packages.values()
        if sum(
            any(_is_list_of(table, member, datasets[member.dataset]) for table in tables)
            for member in package.members
        )
        >= FEWEST
    ]
    return found[0] if len(found) == 1 else None


def first_rows(table: TableLook) -> list[list[str]]:
    """The header and the rows below it, among which the real one may be."""
    return [table.columns, *([cell or "" for cell in row] for row in table.rows)]


def claimed_paths(owned: Sequence[Owned]) -> set[str]:
    """Outermost lists of a document whose rows are read with those of other ones."""
    return {base_of(path) for each in owned if each.mapping for path in each.mapping.paths}


def _is_list_of(table: TableLook, member: PackageMember, dataset: Dataset) -> bool:
    fields = {find_field(label, dataset) for label in table.columns} - {None}
    return bool(table.path) and table.path in member.paths and len(fields) >= FEWEST


def _path_at(table: TableLook, paths: Sequence[str]) -> str | None:
    """The first of some lists of a document that is the table, or lies in its items."""
    if table.format not in ("json", "ndjson"):
        return None
    return next((path for path in paths if base_of(path) == (table.path or "")), None)


def _within(table: TableLook, path: str) -> str:
    """What a list in the items of a table is called, or the table itself by its path."""
    inside = table.inside or ""
    outer, joint, last = inside.rpartition(JOINT)
    return (outer + joint if last == table.path else f"{inside}{JOINT}" if inside else "") + path


def _name_of(request: ImportRequest, table: TableLook) -> str:
    """What a table is called: as the file that it is alone in, or by its own last name."""
    if table.inside is None:
        return Path(request.sources[0]).name
    if table.path is not None and table.inside.endswith(table.path):
        return table.path.rpartition(".")[2]
    return PurePosixPath(table.inside.rpartition(JOINT)[2]).name
