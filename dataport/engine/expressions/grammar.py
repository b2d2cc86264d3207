"""What a filter may be made of. Everything that is not listed here is refused."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from datetime import datetime

from dataport.core.errors import UsageError
from dataport.engine.catalog.model import Dataset
from dataport.engine.expressions.problem import HINT, wrong
from dataport.engine.expressions.tree import Node, children, constant, make_cast, place_of, put

FUNCTIONS = frozenset(
    "lower upper trim ltrim rtrim length len strlen left right substr substring replace reverse"
    " contains starts_with ends_with prefix suffix concat coalesce nullif ifnull abs round floor"
    " ceil ceiling trunc greatest least mod year month day hour minute second quarter week weekday"
    " dayofweek date_part date_trunc datepart datetrunc date_diff datediff strftime"
    " list_contains list_has list_has_any list_has_all array_contains array_length list_value"
    " regexp_matches regexp_full_match split_part strip_accents nfc_normalize lpad rpad"
    " instr strpos position json_extract_string"
    " to_days to_months to_years to_hours to_minutes to_seconds to_weeks".split()
)
"""Functions of their arguments alone; none reads anything else."""

OPERATORS = frozenset(
    "+ - * / % // || ~~ !~~ ~~* !~~* like_escape ilike_escape not_like_escape"
    " not_ilike_escape".split()
)
"""Operators that the parser turns into functions: arithmetic, LIKE and ILIKE."""

CLOCK = {
    "now": "TIMESTAMP",
    "current_timestamp": "TIMESTAMP",
    "today": "DATE",
    "current_date": "DATE",
}
"""Words for the moment at which the filter is read; a constant takes their place."""

CASTS = frozenset(
    "VARCHAR TINYINT SMALLINT INTEGER BIGINT HUGEINT FLOAT DOUBLE DECIMAL BOOLEAN DATE TIMESTAMP"
    " TIME INTERVAL".split()
)

_CLASSES = frozenset(
    "COMPARISON CONJUNCTION CONSTANT COLUMN_REF FUNCTION OPERATOR BETWEEN CASE CAST".split()
)
_KINDS = frozenset(
    "OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL COMPARE_IN COMPARE_NOT_IN"
    " OPERATOR_COALESCE OPERATOR_NULLIF".split()
)

_SPELLED = {"~~~": "GLOB", "!__postfix": "!"}

MOST_PARTS = 2_000
DEEPEST = 100


class Grammar:
    """Walks a parse tree, refuses what is not on the lists and settles names.

    `moment` is the present instant as the home's zone shows it, and in UTC.
    """

    def __init__(self, dataset: Dataset, text: str, moment: tuple[datetime, datetime]) -> None:
        self._fields = {name.lower(): name for name in dataset.field_names}
        self._text = text
        self._local, self._utc = moment
        self._parts = 0
        self._checks: dict[str, Callable[[Node], None]] = {
            "COLUMN_REF": self._column,
            "FUNCTION": self._function,
            "OPERATOR": self._operator,
            "CAST": self._cast,
            "CONSTANT": self._constant,
        }

    def check(self, node: Node, depth: int = 0) -> None:
        """Raise UsageError for the first thing in `node` that is not allowed."""
        self._parts += 1
        kind = str(node.get("class"))
        if self._parts > MOST_PARTS:
            raise self._wrong(f"it has more than {MOST_PARTS:,} parts", node)
        if depth > DEEPEST:
            raise self._wrong(f"it is nested more than {DEEPEST} deep", node)
        if kind not in _CLASSES:
            raise self._wrong(f"{_spoken(kind)} is not allowed here", node)
        # Children may stand where nobody expects them, such as in a FILTER clause.
        below = children(node)
        if kind in self._checks:
            self._checks[kind](node)
        for child in below:
            self.check(child, depth + 1)

    def _column(self, node: Node) -> None:
        names = [str(name) for name in node.get("column_names", [])]
        if len(names) == 1 and names[0].lower() in self._fields:
            node["column_names"] = [self._fields[names[0].lower()]]
        elif len(names) == 1 and names[0].lower() in CLOCK:
            self._put_clock(node, names[0].lower())
        else:
            near = _nearest(names[-1].lower() if names else "", self._fields)
            hint = f"Fields: {', '.join(self._fields.values())}."
            spoken = ".".join(names)
            raise self._wrong(f"there is no field {spoken!r}{near}", node, hint)

    def _function(self, node: Node) -> None:
        name = str(node.get("function_name", "")).lower()
        if name in CLOCK and not node.get("children"):
            self._put_clock(node, name)
            return
        if name not in FUNCTIONS | OPERATORS:
            words = [word for word in sorted(FUNCTIONS) if word != name]
            what = "function" if name.isidentifier() else "operator"
            spoken = _SPELLED.get(name, name)
            raise self._wrong(f"the {what} {spoken!r} is not allowed{_nearest(name, words)}", node)
        # `main` is what the parser itself writes for forms such as POSITION(a IN b).
        if node.get("catalog") or node.get("schema") not in ("", "main"):
            raise self._wrong(f"write {name!r} without a schema before it", node)
        orders = (node.get("order_bys") or {}).get("orders")
        if node.get("filter") or node.get("distinct") or orders or node.get("export_state"):
            raise self._wrong(f"{name!r} takes plain arguments only", node)
        node["schema"] = ""

    def _operator(self, node: Node) -> None:
        if node.get("type") not in _KINDS:
            raise self._wrong(f"{_spoken(str(node.get('type')))} is not allowed", node)

    def _cast(self, node: Node) -> None:
        target = node.get("cast_type") or {}
        if target.get("id") not in CASTS:
            hint = f"A value can be cast to: {', '.join(sorted(CASTS))}."
            raise self._wrong(f"a cast to {target.get('id')} is not allowed", node, hint)

    def _constant(self, node: Node) -> None:
        value = constant(node)
        if isinstance(value, float) and not math.isfinite(value):
            raise self._wrong("the number is too large", node)

    def _put_clock(self, node: Node, name: str) -> None:
        sql_type = CLOCK[name]
        value = self._utc.isoformat(" ") if sql_type == "TIMESTAMP" else str(self._local.date())
        put(node, make_cast(value, sql_type, node))

    def _wrong(self, reason: str, node: Node, hint: str = HINT) -> UsageError:
        return wrong(self._text, reason, place_of(self._text, node), hint)


def _nearest(word: str, words: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _spoken(word: str) -> str:
    return word.lower().replace("operator_", "").replace("_", " ")
