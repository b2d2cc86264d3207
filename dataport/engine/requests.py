"""What a job is asked to do, checked where it enters (design section 12)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataport.core.words import BulkAction, Mode, OnMatch, Origin

Message = Annotated[str, Field(max_length=2_000)]
"""What a person says about a commit; empty for a default that says what was done."""

NO_BASE = "none"
"""The `base` of an import that takes an export which comes back for a file like any other."""

DEFAULT_SOURCE = "manual"
"""Source of files that nobody said anything about."""


class Request(BaseModel):
    """Base of all requests: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ImportRequest(Request):
    """Read a file and merge it into a dataset, or several into those of a package."""

    path: str | None = Field(None, description="Absolute path of the file on this machine.")
    paths: tuple[str, ...] = Field(
        (), description="Instead: files of a package, and folders with such files."
    )
    dataset: str | None = None
    package: str | None = None
    inside: str | None = Field(
        None,
        min_length=1,
        description="Which table of the file: a file in an archive, a sheet, a list in a document.",
    )
    source: str | None = Field(None, min_length=1, description="Who the file comes from.")
    mapping: str | None = None
    values: dict[str, str] = Field(
        {},
        alias="set",
        description="Values, as text, that every row of the file has, such as the campaign of its"
        " recipients; a column of that field is not looked at.",
    )
    format: str | None = None
    header_line: int | None = Field(
        None,
        ge=1,
        description="Line of a text, or row of a sheet, that names the columns; else it is found.",
    )
    date_order: Literal["dmy", "mdy"] | None = Field(
        None, description="Whether day or month comes first in 1/2/2026; else each column tells."
    )
    mode: Mode | None = None
    on_match: OnMatch | None = None
    dry_run: bool = False
    hold: bool = False
    strict: bool = False
    base: str | None = Field(
        None,
        min_length=1,
        description="A commit or time: compare the file with the store as of then. `none`: an export"
        " that comes back is a file of its source like any.",
    )
    message: Message = Field("", description="Why, for the log; else what was imported.")
    inbox: str | None = None
    origin: Origin = Origin.API

    @model_validator(mode="after")
    def _names_files(self) -> ImportRequest:
        if (self.path is None) == (not self.paths):
            raise ValueError("name either 'path' or 'paths'")
        return self

    @property
    def base_commit(self) -> int | None:
        """The commit whose state the file is compared with, once that is settled."""
        return int(self.base) if self.base and self.base != NO_BASE else None

    @property
    def sources(self) -> tuple[str, ...]:
        """Everything that is to be read."""
        return self.paths or (self.path or "",)


class ExportRequest(Request):
    """Write rows of datasets to files."""

    datasets: tuple[str, ...] = ()
    package: str | None = Field(None, description="Instead: all datasets of it, into one folder.")
    format: Literal["csv", "json", "xlsx", "xml", "txt", "parquet", "doc"] = "csv"
    to: str | None = Field(
        None, description="File or folder, absolute; else below the home's exports."
    )
    zipped: bool = Field(
        False,
        alias="zip",
        description="Pack everything into one ZIP. A `to` that ends in .zip asks for it too.",
    )
    overwrite: bool = Field(
        False, description="Replace files that are there already and not as an export wrote them."
    )
    fields: tuple[str, ...] = ()
    where: str | None = None
    sort: tuple[str, ...] = ()
    as_of: str | None = None
    from_: str | None = Field(None, alias="from")
    until: str | None = None
    origin: Origin = Origin.API

    @model_validator(mode="after")
    def _names_datasets(self) -> ExportRequest:
        if (self.package is None) == (not self.datasets):
            raise ValueError("name either 'datasets' or 'package'")
        return self

    @property
    def is_zipped(self) -> bool:
        """Whether the export is one ZIP (EXF-25)."""
        return self.zipped or (self.to is not None and self.to.lower().endswith(".zip"))


class BulkRequest(Request):
    """Change or delete many records at once."""

    action: BulkAction
    dataset: str
    where: str | None = Field(None, description="The records for which this condition holds.")
    by_keys: bool = Field(False, description="The records whose keys were handed over.")
    values: dict[str, Any] = Field({}, alias="set", description="New values; null clears.")
    dry_run: bool = False
    expect: int | None = Field(None, ge=0, description="Fail unless so many records match.")
    message: Message = Field("", description="Why, for the log; else what was done.")
    origin: Origin = Origin.API


AnyRequest = ImportRequest | ExportRequest | BulkRequest
"""What a job may be asked for."""
