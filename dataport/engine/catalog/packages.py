"""Packages: datasets that belong together and arrive together (design sections 3 and 6).

A package names its members and the files that are theirs. In which order they are merged is not
written down: it follows from their foreign keys, so that what a row refers to comes before it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from dataport.core.errors import ConfigError, NotFoundError
from dataport.core.text import nearest_hint
from dataport.core.toml_model import TomlModel, load_model
from dataport.core.words import OnMatch
from dataport.engine.catalog.documents import Layout, ListPath, Names, ValuePath, lists_below
from dataport.engine.catalog.load import check_file_name
from dataport.engine.catalog.model import Dataset, check_name
from dataport.engine.catalog.references import referenced


class SheetField(TomlModel):
    """A column of a sheet that shows a field in its own way."""

    field: str
    title: str
    width: Annotated[float, Key(gt=0, le=255)]
    is_text: bool = Key(False, alias="text", description="Whether a time is ISO 8601 text.")
    words: tuple[str, str] | None = Key(None, description="What false and true are called.")


class SheetLayout(TomlModel):
    """What the sheet of a member shows, in the workbook of its package."""

    name: Annotated[str, Key(pattern=r"^[^\[\]:*?/\\']{1,31}$")]
    columns: Annotated[tuple[SheetField, ...], Key(min_length=1)]


class PackageMember(TomlModel):
    """One dataset of a package."""

    dataset: str
    files: tuple[str, ...] = Key(
        (), description="Patterns of its files' names, as in customers*.csv, besides its own name."
    )

    paths: tuple[str, ...] = Key(
        (),
        description="Lists of a JSON document that hold its rows, as in data.tickets[].notes.",
    )
    repeated: bool = Key(
        False,
        description="Whether a document that is exported has all rows in the outermost list, even"
        " those that stand in other items too.",
    )
    fields: dict[str, str | tuple[str, ...]] = Key(
        {},
        description="Of fields that an item does not have by name: the path of the value, as in"
        " author.email, or ^.id for the item around the list; or several, the first that is there.",
    )

    sheet: SheetLayout | None = Key(
        None, description="Its sheet in a workbook, where that is not a plain table of all fields."
    )

    @model_validator(mode="after")
    def _paths_are_right(self) -> PackageMember:
        for path in self.paths:
            ListPath.parse(path)
        for value in (each for paths in self.values.values() for each in paths):
            ValuePath.parse(value)
        return self

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The paths of the values of fields, in the order in which they are tried."""
        return {
            name: (paths,) if isinstance(paths, str) else paths
            for name, paths in self.fields.items()
        }

    @property
    def root(self) -> str | None:
        """The outermost of its lists, in which a document has all rows that nothing else holds."""
        return next((path for path in self.paths if not ListPath.parse(path).nested), None)

    def own_path(self, field: str) -> Names | None:
        """Where an item itself has the value of a field; None where only those around it do."""
        texts = self.values.get(field, (field,))
        return next((path.names for path in map(ValuePath.parse, texts) if path.up == 0), None)

    @property
    def patterns(self) -> tuple[str, ...]:
        """What its files are called: as exports of the dataset are, or as was said."""
        return (*self._own_patterns, *self.files)

    @property
    def _own_patterns(self) -> tuple[str, ...]:
        return f"{self.dataset}.*", f"{self.dataset}-*"

    def takes(self, name: str) -> bool:
        """Whether a file of this name is the member's; capitals make no difference."""
        return _fits(name, self.patterns)

    def is_named_by(self, name: str) -> bool:
        """Whether a file has the dataset's own name."""
        return _fits(name, self._own_patterns)


class Package(TomlModel):
    """Datasets that belong together, as one TOML file defines them."""

    name: str
    title: str = ""
    description: str = ""
    on_match: OnMatch = Key(
        OnMatch.MERGE,
        alias="onMatch",
        description="What an import does with rows that are there already, unless it says itself.",
    )
    members: Annotated[tuple[PackageMember, ...], Key(min_length=1)]

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        return check_name(value)

    @model_validator(mode="after")
    def _members_differ(self) -> Package:
        for name in self.datasets:
            if self.datasets.count(name) > 1:
                raise ValueError(f"the dataset {name!r} is a member twice")
        return self

    @property
    def has_layout(self) -> bool:
        """Whether a document can hold rows of its members."""
        return any(member.paths for member in self.members)

    def member(self, dataset: str) -> PackageMember | None:
        """The member of a dataset; None where it is none."""
        return next((each for each in self.members if each.dataset == dataset), None)

    def layout(self, member: PackageMember) -> Layout:
        """How the rows of a member lie in a document, and which of their lists are other rows."""
        paths = [path for other in self.members for path in other.paths]
        return Layout(member.paths, member.values, lists_below(member.paths, paths))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The members' names, in the order of the file."""
        return tuple(member.dataset for member in self.members)

    @property
    def told_files(self) -> str:
        """What its files are called, in a sentence."""
        patterns = (f"{', '.join(member.patterns)} ({member.dataset})" for member in self.members)
        return f"Its files are called {'; '.join(patterns)}."

    def owners(self, name: str) -> list[str]:
        """The datasets that take a file of this name; one, where all is well.

        A dataset's own name says more than the patterns of others.
        """
        named = [member.dataset for member in self.members if member.is_named_by(name)]
        return named or [member.dataset for member in self.members if member.takes(name)]


def load_package(path: Path) -> Package:
    """The package that `path` defines. Raises ConfigError naming file, key and nearest word."""
    package = load_model(Package, path)
    check_file_name(package.name, "package", path)
    return package


def check_package(package: Package, datasets: Mapping[str, Dataset], path: Path) -> None:
    """Raise ConfigError where a member is no dataset, or some refer to one another in a circle."""
    for index, name in enumerate(package.datasets):
        if name not in datasets:
            raise ConfigError(
                "wrong-value",
                f"{path}: 'members[{index}].dataset' is {name!r}, which is not defined.",
                hint=nearest_hint(name, datasets),
            )
    for index, member in enumerate(package.members):
        shown = [column.field for column in member.sheet.columns] if member.sheet else []
        for key, field in [
            *(("fields", name) for name in member.fields),
            *(("sheet", name) for name in shown),
        ]:
            if field not in datasets[member.dataset].field_names:
                raise ConfigError(
                    "wrong-value",
                    f"{path}: 'members[{index}].{key}' names {field!r}, but {member.dataset} has"
                    " no such field.",
                    hint=nearest_hint(field, datasets[member.dataset].field_names),
                )
    _, left = _placed(package.datasets, datasets)
    if left:
        circle = _circle(left, datasets)
        raise ConfigError(
            "circular-references",
            f"{path}: the members refer to one another in a circle: {' -> '.join(circle)}.",
            "None of them can be merged before the others.",
            "Leave one of the foreign keys out, or a member; a dataset may refer to itself.",
        )


def members_in_order(package: Package, datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """The members, each behind those that it refers to, else as the file lists them."""
    return in_order(package.datasets, datasets)


def in_order(names: Iterable[str], datasets: Mapping[str, Dataset]) -> tuple[str, ...]:
    """Datasets, each behind those that it refers to; what stands in a circle comes last."""
    placed, left = _placed(names, datasets)
    return (*placed, *left)


def member_documents(package: Package, datasets: Mapping[str, Dataset]) -> list[dict[str, Any]]:
    """`dataset, title, files, after` of each member in order; `after` are those it refers to."""
    members = {member.dataset: member for member in package.members}
    return [
        {
            "dataset": name,
            "title": datasets[name].title,
            "files": list(members[name].patterns),
            "after": _needs(name, package.datasets, datasets),
        }
        for name in members_in_order(package, datasets)
    ]


def find_package(packages: Mapping[str, Package], name: str) -> Package:
    """The package called `name`. Raises NotFoundError that names the nearest one."""
    if name in packages:
        return packages[name]
    raise NotFoundError(
        "unknown-package",
        f"There is no package called {name!r}.",
        hint=nearest_hint(name, packages),
    )


def _placed(names: Iterable[str], datasets: Mapping[str, Dataset]) -> tuple[list[str], list[str]]:
    """Datasets in order, and those that no order puts behind all they refer to."""
    placed: list[str] = []
    left = list(names)
    while ready := next((name for name in left if not _needs(name, left, datasets)), None):
        placed.append(ready)
        left.remove(ready)
    return placed, left


def _needs(name: str, among: Iterable[str], datasets: Mapping[str, Dataset]) -> list[str]:
    """Those of `among` that a dataset refers to, besides itself."""
    dataset = datasets[name]
    targets = {referenced(dataset, key) for key in dataset.foreign_keys} - {name}
    return [each for each in among if each in targets]


def _circle(left: list[str], datasets: Mapping[str, Dataset]) -> list[str]:
    """A way from a dataset back to itself, among datasets that each refer to another of them."""
    way = [left[0]]
    while way.count(way[-1]) == 1:
        way.append(_needs(way[-1], left, datasets)[0])
    return way[way.index(way[-1]) :]


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
