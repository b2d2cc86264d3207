"""Units of a merge: what is compared, merged and queued as one (merge.md 5.1, 5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dataport.engine.catalog.model import Dataset, Field

SIGN = "+"
"""Joins the fields of a group to its name; no field's own name has it."""


@dataclass(frozen=True)
class Unit:
    """A field, a group of fields, or the fields of a row that are settled together."""

    fields: tuple[Field, ...]
    """Those of its fields that are spoken of."""
    name: str | None
    """What its conflicts are called: the field, the group as `a+b`, None for a row."""

    @property
    def is_single(self) -> bool:
        """Whether its values are those of one field, rather than objects of several."""
        return self.name is not None and SIGN not in self.name


def group_name(group: Iterable[str]) -> str:
    """What the conflicts of a group are called, as `street+zip+city`."""
    return SIGN.join(group)


def cells_of(dataset: Dataset, stated: Iterable[str]) -> tuple[Unit, ...]:
    """The single fields and groups among the fields `stated`, in the dataset's order.

    Key fields are in none: rows are matched by them, so they never differ.
    """
    names = set(stated) - set(dataset.primary_key)
    grouped = {name: group_name(group) for group in dataset.groups for name in group}
    units: dict[str, Unit] = {}
    for field in dataset.fields:
        if field.name in names:
            name = grouped.get(field.name, field.name)
            known = units[name].fields if name in units else ()
            units[name] = Unit((*known, field), name)
    return tuple(units.values())


def as_row(units: Iterable[Unit]) -> Unit:
    """Several units as the one that a row is."""
    return Unit(tuple(field for unit in units for field in unit.fields), None)


def unit_named(dataset: Dataset, name: str) -> Unit | None:
    """The unit that a conflict's `field` names, even of a group that is no longer one.

    None where a field of it is no longer defined.
    """
    members = name.split(SIGN)
    fields = tuple(field for field in dataset.fields if field.name in members)
    return Unit(fields, name) if len(fields) == len(members) else None


def unit_names(dataset: Dataset) -> tuple[str, ...]:
    """Every name that a policy or a conflict can have: fields on their own, and groups."""
    grouped = {name for group in dataset.groups for name in group}
    alone = [name for name in dataset.field_names if name not in grouped]
    return (*alone, *(group_name(group) for group in dataset.groups))
