"""Bulk jobs: one dataset, many records, one commit."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from dataport.core.errors import StateError, UsageError
from dataport.core.paths import PRIVATE_DIRECTORY, Home
from dataport.core.settings import Settings
from dataport.core.text import counted
from dataport.core.words import BulkAction, JobStatus, Phase
from dataport.engine.bulk.keys import KEYS_FILE, load_keys, read_keys, require_keys, write_keys
from dataport.engine.bulk.request import check_request
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.commits import (
    NO_CHANGES,
    Author,
    Commit,
    next_commit,
    write_commit,
)
from dataport.engine.counted import rows_with_counts
from dataport.engine.expressions import check_expression, filtering
from dataport.engine.jobs import Job, write_job
from dataport.engine.merging.rows import delete_rows
from dataport.engine.reference_checks import Checked, check_change
from dataport.engine.requests import BulkRequest
from dataport.engine.row_changes import Values, set_fields
from dataport.engine.settling import settle_moot
from dataport.engine.store import Connection, Store
from dataport.engine.values import check_edit

ROWS = "bulk_rows"
"""Temporary table of the `_key`s that a job works on."""

OnCursor = Callable[[Connection | None], None]
Progress = Callable[[Phase, int, int | None], None]


class Bulk:
    """Bulk jobs of one home."""

    def __init__(
        self,
        home: Home,
        store: Store,
        settings: Callable[[], Settings],
        datasets: Callable[[], Mapping[str, Dataset]],
    ) -> None:
        self._home = home
        self._store = store
        self._settings = settings
        self._datasets = datasets

    def check(self, request: BulkRequest) -> None:
        """Refuse what is wrong by itself, before there is a job.

        Raises NotFoundError for an unknown dataset, UsageError for a wrong field, value or
        condition.
        """
        dataset = find_dataset(self._datasets(), request.dataset)
        check_request(dataset, request)
        self._values(dataset, request)
        if request.where is not None:
            with self._store.reading() as cursor:
                check_expression(cursor, dataset, request.where, self._settings().timezone)

    def keep_keys(self, job: Job, keys: Sequence[Any]) -> None:
        """Put the keys where the job finds them, also after a restart.

        Raises UsageError for what can't be keys; whether they are of records is for the job to
        find out.
        """
        dataset = find_dataset(self._datasets(), _bulk_request(job).dataset)
        with self._store.reading() as cursor:
            read_keys(cursor, dataset, keys)
            write_keys(cursor, self._home.job_staging(job.job))

    def hand_over_keys(self, earlier: int, job: Job) -> None:
        """Give a job the keys of an earlier one. Raises StateError when they are gone."""
        keys = require_keys(self._home.job_staging(earlier))
        directory = self._home.job_staging(job.job)
        directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        shutil.copyfile(keys, directory / KEYS_FILE)

    def run(self, job: Job, author: Author, progress: Progress, on_cursor: OnCursor) -> None:
        """Find the records, then change all of them.

        One transaction: rows, versions, conflicts, commit, job result and audit line. A dry run
        does the very same to the rows and rolls it back.
        `on_cursor` is told the cursor that works, so that somebody else can interrupt it.

        Raises NotFoundError that lists the keys of no record, StateError when not as many
        records match as were expected or a value is not unique or leads nowhere, UsageError for
        a wrong condition or value.
        """
        request = _bulk_request(job)
        dataset = find_dataset(self._datasets(), request.dataset)
        values = self._values(dataset, request)
        with self._transaction(request) as cursor, filtering(request.where):
            on_cursor(cursor)
            try:
                progress(Phase.PLAN, 0, None)
                job.notices = []
                matched = self._find(cursor, dataset, job)
                _check_matched(dataset, request, matched, values)
                progress(Phase.APPLY, 0, matched)
                job.rows = {"matched": matched}
                commit = next_commit(cursor)
                job.changes = _change(cursor, dataset, job, values, commit)
                checked = check_change(cursor, self._datasets(), dataset, commit)
                job.notices += checked.notices
                if not request.dry_run:
                    _write(cursor, dataset, job, values, author, checked, commit)
                    _end(cursor, job)
            finally:
                on_cursor(None)
        if request.dry_run:
            job.message = "Dry run: nothing was changed."
            with self._store.noting() as cursor:
                _end(cursor, job)

    def _transaction(self, request: BulkRequest) -> AbstractContextManager[Connection]:
        return self._store.trying() if request.dry_run else self._store.writing()

    def _values(self, dataset: Dataset, request: BulkRequest) -> Values:
        settings = self._settings()
        return check_edit(
            dataset, request.values, timezone=settings.timezone, region=settings.region
        )

    def _find(self, cursor: Connection, dataset: Dataset, job: Job) -> int:
        """Make `bulk_rows`; how many records it names."""
        where = _bulk_request(job).where
        if where is None:
            repeated = load_keys(cursor, dataset, self._home.job_staging(job.job))
            if repeated:
                job.notices.append(f"{counted(repeated, 'key')} named more than once.")
        else:
            condition = check_expression(cursor, dataset, where, self._settings().timezone)
            cursor.execute(
                f"CREATE OR REPLACE TEMP TABLE {ROWS} AS"
                f" SELECT _key FROM ({rows_with_counts(dataset, self._datasets(), None)}) AS rows"
                f" WHERE {condition}"
            )
        row = cursor.execute(f"SELECT count(*) FROM {ROWS}").fetchone()
        return int(row[0]) if row else 0


def _bulk_request(job: Job) -> BulkRequest:
    if not isinstance(job.request, BulkRequest):
        raise TypeError(f"job {job.job} is no bulk change")
    return job.request


def _check_matched(dataset: Dataset, request: BulkRequest, matched: int, values: Values) -> None:
    if request.expect is not None and request.expect != matched:
        raise StateError(
            "selection-moved",
            f"{matched:,} records of {dataset.name} match now, not {request.expect:,}.",
            "Nothing was changed.",
            "Look at them again, then decide.",
        )
    for name, value in values.items():
        if matched > 1 and value is not None and dataset.field(name).constraints.unique:
            raise UsageError(
                "unique-field",
                f"{name!r} can't be the same in {matched:,} records.",
                "The definition says that its values are unique.",
            )


def _change(
    cursor: Connection, dataset: Dataset, job: Job, values: Values, commit: int
) -> dict[str, int]:
    """Delete or change the rows of `bulk_rows`; the job's counts."""
    matched = (job.rows or {})["matched"]
    if _bulk_request(job).action is BulkAction.DELETE:
        return _changes(deleted=delete_rows(cursor, dataset, ROWS, commit))
    updated = set_fields(cursor, dataset, ROWS, values, commit)
    return _changes(updated=updated, unchanged=matched - updated)


def _write(
    cursor: Connection,
    dataset: Dataset,
    job: Job,
    values: Values,
    author: Author,
    checked: Checked,
    commit: int,
) -> None:
    """Write the commit of what was changed, if anything was."""
    request, changes = _bulk_request(job), job.changes or {}
    settle_moot(cursor, dataset, commit)
    if not (changes["updated"] or changes["deleted"]):
        job.message = "Nothing to change."
        return
    fields = f": {', '.join(values)}" if values else ""
    job.commit, job.message = commit, f"Bulk {request.action} of {dataset.name}{fields}"
    message = request.message or job.message
    parts = checked.parts(dataset.name, changes)
    write_commit(cursor, Commit(commit, "bulk", author, message, parts, job=job.job))


def _changes(**counts: int) -> dict[str, int]:
    return {**NO_CHANGES, **counts}


def _end(cursor: Connection, job: Job) -> None:
    job.end(JobStatus.COMPLETED)
    write_job(cursor, job)
