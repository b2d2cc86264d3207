"""The errors of all rejected rows as one table: which line, what is wrong, what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataport.engine.staging.checks import NEAREST
from dataport.engine.staging.dialect import parse_record
from dataport.engine.staging.disputes import DISPUTED_CODE, lines_sql
from dataport.engine.staging.places import Places
from dataport.engine.staging.plan import Plan, messages
from dataport.engine.staging.readers.reading import Reading
from dataport.engine.staging.readers.spool import QUARANTINED, Cut
from dataport.engine.staging.reject_rows import UNIQUE
from dataport.engine.steps import Scope, Step
from dataport.engine.table_lines import TableLines

if TYPE_CHECKING:
    import duckdb

SHOWN = 100
"""Characters of a value that a message shows."""
BATCH = 20_000

_CUTS = {
    "unterminated-quote": "A quote is opened here and never closed; close it, or double it to mean it.",
    "bad-quote": "A quote stands inside a quoted value; double it to mean it.",
    "nul-byte": "The row holds a NUL character; remove it.",
    "control-character": "The row holds the control character U+0001; remove it.",
    "encoding-error": "The row holds bytes that are not valid UTF-8; save the file as UTF-8.",
    "json-error": "The line is not one JSON object; fix its brackets, quotes or commas.",
    "not-an-object": 'The item is no JSON object; every row must be one, as in {"name": "value"}.',
    "vcard-error": "The lines are no whole card; each begins with BEGIN:VCARD and ends with END:VCARD.",
    "field-too-long": "The card is longer than limits.field_size allows; shorten its texts.",
    "duplicate-label": "The object has a name twice, so that it is open which value counts; keep one.",
    "nested-too-deep": "The line has brackets nested deeper than limits.nesting allows; export flat rows.",
}


def cut_message(cut: Cut, width: int) -> str:
    """What is wrong with a record that could not be read as cells."""
    if cut.code == "missing-cell":
        return (
            f"The row has {cut.cells} cells instead of {width}; add what is missing, even if empty."
        )
    if cut.code == "extra-cell":
        return f"The row has {cut.cells} cells instead of {width}; quote values that hold the delimiter."
    return _CUTS.get(cut.code, "The row can't be read.")


def prepare_rejects(connection: duckdb.DuckDBPyConnection, plan: Plan, reading: Reading) -> None:
    """Fill the temporary tables `messages` and `cuts`."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE messages (part INTEGER, error INTEGER, field VARCHAR,"
        " position INTEGER, code VARCHAR, message VARCHAR, words VARCHAR[])"
    )
    _insert(connection, "messages", messages(plan))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cuts (record BIGINT, line BIGINT, code VARCHAR,"
        " message VARCHAR, value VARCHAR, raw VARCHAR[], lacks INTEGER[], broken VARCHAR)"
    )
    cuts = reading.spool.cuts
    width = len(reading.columns)
    for start in range(0, len(cuts), BATCH):
        _insert(
            connection,
            "cuts",
            [
                {
                    "record": cut.record,
                    "line": cut.line,
                    "code": cut.code,
                    "message": cut_message(cut, cut.width or width),
                    "value": cut.text[:SHOWN],
                    "raw": cut_cells(cut, reading.delimiter),
                    "lacks": _cut_lacks(cut, reading),
                    "broken": cut.text,
                }
                for cut in cuts[start : start + BATCH]
            ],
        )


def rejects_step(places: Places, key: str, tables: TableLines) -> Step:
    """The table `rejected`, of one row an error, or a duplicate.

    `inside` is the table that a row is of, where that is one of several `tables`. `key` is the SQL of the key of a rejected row `n`; it is NULL where that is not known.
    """
    record, line, stands = places.record, places.line, tables.told("s.line")
    value = "CASE WHEN m.position IS NOT NULL THEN n._raw[m.position + 1] END"
    value = f"CASE WHEN m.field IS NULL THEN ({value})[:{SHOWN}] ELSE {value} END"
    sql = f"""
        SELECT _record, _line, _key, field, "column", code, 'error' AS class,
            {_told()} AS message, value, raw, lacks, NULL AS broken
        FROM (
            SELECT {record} AS _record, {line} AS _line, {key} AS _key,
                m.field, m.position + 1 AS "column", m.code, m.message, m.words,
                {value} AS value, n._raw AS raw, n._lacks AS lacks
            FROM (
                SELECT _row, _key, _derived, _raw, _lacks, unnest(_errors) AS error,
                    generate_subscripts(_errors, 1) AS part
                FROM numbered WHERE _errors IS NOT NULL
            ) n{places.joins} JOIN messages m ON m.part = n.part AND m.error = n.error
        )
        UNION ALL
        SELECT record, line, NULL, NULL, NULL, code, 'error', message, value, raw, lacks, broken
        FROM cuts
        UNION ALL
        SELECT {record}, {line}, n._id, NULL, NULL,
            CASE WHEN n.is_disputed THEN '{DISPUTED_CODE}' ELSE 'primary-key' END, 'duplicate',
            CASE WHEN n._id IS NULL THEN 'Line ' || {stands} || ' is about the same row, and counts.'
            WHEN n.is_disputed THEN 'Lines ' || d.lines || ' have one key and differ, so that none'
            || ' is taken; leave one of them.'
            ELSE 'The key is that of line ' || {stands} || ', which stands.' END, n._id, NULL, NULL, NULL
        FROM duplicates n{places.joins} JOIN ({_line_of(places)}) s ON s.row = n.stands
        LEFT JOIN ({lines_sql(places, tables)}) d ON d._id = n._id
        UNION ALL
        SELECT {record}, {line}, {key}, n.field, n.position + 1,
            '{UNIQUE}', 'error',
            n.field || ' must be unique, and an earlier row has this value; change one of them.',
            n._raw[n.position + 1], n._raw, n._lacks, NULL
        FROM (
            SELECT n._row, _key, _derived, _raw, _lacks, field, position
            FROM numbered n JOIN clashes x ON n._row = x._row
        ) n{places.joins}
    """
    sql = f"SELECT * REPLACE ({tables.line('_line')} AS _line), {tables.inside('_line')} AS inside FROM ({sql})"
    inputs = ("numbered", "duplicates", "clashes", "messages", "cuts", *places.tables)
    return Step("tell what is wrong", Scope.GROUP, sql, inputs, "rejected")


def _told() -> str:
    """SQL of a message with the value, and the word of the list that it may have meant."""
    shown = f"CASE WHEN length(value) > {SHOWN} THEN value[:{SHOWN - 1}] || '…' ELSE coalesce(value, '') END"
    closest = "list_filter(words, lambda w: damerau_levenshtein(w, lower(value)) <= greatest(1, length(w) // 3))"
    nearest = (
        f"CASE WHEN len({closest}) > 0 THEN ' Did you mean ' ||"
        f" list_sort(list_transform({closest}, lambda w: {{'d': damerau_levenshtein(w, lower(value)), 'w': w}}))[1].w || '?'"
        " ELSE '' END"
    )
    return f"replace(replace(message, '{NEAREST}', CASE WHEN contains(message, '{NEAREST}') THEN {nearest} ELSE '' END), '{{value}}', {shown})"


def _line_of(places: Places) -> str:
    rows = "SELECT DISTINCT stands AS _row FROM duplicates"
    return f"SELECT n._row AS row, {places.line} AS line FROM ({rows}) n{places.joins}"


def cut_cells(cut: Cut, delimiter: str | None) -> list[str | None]:
    """The cells of a record that could not be read as such, as far as it has any."""
    if cut.raw is not None:
        return list(cut.raw)
    if delimiter is None:
        return []
    rows = [] if cut.code in QUARANTINED else parse_record(cut.text, delimiter)
    return [cell for row in rows for cell in row] if rows else [*cut.text.split(delimiter)]


def _cut_lacks(cut: Cut, reading: Reading) -> list[int]:
    """Positions of the columns that a record that was cut may lack: what it states is not known."""
    is_open = reading.states_keys and cut.raw is None
    return [*range(len(reading.columns))] if is_open else [*cut.lacks]


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, object]]
) -> None:
    columns = connection.execute(f"DESCRIBE {table}").fetchall()
    shape = json.dumps([{str(column[0]): str(column[1]) for column in columns}])
    connection.execute(
        f"INSERT INTO {table} SELECT unnest(from_json(?, ?), recursive := true)",
        [json.dumps(rows), shape],
    )
