"""Settings: one typed model read from `config/dataport.toml`. Every key is described here once;
the reference in docs/config.md and the JSON schema are generated from these descriptions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from dataport.core.keep import parse_keep
from dataport.core.toml_model import TomlModel, load_model
from dataport.core.words import Mode, OnMatch

INBOX_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_UNITS = {"B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(text: str) -> int:
    """Bytes in a size such as `10 MiB`. Raises ValueError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B|B)\s*", text, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{text!r} is not a size; write a number and a unit, as in '2 GiB'")
    return int(float(found[1]) * _UNITS[found[2].upper()])


class Limits(TomlModel):
    """What a file may cost before it is refused (SEC-05, X-27)."""

    file_size: str = Key("2 GiB", description="Largest file, after decompression.")
    rows: int = Key(50_000_000, gt=0, description="Most records in one file.")
    columns: int = Key(2_000, gt=0, description="Most columns in one file.")
    field_size: str = Key("16 MiB", description="Longest single value.")
    nesting: int = Key(
        100, ge=1, le=500, description="Most brackets around a value in a JSON record."
    )
    archive_members: int = Key(10_000, gt=0, description="Most files in one archive.")
    expanded_size: str = Key(
        "4 GiB", description="Most that all that is unpacked of one file may take."
    )
    expansion_ratio: int = Key(
        200,
        gt=0,
        description="Times its own size that a packed file may unpack to, beyond the first 64 MiB.",
    )
    worker_memory: str = Key("1 GiB", description="Memory of the process that reads one file.")
    worker_seconds: int = Key(3_600, gt=0, description="Time that reading one file may take.")

    @field_validator("file_size", "field_size", "expanded_size", "worker_memory")
    @classmethod
    def _is_size(cls, value: str) -> str:
        parse_size(value)
        return value


class Guards(TomlModel):
    """When an import waits for approval because it looks wrong; a share of 1 turns a guard off."""

    deletes: float = Key(
        0.05, ge=0, le=1, description="Share of a source's rows that a mirror may delete unasked."
    )
    fewest_deletes: int = Key(
        50, ge=0, description="This many deletions, or fewer, never hold an import."
    )
    shrinks: float = Key(
        0.5, ge=0, le=1, description="Share of a source's rows that a mirror may be shorter by."
    )
    cleared: float = Key(
        0.05, ge=0, le=1, description="Share of a file's rows that may empty one field."
    )
    conflicts: float = Key(
        0.2, ge=0, le=1, description="Share of a file's rows that may contradict what is stored."
    )
    fewest_rows: int = Key(
        20, ge=0, description="This many such rows, or fewer, never hold an import."
    )
    unknown: float = Key(
        0.5,
        ge=0,
        le=1,
        description="Share of a mirror's rows with keys that the source never sent.",
    )
    fewest_unknown: int = Key(
        100, ge=0, description="This many unknown keys, or fewer, never hold an import."
    )


class DaemonSettings(TomlModel):
    """How the daemon works."""

    memory: str = Key("1 GiB", description="Memory DuckDB may use in the daemon.")
    threads: int = Key(0, ge=0, description="Threads DuckDB may use; 0 means one per core.")
    buckets: int = Key(
        0,
        ge=0,
        le=1024,
        description="Pieces that large files are checked and merged in, one after the other;"
        " 0 means as many as the memory asks for.",
    )
    workers: int = Key(2, ge=1, le=64, description="Files that are read at the same time (V-23).")
    log_level: Literal["debug", "info", "warning", "error"] = Key(
        "info", description="Least severe message that logs/daemon.log keeps."
    )

    @field_validator("memory")
    @classmethod
    def _is_size(cls, value: str) -> str:
        parse_size(value)
        return value


class Watch(TomlModel):
    """When a file in an inbox counts as complete."""

    settle_seconds: float = Key(
        0.3, ge=0.05, le=60, description="A file must not change for this long before it is read."
    )
    rescan_seconds: float = Key(
        30.0, ge=1, le=3600, description="Inboxes are also listed this often, events or not."
    )
    ignore: tuple[str, ...] = Key(
        (
            ".*",
            "~*",
            "*~",
            "*.tmp",
            "*.temp",
            "*.part",
            "*.partial",
            "*.crdownload",
            "*.download",
            "*.filepart",
            "*.swp",
            "*.lock",
        ),
        description="File name patterns that are never read.",
    )


class Inbox(TomlModel):
    """A watched folder bound to a dataset or package and a source."""

    name: str = Key(description="Folder name below HOME/inbox.")
    dataset: str | None = Key(None, description="Dataset its files belong to.")
    package: str | None = Key(None, description="Package its files belong to.")
    source: str = Key(
        min_length=1, description="Who the files come from; its last rows are the merge base."
    )
    mode: Mode = Key(Mode.MERGE, description="What a file says about rows it leaves out.")
    on_match: OnMatch = Key(OnMatch.MERGE, description="What happens to rows the store has.")
    mapping: str | None = Key(None, description="Mapping to read the files with.")
    hold: bool = Key(False, description="Wait for approval before anything is applied.")
    strict: bool = Key(False, description="Any rejected row fails the whole file.")

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not INBOX_NAME.fullmatch(value):
            raise ValueError(
                f"{value!r} can't name an inbox: use letters, digits, '-' and '_', at most 64"
            )
        return value

    @model_validator(mode="after")
    def _has_target(self) -> Inbox:
        if self.dataset is not None and self.package is not None:
            raise ValueError("an inbox needs either 'dataset' or 'package'")
        if (self.dataset, self.package, self.mapping) == (None, None, None):
            raise ValueError("an inbox needs either 'dataset' or 'package', or a 'mapping'")
        return self


class PolicyRule(TomlModel):
    """A merge policy for one source or one field, above what a dataset's definition says."""

    dataset: str | None = Key(None, description="Dataset it is for; every dataset if left out.")
    source: str | None = Key(None, description="Source it is for; every source if left out.")
    field: str | None = Key(
        None, description="Field it is for, or group of fields, as in street+zip+city."
    )
    merge: str | tuple[str, ...] = Key(description="A merge policy, or several in order.")

    @property
    def scope(self) -> tuple[str | None, str | None, str | None]:
        """Dataset, source and field: what tells one rule from another."""
        return self.dataset, self.source, self.field

    @property
    def chain(self) -> tuple[str, ...]:
        """The policies as they are spelled, in order."""
        return (self.merge,) if isinstance(self.merge, str) else self.merge

    @model_validator(mode="after")
    def _has_scope(self) -> PolicyRule:
        if self.dataset is None and self.source is None:
            raise ValueError("a policy needs 'dataset', 'source' or both")
        if self.field is not None and self.dataset is None:
            raise ValueError(f"a policy for field {self.field!r} needs 'dataset' too")
        return self


class HistorySettings(TomlModel):
    """How much of the past is kept."""

    keep: str = Key(
        "all",
        description="Earlier versions that `dataport log prune` leaves: all, or those of the newest"
        " commits as in '500 commits', or of the last while as in '90 days'.",
    )

    @field_validator("keep")
    @classmethod
    def _is_keep(cls, value: str) -> str:
        parse_keep(value)
        return value


class Settings(TomlModel):
    """Everything in `config/dataport.toml`."""

    timezone: str = Key("UTC", description="Zone of times that name none (V-04).")
    region: str = Key(
        "US", pattern="^[A-Z]{2}$", description="Country of phone numbers that name none."
    )
    actor: str = Key("", description="Name in the history; the login name when empty.")
    source_ranks: tuple[str, ...] = Key(
        (), description="Sources from most to least trusted, for the policy source_rank."
    )
    limits: Limits = Key(Limits(), description="What a file may cost before it is refused.")
    guards: Guards = Key(
        Guards(), description="When an import waits for approval because it looks wrong."
    )
    daemon: DaemonSettings = Key(DaemonSettings(), description="How the daemon works.")
    watch: Watch = Key(Watch(), description="When a file in an inbox counts as complete.")
    history: HistorySettings = Key(
        HistorySettings(), description="How much of the past is kept (docs/history.md)."
    )
    inboxes: tuple[Inbox, ...] = Key((), description="The watched folders.")
    policies: tuple[PolicyRule, ...] = Key(
        (),
        description="Merge policies that stand above those of the definitions (docs/merging.md).",
    )

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"{value!r} is no time zone; write one like 'Europe/Berlin'"
            ) from error
        return value

    @model_validator(mode="after")
    def _inboxes_differ(self) -> Settings:
        names = [inbox.name for inbox in self.inboxes]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ValueError(f"two inboxes are called {min(doubled)!r}")
        return self

    @model_validator(mode="after")
    def _policies_differ(self) -> Settings:
        scopes = [rule.scope for rule in self.policies]
        for dataset, source, field in scopes:
            if scopes.count((dataset, source, field)) > 1:
                place = ", ".join(word for word in (dataset, source, field) if word)
                raise ValueError(f"there are two policies for {place}")
        return self


def load_settings(path: Path) -> Settings:
    """The settings in `path`. Raises ConfigError naming file, key and nearest valid word."""
    return load_model(Settings, path)
