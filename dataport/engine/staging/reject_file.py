"""The CSV of rejected rows that a person fixes and drops back in (ERR-13)."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.engine.sql import ident
from dataport.engine.staging.mapping import REJECT_COLUMNS, reject_columns
from dataport.engine.staging.request import REJECTS_CSV, StageResult

if TYPE_CHECKING:
    import duckdb

PRIVATE = 0o600


def write_reject_file(directory: Path, stage: StageResult, target: Path) -> bool:
    """Write what `stage` rejected to `target`, a CSV; false where nothing was rejected.

    One line an error: line, row, field, code, message and value, then the source's own columns
    as they were. Nothing is written where nothing was rejected.
    """
    if not stage.rows.rejected:
        return False
    draft = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(directory / REJECTS_CSV, draft)
    draft.chmod(PRIVATE)
    draft.replace(target)
    return True


def reject_file_sql(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> str:
    """SELECT of the reject file's lines from the temporary table `rejected`."""
    row = connection.execute("SELECT max(len(raw)) FROM rejected WHERE class = 'error'").fetchone()
    widest = int(row[0]) if row and row[0] is not None else 0
    skipped = reject_columns(columns)
    names = [*columns, *(f"extra_{at + 1}" for at in range(widest - len(columns)))]
    own = [f"{_defused(f'raw[{at + 1}]')} AS {ident(f'{at}')}" for at in range(skipped, len(names))]
    select = ", ".join(
        [
            '_line AS "line"',
            '_record AS "row"',
            "field",
            "code",
            f"{_defused('message')} AS message",
            f"{_defused('value')} AS value",
        ]
    )
    header = ", ".join(
        f"{ident(f'{at}')} AS {ident(name)}"
        for at, name in _distinct(names, skipped, REJECT_COLUMNS)
    )
    lines = ", ".join([select, *own])
    shown = ", ".join([*map(ident, REJECT_COLUMNS), *([header] if header else [])])
    return (
        f"SELECT {shown} FROM (SELECT {lines} FROM rejected WHERE class = 'error')"
        ' ORDER BY "row", field'
    )


def _distinct(names: Sequence[str], skipped: int, taken: Sequence[str]) -> list[tuple[int, str]]:
    """Positions and names; a name that is there already gets a number."""
    seen = {name.lower() for name in taken}
    result = []
    for at in range(skipped, len(names)):
        name, number = names[at] or "column", 1
        while name.lower() in seen:
            number += 1
            name = f"{names[at] or 'column'}_{number}"
        seen.add(name.lower())
        result.append((at, name))
    return result


def _defused(sql: str) -> str:
    """Text that a spreadsheet won't take for a formula; plain numbers are none."""
    formula = f"regexp_matches({sql}, '^''*[=+\\-@\\t\\r]')"
    number = f"regexp_full_match({sql}, '[+-]?[0-9][0-9 .,()/-]*')"
    return f"CASE WHEN {formula} AND NOT {number} THEN '''' || {sql} ELSE {sql} END"
