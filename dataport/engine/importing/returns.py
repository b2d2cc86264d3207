"""Exports that come back edited: found again, and compared with the store as of their commit.

Such a file speaks for itself, under a source of its own (see `export_sources`): what the source
named with it sent last is neither asked nor moved. Its first base is the store as of the
export's commit, in the exported rows and fields; once it has been taken, its base is what it
said then, so that an older decision is not asked about again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from dataport.core.paths import Home
from dataport.core.words import Mode, OnMatch
from dataport.engine.as_of import oldest_readable, rows_as_of
from dataport.engine.catalog.model import Dataset
from dataport.engine.export_sources import export_source
from dataport.engine.exporting.records import ExportRecord, ExportRecords, sidecar
from dataport.engine.importing.targets import Target
from dataport.engine.merging.bases import base_query, stated_fields
from dataport.engine.sql import bases_table, differs, ident, literal
from dataport.engine.staging.request import STAGED_FILE, StageResult
from dataport.engine.store import Connection

MOST_COMPARED = 20
"""Records with a file's columns, newest first, that its rows are compared with."""


@dataclass(frozen=True)
class Returned:
    """An export that came back."""

    record: ExportRecord
    keys: Path

    def target(self, target: Target) -> Target:
        """Where its file belongs: as asked for, but from itself."""
        return replace(target, source=export_source(self.record.export))

    def fields(self, dataset: Dataset) -> tuple[str, ...]:
        """The exported fields that the dataset still has."""
        return tuple(name for name in dataset.field_names if name in self.record.fields)

    def base_fields(self, cursor: Connection, dataset: Dataset) -> tuple[str, ...]:
        """The fields that bases have values in: exported, or stated by an earlier return."""
        stated = stated_fields(cursor, dataset, export_source(self.record.export))
        known = {*self.fields(dataset), *stated}
        return tuple(name for name in dataset.field_names if name in known)

    def base_query(self, dataset: Dataset) -> str:
        """As `merging.bases.base_query`: what it said last, else the rows as it showed them."""
        source = export_source(self.record.export)
        own = base_query(dataset, source)
        known = (
            f"SELECT _key FROM {bases_table(dataset.name)} WHERE _source = {literal(source)}"
            f" UNION ALL SELECT _key FROM ({own})"
        )
        exported = set(self.fields(dataset))
        values = ", ".join(
            f"r.{ident(field.name)}"
            if field.name in exported
            else f"CAST(NULL AS {field.sql_type}) AS {ident(field.name)}"
            for field in dataset.fields
        )
        return (
            f"{own} UNION ALL SELECT r._key, {values}, false AS _is_row FROM"
            f" ({rows_as_of(dataset, self.record.commit)}) r"
            f" SEMI JOIN read_parquet({literal(str(self.keys))}) k ON k._key = r._key"
            f" ANTI JOIN ({known}) s ON s._key = r._key"
        )

    def is_readable(self, cursor: Connection) -> bool:
        """Whether the store as of its commit can still be read."""
        return self.keys.is_file() and self.record.commit >= oldest_readable(cursor)

    def notice(self, sha256: str) -> str:
        """What the job of the file says of it."""
        if sha256 == self.record.sha256:
            return f"This file is an export of commit {self.record.commit}, as it was written."
        return (
            f"This file is an export of commit {self.record.commit}, edited: it is compared with"
            " the store as of then."
        )

    def lost_notice(self, source: str) -> str:
        """The same where that can't be."""
        return (
            f"This file is an export of commit {self.record.commit}, but the store as of then is no"
            f" longer kept: it is merged like any file of {source}."
        )


class Returns:
    """Finds the export that a file is."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._records = ExportRecords(home)

    def hinted(self, path: Path, target: Target) -> Returned | None:
        """The export that the file's company or its name speaks of, before it is read."""
        if not _is_three_way(target):
            return None
        records = self._records.of(target.dataset.name)
        beside = ExportRecord.read(sidecar(path)) if records else ()
        for record in records:
            if record in beside or _is_named(path, record):
                return self._returned(record)
        return None

    def of_job(self, export: int, target: Target) -> Returned | None:
        """What the job `export` wrote of the dataset, None where that is no longer kept."""
        records = self._records.of(target.dataset.name)
        return next((self._returned(each) for each in records if each.export == export), None)

    def is_marked(self, target: Target, staged: StageResult) -> bool:
        """Whether the file says itself which export it is, and that is known."""
        if staged.mark is None or not _is_three_way(target):
            return False
        return any(each.mark == staged.mark for each in self._records.of(target.dataset.name))

    def find(
        self, cursor: Connection, path: Path, target: Target, staged: StageResult, directory: Path
    ) -> Returned | None:
        """The export that the file staged in `directory` is, None where it is none.

        The mark in it and the record beside it are believed if most keys of the file are in the
        export, its name if the columns are the same too. Without either, a file of those columns and keys is an
        export if its source never sent any of this dataset, and holds most of the export's rows;
        of several, it is the one it differs least from.
        """
        records = self._records.of(target.dataset.name) if _is_three_way(target) else []
        if not records or staged.repeated:
            return None
        rows = f"read_parquet({literal(str(directory / STAGED_FILE))})"
        beside = ExportRecord.read(sidecar(path))
        alike = [each for each in records if sorted(each.fields) == sorted(staged.columns)]
        hinted = [each for each in records if each.mark == staged.mark or each in beside]
        hinted += [each for each in alike if _is_named(path, each)]
        for record in hinted:
            if self._likeness(cursor, record, target, staged, rows).is_return:
                return self._returned(record)
        if stated_fields(cursor, target.dataset, target.source):
            return None
        compared = [
            (likeness.same, record.export, record)
            for record in alike[:MOST_COMPARED]
            if (likeness := self._likeness(cursor, record, target, staged, rows)).is_whole
        ]
        return self._returned(max(compared)[-1]) if compared else None

    def _returned(self, record: ExportRecord) -> Returned:
        return Returned(record, self._records.keys_file(record))

    def _likeness(
        self,
        cursor: Connection,
        record: ExportRecord,
        target: Target,
        staged: StageResult,
        rows: str,
    ) -> _Likeness:
        dataset, returned = target.dataset, self._returned(record)
        if not set(dataset.primary_key) <= {*record.fields}.intersection(staged.stated):
            return _Likeness(0, 0, 0, record.rows)
        keys = f"read_parquet({literal(str(returned.keys))})"
        compared = [name for name in returned.fields(dataset) if name in staged.stated]
        same = f"NOT {differs(compared, 't', 'r')}"
        row = cursor.execute(
            f"SELECT count(*), count(k._key), count(*) FILTER (r._key IS NOT NULL AND {same})"
            f" FROM {rows} t LEFT JOIN {keys} k ON k._key = t._key"
            f" LEFT JOIN ({rows_as_of(dataset, record.commit)}) r ON r._key = k._key"
        ).fetchone()
        count, known, same = row or (0, 0, 0)
        return _Likeness(count, known, same, record.rows)


@dataclass(frozen=True)
class _Likeness:
    rows: int
    """Of the file."""
    known: int
    """Those whose key was exported."""
    same: int
    """Those that are as they were exported."""
    exported: int
    """Rows of the export."""

    @property
    def is_return(self) -> bool:
        """Most of the file was exported."""
        return 2 * self.known > self.rows

    @property
    def is_whole(self) -> bool:
        """And most of what was exported is there."""
        return self.is_return and 2 * self.known > self.exported


def _is_three_way(target: Target) -> bool:
    """Whether the target asks what its source sent last."""
    modes, ways = (Mode.MERGE, Mode.MIRROR), (OnMatch.MERGE, OnMatch.ASK)
    return target.mode in modes and target.on_match in ways


def _is_named(path: Path, record: ExportRecord) -> bool:
    """Whether a file has the name that an export gives by itself, or begins with it."""
    names = "|".join(re.escape(name) for name in (record.dataset, record.package) if name)
    return re.match(rf"({names})-{record.export}(?![0-9A-Za-z])", path.name) is not None
