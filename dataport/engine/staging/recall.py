"""Rows that a source sends again as they were: recognised by their digest, not read twice.

A merge has nothing to do for them. Everything that looks at several rows of a file still sees
them all: a key that comes twice is taken out of the recognised rows, and a file where that is
not enough, because rows without a key may take that of any other, is read as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dataport.engine.staging.memory import (
    MEMORY,
    can_remember,
    digest_columns,
    key_digest,
    memory_sql,
)
from dataport.engine.staging.pipeline import check_rows
from dataport.engine.staging.plan import Plan, make_plan
from dataport.engine.staging.readers.csv_index import Positions
from dataport.engine.staging.readers.spool import check_count
from dataport.engine.staging.readers.spool_rows import select_rows
from dataport.engine.staging.request import PARTS, REPEATED_FILE, StageRequest
from dataport.engine.steps import LocalRunner, Scope, Step

if TYPE_CHECKING:
    import duckdb
    import numpy.typing as npt

    from dataport.engine.staging.phones import PhoneResolver
    from dataport.engine.staging.readers.reading import Reading

WORTHWHILE = 0.5
"""Share of rows that must be recognised: with fewer, reading all of them is quicker."""

News: TypeAlias = "tuple[Reading, Plan, list[PhoneResolver], int]"
"""The rows that are news, their plan and resolvers, and how many rows were recognised."""

FEWEST = 10_000
"""Rows below which reading all of them is as quick."""


def check_news(
    connection: duckdb.DuckDBPyConnection, request: StageRequest, reading: Reading
) -> News:
    """`check_rows` of those rows that are not recognised; their keys are in repeated.parquet.
    Raises what `check_rows` raises.
    """
    memory = memory_sql(request)
    if memory:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {MEMORY} AS {memory}")
    if memory and reading.spool.records.size >= FEWEST and can_remember(request, reading):
        is_new = _recognise(connection, request, reading)
        while is_new.mean() <= 1 - WORTHWHILE:
            rest = _only(reading, request, is_new)
            plan, resolvers = check_rows(connection, request, rest)
            # What a column means is decided over all of it.
            if plan.decided or _has_keyless(connection):
                break
            shared = _take_shared(connection)
            if not shared.size:
                return rest, plan, resolvers, _write_repeated(connection, request)
            is_new[shared] = True
    plan, resolvers = check_rows(connection, request, reading)
    return reading, plan, resolvers, 0


def _recognise(
    connection: duckdb.DuckDBPyConnection, request: StageRequest, reading: Reading
) -> npt.NDArray[np.bool_]:
    """Fill the temporary table `known` with row and key; true for every other row."""
    plan = make_plan(request, reading)
    digests = ", ".join([*digest_columns(plan), key_digest(plan)])
    connection.execute(f"CREATE OR REPLACE TEMP VIEW raw AS {reading.sql}")
    runner, total = LocalRunner(), int(reading.spool.records.size)
    digest = f"SELECT {digests} FROM raw"
    runner.run(connection, Step("digest rows", Scope.ROW, digest, ("raw",), "digests"))
    check_count(connection, "digests", total)
    runner.run(connection, *_KNOWN_STEPS)
    connection.execute("DROP TABLE digests")
    is_new = np.ones(total, np.bool_)
    is_new[_rows(connection, "SELECT _row FROM known")] = False
    return is_new


_KNOWN_STEPS = (
    Step(
        "recognise rows",
        Scope.GROUP,
        f"SELECT d.rowid AS _row, m._key, d._hk FROM digests d LEFT JOIN {MEMORY} m"
        " ON m._h1 = d._h1 AND m._h2 = d._h2",
        ("digests", MEMORY),
        "recognised",
    ),
    # Rows that are the same throughout have one key, and so one digest of it. Another record with
    # that key, as far as its raw cells tell, is news; where only its clean ones do, it is found
    # out later, and the rows are checked once more.
    Step(
        "find keys that come twice",
        Scope.GROUP,
        "SELECT _hk FROM recognised GROUP BY _hk HAVING count(*) > 1 OR count(_key) = 0",
        ("recognised",),
        "doubtful",
    ),
    Step(
        "leave them out",
        Scope.GROUP,
        "SELECT r.* FROM recognised r ANTI JOIN doubtful d ON d._hk = r._hk"
        " WHERE r._key IS NOT NULL",
        ("recognised", "doubtful"),
        "known",
    ),
)


def _only(reading: Reading, request: StageRequest, is_new: npt.NDArray[np.bool_]) -> Reading:
    spool = select_rows(reading.spool, is_new, request.directory / PARTS)
    if reading.sql_of is None:
        raise TypeError("this reading has no rows that could be read by themselves")
    return replace(reading, spool=spool, sql=reading.sql_of(spool))


def _has_keyless(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a row will take the key of another, which has to be looked for among all."""
    sql = "SELECT 1 FROM numbered WHERE _errors IS NULL AND _key IS NULL LIMIT 1"
    return connection.execute(sql).fetchone() is not None


def _take_shared(connection: duckdb.DuckDBPyConnection) -> Positions:
    """The recognised rows whose key another row of the file has, which are so no longer."""
    shared = (
        "SELECT k._row, k._key FROM known k SEMI JOIN"
        " (SELECT _key FROM numbered WHERE _errors IS NULL) n USING (_key)"
    )
    runner = LocalRunner()
    find = Step("find shared keys", Scope.KEY, shared, ("known", "numbered"), "shared")
    runner.run(connection, find)
    found = _rows(connection, "SELECT _row FROM shared")
    if found.size:
        rest = "SELECT * FROM known ANTI JOIN shared USING (_key)"
        runner.run(
            connection, Step("take them back", Scope.KEY, rest, ("known", "shared"), "known")
        )
    return found


def _write_repeated(connection: duckdb.DuckDBPyConnection, request: StageRequest) -> int:
    keys = Step("list known keys", Scope.ROW, "SELECT _key FROM known", ("known",), REPEATED_FILE)
    path = request.directory / REPEATED_FILE
    return LocalRunner().write(connection, keys, path, "FORMAT parquet, COMPRESSION snappy")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Positions:
    return np.asarray(connection.execute(sql).fetchnumpy()["_row"], np.int64)
