"""Checks a reading's rows, removes duplicates inside the file and writes the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.core.text import counted
from dataport.engine.catalog.model import Duplicates
from dataport.engine.sql import ident, idents, literal
from dataport.engine.staging.deciding import find_notations, foresee_notations
from dataport.engine.staging.disputes import DISPUTED, dispute_step, unite_steps, whole_rows
from dataport.engine.staging.mapping import NAMED
from dataport.engine.staging.memory import (
    MEMORY,
    MOST_LAYERS,
    can_remember,
    digest_columns,
    seen_sql,
)
from dataport.engine.staging.phones import PhoneResolver, register
from dataport.engine.staging.places import places_of
from dataport.engine.staging.plan import Plan, make_plan
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.readers.spool import check_count, count_mismatch
from dataport.engine.staging.reject_file import reject_file_sql
from dataport.engine.staging.reject_rows import superseded_step
from dataport.engine.staging.rejects import prepare_rejects, rejects_step
from dataport.engine.staging.request import (
    DISPUTED_FILE,
    REJECTS_CSV,
    REJECTS_FILE,
    SEEN_FILE,
    STAGED_FILE,
    RowCounts,
    StageRequest,
)
from dataport.engine.staging.row_sql import check_sql, skip_sql
from dataport.engine.steps import Kept, LocalRunner, Scope, Step, buckets_for

if TYPE_CHECKING:
    import duckdb

PARQUET = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION snappy, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 2000"


@dataclass(frozen=True)
class Outcome:
    """What the checks found."""

    stated: list[str]
    partial: list[str]
    rows: RowCounts
    null_keys: int
    notices: list[str]
    memory_is_whole: bool
    disputed: int = 0


def check_rows(
    connection: duckdb.DuckDBPyConnection, request: StageRequest, reading: Reading
) -> tuple[Plan, list[PhoneResolver]]:
    """Check every row, into the temporary table `checked`, view `numbered` and `duplicates`.

    Raises InputError when DuckDB reads more or fewer rows than the file has records, and
    duckdb.Error when it can't read them.
    """
    plan = make_plan(request, reading)
    resolvers = _register_phones(connection, request, plan)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW raw AS {reading.sql}")
    expected = int(reading.spool.records.size)
    columns = 1 + len(request.dataset.primary_key)
    buckets = request.buckets or buckets_for(connection, expected, columns)
    runner = LocalRunner(buckets)
    digests = digest_columns(plan) if can_remember(request, reading) else []
    skip = [f"{skip_sql(plan)} AS _skip"] if plan.skips else []
    named = named_step(plan)
    if named:
        runner.run(connection, named)
    plan = _check(connection, request, reading, plan, runner, [*digests, *skip], resolvers)
    check_count(connection, "checked", expected)
    # A column of lists costs 16 bytes a row, also where it holds nothing.
    lacks = "" if reading.states_keys else ", NULL::INTEGER[] AS _lacks"
    numbered, inputs = f"SELECT checked.rowid AS _row, *{lacks} FROM checked", ["checked"]
    if plan.layout:
        runner.run(connection, superseded_step())
        numbered += " ANTI JOIN superseded s ON s._row = checked.rowid"
        inputs.append("superseded")
    if plan.skips:
        numbered += " WHERE _skip IS NULL"
    number = Step("number rows", Scope.GROUP, numbered, tuple(inputs), "numbered", Kept.VIEW)
    runner.run(connection, number, *duplicate_steps(plan))
    return plan, resolvers


def _check(
    connection: duckdb.DuckDBPyConnection,
    request: StageRequest,
    reading: Reading,
    plan: Plan,
    runner: LocalRunner,
    digests: Sequence[str],
    resolvers: Sequence[PhoneResolver],
) -> Plan:
    """Make `checked`, once more where a column turns out to write its values in another way."""

    def run(plan: Plan) -> None:
        check = check_sql(plan, states_keys=reading.states_keys, extra=digests)
        inputs = ("raw", NAMED) if named_step(plan) else ("raw",)
        runner.run(connection, Step("check", Scope.ROW, check, inputs, "checked"))

    notations = foresee_notations(connection, plan, int(reading.spool.records.size))
    if notations:
        plan = make_plan(request, reading, notations)
    run(plan)
    late = find_notations(connection, plan)
    if late:
        plan = make_plan(request, reading, notations | late)
        for resolver in resolvers:
            resolver.extensions = 0
        run(plan)
    return plan


def named_step(plan: Plan) -> Step | None:
    """The names of rows that are taken, for rows that are left out because theirs is none of them."""
    names = next((skip.names for skip in plan.skips if skip.names), None)
    if names is None:
        return None
    left_out = [f"({skip.condition}) IS TRUE" for skip in plan.skips if not skip.names]
    where = " OR ".join(left_out) or "false"
    sql = f"SELECT DISTINCT {names} AS name FROM raw WHERE {names} IS NOT NULL AND NOT ({where})"
    return Step("name rows", Scope.GROUP, sql, ("raw",), NAMED)


def duplicate_steps(plan: Plan) -> list[Step]:
    """Steps that find the rows whose key an earlier, later or newer row of the file has.

    Of a disputed key every row is one: none of them stands.
    """
    dataset = plan.dataset
    identity = "coalesce(_key, _derived)"
    valid = f"_errors IS NULL AND {identity} IS NOT NULL"
    stands = "min(_row)"
    if dataset.duplicates is Duplicates.LAST:
        stands = "max(_row)"
    elif dataset.duplicates is Duplicates.NEWEST and dataset.date_field in plan.stated:
        moment = ident(str(dataset.date_field))
        stands = f"coalesce(max({{'at': {moment}, 'row': _row}}) FILTER ({moment} IS NOT NULL), {{'at': NULL, 'row': max(_row)}}).row"
    repeated = (
        f"SELECT _key, {identity} AS _id, {stands} AS stands FROM numbered"
        f" WHERE {valid} GROUP BY ALL HAVING count(*) > 1"
    )
    disputed = f"r._id IN (SELECT _id FROM {DISPUTED})"
    duplicates = (
        f"SELECT n._row, n._key, r._id, r.stands, {disputed} AS is_disputed"
        " FROM numbered n JOIN repeated r ON coalesce(n._key, n._derived) = r._id"
        f" WHERE n._errors IS NULL AND (n._row <> r.stands OR {disputed})"
    )
    inputs = ("numbered", "repeated", DISPUTED)
    return [
        Step("find repeated keys", Scope.KEY, repeated, ("numbered",), "repeated"),
        dispute_step(plan),
        Step("list duplicates", Scope.KEY, duplicates, inputs, "duplicates"),
        *([_superseded_duplicates()] if plan.layout else []),
        *unite_steps(plan),
        _unique_step(plan),
    ]


def _superseded_duplicates() -> Step:
    """Lines of a reject file that another line about the same row stands for."""
    sql = (
        "SELECT _row, NULL::VARCHAR AS _key, NULL::VARCHAR AS _id, stands, false AS is_disputed"
        " FROM superseded"
    )
    return Step("add superseded", Scope.ROW, sql, ("superseded",), "duplicates", Kept.MORE)


def _unique_step(plan: Plan) -> Step:
    """Values of a unique field that an earlier row has already."""
    rows = whole_rows(plan)
    selects = [
        f"SELECT _row, {literal(field.field.name)} AS field, {field.column} AS position FROM (SELECT _row, row_number() OVER"
        f" (PARTITION BY {ident(field.field.name)} ORDER BY _row) AS nth FROM {rows}"
        f" ANTI JOIN duplicates USING (_row)"
        f" WHERE _errors IS NULL AND {ident(field.field.name)} IS NOT NULL) WHERE nth > 1"
        for field in plan.fields
        if field.field in plan.dataset.unique_fields and field.column is not None
    ]
    sql = (
        " UNION ALL ".join(selects)
        or "SELECT 0::BIGINT AS _row, '' AS field, 0 AS position WHERE false"
    )
    return Step("find clashes", Scope.GROUP, sql, (rows, "duplicates"), "clashes")


def write_result(
    connection: duckdb.DuckDBPyConnection,
    request: StageRequest,
    reading: Reading,
    plan: Plan,
    resolvers: list[PhoneResolver],
    repeated: int = 0,
) -> Outcome:
    """Write the files of the result but stage.json.

    `repeated` rows of the file are not in `reading`: they are known. Raises InputError if the
    rows don't add up.
    """
    connection.execute("SET preserve_insertion_order = false")
    places = places_of(connection, reading.spool)
    prepare_rejects(connection, plan, reading)
    runner, directory = LocalRunner(), request.directory
    runner.run(
        connection, _dropped_step(), rejects_step(places, plan.known_key, reading.table_lines)
    )
    rejects = "SELECT * FROM rejected ORDER BY _record, field, code, message"
    _write(connection, "list rejects", rejects, ("rejected",), directory / REJECTS_FILE)
    lines = reject_file_sql(connection, plan.columns, reading.format)
    lay_out = Step("lay out the reject file", Scope.GROUP, lines, ("rejected",), REJECTS_CSV)
    runner.write(connection, lay_out, directory / REJECTS_CSV, "FORMAT csv, HEADER true")
    fields, rows = idents(plan.stated), whole_rows(plan)
    absent = "_absent, " if plan.partial else ""
    raw = "_raw, _lacks, " if plan.dataset.rejects_references else ""
    staged = (
        f"SELECT {places.record} AS _record, {places.line} AS _line, _key, _derived,"
        f" {raw}{absent}{fields} FROM {rows} n{places.joins} ANTI JOIN dropped d ON d._row = n._row"
    )
    inputs = (rows, "dropped", *places.tables)
    valid = _write(connection, "accept rows", staged, inputs, directory / STAGED_FILE)
    if not plan.decided:
        _remember(connection, request, reading)
    outcome = _outcome(connection, request, reading, plan, resolvers, valid + repeated)
    if plan.dataset.duplicates is not Duplicates.ASK:
        return outcome
    disputed = (
        f"SELECT {places.record} AS _record, {places.line} AS _line, n._key, n._derived,"
        f" {absent}{fields} FROM numbered n{places.joins}"
        f" SEMI JOIN (FROM duplicates WHERE is_disputed) d ON d._row = n._row"
    )
    inputs = ("numbered", "duplicates", *places.tables)
    found = _write(connection, "put disputes aside", disputed, inputs, directory / DISPUTED_FILE)
    return replace(outcome, disputed=found)


def _write(
    connection: duckdb.DuckDBPyConnection, name: str, sql: str, inputs: Sequence[str], path: Path
) -> int:
    step = Step(name, Scope.GROUP, sql, tuple(inputs), path.name)
    return LocalRunner().write(connection, step, path, PARQUET)


def _remember(
    connection: duckdb.DuckDBPyConnection, request: StageRequest, reading: Reading
) -> None:
    """Write the digests of the accepted rows, unless one of them has no key of its own yet."""
    keyless = "SELECT 1 FROM numbered WHERE _errors IS NULL AND _key IS NULL LIMIT 1"
    if not can_remember(request, reading) or connection.execute(keyless).fetchone():
        return
    is_whole = len(request.memory) >= MOST_LAYERS
    sql = seen_sql(request, is_whole=is_whole)
    inputs = ["numbered", "dropped", *([MEMORY] if request.memory else [])]
    _write(connection, "remember rows", sql, inputs, request.directory / SEEN_FILE)


def _outcome(
    connection: duckdb.DuckDBPyConnection,
    request: StageRequest,
    reading: Reading,
    plan: Plan,
    resolvers: list[PhoneResolver],
    valid: int,
) -> Outcome:
    rejected = _count(
        connection, "SELECT count(DISTINCT _record) FROM rejected WHERE class = 'error'"
    )
    null_keys = _count(
        connection,
        "SELECT count(DISTINCT _record) FROM rejected WHERE class = 'error' AND _key IS NULL",
    )
    duplicate = _count(connection, "SELECT count(*) FROM duplicates")
    skipped, notices = _skipped(connection, plan)
    rows = RowCounts(reading.spool.total, valid, rejected, duplicate, skipped)
    accounted = rows.valid + rows.rejected + rows.duplicate + rows.skipped
    if rows.read != accounted:
        raise count_mismatch(rows.read, accounted)
    extensions = sum(resolver.extensions for resolver in resolvers)
    if extensions:
        notices.append(f"Extensions were cut from {counted(extensions, 'phone number')}.")
    told = [each.notation.told(each.field) for each in plan.decided if each.notation]
    notices += [text for text in told if text]
    return Outcome(
        stated=plan.stated,
        partial=_partial(connection, plan),
        rows=rows,
        null_keys=null_keys,
        notices=notices,
        memory_is_whole=len(request.memory) >= MOST_LAYERS,
    )


def _skipped(connection: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[int, list[str]]:
    """How many rows the mapping leaves out, and a notice of each rule that leaves some out."""
    if not plan.skips:
        return 0, []
    found = connection.execute(
        "SELECT _skip, count(*) FROM checked WHERE _skip IS NOT NULL GROUP BY _skip ORDER BY _skip"
    ).fetchall()
    notices = [
        f"{counted(number, 'row')} left out by the mapping, for what is in"
        f" {plan.skips[rule - 1].column!r}."
        for rule, number in found
    ]
    return sum(number for _, number in found), notices


def _partial(connection: duckdb.DuckDBPyConnection, plan: Plan) -> list[str]:
    """The fields that some accepted row does say nothing about."""
    if not plan.partial:
        return []
    rows = connection.execute(
        f"SELECT DISTINCT unnest(_absent) FROM {whole_rows(plan)} WHERE _errors IS NULL"
    ).fetchall()
    found = {str(name) for (name,) in rows}
    return [name for name in plan.partial if name in found]


def _dropped_step() -> Step:
    """The rows that are not accepted."""
    sql = (
        "SELECT _row FROM numbered WHERE _errors IS NOT NULL"
        " UNION SELECT _row FROM duplicates UNION SELECT _row FROM clashes"
    )
    return Step("drop rows", Scope.GROUP, sql, ("numbered", "duplicates", "clashes"), "dropped")


def _register_phones(
    connection: duckdb.DuckDBPyConnection, request: StageRequest, plan: Plan
) -> list[PhoneResolver]:
    resolvers = []
    for field in plan.fields:
        if field.resolver:
            resolvers.append(PhoneResolver(field.field, request.region))
            register(connection, field.resolver, resolvers[-1])
    return resolvers


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
