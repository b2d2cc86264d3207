"""Text to parse tree and back, and the few things to know about the tree's nodes.

A node is a dictionary as `json_serialize_sql` writes it: `class` and `type` say what it is,
`query_location` where it stands, other keys hold its children.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from dataport.core.errors import UsageError
from dataport.engine.expressions.problem import HINT, wrong
from dataport.engine.store import Connection

Node = dict[str, Any]

_PREFIX = "SELECT 1 WHERE ("
_NOWHERE = 2**64 - 1
_NOT_EXPRESSIONS = ("value", "cast_type", "order_bys")


def parse(cursor: Connection, text: str, fields: Sequence[str]) -> Node:
    """The tree of one expression; the names of `fields` serve its error messages.

    Raises UsageError where `text` can't be parsed or is more than an expression: it can't close
    the bracket it stands in and add clauses of its own.
    """
    tree = _serialized(cursor, text, f"{_PREFIX}{text}\n)")
    if tree.get("error"):
        raise _syntax_error(cursor, text, tree, fields)
    node = tree["statements"][0]["node"] if len(tree["statements"]) == 1 else {}
    extras = [
        node.get("from_table", {}).get("type") != "EMPTY",
        node.get("modifiers"),
        node.get("group_expressions"),
        node.get("group_sets"),
        node.get("having"),
        node.get("qualify"),
        node.get("sample"),
        (node.get("cte_map") or {}).get("map"),
    ]
    if node.get("type") != "SELECT_NODE" or not node.get("where_clause") or any(extras):
        raise wrong(text, "it must be one expression and nothing else")
    root: Node = node["where_clause"]
    return root


def to_sql(cursor: Connection, node: Node) -> str:
    """The SQL of an expression.

    Raises duckdb.Error for a tree that no SQL can be written for.
    """
    row = cursor.execute("SELECT json_serialize_sql('SELECT 1')").fetchone()
    statement = copy.deepcopy(json.loads(str(row and row[0])))
    statement["statements"][0]["node"]["select_list"] = [node]
    row = cursor.execute("SELECT json_deserialize_sql(?)", [json.dumps(statement)]).fetchone()
    return str(row and row[0]).removeprefix("SELECT ")


def children(node: Node) -> list[Node]:
    """Every expression directly inside `node`, whatever key holds it."""
    found: list[Node] = []
    for key, value in node.items():
        if key in _NOT_EXPRESSIONS:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                found += [part] if "class" in part else children(part)
    return found


def inside_out(node: Node) -> Iterator[Node]:
    """`node` and everything below it, children before their parents."""
    for child in children(node):
        yield from inside_out(child)
    yield node


def place_of(text: str, node: Node) -> int | None:
    """The offset in `text` of the character where `node` stands, or of its nearest child."""
    location = node.get("query_location", _NOWHERE)
    if location == _NOWHERE:
        places = (place_of(text, child) for child in children(node))
        return next((place for place in places if place is not None), None)
    # The parser counts bytes.
    before = text.encode()[: location - len(_PREFIX)]
    return len(before.decode(errors="ignore"))


def constant(node: Node) -> Any:
    """The value of a constant, None of anything else and of NULL."""
    return node["value"].get("value") if node["class"] == "CONSTANT" else None


def text_constant(node: Node) -> str | None:
    """The value of a text in quotes, None of anything else."""
    is_text = node["class"] == "CONSTANT" and node["value"]["type"]["id"] == "VARCHAR"
    return str(node["value"]["value"]) if is_text and not node["value"]["is_null"] else None


def make_text(value: str, like: Node) -> Node:
    """A text in quotes that stands where `like` does."""
    held = {"type": {"id": "VARCHAR", "type_info": None}, "is_null": False, "value": value}
    return _node("CONSTANT", "VALUE_CONSTANT", like, value=held)


def make_cast(value: str, sql_type: str, like: Node) -> Node:
    """`CAST('value' AS sql_type)`, for a type without parameters."""
    target = {"id": sql_type, "type_info": None}
    child = make_text(value, like)
    return _node("CAST", "OPERATOR_CAST", like, child=child, cast_type=target, try_cast=False)


def make_call(name: str, arguments: Sequence[Node], like: Node) -> Node:
    """A call of the function `name`."""
    return _node(
        "FUNCTION",
        "FUNCTION",
        like,
        function_name=name,
        schema="",
        catalog="",
        children=list(arguments),
        filter=None,
        order_bys={"type": "ORDER_MODIFIER", "orders": []},
        distinct=False,
        is_operator=False,
        export_state=False,
    )


def make_between(value: Node, lower: Node, upper: Node, like: Node) -> Node:
    """`value BETWEEN lower AND upper`."""
    return _node("BETWEEN", "COMPARE_BETWEEN", like, input=value, lower=lower, upper=upper)


def make_not(child: Node, like: Node) -> Node:
    """`NOT child`."""
    return _node("OPERATOR", "OPERATOR_NOT", like, children=[child])


def put(node: Node, other: Node) -> None:
    """Make `node` what `other` is, wherever it hangs in the tree."""
    node_alias = other.get("alias", "")
    node.clear()
    node.update(other, alias=node_alias)


def _node(kind: str, type_name: str, like: Node, **parts: Any) -> Node:
    location = like.get("query_location", _NOWHERE)
    return {"class": kind, "type": type_name, "alias": "", "query_location": location, **parts}


def _serialized(cursor: Connection, text: str, sql: str) -> Node:
    try:
        row = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        tree: Node = json.loads(str(row and row[0]))
    except duckdb.Error as error:
        raise wrong(text, str(error).splitlines()[0]) from error
    except RecursionError as error:
        raise wrong(text, "its brackets are nested too deeply") from error
    return tree


def _syntax_error(cursor: Connection, text: str, tree: Node, fields: Sequence[str]) -> UsageError:
    reason = str(tree.get("error_message")).partition(" at or near ")[0]
    place = _syntax_place(tree, _PREFIX)
    if place is None:
        return wrong(text, "it can't be parsed")
    if place <= len(text):
        return wrong(text, reason, place, _quoting_hint(cursor, text, fields))
    # The bracket around the expression is at fault: one inside closed it too soon, or more of the
    # expression should have come before it.
    bare = _serialized(cursor, text, f"SELECT {text}")
    inner = _syntax_place(bare, "SELECT ") if bare.get("error") else None
    if inner is not None and text[inner : inner + 1] == ")":
        return wrong(text, "this bracket closes nothing", inner)
    if "end of input" in reason:
        return wrong(text, "a bracket is not closed", len(text))
    return wrong(text, "it ends where something is still missing", len(text))


def _quoting_hint(cursor: Connection, text: str, fields: Sequence[str]) -> str:
    """What to do about a field whose name is a word of SQL, where one is used."""
    words = set(re.findall(r"\w+", text.lower())) & {name.lower() for name in fields}
    rows = (
        words
        and cursor.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
            " AND list_contains(?, keyword_name) ORDER BY 1",
            [sorted(words)],
        ).fetchall()
    )
    if not rows:
        return HINT
    return f'{rows[0][0]!r} is a word of SQL too. Write it in double quotes: "{rows[0][0]}".'


def _syntax_place(tree: Node, prefix: str) -> int | None:
    """Where parsing stopped; here the parser counts characters."""
    position = tree.get("position")
    return None if position is None else max(int(position) - len(prefix), 0)
