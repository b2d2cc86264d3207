"""What one merge works on: the definition, the three sides and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from dataport.core.settings import PolicyRule
from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.model import Dataset, Duplicates, Field, ForeignKey, Granularity
from dataport.engine.catalog.policies import Policy, PolicyName, chain_for, units_for
from dataport.engine.catalog.units import Unit, cells_of
from dataport.engine.steps import LocalRunner
from dataport.engine.table_lines import ONE_TABLE, TableLines


@dataclass(frozen=True)
class Binding:
    """A foreign key by which no row that the merge makes may lead nowhere. The file's rows don't."""

    key: ForeignKey
    places: tuple[str, ...]
    """Relations that hold referenced rows; those that the merge itself writes are others."""
    completed: str | None = None
    """A relation of rows, by `_record` and the key's fields, for which stubs will be added."""


@dataclass(frozen=True)
class MergeInput:
    """One dataset's part of a commit, before it is planned.

    `incoming` and `base` are relations visible on the planning cursor. `incoming` has `_key`,
    `_record`, `_line`, `_derived`, the stated fields and, where `partial` is not empty,
    `_absent`; `base` has `_key`, every field of the dataset, and `_is_row`, which is true only
    where the store's row is known to equal the base. `present` is a relation of
    `_key`s that the file holds in rows that can't be merged, or need not be since they equal
    their base: they are neither changed nor deleted.
    """

    dataset: Dataset
    incoming: str
    base: str
    stated: tuple[str, ...]
    source: str | None = None
    """None for an undo, whose base is an earlier state of the store itself."""
    remembers: bool = True
    """Whether what the file says is what its source sent last from now on; an undo is no source."""
    base_fields: tuple[str, ...] = ()
    """Fields the source has stated before: a row it drops is unedited if these equal its base."""
    partial: tuple[str, ...] = ()
    present: str | None = None
    excluded: str | None = None
    """A relation of `_key`s that a person left out: as if the file did not speak of them. They
    are neither changed nor deleted, and their bases do not move."""
    disputed: str | None = None
    """A relation like `incoming` of rows with one key that contradict each other, if any."""
    repeated: int = 0
    """Rows of the file that are in `present`, not in `incoming`: they equal their base."""
    mode: Mode = Mode.MERGE
    on_match: OnMatch = OnMatch.MERGE
    has_unknown_keys: bool = False
    """A rejected row had no key: it could be any row, so nothing is deleted."""
    needs_keys: bool = False
    """Some incoming rows have no `_key` and are matched by other fields."""
    source_ranks: tuple[str, ...] = ()
    rules: tuple[PolicyRule, ...] = ()
    """Policies that stand above the definition's."""
    table_lines: TableLines = ONE_TABLE
    """Whose the lines of `incoming` and `disputed` are, where those are rows of several tables."""
    bindings: tuple[Binding, ...] = ()
    runner: LocalRunner = field(default=LocalRunner(), repr=False)
    """Runs the steps of the plan, which is the same in however many pieces."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The stated fields, in the dataset's order."""
        return tuple(each for each in self.dataset.fields if each.name in self.stated)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """What the stated fields are merged by; the key's fields are in none.

        Whole rows are weighed only where a source's word meets the store's.
        """
        if self.source is None or self.is_two_way:
            return cells_of(self.dataset, self.stated)
        return units_for(self.dataset, self.stated, self.rules, self.source)

    @property
    def asks_when_touched(self) -> bool:
        """Whether a unit that both sides changed is asked about even if they agree now."""
        is_strict = self.dataset.granularity in (Granularity.GROUP, Granularity.TOUCHED)
        return is_strict and self.source is not None and not self.is_two_way

    def chain(self, unit: Unit) -> tuple[Policy, ...]:
        """The policies that settle what both sides changed differently.

        They weigh a source's word against the store's. An undo is no source: only what keeps
        that which both sides did may settle it.
        """
        if self.on_match is OnMatch.ASK:
            return ()
        chain = chain_for(self.dataset, unit, self.rules, self.source)
        return chain if self.source is not None else tuple(p for p in chain if p.is_lossless)

    @property
    def uses_ranks(self) -> bool:
        """Whether a policy asks which source a value comes from."""
        chains = (self.chain(unit) for unit in self.units)
        return any(policy.name is PolicyName.SOURCE_RANK for each in chains for policy in each)

    @property
    def known(self) -> tuple[Field, ...]:
        """The fields the source has stated before."""
        return tuple(each for each in self.dataset.fields if each.name in self.base_fields)

    @property
    def remembered(self) -> tuple[Field, ...]:
        """The fields the source states or ever stated: bases have a value in no other."""
        known = {*self.stated, *self.base_fields}
        return tuple(each for each in self.dataset.fields if each.name in known)

    @property
    def asks(self) -> bool:
        """Whether rows that contradict each other are for a person to decide about."""
        return self.dataset.duplicates is Duplicates.ASK and self.source is not None

    @property
    def inserts_only(self) -> bool:
        return self.mode is Mode.APPEND or self.on_match is OnMatch.SKIP

    @property
    def is_two_way(self) -> bool:
        """The store is compared with the file itself, whatever the source sent before."""
        return (
            self.mode is Mode.REPLACE
            or self.inserts_only
            or self.on_match in (OnMatch.OVERWRITE, OnMatch.FILL)
        )

    @property
    def deletes(self) -> bool:
        return self.mode in (Mode.MIRROR, Mode.REPLACE)
