"""What a filter compares with what, checked and settled before anything runs."""

from __future__ import annotations

from enum import StrEnum

import duckdb

from dataport.core.errors import UsageError
from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.expressions.literals import (
    Reader,
    UnreadableError,
    is_day,
    settled_text,
)
from dataport.engine.expressions.problem import HINT, wrong
from dataport.engine.expressions.tree import (
    Node,
    children,
    inside_out,
    make_between,
    make_not,
    place_of,
    put,
    text_constant,
    to_sql,
)
from dataport.engine.sql import ident
from dataport.engine.store import Connection


class Kind(StrEnum):
    """Values that can be compared with each other."""

    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    DATE = "a date"
    INSTANT = "a date and time"
    TIME = "a time of day"
    INTERVAL = "a span of time"
    LIST = "a list"
    NOTHING = "nothing"


_FIELD_KINDS = {
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.DURATION: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.INSTANT,
    FieldType.TIME: Kind.TIME,
    FieldType.LIST: Kind.LIST,
}
_SQL_KINDS = {
    "VARCHAR": Kind.TEXT,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.INSTANT,
    "TIME": Kind.TIME,
    "INTERVAL": Kind.INTERVAL,
    "NULL": Kind.NOTHING,
    '"NULL"': Kind.NOTHING,
}
_READ_AS = {
    Kind.NUMBER: FieldType.NUMBER,
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.DATE: FieldType.DATE,
    Kind.INSTANT: FieldType.DATETIME,
    Kind.TIME: FieldType.TIME,
}
_TRUTHS = frozenset(
    "OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL COMPARE_IN COMPARE_NOT_IN".split()
)
_EXACT = frozenset(
    "COMPARE_EQUAL COMPARE_NOTEQUAL COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM"
    " COMPARE_IN COMPARE_NOT_IN".split()
)
_TURNED = {
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
}
_AT_END = ("COMPARE_GREATERTHAN", "COMPARE_LESSTHANOREQUALTO")


class Types:
    """Checks one tree and gives values in quotes the type of what they are compared with."""

    def __init__(self, cursor: Connection, dataset: Dataset, text: str, timezone: str) -> None:
        self._cursor = cursor
        self._dataset = dataset
        self._text = text
        self._reader = Reader(cursor, timezone)
        self._columns = ", ".join(
            f"CAST(NULL AS {field.sql_type}) AS {ident(field.name)}" for field in dataset.fields
        )

    def settle(self, root: Node) -> None:
        """Raise UsageError for values that can't be compared, or a whole that is no condition."""
        for node in list(inside_out(root)):
            kind = node["class"]
            if kind == "COMPARISON":
                self._settle_comparison(node)
            elif kind == "BETWEEN":
                self._settle_between(node)
            elif node.get("type") in ("COMPARE_IN", "COMPARE_NOT_IN"):
                self._settle_in(node)
            elif kind == "CONJUNCTION" or node.get("type") == "OPERATOR_NOT":
                for child in children(node):
                    self._need_truth(child)
            elif kind == "CASE":
                for branch in node["case_checks"]:
                    self._need_truth(branch["when_expr"])
        self._need_truth(root)
        self._try(root)

    # -- comparisons -----------------------------------------------------------------------

    def _settle_comparison(self, node: Node) -> None:
        left, right = node["left"], node["right"]
        operator = str(node["type"])
        if text_constant(left) is not None and text_constant(right) is None:
            left, right, operator = right, left, _TURNED.get(operator, operator)
        kind = self._comparable(left, right)
        text = text_constant(right)
        if text is None or (kind is Kind.TEXT and operator not in _EXACT):
            return
        if kind is Kind.INSTANT and is_day(text):
            self._settle_day(node, left, right, operator)
        else:
            put(right, self._read(left, right, kind))

    def _settle_day(self, node: Node, value: Node, constant: Node, operator: str) -> None:
        """An instant compared with a date alone: the date stands for its whole day (V-28)."""
        first, last = self._day(value, constant)
        if operator == "COMPARE_EQUAL":
            put(node, make_between(value, first, last, node))
        elif operator == "COMPARE_NOTEQUAL":
            put(node, make_not(make_between(value, first, last, node), node))
        elif operator in _TURNED:
            put(constant, last if operator in _AT_END else first)
        else:
            raise self._wrong("compare a day with = or <>", node)

    def _settle_between(self, node: Node) -> None:
        value, lower, upper = node["input"], node["lower"], node["upper"]
        for bound in (lower, upper):
            kind = self._comparable(value, bound)
            text = text_constant(bound)
            if text is None or kind is Kind.TEXT:
                continue
            if kind is Kind.INSTANT and is_day(text):
                first, last = self._day(value, bound)
                put(bound, last if bound is upper else first)
            else:
                put(bound, self._read(value, bound, kind))

    def _settle_in(self, node: Node) -> None:
        value, *items = children(node)
        for item in items:
            kind = self._comparable(value, item)
            text = text_constant(item)
            if text is None:
                continue
            if kind is Kind.INSTANT and is_day(text):
                hint = "Write CAST(... AS DATE) IN ('2026-01-31'), or a BETWEEN for each day."
                raise self._wrong("a moment is not one of several days", item, hint)
            put(item, self._read(value, item, kind))

    def _comparable(self, left: Node, right: Node) -> Kind:
        """The kind that both sides share. Raises UsageError if they don't."""
        one, other = self._kind(left), self._kind(right)
        if Kind.NOTHING in (one, other):
            return one if other is Kind.NOTHING else other
        if one is other or {one, other} == {Kind.DATE, Kind.INSTANT}:
            return one
        if text_constant(right) is not None and one in _READ_AS:
            return one
        raise self._incomparable(left, one, right, other)

    def _incomparable(self, left: Node, one: Kind, right: Node, other: Kind) -> UsageError:
        hint = HINT
        if Kind.LIST in (one, other):
            hint = "Ask for an item of a list with: list_contains(field, 'value')."
        elif one is Kind.TEXT and right["class"] == "CONSTANT":
            hint = "Write a text in quotes, as in: name = '5'."
        elif Kind.INTERVAL in (one, other):
            hint = "Compare two times, as in: created_at > now() - INTERVAL 7 DAY."
        reason = f"{self._spoken(left, one)} can't be compared with {self._spoken(right, other)}"
        return self._wrong(reason, right, hint)

    def _spoken(self, node: Node, kind: Kind) -> str:
        if node["class"] == "COLUMN_REF":
            return f"{node['column_names'][0]!r} ({kind})"
        text = text_constant(node)
        return f"the text {text!r}" if text is not None else str(kind)

    # -- values in quotes ------------------------------------------------------------------

    def _read(self, value: Node, constant: Node, kind: Kind) -> Node:
        text = text_constant(constant) or ""
        field = self._field(value, kind)
        try:
            if kind is Kind.TEXT:
                return settled_text(field, text, constant)
            return self._reader.read(field, text, constant)
        except UnreadableError as error:
            raise self._wrong(str(error), constant) from error

    def _day(self, value: Node, constant: Node) -> tuple[Node, Node]:
        field = self._field(value, Kind.INSTANT)
        try:
            return self._reader.day(field, text_constant(constant) or "", constant)
        except UnreadableError as error:
            raise self._wrong(str(error), constant) from error

    def _field(self, value: Node, kind: Kind) -> Field:
        """The field that a value is, or a plain one of its kind."""
        if value["class"] == "COLUMN_REF":
            return self._dataset.field(value["column_names"][0])
        return Field(name="value", type=_READ_AS.get(kind, FieldType.STRING), normalise=())

    # -- types -----------------------------------------------------------------------------

    def _need_truth(self, node: Node) -> None:
        kind = self._kind(node)
        if kind is not Kind.BOOLEAN:
            raise self._wrong(f"{self._spoken(node, kind)} is not a condition", node)

    def _kind(self, node: Node) -> Kind:
        if node["class"] == "COLUMN_REF":
            return _FIELD_KINDS.get(self._field(node, Kind.TEXT).type, Kind.TEXT)
        if node["class"] == "CONSTANT":
            return _kind_of(node["value"]["type"]["id"])
        if node["class"] in ("COMPARISON", "CONJUNCTION", "BETWEEN") or node["type"] in _TRUTHS:
            return Kind.BOOLEAN
        if node["class"] == "CAST":
            return _kind_of(node["cast_type"]["id"])
        return _kind_of(self._try(node))

    def _try(self, node: Node) -> str:
        """The SQL type of `node`, once it worked on a row of nothing.

        Raises UsageError that points at the innermost part that doesn't work.
        """
        try:
            return self._evaluated(node)
        except duckdb.Error as error:
            for part in inside_out(node):
                self._blame(part)
            raise wrong(self._text, _first_line(error)) from error

    def _blame(self, node: Node) -> None:
        try:
            self._evaluated(node)
        except duckdb.Error as error:
            raise self._wrong(_first_line(error), node) from error

    def _evaluated(self, node: Node) -> str:
        relation = self._cursor.execute(
            f"SELECT {to_sql(self._cursor, node)} FROM (SELECT {self._columns}) AS rows"
        )
        sql_type = str(relation.description[0][1]) if relation.description else ""
        relation.fetchone()
        return sql_type

    def _wrong(self, reason: str, node: Node, hint: str = HINT) -> UsageError:
        return wrong(self._text, reason, place_of(self._text, node), hint)


def _kind_of(sql_type: str) -> Kind:
    if sql_type.endswith("[]"):
        return Kind.LIST
    return _SQL_KINDS.get(sql_type, Kind.NUMBER)


def _first_line(error: duckdb.Error) -> str:
    message = str(error).split("\n", 1)[0]
    return (message.partition(": ")[2] or message).partition(" You might need")[0]
