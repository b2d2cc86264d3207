"""Per-row work as declared SQL steps, so that where they run stays open (design section 16).

A step reads relations by name and gives one relation. Its scope says what must be seen
together; whoever runs it may split the rows accordingly, and the result may not depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb

from dataport.engine.sql import ident

IMPURE = frozenset(
    {
        "now",
        "current_timestamp",
        "current_date",
        "current_time",
        "get_current_timestamp",
        "get_current_time",
        "transaction_timestamp",
        "today",
        "random",
        "setseed",
        "uuid",
        "uuidv4",
        "uuidv7",
        "gen_random_uuid",
        "nextval",
        "currval",
        "getenv",
        "txid_current",
    }
)


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


@dataclass(frozen=True)
class Step:
    """One SELECT over `inputs`, kept as the temporary table `output`."""

    name: str
    scope: Scope
    sql: str
    inputs: tuple[str, ...]
    """Temporary tables or views; a key step splits those that have a column `_key`."""
    output: str


class StepError(ValueError):
    """A step does something that its scope or its purity forbids."""


@dataclass(frozen=True)
class LocalRunner:
    """Runs steps on one connection, one after the other."""

    checked: bool = True
    """Whether each step is checked against its declaration before it runs."""

    def run(
        self, connection: duckdb.DuckDBPyConnection, steps: Sequence[Step], buckets: int = 1
    ) -> None:
        """Run `steps` in order; key steps run bucket by bucket when `buckets` is over 1.

        A table that already has the name of an output is replaced. Raises StepError.
        """
        for step in steps:
            if self.checked:
                check_step(connection, step)
            if step.scope is Scope.KEY and buckets > 1:
                self._run_by_bucket(connection, step, buckets)
            else:
                connection.execute(
                    f"CREATE OR REPLACE TEMP TABLE {ident(step.output)} AS {step.sql}"
                )

    def _run_by_bucket(
        self, connection: duckdb.DuckDBPyConnection, step: Step, buckets: int
    ) -> None:
        keyed = [name for name in step.inputs if _has_key(connection, name)]
        for bucket in range(buckets):
            head = (
                "CREATE OR REPLACE TEMP TABLE {} AS" if bucket == 0 else "INSERT INTO temp.main.{}"
            )
            parts = ", ".join(
                f"{ident(name)} AS (SELECT * FROM temp.main.{ident(name)}"
                f" WHERE {bucket_sql(buckets)} = {bucket})"
                for name in keyed
            )
            given = f"WITH {parts} " if parts else ""
            connection.execute(
                f"{head.format(ident(step.output))} {given}SELECT * FROM ({step.sql})"
            )


def bucket_sql(buckets: int) -> str:
    """SQL of the bucket of a row, from 0 to `buckets` - 1; a row without a key is in 0."""
    return f"coalesce(('0x' || substr(md5(_key), 1, 4))::INTEGER % {buckets}, 0)"


def check_step(connection: duckdb.DuckDBPyConnection, step: Step) -> None:
    """Raise StepError where `step` is impure, or a row step looks at other rows."""
    aggregates = _aggregates(connection) if step.scope is Scope.ROW else frozenset()
    for node in _nodes(_parsed(connection, step.sql)):
        used = _called(node)
        if used in IMPURE:
            raise StepError(f"step {step.name!r} calls {used}(): its result would not repeat")
        if step.scope is Scope.ROW and (
            node.get("class") == "WINDOW" or used in aggregates or node.get("group_expressions")
        ):
            raise StepError(f"step {step.name!r} is declared for single rows, but uses others")


def _called(node: dict[str, Any]) -> str:
    """The function that a node calls; some are written like columns, as CURRENT_DATE is."""
    if node.get("class") == "FUNCTION":
        return str(node["function_name"]).lower()
    names = node.get("column_names") if node.get("class") == "COLUMN_REF" else None
    bare = isinstance(names, list) and len(names) == 1
    return str(names[0]).lower() if names and bare and str(names[0]).startswith("current_") else ""


def _parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {}
    if tree.get("error", True) or len(tree["statements"]) != 1:
        raise StepError(f"not one SELECT: {tree.get('error_message', 'several statements')}")
    return tree


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _aggregates(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    rows = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    return frozenset(str(name) for (name,) in rows) | {"count_star"}


def _has_key(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    rows = connection.execute(f"DESCRIBE temp.main.{ident(relation)}").fetchall()
    return any(row[0] == "_key" for row in rows)
