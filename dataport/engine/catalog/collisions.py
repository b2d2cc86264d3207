"""Places of a package's document that can't all be there: one name leads to one thing.

A name in an object leads to a list, a value or another object. So no two members may have their rows,
and no two fields their values, in one place, or one of them in the middle of the other's way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dataport.core.errors import ConfigError
from dataport.engine.catalog.documents import ListPath, Names
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, PackageMember

HEADER = "exportInfo"
"""What a document that is written tells of itself."""
TOTAL = "totalRecords"
"""How many records it says it holds."""

Placed = tuple[str, Names]
"""What it is, for an error, and the names that lead to it."""


def check_places(package: Package, datasets: Mapping[str, Dataset], path: Path) -> None:
    """Raise ConfigError where two members, or fields of one, can't both be in a document."""
    own: list[Placed] = [(f"the document's own {name}", (name,)) for name in (HEADER, TOTAL)]
    roots = [(f"the list of {member.dataset}", _root(member)) for member in package.members]
    _check([*own, *((what, names) for what, names in roots if names)], path, "'paths' of a member")
    for member in package.members:
        fields = list(_fields(member, datasets[member.dataset]))
        for outer in member.paths:
            places = [*fields, *_lists_in(outer, package)]
            _check(places, path, f"'fields' of the member {member.dataset}")


def _root(member: PackageMember) -> Names | None:
    return None if member.root is None else ListPath.parse(member.root).base


def _fields(member: PackageMember, dataset: Dataset) -> Iterator[Placed]:
    """The values of an item, where it has them itself."""
    for field in dataset.fields:
        names = member.own_path(field.name)
        if names is not None:
            yield f"the field {field.name} of {member.dataset}", names


def _lists_in(outer: str, package: Package) -> Iterator[Placed]:
    """Lists of rows in an item of another list."""
    for member in package.members:
        for path in member.paths:
            if path.rpartition("[].")[0] == outer:
                names = ListPath.parse(path).nested[-1]
                yield f"the list of {member.dataset} in an item", names


def _check(places: Iterable[Placed], path: Path, key: str) -> None:
    for (one, names), (other, way) in itertools.combinations(places, 2):
        both = min(len(names), len(way))
        if names[:both] != way[:both]:
            continue
        inner, outer = (one, other) if len(names) > len(way) else (other, one)
        told = "stand in one place" if len(names) == len(way) else "stand one in the other"
        raise ConfigError(
            "paths-collide",
            f"{path}: {one} at {'.'.join(names)!r} and {other} at {'.'.join(way)!r} {told}.",
            f"A document can't hold {inner} where {outer} is.",
            f"Give one of them another path, in {key}.",
        )
