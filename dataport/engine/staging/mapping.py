"""Which column of a file is which field of a dataset."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache

from dataport.core.errors import InputError
from dataport.engine.catalog.mappings import FILE
from dataport.engine.catalog.model import Dataset
from dataport.engine.staging.above import ColumnAbove
from dataport.engine.staging.reject_layout import own_columns, reject_layout


@dataclass(frozen=True)
class Drawn:
    """How a mapping draws a field from columns."""

    sql: str
    """Of the field's raw text, over the cells `c0` on."""
    positions: tuple[int, ...]
    """Of those columns; none for a value that all rows have alike."""
    unknown: str | None = None
    """SQL that is true where the mapping's table does not list a row's value."""
    known: tuple[str, ...] = ()
    """The values that it lists."""
    is_optional: bool = False
    """Whether rows may lack the field even where it is required."""
    is_always: bool = False
    """Whether rows state it that have none of the columns."""


@dataclass(frozen=True)
class Skipped:
    """A rule about rows that are left out."""

    condition: str
    """SQL that is true for them, over the cells `c0` on."""
    column: str
    names: str | None = None
    """The cell by which rows are named; the condition looks for it among those in `NAMED`."""


NAMED = "named_rows"
"""Table of the `name`s of rows that no other rule leaves out."""


@dataclass(frozen=True)
class Mapped:
    """The columns of one file as fields."""

    positions: dict[str, int]
    """Field to position of its column."""
    ignored: tuple[str, ...]
    """Columns that no field takes."""
    drawn: dict[str, Drawn] = dataclass_field(default_factory=dict)
    """What a mapping says of fields, where there is one."""
    skips: tuple[Skipped, ...] = ()
    """Rows that are none of the dataset's."""
    by: str | None = None
    """Name of the mapping."""
    spans: str = "check"
    """As of a MappingFile."""
    above: tuple[ColumnAbove, ...] = ()
    """Columns behind the file's own, made of rows above."""


def fold(label: str) -> str:
    """A label without case, accents of form, spaces and punctuation."""
    text = unicodedata.normalize("NFKC", label).casefold()
    return "".join(char for char in text if char.isalnum())


def is_label(cell: str, dataset: Dataset) -> bool:
    """Whether a cell names a field of `dataset`."""
    return find_field(cell, dataset) is not None


def find_field(label: str, dataset: Dataset) -> str | None:
    """The field that a column label names: by name, folded name, title or alias."""
    names, folded = _labels(dataset)
    return label.strip() if label.strip() in names else folded.get(fold(label))


@lru_cache(maxsize=64)
def _by_label(columns: tuple[tuple[str, ...], ...]) -> dict[str, str]:
    """Folded label to field; an earlier column of labels stands above a later one."""
    folded: dict[str, str] = {}
    for labels in columns:
        for name, label in zip(columns[0], labels, strict=True):
            if fold(label):
                folded.setdefault(fold(label), name)
    return folded


def _labels(dataset: Dataset) -> tuple[frozenset[str], dict[str, str]]:
    names = dataset.field_names
    titles = tuple(field.title or "" for field in dataset.fields)
    width = max(len(field.aliases) for field in dataset.fields)
    aliases = [
        tuple(field.aliases[at] if at < len(field.aliases) else "" for field in dataset.fields)
        for at in range(width)
    ]
    return frozenset(names), _by_label((names, titles, *aliases))


def map_columns(
    columns: Sequence[str],
    dataset: Dataset,
    forced: Mapping[str, str],
    constants: Mapping[str, str],
) -> Mapped:
    """The fields of `columns`. Raises InputError when a field is named twice or missing."""
    layout = reject_layout(columns)
    own = range(layout.start, layout.stop) if layout else range(len(columns))
    positions = _forced(columns, dataset, forced)
    taken = set(positions.values())
    doubled: dict[str, list[str]] = {}
    for position, label in enumerate(columns):
        if position in taken or position not in own or label == FILE:
            continue
        name = find_field(label, dataset)
        if name is None or name in forced or name in constants:
            continue
        if dataset.field(name).is_computed:
            taken.add(position)
        elif name in positions:
            doubled.setdefault(name, [columns[positions[name]]]).append(label)
        else:
            positions[name] = position
    if doubled:
        raise _twice(doubled)
    used = taken | set(positions.values())
    ignored = [columns[at] for at in own if at not in used and columns[at] != FILE]
    check_complete(own_columns(columns), dataset, frozenset({*positions, *constants}))
    ordered = {name: positions[name] for name in dataset.field_names if name in positions}
    return Mapped(ordered, tuple(ignored))


def _forced(columns: Sequence[str], dataset: Dataset, forced: Mapping[str, str]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for name, label in forced.items():
        if name not in dataset.field_names:
            raise InputError(
                "unknown-field",
                f"The mapping names {name!r}, which is no field of {dataset.name}.",
                hint=f"Fields: {', '.join(dataset.field_names)}.",
            )
        found = [at for at, column in enumerate(columns) if column == label]
        found = found or [at for at, column in enumerate(columns) if fold(column) == fold(label)]
        if not found:
            raise _missing([f"{name} (mapped to {label!r})"], columns)
        if len(found) > 1:
            raise _twice({name: [label] * len(found)})
        positions[name] = found[0]
    return positions


def check_complete(
    columns: Sequence[str],
    dataset: Dataset,
    stated: frozenset[str],
    optional: frozenset[str] = frozenset(),
) -> None:
    """Raise InputError where a required field, or any way to a key, is missing in `stated`."""
    stated = stated | {field.name for field in dataset.fields if field.default is not None}
    stated |= {field.name for field in dataset.fields if field.default_from in stated}
    if not stated & set(dataset.field_names):
        raise _missing(list(dataset.primary_key), columns)
    missing = [
        field.name
        for field in dataset.fields
        if field.constraints.required and field.name not in stated | optional
    ]
    ways = (dataset.primary_key, *dataset.match, *dataset.derive_key)
    if not any(stated.issuperset(way) for way in ways):
        missing += [name for name in dataset.primary_key if name not in stated | set(missing)]
    if missing:
        raise _missing(missing, columns)


def _missing(fields: Sequence[str], columns: Sequence[str]) -> InputError:
    shown = ", ".join(repr(column) for column in list(columns)[:20]) or "none"
    return InputError(
        "missing-label",
        f"No column is {' or '.join(fields)}.",
        f"The file has these columns: {shown}.",
        "Rename a column to the field's name, or say which column it is with a mapping; a value that"
        f" all rows share is given with --set {fields[0].split()[0]}=VALUE.",
    )


def _twice(doubled: Mapping[str, Sequence[str]]) -> InputError:
    name, labels = next(iter(doubled.items()))
    shown = " and ".join(repr(label) for label in labels)
    return InputError(
        "duplicate-label",
        f"Two columns are {name}: {shown}.",
        "A column that maps twice leaves open which value counts.",
        "Remove or rename one of them, or say which column it is with a mapping.",
    )
