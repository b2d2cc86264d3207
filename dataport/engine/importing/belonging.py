"""Where the tables of a file belong, as a look into it tells.

A request that names a dataset, or files that a package knows by their names, needs no look. All
others are resolved here, once, before anything is staged: what was found is noted on the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dataport.core.errors import InputError, UsageError
from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.documents import base_of
from dataport.engine.catalog.mappings import MappingFile, find_mapping
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, in_order
from dataport.engine.importing.owners import (
    Owned,
    by_columns,
    by_layout,
    by_mapping,
    by_name,
    claimed_paths,
    first_rows,
    is_list_of,
    package_of,
    preferred,
)
from dataport.engine.importing.targets import Target, import_request, unknown_target
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.requests import DEFAULT_SOURCE, ImportRequest
from dataport.engine.staging.detect import candidates, detect
from dataport.engine.staging.look import Look, TableLook, no_such_table
from dataport.engine.staging.mapping import map_columns
from dataport.engine.staging.sniff import DATA_ENDS, PACKED, WORKBOOKS

CONTAINERS = tuple(
    end for end, kinds in DATA_ENDS.items() if not {*kinds}.isdisjoint((*PACKED, *WORKBOOKS))
)
"""Ends of names of files that may hold several tables, whatever their names begin with."""

DOCUMENTS = tuple(end for end, kinds in DATA_ENDS.items() if "json" in kinds)
"""Ends of names of files in which lists may lie in one another."""


def needs_look(
    request: ImportRequest, packages: Mapping[str, Package], mappings: Mapping[str, MappingFile]
) -> bool:
    """Whether only the content of a request's file tells where it belongs, or how its rows lie."""
    path = Path(request.sources[0])
    if len(request.sources) > 1 or path.is_dir():
        return False
    end, named = path.suffix.lower(), mappings.get(request.mapping or "")
    if request.dataset is not None:
        may_nest = any(m.paths and m.dataset == request.dataset for m in mappings.values())
        return may_nest and end in DOCUMENTS and not (request.mapping or request.inside)
    package = packages.get(request.package or "")
    if package is None:
        is_told = request.mapping is not None and end not in CONTAINERS
        return request.package is None and not (is_told and not (named and named.paths))
    may_be_document = package.has_layout and end == ".json"
    is_open = may_be_document or end in CONTAINERS
    return is_open or not package.owners(path.name)


def place_tables(
    job: Job,
    look: Look,
    datasets: Mapping[str, Dataset],
    packages: Mapping[str, Package],
    mappings: Mapping[str, MappingFile],
) -> None:
    """Note on `job` which tables of its file are of which dataset, and by which mapping.

    A document that one package alone knows is taken as that package. Raises NotFoundError
    `unknown-mapping`, UsageError `unknown-target` or `not-in-package` where none is of any, and where
    it is open which is meant; InputError `no-such-table` for a table that is not there.
    """
    request = import_request(job)
    if request.dataset is not None:
        _place_lists(job, look, request.dataset, mappings)
        return
    tables = chosen(look.tables, request.inside, Path(request.sources[0]).name)
    package = packages.get(request.package or "")
    if package is None and request.mapping is None and request.inside is None:
        package = package_of(tables, packages, datasets)
        if package is not None:
            _take_as(job, package)
    known = {name: datasets[name] for name in package.datasets} if package else datasets
    owned, strays = _owners(request, tables, known, package, _usable(request, known, mappings))
    if not owned:
        raise _belongs_nowhere(request, tables, datasets, package)
    if request.mode in (None, Mode.MERGE, Mode.APPEND):
        owned = _filled(job, owned)
    left_out = [_stray_notice(table) for table in strays if table.columns]
    unread = [*look.notices, *left_out] if request.inside is None else []
    if package is None and len(tables) == len(owned) == 1:
        _note_only(job, owned[0])
        job.unread = unread
        return
    found: dict[str, list[Owned]] = {}
    for each in owned:
        found.setdefault(each.dataset, []).append(each)
    job.notices += left_out
    job.parts = [_part(job, request, found[name]) for name in in_order(found, datasets)]
    for part in job.parts:
        part.unread = unread


def _filled(job: Job, owned: list[Owned]) -> list[Owned]:
    """Those that hold anything, if any does; a header alone says nothing of any row."""
    empty = [each.table for each in owned if each.table.is_empty]
    filled = [each for each in owned if not each.table.is_empty]
    if not filled:
        return owned
    job.notices += [f"{table.inside} holds a header and no rows." for table in empty]
    return filled


def _owners(
    request: ImportRequest,
    tables: Sequence[TableLook],
    datasets: Mapping[str, Dataset],
    package: Package | None,
    mappings: Sequence[MappingFile],
) -> tuple[list[Owned], list[TableLook]]:
    """What is of a dataset: by a layout or its name in a package, else by a mapping or its columns.

    And the tables that are of none.
    """
    laid_out = list(by_layout(tables, package).values()) if package else []
    members = package.members if package else ()
    claimed = {base_of(path) for member in members for path in member.paths}
    told: dict[int, list[Owned]] = {}
    for at, table in enumerate(tables):
        named = by_name(request, table, package) if package else None
        if table.path not in claimed:
            told[at] = [named] if named else by_mapping(table, mappings)
    claimed |= claimed_paths([each for group in told.values() for each in group])
    owned, strays = laid_out, []
    for at, table in enumerate(tables):
        group = told.get(at, [])
        if not group and table.path not in claimed:
            likely = by_columns(table, datasets) if request.mapping is None else None
            group = [likely] if likely else []
            strays += [table] if not likely else []
        owned += group
    return owned, strays


def _take_as(job: Job, package: Package) -> None:
    """Note that a file for which no package was named is one of `package`."""
    job.package = package.name
    notice = f"The file is taken as the package {package.name}."
    if import_request(job).on_match is None and package.on_match is not OnMatch.MERGE:
        job.on_match = package.on_match
        notice += f" What it does with rows that are there already: {package.on_match}."
    job.notices.append(notice)


def _place_lists(job: Job, look: Look, dataset: str, mappings: Mapping[str, MappingFile]) -> None:
    """Note where the rows of a named dataset lie, if a mapping tells where in a document."""
    job.dataset = dataset
    nested = [m for m in mappings.values() if m.paths and m.dataset == dataset]
    owned = [each for table in look.tables for each in by_mapping(table, nested)]
    if len(owned) == 1:
        _note_only(job, owned[0])


def _note_only(job: Job, owned: Owned) -> None:
    job.dataset, job.inside = owned.dataset, owned.inside
    job.mapping = owned.mapping.name if owned.mapping else None


def name_tables(part: JobPart, target: Target, look: Look) -> bool:
    """Note on `part` which tables of its file are of its dataset, and what to say of the others.

    That is for who names a dataset, but none of several tables; False where none is of it.
    """
    mappings = (target.mapping,) if target.mapping else target.candidates
    found: list[Owned] = []
    unread = [*look.notices]
    for table in look.tables:
        detected = detect(mappings, first_rows(table))
        if detected is not None:
            found.append(Owned(table, target.dataset.name, detected.mapping))
        elif target.mapping is None and (
            is_list_of(table, target.dataset) or _has_columns_of(table, part, target)
        ):
            found.append(Owned(table, target.dataset.name))
        else:
            unread.append(_stray_notice(table))
    if not found:
        return False
    owned, views = preferred(found)
    names = [str(each.table.inside) for each in owned]
    part.inside, part.tables = (names[0], []) if len(names) == 1 else (None, names)
    part.strays = unread + [_view_notice(view.table, owned[0].table) for view in views]
    part.unread = unread
    return True


def _has_columns_of(table: TableLook, part: JobPart, target: Target) -> bool:
    """Whether a table has by name all that its dataset needs.

    Raises InputError where it has, and is wrong: nobody would notice that it is left out.
    """
    try:
        map_columns(table.columns, target.dataset, part.columns, target.values)
    except InputError as error:
        if error.code != "missing-label":
            error.tell_of(str(table.inside))
            raise
        return False
    return table.has_header


def _part(job: Job, request: ImportRequest, owned: Sequence[Owned]) -> JobPart:
    """What the job does to a dataset with its table, or with several that are read as one.

    Raises UsageError `two-files-of-one-dataset` for tables that no one mapping reads.
    """
    owned, views = preferred(owned)
    job.notices += [_view_notice(view.table, owned[0].table) for view in views]
    first, *others = owned
    part = first.part(job, request)
    if not others:
        return part
    for other in others:
        if not first.is_read_as(other):
            raise _twice(request, first, other)
    part.inside, part.tables = None, [str(each.inside) for each in owned]
    return part


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


def _twice(request: ImportRequest, first: Owned, second: Owned) -> UsageError:
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
