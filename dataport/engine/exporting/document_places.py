"""Which list of a document each row stands in: the inverse of what a package says of reading it.

A row stands in the list of the item that it belongs to, where there is such a list and the item is in
the document; else in the outermost list of its dataset. So each stands somewhere, and once, but
for members that are `repeated`. What reading would take from the item around it is left out only
where it is the row's own value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dataport.engine.catalog.documents import ListPath, Names, ValuePath
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, PackageMember
from dataport.engine.sql import ident

INNER = "[]."
"""Between a list and one in its items, in a path."""


@dataclass(frozen=True)
class Place:
    """A list of a document, with rows of one dataset."""

    text: str
    """Its path, as the package has it."""
    member: PackageMember
    dataset: Dataset
    parent: Place | None
    """The list whose items hold it."""
    link: str | None
    """The field with the key of that item."""

    @property
    def base(self) -> Names:
        """Names of the objects around it, and its own; of a list in an item, only the latter."""
        path = ListPath.parse(self.text)
        return path.nested[-1] if path.nested else path.base

    @property
    def rows(self) -> str:
        """What its rows are called in SQL."""
        return ident(f"at {self.text}")


def is_document(package: Package) -> bool:
    """Whether all rows of a package, whatever they belong to, have a place in one document."""
    return all(member.root and _says_all(member) for member in package.members)


def places_of(package: Package, datasets: Mapping[str, Dataset]) -> list[Place]:
    """The lists of a document, each behind the one around it."""
    found: dict[str, Place] = {}
    paths = [(path, member) for member in package.members for path in member.paths]
    for path, member in sorted(paths, key=lambda each: each[0].count(INNER)):
        dataset = datasets[member.dataset]
        outer, _, name = path.rpartition(INNER)
        if not outer:
            if path == member.root:
                found[path] = Place(path, member, dataset, None, None)
        elif outer in found and "." not in name:
            link = _link(member, found[outer].dataset)
            if link and not _holds(found.values(), dataset, found[outer].dataset):
                found[path] = Place(path, member, dataset, found[outer], link)
    return list(found.values())


def placed_rows(places: Sequence[Place], queries: Mapping[str, str]) -> str:
    """A WITH clause of the rows of each place, from queries of all rows by dataset.

    Beside the fields there are `_key`, `_rank`, the order of the rows, and `_parent`, the key of
    the item around a row.
    """
    parts: dict[str, str] = {}

    def everything(dataset: Dataset) -> str:
        name, query = ident(f"all {dataset.name}"), queries[dataset.name]
        parts.setdefault(name, f"SELECT *, row_number() OVER () AS _rank FROM ({query})")
        return name

    def holders(place: Place, parent: Place) -> str:
        """The items that may hold rows of a place: of its own dataset, those that nothing holds."""
        if parent.parent or parent.dataset.name != place.dataset.name:
            return rows(parent)
        name, own = ident(f"top {place.dataset.name}"), everything(place.dataset)
        held = f"a.{ident(str(place.link))} = b.{ident(place.dataset.primary_key[0])}"
        parts.setdefault(name, f"SELECT a.* FROM {own} a ANTI JOIN {own} b ON {held}")
        return name

    def rows(place: Place) -> str:
        if place.rows in parts:
            return place.rows
        own = everything(place.dataset)
        if place.parent:
            held = f"a.{ident(str(place.link))} = b.{ident(place.parent.dataset.primary_key[0])}"
            sql = (
                f"SELECT a.*, b._key AS _parent FROM {own} a JOIN {holders(place, place.parent)} b"
                f" ON {' AND '.join([held, *_same(place, place.parent.dataset)])}"
            )
        else:
            sql = f"SELECT a.*, NULL::VARCHAR AS _parent FROM {own} a"
            others = [each for each in places if each.parent and each.member == place.member]
            for other in [] if place.member.repeated else others:
                sql += f" ANTI JOIN {rows(other)} AS {other.rows} ON {other.rows}._key = a._key"
        parts[place.rows] = sql
        return place.rows

    for place in places:
        rows(place)
    return "WITH " + ", ".join(f"{name} AS ({query})" for name, query in parts.items())


def _says_all(member: PackageMember) -> bool:
    return all(member.own_path(field) for field in member.values)


def _link(member: PackageMember, holder: Dataset) -> str | None:
    """The field that names the item around a row."""
    wanted = ValuePath(1, holder.primary_key)
    return next(
        (
            field
            for field, texts in member.values.items()
            if wanted in map(ValuePath.parse, texts) and len(holder.primary_key) == 1
        ),
        None,
    )


def _holds(places: Iterable[Place], dataset: Dataset, holder: Dataset) -> bool:
    """Whether rows of `dataset` hold others that, at length, hold rows of `holder`."""
    if dataset.name == holder.name:
        return False
    around = {
        each.parent.dataset.name: each.parent.dataset
        for each in places
        if each.parent and each.dataset.name == holder.name
    }
    around.pop(holder.name, None)
    return dataset.name in around or any(
        _holds(places, dataset, further) for further in around.values()
    )


def _same(place: Place, holder: Dataset) -> list[str]:
    """Conditions under which reading gives a row its own values, not those of the item `b` around it."""
    conditions = []
    for field, texts in place.member.values.items():
        paths = [ValuePath.parse(text) for text in texts]
        above = [at for at, path in enumerate(paths) if path.up]
        if not above or field == place.link:
            continue
        value, path = f"a.{ident(field)}", paths[above[0]]
        is_known = len(above) == 1 and path.up == 1 and path.names[0] in holder.field_names
        if not is_known or len(path.names) > 1:
            conditions.append(f"{value} IS NOT NULL" if above[0] else "false")
            continue
        other = f"b.{ident(path.names[0])}"
        is_stated = f"{value} IS NOT NULL" if above[0] else f"{value} IS NOT DISTINCT FROM {other}"
        conditions.append(f"({other} IS NULL OR {is_stated})")
    return conditions
