"""What a merge works on, made of a job's staged files and what its source sent before."""

from __future__ import annotations

from pathlib import Path

from dataport.core.settings import PolicyRule, Settings
from dataport.core.words import Mode
from dataport.engine.export_sources import EXPORT, is_export
from dataport.engine.importing.memory import repeated_keys
from dataport.engine.importing.named_base import NamedBase
from dataport.engine.importing.returns import Returned
from dataport.engine.importing.targets import Target
from dataport.engine.merging.bases import base_query, stated_fields
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.sql import columns_ddl, literal
from dataport.engine.staging.request import (
    DISPUTED_FILE,
    REJECTS_FILE,
    REQUEST_FILE,
    STAGED_FILE,
    StageRequest,
    StageResult,
)
from dataport.engine.steps import LocalRunner, buckets_for
from dataport.engine.store import Connection


def fits(directory: Path, target: Target) -> bool:
    """Whether what was staged has the fields and types that the dataset has by now."""
    text = (directory / REQUEST_FILE).read_text(encoding="utf-8")
    return columns_ddl(StageRequest.from_json(text).dataset) == columns_ddl(target.dataset)


def staged_input(
    cursor: Connection,
    directory: Path,
    target: Target,
    staged: StageResult,
    settings: Settings,
    basis: Returned | NamedBase | None = None,
    name: str = "",
) -> MergeInput:
    """The merge of the files in `directory`, as views on `cursor`.

    `basis` is what the file is compared with instead of what its source sent last: the export
    that came back, or the state that the command names. The views of several merges on one cursor
    are told apart by `name`.
    """
    base, base_fields = _base(cursor, target, basis)
    views = f"staged{name}"
    cursor.execute(f"CREATE TEMP VIEW {views}_base AS {base}")
    needs_keys = _make_views(cursor, views, directory, target, staged)
    return MergeInput(
        dataset=target.dataset,
        incoming=f"{views}_rows",
        base=f"{views}_base",
        stated=tuple(staged.stated),
        source=target.source,
        remembers=not isinstance(basis, NamedBase),
        base_fields=base_fields,
        partial=tuple(staged.partial),
        present=f"{views}_present",
        repeated=staged.repeated,
        mode=_mode(target, staged),
        on_match=target.on_match,
        has_unknown_keys=staged.null_keys > 0,
        disputed=f"{views}_disputed" if staged.disputed else None,
        needs_keys=needs_keys,
        source_ranks=_ranks(settings, target.source),
        rules=_rules(settings, target.source),
        table_lines=staged.table_lines,
        runner=LocalRunner(
            settings.daemon.buckets
            or buckets_for(cursor, staged.rows.valid - staged.repeated, len(target.dataset.fields))
        ),
    )


def _base(
    cursor: Connection, target: Target, basis: Returned | NamedBase | None
) -> tuple[str, tuple[str, ...]]:
    """A query for what the file is compared with, and the fields that it has values in."""
    dataset, source = target.dataset, target.source
    if basis:
        return basis.base_query(dataset), basis.base_fields(cursor, dataset)
    return base_query(dataset, source), stated_fields(cursor, dataset, source)


def _make_views(
    cursor: Connection, views: str, directory: Path, target: Target, staged: StageResult
) -> bool:
    """Make the views of what was staged; whether a row of them has no key."""
    rows = literal(str(directory / STAGED_FILE))
    rejects = literal(str(directory / REJECTS_FILE))
    columns = "* EXCLUDE (_raw, _lacks)" if target.dataset.rejects_references else "*"
    cursor.execute(f"CREATE TEMP VIEW {views}_rows AS SELECT {columns} FROM read_parquet({rows})")
    cursor.execute(
        f"CREATE TEMP VIEW {views}_present AS SELECT DISTINCT _key"
        f" FROM read_parquet({rejects}) WHERE _key IS NOT NULL AND class = 'error'"
        f" UNION ALL {repeated_keys(directory, staged)}"
    )
    keyless = f"SELECT 1 FROM {views}_rows WHERE _key IS NULL"
    if staged.disputed:
        disputed = literal(str(directory / DISPUTED_FILE))
        cursor.execute(f"CREATE TEMP VIEW {views}_disputed AS FROM read_parquet({disputed})")
        keyless += f" UNION ALL SELECT 1 FROM {views}_disputed WHERE _key IS NULL"
    return cursor.execute(f"{keyless} LIMIT 1").fetchone() is not None


def _ranks(settings: Settings, source: str) -> tuple[str, ...]:
    if not is_export(source):
        return settings.source_ranks
    return tuple(source if name == EXPORT else name for name in settings.source_ranks)


def _rules(settings: Settings, source: str) -> tuple[PolicyRule, ...]:
    if not is_export(source):
        return settings.policies
    return tuple(
        rule.model_copy(update={"source": source}) if rule.source == EXPORT else rule
        for rule in settings.policies
    )


def _mode(target: Target, staged: StageResult) -> Mode:
    """A reject file holds the rows that were fixed, and says nothing about all the others."""
    deletes = target.mode in (Mode.MIRROR, Mode.REPLACE)
    return Mode.MERGE if deletes and staged.is_reject_file else target.mode
