"""Dataset definitions: typed fields, keys, checks and merge policies (design section 6).

Names follow Frictionless Table Schema where it has them; our own keys are `aliases`,
`normalise`, `merge`, `groups`, `granularity`, `match`, `deriveKey`, `duplicates`, `headerless`,
`personal`, `empty`, `defaultFrom`, `part`, `counts` and `spans`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from dataport.core.toml_model import TomlModel
from dataport.engine.catalog.bounds import wrong_bound
from dataport.engine.catalog.computed import Count, Part, Span

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.IGNORECASE)
"""Names of datasets and fields: they become SQL identifiers, always quoted."""


class FieldType(StrEnum):
    """Types of Table Schema that a field may have."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    LIST = "list"
    OBJECT = "object"
    ANY = "any"


class Normalise(StrEnum):
    """Set-based clean-ups applied to the text before checks, in the order given."""

    TRIM = "trim"
    LOWER = "lower"
    UPPER = "upper"
    SQUEEZE = "squeeze"
    """Runs of white space become one space."""


class Duplicates(StrEnum):
    """Which of several rows with one key in one file stands."""

    FIRST = "first"
    LAST = "last"
    NEWEST = "newest"
    ASK = "ask"


class Empty(StrEnum):
    """What an empty cell says (merge.md 5.1)."""

    NULL = "null"
    EMPTY = "empty"
    ABSENT = "absent"


class Granularity(StrEnum):
    """What store and source must both have changed to be in conflict (merge.md 2.3, 5.4).

    The four are the strictness levels of Dolt's row merge policy, named behind each.
    """

    CELL = "cell"
    """One field, or group, to different values (fieldDivergent)."""
    GROUP = "group"
    """One field, or group, even to the same value (fieldTouched)."""
    ROW = "row"
    """Any fields of one row, unless both sides' rows are equal now (documentDivergent)."""
    TOUCHED = "touched"
    """Any fields of one row, even to the same values (documentTouched)."""


class OnMissing(StrEnum):
    """What happens to a reference whose target does not exist."""

    KEEP = "keep"
    NULL = "null"
    REJECT = "reject"
    STUB = "stub"


class Phone(TomlModel):
    """How a `format = "phone"` field is read and written (X-19, V-13)."""

    region: str | None = Key(None, description="Country of national numbers; the home's if unset.")
    style: Literal["e164", "digits11", "verbatim"] = "e164"
    check: Literal["possible", "length", "none"] = "possible"


class Constraints(TomlModel):
    """Checks of one field, by their Table Schema names."""

    required: bool = False
    unique: bool = False
    min_length: int | None = Key(None, alias="minLength", ge=0)
    max_length: int | None = Key(None, alias="maxLength", ge=0)
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    exclusive_minimum: int | float | str | None = Key(None, alias="exclusiveMinimum")
    exclusive_maximum: int | float | str | None = Key(None, alias="exclusiveMaximum")
    pattern: str | None = None
    enum: tuple[str, ...] | None = None

    @property
    def bounds(self) -> tuple[object, ...]:
        """Least and most, as far as they are given."""
        return self.minimum, self.maximum, self.exclusive_minimum, self.exclusive_maximum

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return check_pattern(value)


def check_pattern(value: str | None) -> str | None:
    """`value` if it is a regular expression or None, else ValueError."""
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
    return value


def spelled(merge: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """A value of `merge` as the chain of policies it stands for."""
    return (merge,) if isinstance(merge, str) else merge or ()


class Field(TomlModel):
    """One column of a dataset."""

    name: str
    type: FieldType = FieldType.STRING
    format: str | None = None
    title: str | None = None
    description: str = ""
    aliases: tuple[str, ...] = ()
    normalise: tuple[Normalise, ...] = (Normalise.TRIM,)
    missing_values: tuple[str, ...] | None = Key(None, alias="missingValues")
    empty: Empty = Empty.NULL
    default: str | None = Key(None, description="Value of a row that states none.")
    default_from: str | None = Key(
        None, alias="defaultFrom", description="Field whose value a row takes that states none."
    )
    part: Part | None = Key(None, description="The key field's text that it is a piece of.")
    counts: Count | None = Key(None, description="Rows that it is the number of.")
    personal: bool = False
    merge: str | tuple[str, ...] | None = Key(None, description="Merge policies, in order.")
    constraints: Constraints = Constraints()
    phone: Phone = Phone()
    delimiter: str = Key(";", description="Separates the items of a list in one cell.")
    precision: int | None = Key(None, ge=1, le=38, description="Digits of a DECIMAL number.")
    scale: int | None = Key(None, ge=0, le=38, description="Decimals of a DECIMAL number.")
    true_values: tuple[str, ...] = Key(
        (), alias="trueValues", description="Words for true, besides the common ones."
    )
    false_values: tuple[str, ...] = Key(
        (), alias="falseValues", description="Words for false, besides the common ones."
    )
    date_order: Literal["dmy", "mdy"] | None = Key(
        None,
        alias="dateOrder",
        description="Whether the day or the month comes first in 1/2/2026; else the column tells.",
    )
    decimal_char: Literal[".", ","] | None = Key(
        None, alias="decimalChar", description="Sign before decimals; else the column tells."
    )
    formats: tuple[str, ...] = Key((), description="Extra strptime patterns of dates and times.")
    example: str | None = None

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        return check_name(value)

    @property
    def is_computed(self) -> bool:
        """Whether it follows from other values alone, so that no file or person sets it."""
        return self.part is not None or self.counts is not None

    @property
    def policies(self) -> tuple[str, ...]:
        """Its own merge policies as they are spelled, in order; none where wider ones hold."""
        return spelled(self.merge)

    @property
    def sql_type(self) -> str:
        """The DuckDB type that holds this field in the store."""
        if self.type is FieldType.NUMBER and self.scale is not None:
            return f"DECIMAL({self.precision or 18},{self.scale})"
        return SQL_TYPES[self.type]


SQL_TYPES: dict[FieldType, str] = {
    FieldType.STRING: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.NUMBER: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.DATETIME: "TIMESTAMP",
    FieldType.TIME: "TIME",
    FieldType.DURATION: "BIGINT",
    FieldType.LIST: "VARCHAR[]",
    FieldType.OBJECT: "VARCHAR",
    FieldType.ANY: "VARCHAR",
}
"""Instants are UTC in TIMESTAMP; durations are microseconds; objects and any are JSON text."""


class Reference(TomlModel):
    """The far end of a foreign key."""

    resource: str
    fields: tuple[str, ...]


class ForeignKey(TomlModel):
    """Fields that name a row of another dataset."""

    fields: tuple[str, ...]
    reference: Reference
    on_missing: OnMissing = Key(OnMissing.KEEP, alias="onMissing")


class Dataset(TomlModel):
    """A typed table with a key, as one TOML file defines it."""

    name: str
    title: str = ""
    description: str = ""
    primary_key: Annotated[tuple[str, ...], Key(alias="primaryKey", min_length=1)]
    match: tuple[tuple[str, ...], ...] = ()
    derive_key: tuple[tuple[str, ...], ...] = Key((), alias="deriveKey")
    date_field: str | None = Key(None, alias="dateField")
    assignee_field: str | None = Key(
        None, alias="assigneeField", description="Field that `bulk assign` sets."
    )
    missing_values: tuple[str, ...] = Key(("",), alias="missingValues")
    duplicates: Duplicates = Duplicates.FIRST
    merge: str | tuple[str, ...] | None = Key(
        None, description="Merge policies of the fields that have none of their own."
    )
    groups: tuple[tuple[str, ...], ...] = Key(
        (), description="Fields that belong together: compared, merged and queued as one."
    )
    granularity: Granularity = Granularity.CELL
    headerless: tuple[str, ...] = Key(
        (), description="Fields of a file without a header, in order."
    )
    fields: Annotated[tuple[Field, ...], Key(min_length=1)]
    foreign_keys: tuple[ForeignKey, ...] = Key((), alias="foreignKeys")
    spans: tuple[Span, ...] = Key(
        (), description="Starts, ends and hours, of which one follows from the others."
    )

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        return check_name(value)

    @field_validator("primary_key", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _names_exist(self) -> Dataset:
        names = [field.name for field in self.fields]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ValueError(f"field {min(doubled)!r} is defined twice")
        folded = [name.lower() for name in names]
        if len(set(folded)) < len(folded):
            raise ValueError("two fields differ only in upper and lower case")
        lists = (self.primary_key, self.headerless, *self.match, *self.derive_key, *self.groups)
        used = [name for names in lists for name in names]
        used += [name for key in self.foreign_keys for name in key.fields]
        used += [name for name in (self.date_field, self.assignee_field) if name]
        used += [name for span in self.spans for name in span.names]
        used += [field.default_from for field in self.fields if field.default_from]
        used += [field.part.of for field in self.fields if field.part]
        for name in used:
            if name not in names:
                raise ValueError(f"no field is called {name!r}; fields: {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _groups_are_apart(self) -> Dataset:
        grouped = [name for group in self.groups for name in group]
        for group in self.groups:
            if len(group) < 2:
                raise ValueError(f"a group has at least two fields, not only {', '.join(group)}")
        for name in grouped:
            if grouped.count(name) > 1:
                raise ValueError(f"field {name!r} is in two groups, or in one twice")
            if name in self.primary_key:
                raise ValueError(f"field {name!r} is part of the key and can't be in a group")
        return self

    @model_validator(mode="after")
    def _computed_values_fit(self) -> Dataset:
        for field in self.fields:
            problem = self._misfit(field)
            if problem:
                raise ValueError(f"field {field.name!r} {problem}")
        for span in self.spans:
            start, end, hours = (self.field(name) for name in span.names)
            if not start.type == end.type == FieldType.DATETIME or hours.type != FieldType.NUMBER:
                raise ValueError(
                    f"a span needs a datetime, a datetime and a number, not {start.name},"
                    f" {end.name} and {hours.name}"
                )
        return self

    def _misfit(self, field: Field) -> str | None:
        """Why a field can't be made of others as it says; None where it can."""
        ways = (field.part, field.counts, field.default_from, field.default)
        if sum(way is not None for way in ways) > 1:
            return "has more than one of 'part', 'counts', 'default' and 'defaultFrom'"
        if field.is_computed and (field.name in self.primary_key or field.constraints.required):
            return "is computed, so it can be neither required nor part of the key"
        if field.default_from:
            other = self.field(field.default_from)
            if other.sql_type != field.sql_type or other.default_from or other.is_computed:
                return f"can't take the value of {other.name!r}, which is of another kind"
        if field.part and field.part.of not in self.primary_key:
            return f"can only be a part of the key: {', '.join(self.primary_key)}"
        if field.part and not field.type == self.field(field.part.of).type == FieldType.STRING:
            return f"and {field.part.of!r} must both be strings"
        if field.counts and field.type is not FieldType.INTEGER:
            return "counts rows, so its type must be 'integer'"
        if field.counts and len(field.counts.fields) != len(self.primary_key):
            return f"must name as many fields as the key has: {', '.join(self.primary_key)}"
        return wrong_bound(field.type, field.constraints.bounds)

    def field(self, name: str) -> Field:
        """The field called `name`. Raises KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def unique_fields(self) -> tuple[Field, ...]:
        """Fields whose values no two rows may share, besides a key that is one by itself."""
        return tuple(
            field
            for field in self.fields
            if field.constraints.unique and (field.name,) != self.primary_key
        )

    @property
    def rejects_references(self) -> bool:
        """Whether a row that passed all checks of its own may be rejected for what it refers to."""
        return any(key.on_missing is OnMissing.REJECT for key in self.foreign_keys)

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


def check_name(value: str) -> str:
    """`value` if it can name a dataset or field, else ValueError."""
    if not NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a name: a letter, then letters, digits and _, at most 63 in all"
        )
    return value
