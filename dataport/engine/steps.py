"""Per-row work as declared SQL steps, so that where they run stays open (design section 16).

A step reads relations by name and gives one relation. Its scope says what must be seen
together; whoever runs it may split the rows accordingly, and the result may not depend on it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from dataport.core.settings import parse_size
from dataport.engine.purity import Functions, StepError, check_sql
from dataport.engine.sql import ident, literal

ROW_BYTES, FIELD_BYTES = 64, 24
"""What a joined row takes in memory: for itself, and for each field of either side."""

CHECKS_STEPS = os.environ.get("DATAPORT_CHECK_STEPS") == "1"
"""Whether steps are checked before they run. Tests do so, in every process that they start; a
hundred statements parsed twice would be a sixth of the time that a small file takes."""

MOST_CHECKED = 2_000
"""Steps that are remembered as checked: those of a few hundred definitions."""


class Scope(StrEnum):
    """Which rows a step must see together."""

    ROW = "row"
    """Each row alone."""
    KEY = "key"
    """All rows with one `_key`; rows without a key count as one."""
    GROUP = "group"
    """All rows; other groups than those of `_key` are formed."""
    SUM = "sum"
    """All rows; the output is a few totals."""


class Kept(StrEnum):
    """How the output of a step is kept."""

    TABLE = "table"
    """A temporary table."""
    VIEW = "view"
    """A temporary view, worked out wherever it is read."""
    MORE = "more"
    """Rows added to a table that an earlier step made."""
    LESS = "less"
    """The `_record`s of rows that are taken out of such a table."""


@dataclass(frozen=True)
class Step:
    """One SELECT over `inputs`, kept as the relation `output`."""

    name: str
    scope: Scope
    sql: str
    inputs: tuple[str, ...]
    """Temporary tables or views; a key step splits those that have a column `_key`."""
    output: str
    kept: Kept = Kept.TABLE


@dataclass(frozen=True)
class LocalRunner:
    """Runs steps on one connection, one after the other."""

    buckets: int = 1
    """Key steps run in so many pieces, one after the other: by md5 of the key's text."""
    is_checked: bool = CHECKS_STEPS
    """Whether each step is checked against its declaration before it runs."""

    def run(self, connection: duckdb.DuckDBPyConnection, *steps: Step) -> None:
        """Run `steps` in order.

        A relation that already has the name of an output is replaced. Raises StepError.
        """
        for step in steps:
            self._check(connection, step)
            if step.scope is Scope.KEY and step.kept is not Kept.VIEW and self.buckets > 1:
                self._run_by_bucket(connection, step)
            else:
                connection.execute(_statement(step))

    def totals(
        self, connection: duckdb.DuckDBPyConnection, name: str, sql: str, inputs: Sequence[str]
    ) -> tuple[Any, ...]:
        """The one row of a step of scope `sum`, which is not kept. Raises StepError."""
        self._check(connection, Step(name, Scope.SUM, sql, tuple(inputs), ""))
        return connection.execute(sql).fetchone() or ()

    def write(
        self, connection: duckdb.DuckDBPyConnection, step: Step, path: Path, options: str
    ) -> int:
        """Write the output of a step to a file, with these COPY options; how many rows.

        Raises StepError.
        """
        self._check(connection, step)
        copy = f"COPY ({step.sql}) TO {literal(str(path))} ({options})"
        row = connection.execute(copy).fetchone()
        return int(row[0]) if row else 0

    def _check(self, connection: duckdb.DuckDBPyConnection, step: Step) -> None:
        if self.is_checked:
            check_step(connection, step)

    def _run_by_bucket(self, connection: duckdb.DuckDBPyConnection, step: Step) -> None:
        keyed = [name for name in step.inputs if _has_key(connection, name)]
        for bucket in range(self.buckets):
            parts = ", ".join(
                f"{ident(name)} AS (SELECT * FROM temp.main.{ident(name)}"
                f" WHERE {bucket_sql(self.buckets)} = {bucket})"
                for name in keyed
            )
            given = f"WITH {parts} " if parts else ""
            head = _head(step if bucket == 0 else replace(step, kept=Kept.MORE))
            connection.execute(f"{head} {given}SELECT * FROM ({step.sql})")


def bucket_sql(buckets: int) -> str:
    """SQL of the bucket of a row, from 0 to `buckets` - 1; a row without a key is in 0."""
    return f"coalesce(('0x' || substr(md5(_key), 1, 4))::INTEGER % {buckets}, 0)"


def buckets_for(connection: duckdb.DuckDBPyConnection, rows: int, fields: int) -> int:
    """How many buckets `rows` of so many fields take, so that each fits into the memory limit
    of `connection`: 1 for all but large files.

    Every bucket reads its inputs anew, so that a few large ones, of which DuckDB spills a part,
    are quicker than many that fit easily.
    """
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    limit = parse_size(row[0]) if row else 0
    needed = rows * (ROW_BYTES + fields * FIELD_BYTES)
    return 1 + int(needed // max(1, limit))


def check_step(connection: duckdb.DuckDBPyConnection, step: Step) -> None:
    """Raise StepError where `step` is impure, or a row step looks at other rows."""
    if step not in _checks.passed:
        _checks.check(connection, step)


class _Checks:
    """What was checked in this process: the same step comes with every file of a dataset."""

    def __init__(self) -> None:
        self.passed: set[Step] = set()
        self._functions: Functions | None = None

    def check(self, connection: duckdb.DuckDBPyConnection, step: Step) -> None:
        self._functions = self._functions or Functions.of(connection)
        sees_one_row = step.scope is Scope.ROW
        try:
            check_sql(connection, self._functions, step.sql, step.inputs, sees_one_row=sees_one_row)
        except StepError as error:
            raise StepError(f"step {step.name!r} {error}") from None
        if len(self.passed) >= MOST_CHECKED:
            self.passed.clear()
        self.passed.add(step)


_checks = _Checks()


def _statement(step: Step) -> str:
    if step.kept is Kept.LESS:
        return f"DELETE FROM temp.main.{ident(step.output)} WHERE _record IN ({step.sql})"
    return f"{_head(step)} {step.sql}"


def _head(step: Step) -> str:
    """The statement that keeps the output, up to the SELECT."""
    if step.kept is Kept.MORE:
        return f"INSERT INTO temp.main.{ident(step.output)}"
    return f"CREATE OR REPLACE TEMP {step.kept.name} {ident(step.output)} AS"


def _has_key(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    rows = connection.execute(f"DESCRIBE temp.main.{ident(relation)}").fetchall()
    return any(row[0] == "_key" for row in rows)
