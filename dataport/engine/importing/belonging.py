"""Where the tables of a file belong, as a look into it tells.

A request that names a dataset, or files that a package knows by their names, needs no look. All
others are resolved here, once, before anything is staged: what was found is noted on the job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dataport.core.errors import InputError, UsageError
from dataport.engine.catalog.documents import ListPath
from dataport.engine.catalog.mappings import FILE, MappingFile, find_mapping
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, in_order
from dataport.engine.importing.targets import (
    Target,
    import_request,
    source_of,
    unknown_target,
)
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.requests import DEFAULT_SOURCE, ImportRequest
from dataport.engine.staging.detect import candidates, detect
from dataport.engine.staging.look import JOINT, Look, TableLook, no_such_table
from dataport.engine.staging.mapping import map_columns
from dataport.engine.staging.reject_layout import own_columns
from dataport.engine.staging.sniff import DATA_ENDS, PACKED, WORKBOOKS

CONTAINERS = tuple(
    end for end, kinds in DATA_ENDS.items() if not {*kinds}.isdisjoint((*PACKED, *WORKBOOKS))
)
"""Ends of names of files that may hold several tables, whatever their names begin with."""

FEWEST = 2
"""Columns of a table that a dataset must know at the least, to be found by them."""


def needs_look(request: ImportRequest, packages: Mapping[str, Package]) -> bool:
    """Whether only the content of a request's file tells where it belongs."""
    if request.dataset is not None or len(request.sources) > 1:
        return False
    path = Path(request.sources[0])
    if path.is_dir():
        return False
    package = packages.get(request.package or "")
    if package is None:
        is_told = request.mapping is not None and path.suffix.lower() not in CONTAINERS
        return request.package is None and not is_told
    may_be_document = package.has_layout and path.suffix.lower() == ".json"
    is_open = may_be_document or path.suffix.lower() in CONTAINERS
    return is_open or not package.owners(path.name)


def place_tables(
    job: Job,
    look: Look,
    datasets: Mapping[str, Dataset],
    package: Package | None,
    mappings: Mapping[str, MappingFile],
) -> None:
    """Note on `job` which tables of its file are of which dataset, and by which mapping.

    Raises NotFoundError `unknown-mapping`, UsageError `unknown-target` or `not-in-package` where none is of any, and where it is
    open which is meant; InputError `no-such-table` for a table that is not there.
    """
    request = import_request(job)
    tables = chosen(look.tables, request.inside, Path(request.sources[0]).name)
    known = {name: datasets[name] for name in package.datasets} if package else datasets
    usable = _usable(request, known, mappings)
    found: dict[str, list[_Owned]] = {}
    strays: list[TableLook] = []
    claimed: set[str] = set()
    if package is not None:
        found = {name: [owned] for name, owned in _by_layout(tables, package).items()}
        claimed = {_base(path) for member in package.members for path in member.paths}
    for table in tables:
        if table.path in claimed:
            continue
        owned = _owner(request, table, known, package, usable)
        if owned is None:
            strays.append(table)
        else:
            found.setdefault(owned.dataset, []).append(owned)
    if not found:
        raise _belongs_nowhere(request, tables, datasets, package)
    if package is None and len(tables) == 1:
        ((owned,),) = found.values()
        job.dataset, job.inside = owned.dataset, owned.table.inside
        job.mapping = owned.mapping.name if owned.mapping else None
        return
    job.notices += [_stray_notice(table) for table in strays if table.columns]
    job.parts = [_part(job, request, found[name]) for name in in_order(found, datasets)]


def name_tables(part: JobPart, target: Target, look: Look) -> list[str] | None:
    """Note on `part` which tables of its file are of its dataset; None where none is.

    That is for who names a dataset, but none of several tables. Returns what to say of those that
    are left out.
    """
    mappings = (target.mapping,) if target.mapping else target.candidates
    found: list[_Owned] = []
    notices: list[str] = []
    for table in look.tables:
        detected = detect(mappings, _first_rows(table))
        if detected is not None:
            found.append(_Owned(table, target.dataset.name, detected.mapping))
        elif target.mapping is None and _has_columns_of(table, part, target):
            found.append(_Owned(table, target.dataset.name))
        else:
            notices.append(_stray_notice(table))
    if not found:
        return None
    owned, views = _preferred(found)
    names = [str(each.table.inside) for each in owned]
    part.inside, part.tables = (names[0], []) if len(names) == 1 else (None, names)
    return notices + [_view_notice(view.table, owned[0].table) for view in views]


def _has_columns_of(table: TableLook, part: JobPart, target: Target) -> bool:
    """Whether a table has by name all that its dataset needs."""
    try:
        map_columns(table.columns, target.dataset, part.columns, target.values)
    except InputError:
        return False
    return table.has_header


def _first_rows(table: TableLook) -> list[list[str]]:
    """The header and the rows below it, among which the real one may be."""
    return [table.columns, *([cell or "" for cell in row] for row in table.rows)]


def _part(job: Job, request: ImportRequest, owned: Sequence[_Owned]) -> JobPart:
    """What the job does to a dataset with its table, or with several that are read as one.

    Raises UsageError `two-files-of-one-dataset` for tables that no one mapping reads.
    """
    owned, views = _preferred(owned)
    job.notices += [_view_notice(view.table, owned[0].table) for view in views]
    first, *others = owned
    part = first.part(job, request)
    if not others:
        return part
    for other in others:
        if first.inside or other.mapping != first.mapping:
            raise _twice(request, first, other)
    part.inside, part.tables = None, [str(each.table.inside) for each in owned]
    return part


def _preferred(owned: Sequence[_Owned]) -> tuple[Sequence[_Owned], Sequence[_Owned]]:
    """The tables that are read, and those that only show a part of them (MappingFile.prefer)."""
    whole = [each for each in owned if each.is_whole]
    return (whole, [each for each in owned if not each.is_whole]) if whole else (owned, [])


def _by_layout(tables: Sequence[TableLook], package: Package) -> dict[str, _Owned]:
    """By dataset, the lists of a document that the package's layout knows.

    What lies within their items is not in the look: it is there if they are.
    """
    found: dict[str, _Owned] = {}
    for table in tables:
        for member in package.members if table.path else ():
            path = next((each for each in member.paths if _base(each) == table.path), None)
            if path is not None and member.dataset not in found:
                found[member.dataset] = _Owned(table, member.dataset, inside=_within(table, path))
    return found


def _base(path: str) -> str:
    """The outermost list on the way of a path."""
    return ".".join(ListPath.parse(path).base)


def _within(table: TableLook, path: str) -> str:
    """What a list in the items of a table is called, or the table itself by its path."""
    inside = table.inside or ""
    outer, joint, last = inside.rpartition(JOINT)
    return (outer + joint if last == table.path else f"{inside}{JOINT}" if inside else "") + path


@dataclass(frozen=True)
class _Owned:
    """A table and where it belongs."""

    table: TableLook
    dataset: str
    mapping: MappingFile | None = None
    inside: str | None = None
    """Where its rows lie, if that is not what the table is called."""

    @property
    def told(self) -> str:
        """What it is read by."""
        return f"the mapping {self.mapping.name}" if self.mapping else "what its columns are called"

    @property
    def is_whole(self) -> bool:
        """Whether its mapping prefers it to others."""
        pattern, inside = self.mapping and self.mapping.prefer, self.table.inside
        return bool(pattern and inside and re.search(pattern, inside))

    def part(self, job: Job, request: ImportRequest) -> JobPart:
        return JobPart(
            dataset=self.dataset,
            source=source_of(request, self.mapping),
            file=job.file,
            inside=self.inside or self.table.inside,
            mapping=self.mapping.name if self.mapping else None,
        )


def _usable(
    request: ImportRequest, datasets: Mapping[str, Dataset], mappings: Mapping[str, MappingFile]
) -> tuple[MappingFile, ...]:
    """The mapping that was named, else those that the header of a table may tell."""
    if request.mapping is not None:
        return (find_mapping(mappings, request.mapping),)
    found = candidates(mappings.values(), request.source or DEFAULT_SOURCE)
    return tuple(mapping for mapping in found if mapping.dataset in datasets)


def chosen(tables: Sequence[TableLook], inside: str | None, file: str) -> Sequence[TableLook]:
    """The tables that a request is about: all, or the one that it names."""
    if inside is None:
        return tables
    found = [table for table in tables if table.inside == inside]
    if not found:
        raise no_such_table(file, inside, [table.inside for table in tables])
    return found


def dataset_by_columns(table: TableLook, datasets: Mapping[str, Dataset]) -> str | None:
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
    return best[0] if len(best) == 1 and fits else None


def _owner(
    request: ImportRequest,
    table: TableLook,
    datasets: Mapping[str, Dataset],
    package: Package | None,
    mappings: Sequence[MappingFile],
) -> _Owned | None:
    """The dataset of a table: by its name in a package, else by a mapping or its columns."""
    if package is not None:
        for name in dict.fromkeys((table.sheet, _name_of(request, table))):
            owners = package.owners(name if "." in name else f"{name}.") if name else []
            if len(owners) == 1:
                return _Owned(table, owners[0])
    detected = detect(mappings, _first_rows(table))
    if detected is not None:
        return _Owned(table, detected.mapping.dataset, detected.mapping)
    if request.mapping is not None:
        return None
    owner = dataset_by_columns(table, datasets)
    return _Owned(table, owner) if owner else None


def _name_of(request: ImportRequest, table: TableLook) -> str:
    """What a table is called: as the file that it is alone in, or by its own last name."""
    if table.inside is None:
        return Path(request.sources[0]).name
    if table.path is not None and table.inside.endswith(table.path):
        return table.path.rpartition(".")[2]
    return PurePosixPath(table.inside.rpartition(JOINT)[2]).name


def _twice(request: ImportRequest, first: _Owned, second: _Owned) -> UsageError:
    one, other, owner = first.table.inside, second.table.inside, first.dataset
    return UsageError(
        "two-files-of-one-dataset",
        f"{one} and {other} are both of {owner}.",
        f"Both lie in {Path(request.sources[0]).name}, but they are not read alike:"
        f" {first.told} reads the one, {second.told} the other.",
        f"Import one of them by itself: --dataset {owner} --inside {other!r}.",
    )


def _belongs_nowhere(
    request: ImportRequest,
    tables: Sequence[TableLook],
    datasets: Mapping[str, Dataset],
    package: Package | None,
) -> UsageError:
    if package is None:
        return unknown_target(request, datasets, _shown(tables))
    name = Path(request.sources[0]).name
    return UsageError(
        "not-in-package",
        f"{name} belongs to no dataset of the package {package.name}.",
        f"Neither its name nor its columns tell. {_shown(tables)}",
        package.told_files,
    )


def _shown(tables: Sequence[TableLook]) -> str:
    """What a look found, in a sentence or two."""
    if len(tables) > 1:
        return f"It holds these tables: {', '.join(str(table.inside) for table in tables[:20])}."
    columns = ", ".join(map(repr, tables[0].columns[:20])) if tables else "none"
    return f"It has these columns: {columns}."


def _view_notice(table: TableLook, whole: TableLook) -> str:
    return f"{table.inside} is left out: {whole.inside} says the same, and more."


def _stray_notice(table: TableLook) -> str:
    return f"{table.inside} is left out: neither its name nor its columns tell where it belongs."
