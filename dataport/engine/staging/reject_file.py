"""The CSV of rejected rows that a person fixes and drops back in (ERR-13)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.core.files import copy_whole
from dataport.engine.sql import NUL, ident, literal
from dataport.engine.staging.clean import VERBATIM
from dataport.engine.staging.reject_absent import list_sql
from dataport.engine.staging.reject_layout import (
    ABSENT,
    BROKEN,
    REJECT_COLUMNS,
    own_columns,
    reject_layout,
)
from dataport.engine.staging.request import ALL_REJECTS_CSV, REJECTS_CSV, StageResult

if TYPE_CHECKING:
    import duckdb


def has_rejects(directory: Path, stage: StageResult) -> bool:
    """Whether there is a row for a reject file, found by staging or since."""
    return stage.rows.rejected > 0 or (directory / ALL_REJECTS_CSV).is_file()


def write_reject_file(directory: Path, stage: StageResult, target: Path) -> bool:
    """Write what `stage` and the merge rejected to `target`, a CSV; false where nothing was.

    One line an error: line, row, field, code, message and value, then the source's own columns
    as they were. Nothing is written where nothing was rejected.
    """
    if not has_rejects(directory, stage):
        return False
    whole = directory / ALL_REJECTS_CSV
    copy_whole(whole if whole.is_file() else directory / REJECTS_CSV, target)
    return True


def reject_file_sql(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], form: str
) -> str:
    """SELECT of the reject file's lines from the temporary table `rejected`.

    `columns` and `form`, its format, are those of the file whose rows were rejected. Behind the
    source's own columns stand, where there is any, the names of those that a row does not have and
    the text of rows that could not be cut into cells: see `ABSENT` and `BROKEN`.
    """
    layout = reject_layout(columns)
    own, start = own_columns(columns), layout.start if layout else 0
    cells = [f"raw[{start + at + 1}]" for at in range(len(own))]
    known = {ABSENT: list_sql(_distinct(own)), BROKEN: "broken"}
    if layout:
        known[ABSENT] = _again(layout.absent, "NULL")
        known[BROKEN] = _again(layout.broken, "broken")
    added = _added(own, [name for name, sql in known.items() if _is_found(connection, sql)])
    names, message = _distinct([*own, *added]), "message"
    cells += [known[name] for name in added]
    if BROKEN in added:
        todo = literal(f" Put its values into their columns, then clear {names[-1]}.")
        message = f"message || CASE WHEN broken IS NULL THEN '' ELSE {todo} END"
    given = {"line": "_line", "row": "_record", "field": "field", "code": "code"}
    given |= {"message": _defused(message), "value": _defused("value")}
    # What is an escape already stays one, so that it is read back as it would have been.
    escape = "''*" if form in VERBATIM else ""
    given |= {f"{at}": _defused(cell, escape) for at, cell in enumerate(cells)}
    lines = ", ".join(f"{sql} AS {ident(name)}" for name, sql in given.items())
    shown = [*map(ident, REJECT_COLUMNS)]
    shown += [f"{ident(f'{at}')} AS {ident(name)}" for at, name in enumerate(names)]
    return (
        f"SELECT {', '.join(shown)} FROM (SELECT {lines} FROM rejected WHERE class = 'error')"
        ' ORDER BY "row", field'
    )


def _is_found(connection: duckdb.DuckDBPyConnection, value: str) -> bool:
    query = f"SELECT 1 FROM rejected WHERE class = 'error' AND {value} IS NOT NULL LIMIT 1"
    return connection.execute(query).fetchone() is not None


def _again(column: int | None, sql: str) -> str:
    """SQL of what a reject file that came back says itself in such a column, if it has it."""
    return sql if column is None else f"coalesce({sql}, nullif(raw[{column + 1}], ''))"


def _added(own: Sequence[str], needed: Sequence[str]) -> Sequence[str]:
    """Which columns stand behind the source's own: `needed`, and what tells them apart.

    A source may itself have such a column last; then the real one must come behind it.
    """
    for added in (needed, (BROKEN,)):
        layout = reject_layout([*REJECT_COLUMNS, *_distinct([*own, *added])])
        if layout and layout.stop == layout.start + len(own):
            return added
    return (ABSENT, *needed)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names of the columns behind the first; one that is there already gets a number."""
    seen = set(REJECT_COLUMNS)
    result = []
    for given in names:
        stem = given.replace(NUL, "") or "column"
        name, number = stem, 1
        while name.lower() in seen:
            number += 1
            name = f"{stem}_{number}"
        seen.add(name.lower())
        result.append(name)
    return result


def _defused(sql: str, escape: str = "''*") -> str:
    """Text without NUL that a spreadsheet won't take for a formula; plain numbers are none.

    `escape` is the pattern of what may stand before a formula that is no escape of it.
    """
    formula = f"regexp_matches({sql}, '^{escape}[=+\\-@\\t\\r]')"
    number = f"regexp_full_match({sql}, '[+-]?[0-9][0-9 .,()/-]*')"
    safe = f"CASE WHEN {formula} AND NOT {number} THEN '''' || {sql} ELSE {sql} END"
    return f"replace({safe}, chr(0), '')"
