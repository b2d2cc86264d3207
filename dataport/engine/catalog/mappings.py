"""Mappings: how the columns of somebody's files become the fields of a dataset (MAP-01..03).

A mapping names the columns it reads and what is done to their cells. It compiles to the SQL that
makes each field's text from the raw cells (`staging.transforms`), so that everything behind it,
checks, rejects and reject files, sees the file's own columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from dataport.core.errors import ConfigError, NotFoundError
from dataport.core.text import nearest_hint
from dataport.core.toml_model import TomlModel, load_model
from dataport.engine.catalog.documents import Layout, ListPath, ValuePath, lists_below
from dataport.engine.catalog.load import check_file_name
from dataport.engine.catalog.model import Dataset, check_name, check_pattern


class Unknown(StrEnum):
    """What becomes of a value that the lookup table does not list."""

    KEEP = "keep"
    """It stays as it is, for the field's own checks to judge."""
    EMPTY = "empty"
    REJECT = "reject"
    """Its row is rejected, with the listed values."""


class Unit(StrEnum):
    """Units of time spans; a cell written as H:MM or H:MM:SS is one in any of them."""

    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


FILE = "{file}"
"""Stands among columns for what `file` finds in the name of the file, or of one of its tables."""


class Choice(TomlModel):
    """Which column counts, by the value of another."""

    column: str
    take: dict[str, str] = Key(description="Value of that column, to the column that counts then.")


class FieldMapping(TomlModel):
    """How one field is made: cells are taken apart, put together, then translated."""

    field: str
    column: str | None = None
    columns: tuple[str, ...] = Key(
        (), description="Several columns: the first with a value counts, or all with `join`."
    )
    otherwise: tuple[str, ...] = Key((), description="Columns that count where those have none.")
    choose: Choice | None = Key(None, description="Rows for which another column counts.")
    needs: tuple[str, ...] = Key((), description="Columns without which a row has no value.")
    constant: str | None = Key(None, description="Value of every row; for fields without columns.")
    default: str | None = Key(None, description="Value of a row whose columns have none.")
    optional: bool = Key(False, description="Rows may lack the field even where it is required.")

    missing: tuple[str, ...] = Key((), description="More words that stand for no value.")
    path: tuple[str, ...] = Key(
        (), description="Place in a cell that holds JSON: owner.emails[0]; or the first of several."
    )
    between: str = Key(";", description="Put between the values that a path with * finds.")
    pattern: str | None = Key(None, description="Regular expression (RE2): its group is taken.")
    replace: str | None = Key(None, description="Instead: what each match of `pattern` becomes.")
    every: bool = Key(False, description="Instead: all matches, as the items of a list.")
    split: str | None = Key(None, description="Separates the parts of a cell.")
    part: int | None = Key(None, description="The part to take, from 1, or -1 for the last one.")
    join: str | None = Key(None, description="Put between the values of several columns.")
    hash: bool = Key(False, description="Instead: a digest of all columns, to tell rows apart.")

    values: dict[str, str] = Key({}, description="Lookup table; capitals make no difference.")
    unknown: Unknown = Unknown.KEEP
    decimal: Literal[".", ","] | None = Key(None, description="The decimal sign of the column.")
    order: Literal["dmy", "mdy"] | None = Key(
        None, description="Which of day and month comes first in dates such as 3/4/2026."
    )
    format: tuple[str, ...] = Key((), description="strptime patterns of dates and times.")
    day: bool = Key(False, description="An instant with a zone is its day in the home's zone.")
    unit: Unit | None = Key(None, description="Unit of time spans that are plain numbers.")
    to: Unit = Key(Unit.HOURS, description="Unit that a number field wants them in.")

    @field_validator("format", "path", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("format")
    @classmethod
    def _has_no_zone(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any("%z" in form.lower() for form in value):
            raise ValueError("times that name their zone are read without a format")
        return value

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return check_pattern(value)

    @model_validator(mode="after")
    def _is_made_one_way(self) -> FieldMapping:
        ways = (self.column, self.columns or None, self.constant)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("name one of 'column', 'columns' and 'constant'")
        if self.part == 0:
            raise ValueError("parts are counted from 1, or from -1 at the end")
        needs = {
            "part": (self.part is not None, "split", self.split),
            "replace": (self.replace is not None, "pattern", self.pattern),
            "every": (self.every, "pattern", self.pattern),
            "join": (self.join is not None, "columns", self.columns or None),
            "hash": (self.hash, "columns", self.columns or None),
        }
        for key, (is_set, other, value) in needs.items():
            if is_set and value is None:
                raise ValueError(f"{key!r} needs {other!r}")
        return self

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that its value is made of, before those that only stand in."""
        return self.columns if self.column is None else (self.column,)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every column that it speaks of."""
        chosen = (self.choose.column, *self.choose.take.values()) if self.choose else ()
        return (*self.own_columns, *self.otherwise, *chosen, *self.needs)


class Above(TomlModel):
    """A column that the file does not have: a value of rows above, as in outlines and sections."""

    name: str = Key(description="What fields call it.")
    column: str = Key(description="The column whose value is taken.")
    where: str | None = Key(None, description="Column that tells which rows count.")
    values: tuple[str, ...] = Key((), description="Its cells in them.")
    level: str | None = Key(
        None,
        description="Column with the depth of a row, from 1: the values of all rows above that it"
        " lies below, outermost first; without it, that of the nearest row.",
    )
    join: str = Key(" / ", description="Put between those values.")
    pattern: str | None = Key(None, description="Regular expression (RE2) of what to replace.")
    replace: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return check_pattern(value)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every column that it speaks of."""
        return tuple(name for name in (self.column, self.where, self.level) if name is not None)


class Skip(TomlModel):
    """Rows that are none of the dataset's; they are counted, and told as a notice."""

    column: str
    path: tuple[str, ...] = Key(
        (), description="Place in the cell, where that holds JSON; or the first of several."
    )
    values: tuple[str, ...] | None = Key(None, description="Cells that say so; '' is empty.")
    unless: tuple[str, ...] | None = Key(None, description="Instead: all cells but these.")
    pattern: str | None = Key(None, description="Instead: cells in which this is found (RE2).")
    without: str | None = Key(
        None,
        description="Instead: cells that name no row: none that is taken has them in this column.",
    )

    @field_validator("path", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one_rule(self) -> Skip:
        rules = (self.values, self.unless, self.pattern, self.without)
        if sum(rule is not None for rule in rules) != 1:
            raise ValueError("name one of 'values', 'unless', 'pattern' and 'without'")
        if self.path and self.without is not None:
            raise ValueError("'without' compares whole cells, and takes no 'path'")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Every column that it speaks of."""
        return (self.column,) if self.without is None else (self.column, self.without)


class MappingFile(TomlModel):
    """One mapping, as one TOML file defines it."""

    name: str
    title: str = ""
    description: str = ""
    dataset: str
    source: str | None = Key(None, min_length=1, description="Source of files that name none.")
    detect: tuple[str, ...] = Key(
        (), description="Columns that tell its files: all must be there. Empty: only by name."
    )
    signature: str | None = Key(
        None, description="Instead: tells files of `source` with exactly one header."
    )
    file: str | None = Key(
        None, description="Pattern of the file's name; its group is the column '{file}'."
    )
    prefer: str | None = Key(
        None,
        description="Pattern of tables that hold what others beside them show a part of: where it is"
        " found in a name, only such tables are read.",
    )
    paths: tuple[str, ...] = Key(
        (),
        description="Lists of a JSON document that hold its rows, as in value[].checklistItems, or"
        " [].comments where the document is a list. `detect` names what is in an item of the outermost.",
    )
    columns: dict[str, str | tuple[str, ...]] = Key(
        {},
        description="Columns that such an item does not have by name: the path of the value, as"
        " ^.id for the item around the list; or several, the first that is there.",
    )
    parent: str | None = Key(
        None,
        description="Mapping of the items that the lists lie in: what that leaves out, their rows are"
        " left out with.",
    )
    missing: tuple[str, ...] = Key((), description="Words that stand for no value in any column.")
    spans: Literal["check", "make", "ignore", "next-day"] = Key(
        "check",
        description="Whether an end, or hours, that are missing are made of the others, and all"
        " three have to agree: both, the first only, or neither; or neither, and an end before its"
        " start is one of the next day.",
    )
    others: Literal["ignore", "match"] = Key(
        "ignore", description="Whether columns that no field names are found by their names."
    )
    fields: Annotated[tuple[FieldMapping, ...], Key(min_length=1)]
    above: tuple[Above, ...] = ()
    skip: tuple[Skip, ...] = ()

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        return check_name(value)

    @field_validator("file", "prefer")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return check_pattern(value)

    @model_validator(mode="after")
    def _paths_are_right(self) -> MappingFile:
        layout = self.layout
        for path in layout.paths:
            ListPath.parse(path)
        for value in (each for paths in layout.fields.values() for each in paths):
            ValuePath.parse(value)
        if (self.columns or self.parent) and not self.paths:
            raise ValueError(f"{'columns' if self.columns else 'parent'!r} needs 'paths'")
        return self

    @model_validator(mode="after")
    def _fields_differ(self) -> MappingFile:
        names = [each.field for each in self.fields]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the field {name!r} is mapped twice")
        return self

    @property
    def layout(self) -> Layout:
        """How its rows lie in a document, where it names lists of one."""
        columns = {
            name: (paths,) if isinstance(paths, str) else paths
            for name, paths in self.columns.items()
        }
        return Layout(self.paths, columns, lists_below(self.paths, self.paths))

    @property
    def labels(self) -> tuple[str, ...]:
        """Every column that it speaks of."""
        columns = [label for each in self.fields for label in each.labels]
        columns += [label for each in self.above for label in each.labels]
        skipped = [label for rule in self.skip for label in rule.labels]
        return tuple(dict.fromkeys([*self.detect, *columns, *skipped]))


def load_mapping(path: Path) -> MappingFile:
    """The mapping that `path` defines. Raises ConfigError naming file, key and nearest word."""
    mapping = load_model(MappingFile, path)
    check_file_name(mapping.name, "mapping", path)
    return mapping


def check_mapping(mapping: MappingFile, datasets: Mapping[str, Dataset], path: Path) -> None:
    """Raise ConfigError where a mapping names a dataset or field that there is not."""
    if mapping.dataset not in datasets:
        raise _unknown(path, "dataset", mapping.dataset, datasets)
    names = datasets[mapping.dataset].field_names
    for index, each in enumerate(mapping.fields):
        if each.field not in names:
            raise _unknown(path, f"fields[{index}].field", each.field, names)


def find_mapping(mappings: Mapping[str, MappingFile], name: str) -> MappingFile:
    """The mapping called `name`. Raises NotFoundError that names the nearest one."""
    if name in mappings:
        return mappings[name]
    raise NotFoundError(
        "unknown-mapping",
        f"There is no mapping called {name!r}.",
        hint=nearest_hint(name, mappings),
    )


def _unknown(path: Path, key: str, word: str, known: Iterable[str]) -> ConfigError:
    return ConfigError(
        "wrong-value",
        f"{path}: {key!r} is {word!r}, which is not defined.",
        hint=nearest_hint(word, known),
    )
