"""Rows that are rejected for what they refer to, listed as staging lists its own (ERR-01, ERR-13)."""

from __future__ import annotations

from pathlib import Path

from dataport.engine.merging.references import REJECTED, References
from dataport.engine.sql import ident, literal
from dataport.engine.staging.reject_file import reject_file_sql
from dataport.engine.staging.request import (
    ALL_REJECTS_CSV,
    REFERENCE_REJECTS_FILE,
    REJECTS_FILE,
    STAGED_FILE,
    StageResult,
)
from dataport.engine.store import Connection

CODE = "foreign-key"


def write_reference_rejects(
    cursor: Connection, directory: Path, staged: StageResult, references: References
) -> None:
    """Write what the check that found `references` rejected beside what staging rejected."""
    files = directory / REFERENCE_REJECTS_FILE, directory / ALL_REJECTS_CSV
    if not references.rejected:
        for path in files:
            path.unlink(missing_ok=True)
        return
    late, whole = (literal(str(path)) for path in files)
    early = f"read_parquet({literal(str(directory / REJECTS_FILE))})"
    cursor.execute(
        f"COPY (SELECT * FROM {early} WHERE false UNION ALL BY NAME {_rows(directory, staged)}"
        f" ORDER BY _record) TO {late} (FORMAT parquet)"
    )
    cursor.execute(
        f"CREATE OR REPLACE TEMP VIEW rejected AS FROM {early} UNION ALL FROM read_parquet({late})"
    )
    lines = reject_file_sql(cursor, staged.columns, staged.format)
    cursor.execute(f"COPY ({lines}) TO {whole} (FORMAT csv, HEADER true)")


def _rows(directory: Path, staged: StageResult) -> str:
    lines = staged.table_lines
    places = {name: staged.columns.index(label) + 1 for name, label in staged.mapping.items()}
    columns = " ".join(f"WHEN {literal(name)} THEN {at}" for name, at in places.items())
    column = f"CASE split_part(r.field, '+', 1) {columns} END" if columns else "NULL"
    message = (
        "'There is no row of ' || r.target || ' with ' || r.names || ' ''' || r.value ||"
        " '''; import that one first, or correct the value.'"
    )
    return (
        f"SELECT r._record, {lines.line('r._line')} AS _line, r._key, r.field, CAST({column} AS INTEGER) AS {ident('column')},"
        f" {literal(CODE)} AS code, 'error' AS class, {message} AS message, r.value,"
        f" s._raw AS raw, s._lacks AS lacks, CAST(NULL AS VARCHAR) AS broken, {lines.inside('r._line')} AS inside"
        f" FROM {REJECTED} r JOIN read_parquet({literal(str(directory / STAGED_FILE))}) s"
        " ON s._record = r._record"
    )
