"""Where the tables of a file belong, as a look into it tells.

A request that names a dataset, or files that a package knows by their names, needs no look. All
others are resolved here, once, before anything is staged: what was found is noted on the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from dataport.core.errors import InputError, UsageError
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, in_order
from dataport.engine.importing.targets import import_request, unknown_target
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job
from dataport.engine.requests import ImportRequest
from dataport.engine.staging.look import Look, TableLook, no_such_table
from dataport.engine.staging.mapping import map_columns

CONTAINERS = (".zip", ".xlsx", ".xlsm", ".ods", ".gz", ".zst")
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
        return request.package is None
    return path.suffix.lower() in CONTAINERS or not package.owners(path.name)


def place_tables(
    job: Job, look: Look, datasets: Mapping[str, Dataset], package: Package | None
) -> None:
    """Note on `job` which tables of its file are of which dataset.

    Raises UsageError `unknown-target` or `not-in-package` where none is of any, and where it is
    open which is meant; InputError `no-such-table` for a table that is not there.
    """
    request = import_request(job)
    tables = chosen(look.tables, request.inside, Path(request.sources[0]).name)
    known = {name: datasets[name] for name in package.datasets} if package else datasets
    found: dict[str, TableLook] = {}
    strays: list[TableLook] = []
    for table in tables:
        owner = _owner(request, table, known, package)
        if owner is None:
            strays.append(table)
        elif owner in found:
            raise _twice(request, owner, found[owner], table)
        else:
            found[owner] = table
    if not found:
        raise _belongs_nowhere(request, tables, datasets, package)
    if package is None and len(tables) == 1:
        ((job.dataset, table),) = found.items()
        job.inside = table.inside
        return
    job.notices += [_stray_notice(table) for table in strays]
    job.parts = [
        JobPart(dataset=name, source=job.source, file=job.file, inside=found[name].inside)
        for name in in_order(found, datasets)
    ]


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
    fits = most >= FEWEST and 2 * most >= len(table.columns)
    return best[0] if len(best) == 1 and fits else None


def _owner(
    request: ImportRequest,
    table: TableLook,
    datasets: Mapping[str, Dataset],
    package: Package | None,
) -> str | None:
    """The dataset of a table: by its name in a package, else by its columns."""
    if package is not None:
        name = _name_of(request, table)
        owners = package.owners(name if "." in name else f"{name}.")
        if len(owners) == 1:
            return owners[0]
    return dataset_by_columns(table, datasets)


def _name_of(request: ImportRequest, table: TableLook) -> str:
    """What a table is called: as the file that it is alone in, or by its own last name."""
    if table.inside is None:
        return Path(request.sources[0]).name
    return PurePosixPath(table.inside.rpartition("::")[2]).name


def _twice(request: ImportRequest, owner: str, first: TableLook, second: TableLook) -> UsageError:
    return UsageError(
        "two-files-of-one-dataset",
        f"{first.inside} and {second.inside} are both of {owner}.",
        f"Both lie in {Path(request.sources[0]).name}; an import takes one table a dataset.",
        f"Import one of them by itself: --dataset {owner} --inside {second.inside!r}.",
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
    patterns = (f"{', '.join(member.patterns)} ({member.dataset})" for member in package.members)
    return UsageError(
        "not-in-package",
        f"{name} belongs to no dataset of the package {package.name}.",
        f"Neither its name nor its columns tell. {_shown(tables)}",
        f"Its files are called {'; '.join(patterns)}.",
    )


def _shown(tables: Sequence[TableLook]) -> str:
    """What a look found, in a sentence or two."""
    if len(tables) > 1:
        return f"It holds these tables: {', '.join(str(table.inside) for table in tables[:20])}."
    columns = ", ".join(map(repr, tables[0].columns[:20])) if tables else "none"
    return f"It has these columns: {columns}."


def _stray_notice(table: TableLook) -> str:
    return f"{table.inside} is left out: neither its name nor its columns tell where it belongs."
