"""What a step's SQL may not do, read off its parse tree (design section 16).

A step is a function of its inputs alone. It names no other relation, file or catalog, asks nothing
of the clock, of chance or of the session, and takes nothing from the order in which rows happen
to come. Then it gives the same wherever, in whatever pieces and however often it is run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "generate_subscripts"})
"""Those that make rows of their arguments; any other one reads something."""

AMBIENT = frozenset(
    {"ago", "current_setting", "getenv", "getvariable", "session_user", "user", "version"}
)
"""Functions of the session that DuckDB itself lists as repeatable, or as macros."""
_AMBIENT_PREFIXES = ("current_", "has_", "inet_", "pg_")

ORDERED = frozenset(
    {"any_value", "arbitrary", "array_agg", "first", "group_concat", "last", "list", "listagg"}
    | {"string_agg"}
)
"""Aggregates whose result depends on which row comes first."""

_INSENSITIVE_WINDOWS = frozenset({"WINDOW_AGGREGATE", "WINDOW_RANK_DENSE", "WINDOW_RANK"})

Node = dict[str, Any]


class StepError(ValueError):
    """A step does something that its scope or its purity forbids: what, as the end of a sentence."""


@dataclass(frozen=True)
class Functions:
    """The functions of one version of DuckDB that a step must be careful with."""

    aggregates: frozenset[str]
    volatile: frozenset[str]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> Functions:
        """Those that `connection` has."""
        rows = connection.execute(
            "SELECT DISTINCT function_name, function_type = 'aggregate' FROM duckdb_functions()"
            " WHERE function_type = 'aggregate' OR stability <> 'CONSISTENT'"
        ).fetchall()
        aggregates = {str(name) for name, is_aggregate in rows if is_aggregate} | {"count_star"}
        volatile = {str(name) for name, is_aggregate in rows if not is_aggregate} | AMBIENT
        return cls(frozenset(aggregates), frozenset(volatile))


def check_sql(
    connection: duckdb.DuckDBPyConnection,
    functions: Functions,
    sql: str,
    inputs: Collection[str],
    *,
    sees_one_row: bool,
) -> None:
    """Raise StepError where `sql` is impure, or sees other rows than its own though it may not.

    `inputs` are the relations that it may read. Nothing but parsing is asked of `connection`.
    """
    nodes = list(_nodes(_parsed(connection, sql)))
    known = {*inputs} | {each["key"] for node in nodes for each in _ctes(node)}
    sorted_later = {id(node["children"][0]) for node in nodes if _called(node) == "list_sort"}
    for node in nodes:
        _check_reads(node, known)
        called = _called(node)
        if called in functions.volatile or called.startswith(_AMBIENT_PREFIXES):
            raise StepError(f"calls {called}(): its result would not repeat")
        is_aggregate = called in functions.aggregates or bool(node.get("group_expressions"))
        if sees_one_row and (is_aggregate or node.get("class") == "WINDOW"):
            raise StepError("is declared for single rows, but uses others")
        if _takes_first(node, called) and id(node) not in sorted_later:
            raise StepError("depends on the order of rows, and states none")


def _parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> Node:
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: Node = json.loads(row[0]) if row else {}
    if tree.get("error", True) or len(tree["statements"]) != 1:
        raise StepError(f"is not one SELECT: {tree.get('error_message', 'several statements')}")
    return tree


def _check_reads(node: Node, known: Collection[str]) -> None:
    if node.get("type") == "BASE_TABLE":
        place = [node["catalog_name"], node["schema_name"], node["table_name"]]
        if any(place[:2]) or place[2] not in known:
            raise StepError(f"reads {'.'.join(filter(None, place))}, which is no input of it")
    if node.get("type") == "TABLE_FUNCTION":
        function = node["function"]["function_name"]
        if function not in TABLE_FUNCTIONS:
            raise StepError(f"reads {function}(), which is no input of it")


def _takes_first(node: Node, called: str) -> bool:
    if called in ORDERED:
        return not node["order_bys"]["orders"]
    if node.get("class") == "WINDOW":
        return not node["orders"] and node["type"] not in _INSENSITIVE_WINDOWS
    kinds = {each["type"] for each in node.get("modifiers") or ()}
    return "LIMIT_MODIFIER" in kinds and "ORDER_MODIFIER" not in kinds


def _called(node: Node) -> str:
    """The function that a node calls; some are written like columns, as CURRENT_DATE is."""
    if node.get("class") == "FUNCTION":
        return str(node["function_name"]).lower()
    names = node.get("column_names") if node.get("class") == "COLUMN_REF" else None
    bare = isinstance(names, list) and len(names) == 1
    return str(names[0]).lower() if names and bare and str(names[0]).startswith("current_") else ""


def _ctes(node: Node) -> list[Node]:
    found: list[Node] = (node.get("cte_map") or {}).get("map", [])
    return found


def _nodes(tree: object) -> Iterator[Node]:
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
