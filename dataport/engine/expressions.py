"""Filters that people write: one SQL boolean expression over a dataset's fields.

The text is parsed by the engine's own parser and the tree is checked against an allow-list
before anything runs: no subquery, no other table, no function that reaches a file, a setting
or the network. The checked tree itself is turned back into SQL; the text is never pasted in.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from dataport.core.errors import UsageError
from dataport.engine.catalog.model import Dataset
from dataport.engine.sql import ident
from dataport.engine.store import Connection

_FUNCTIONS = frozenset(
    "lower upper trim ltrim rtrim length len strlen left right substr substring replace reverse"
    " contains starts_with ends_with prefix suffix concat coalesce nullif ifnull abs round floor"
    " ceil ceiling greatest least mod year month day hour minute second quarter week weekday"
    " dayofweek date_part date_trunc datepart datetrunc date_diff datediff strftime"
    " list_contains list_has array_contains array_length regexp_matches regexp_full_match"
    " split_part strip_accents nfc_normalize lpad rpad instr strpos position"
    " ~~ !~~ ~~* !~~* ~~~ like_escape ilike_escape not_like_escape not_ilike_escape"
    " trunc to_days to_months to_years to_hours to_minutes to_seconds to_weeks + - * / % // || !".split()
)
"""Pure functions of their arguments; none reads anything else."""

_CLASSES = frozenset(
    {
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "COLUMN_REF",
        "FUNCTION",
        "OPERATOR",
        "BETWEEN",
        "CASE",
        "CAST",
    }
)
_OPERATORS = frozenset(
    {
        "OPERATOR_NOT",
        "OPERATOR_IS_NULL",
        "OPERATOR_IS_NOT_NULL",
        "COMPARE_IN",
        "COMPARE_NOT_IN",
        "OPERATOR_COALESCE",
        "OPERATOR_NULLIF",
    }
)
_CASTS = frozenset(
    {
        "VARCHAR",
        "INTEGER",
        "BIGINT",
        "DOUBLE",
        "DECIMAL",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "TIME",
        "INTERVAL",
        "HUGEINT",
        "SMALLINT",
        "TINYINT",
        "FLOAT",
        "UTINYINT",
    }
)
_PREFIX = "SELECT 1 FROM rows WHERE ("
_MOST_NODES = 2_000


def check_expression(cursor: Connection, dataset: Dataset, text: str) -> str:
    """`text` as safe SQL over the dataset's fields.

    Raises UsageError `wrong-expression` that says what is wrong and where.
    """
    if not text.strip():
        raise _wrong(text, "it is empty", None)
    try:
        row = cursor.execute("SELECT json_serialize_sql(?)", [f"{_PREFIX}{text}\n)"]).fetchone()
    except duckdb.Error as error:
        raise _wrong(text, str(error).splitlines()[0], None) from error
    tree = json.loads(row[0]) if row else {}
    if tree.get("error"):
        raise _wrong(text, str(tree.get("error_message", "it can't be parsed")), _position(tree))
    _check_shape(text, tree)
    node = tree["statements"][0]["node"]
    _Checker(dataset, text).check(node["where_clause"])
    statement = {"error": False, "statements": [tree["statements"][0]]}
    row = cursor.execute("SELECT json_deserialize_sql(?)", [json.dumps(statement)]).fetchone()
    sql = str(row[0]) if row else ""
    expression = sql.partition(" WHERE ")[2]
    _check_types(cursor, dataset, text, expression)
    return f"({expression})"


@contextmanager
def filtering(text: str | None) -> Iterator[None]:
    """Turns what a checked filter meets in the rows, as a word where a number is compared, into
    UsageError `wrong-expression`."""
    try:
        yield
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        if text is None:
            raise
        message = str(error).split("\n", 1)[0]
        raise _wrong(text, message.partition(": ")[2] or message, None) from error


def _check_shape(text: str, tree: dict[str, Any]) -> None:
    """The text must be one expression: it can't close the bracket and add clauses of its own."""
    statements = tree.get("statements", [])
    node = statements[0].get("node", {}) if len(statements) == 1 else {}
    table = node.get("from_table", {})
    extras = [
        node.get("modifiers"),
        node.get("group_expressions"),
        node.get("group_sets"),
        node.get("having"),
        node.get("qualify"),
        node.get("sample"),
        (node.get("cte_map") or {}).get("map"),
    ]
    plain = (
        node.get("type") == "SELECT_NODE"
        and len(node.get("select_list", [])) == 1
        and table.get("type") == "BASE_TABLE"
        and table.get("table_name") == "rows"
        and node.get("where_clause")
    )
    if not plain or any(extras):
        raise _wrong(text, "it must be one expression and nothing else", None)


def _check_types(cursor: Connection, dataset: Dataset, text: str, expression: str) -> None:
    columns = ", ".join(
        f"CAST(NULL AS {field.sql_type}) AS {ident(field.name)}" for field in dataset.fields
    )
    try:
        row = cursor.execute(
            f"DESCRIBE SELECT ({expression}) AS result FROM (SELECT {columns}) AS rows"
        ).fetchone()
    except duckdb.Error as error:
        message = str(error).split("\n", 1)[0]
        raise _wrong(text, message.partition(": ")[2] or message, None) from error
    if row and row[1] not in ("BOOLEAN", '"NULL"'):
        raise _wrong(text, f"it gives a {row[1]}, not true or false", None)


class _Checker:
    """Walks a parse tree and refuses everything that is not on the list."""

    def __init__(self, dataset: Dataset, text: str) -> None:
        self._fields = {name.lower(): name for name in dataset.field_names}
        self._text = text
        self._nodes = 0

    def check(self, node: dict[str, Any]) -> None:
        self._nodes += 1
        place = node.get("query_location")
        kind = node.get("class")
        if self._nodes > _MOST_NODES:
            raise _wrong(self._text, f"it has more than {_MOST_NODES:,} parts", None)
        if kind not in _CLASSES:
            raise _wrong(self._text, f"{_spoken(str(kind))} is not allowed here", place)
        getattr(self, f"_check_{kind.lower()}", self._nothing)(node, place)
        for child in _children(node):
            self.check(child)

    def _nothing(self, node: dict[str, Any], place: int | None) -> None:
        """This class of node needs no check of its own."""

    def _check_column_ref(self, node: dict[str, Any], place: int | None) -> None:
        names = node.get("column_names", [])
        if len(names) != 1 or names[0].lower() not in self._fields:
            nearest = difflib.get_close_matches(names[-1].lower(), self._fields, n=1)
            hint = f"; did you mean {self._fields[nearest[0]]!r}?" if nearest else ""
            raise _wrong(self._text, f"there is no field {'.'.join(names)!r}{hint}", place)

    def _check_function(self, node: dict[str, Any], place: int | None) -> None:
        name = str(node.get("function_name", "")).lower()
        if name not in _FUNCTIONS or node.get("schema") or node.get("catalog"):
            nearest = difflib.get_close_matches(name, sorted(_FUNCTIONS), n=1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise _wrong(self._text, f"the function {name!r} is not allowed{hint}", place)
        orders = (node.get("order_bys") or {}).get("orders")
        if node.get("filter") or node.get("distinct") or orders:
            raise _wrong(self._text, f"{name!r} takes plain arguments only", place)

    def _check_operator(self, node: dict[str, Any], place: int | None) -> None:
        if node.get("type") not in _OPERATORS:
            raise _wrong(self._text, f"{_spoken(str(node.get('type')))} is not allowed", place)

    def _check_cast(self, node: dict[str, Any], place: int | None) -> None:
        target = (node.get("cast_type") or {}).get("id")
        if target not in _CASTS:
            raise _wrong(self._text, f"a cast to {target} is not allowed", place)


def _children(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Every expression directly inside `node`, whatever key holds it."""
    found: list[dict[str, Any]] = []
    for key, value in node.items():
        if key in ("value", "cast_type", "order_bys"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                found += [part] if "class" in part else _children(part)
    return found


def _position(tree: dict[str, Any]) -> int | None:
    position = tree.get("position")
    return int(position) if position is not None else None


def _spoken(word: str) -> str:
    return word.lower().replace("operator_", "").replace("_", " ")


def _wrong(text: str, reason: str, place: int | None) -> UsageError:
    detail = f"{reason[:1].upper()}{reason[1:].rstrip('.')}."
    if place is not None and 0 <= place - len(_PREFIX) <= len(text):
        at = place - len(_PREFIX)
        detail += f" At character {at + 1}: {text[at : at + 30]!r}."
    return UsageError(
        "wrong-expression",
        f"The filter {text!r} can't be used.",
        detail,
        "Compare fields with values, as in: status = 'new' AND score > 50.",
    )
