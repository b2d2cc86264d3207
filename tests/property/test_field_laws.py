"""Laws of merging that small domains can hold in full (merge.md section 6: A1 to A4, A13, A14, A16).

Every combination of values is a row of its own, so that a few files try all of them. That rows
do not touch one another is what A7 and the laws of buckets say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dataport.core.paths import Home
from dataport.core.settings import PolicyRule
from dataport.core.words import Mode
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset

POLICIES = ("ask", "store", "file", "fill", "longest", "max", "min")
COMMUTATIVE = ("fill", "longest", "max", "min")
TEXTS = (None, "x", "yy", "zz")
SETS = tuple(frozenset(items) for size in range(4) for items in itertools.combinations("pqr", size))

Row = Mapping[str, Any]
Merged = dict[tuple[Any, Any, Any], tuple[Any, bool]]
"""By base, ours and theirs: what a cell becomes, and whether it is asked about."""


@contextmanager
def ledger(policy: str, field: str = "a") -> Iterator[Ledger]:
    """A fresh one whose only policy is `policy`, for `field`."""
    with TemporaryDirectory() as directory:
        home = Home.at(Path(directory) / "home")
        home.create()
        store = Store.open(home)
        opened = Ledger(store, dataset())
        opened.rules = (PolicyRule(dataset="things", field=field, merge=policy),)
        yield opened
        store.close()


@cache
def merged(
    policy: str,
    field: str,
    values: Sequence[Any],
    shown: Callable[[Any], Any] = lambda value: value,
    beside: str = "same",
) -> Merged:
    """What the engine makes of every three of `values`; `shown` turns them into cells.

    `beside` is what theirs says of another field, of which base and ours say `same`.
    """
    triples = list(itertools.product(values, repeat=3))
    sides = [
        [{"id": str(n), field: shown(triple[side]), "b": said} for n, triple in enumerate(triples)]
        for side, said in enumerate(["same", "same", beside])
    ]
    with ledger(policy, field) as opened:
        opened.send(sides[0])
        opened.send(sides[1], "person", mode=Mode.REPLACE)
        opened.send(sides[2])
        rows = opened.rows()
        asked = {item["key"] for item in opened.conflicts()}
    return {triple: (rows[str(n)].get(field), str(n) in asked) for n, triple in enumerate(triples)}


@pytest.mark.parametrize("beside", ["same", "news"])
@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_decided_where_only_one_side_changed(policy: str, beside: str) -> None:
    """A1: m(b,o,b) = o and m(b,b,t) = t. A2: m(b,x,x) = x. Whatever else the row says."""
    cells = merged(policy, "a", TEXTS, beside=beside)
    for base, value in itertools.product(TEXTS, repeat=2):
        assert cells[base, value, base] == (value, False)
        assert cells[base, base, value] == (value, False)
        assert cells[base, value, value] == (value, False)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_sides_may_change_places(policy: str) -> None:
    """A3: both ways it is asked or not; the policies that prefer no side give one value."""
    cells = merged(policy, "a", TEXTS)
    for base, ours, theirs in cells:
        value, is_asked = cells[base, ours, theirs]
        other, is_asked_too = cells[base, theirs, ours]
        assert is_asked == is_asked_too
        if policy in COMMUTATIVE and not is_asked:
            assert value == other


def test_only_contradictions_are_asked_about() -> None:
    """A4: a conflict is there exactly where both changed a value, and differently."""
    for (base, ours, theirs), (value, is_asked) in merged("ask", "a", TEXTS).items():
        assert is_asked == (ours != base and theirs not in (base, ours))
        assert value == (theirs if ours == base else ours)


def test_lists_are_merged_as_sets() -> None:
    """A16: commutative, idempotent, associative over one base, and nothing comes back."""
    found = merged("union", "tags", SETS, sorted)
    union = {sides: frozenset(value or ()) for sides, (value, _) in found.items()}
    assert not any(is_asked for _, is_asked in found.values())
    for (base, ours, theirs), both in union.items():
        assert both == (base & ours & theirs) | (ours - base) | (theirs - base)
        assert both == union[base, theirs, ours]
        assert not both & ((base - ours) | (base - theirs))
        assert union[base, ours, ours] == ours
    for base, one, two, three in itertools.product(SETS, repeat=4):
        left = union[base, union[base, one, two], three]
        assert left == union[base, one, union[base, two, three]]


ROWS: tuple[Row | None, ...] = (
    None,
    {"a": "x", "b": "k"},
    {"a": "yy", "b": "k"},
    {"a": None, "b": "k"},
    {"a": "x", "b": None},
)


def files(times: int, values: Sequence[Row | None] = ROWS) -> list[list[dict[str, Any]]]:
    """So many files, whose rows with one key are every combination; None is no row."""
    combinations = list(itertools.product(values, repeat=times))
    return [
        [{"id": str(n), **row} for n, rows in enumerate(combinations) if (row := rows[at])]
        for at in range(times)
    ]


def state(opened: Ledger, *sources: str) -> tuple[Any, ...]:
    return opened.rows(), opened.queue(), [opened.base(source) for source in sources]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_last_of_a_source_s_files_counts(policy: str) -> None:
    """A13: without edits, two mirrors one after the other are the second."""
    first, middle, last = files(3)
    states = []
    for sent in ([first, middle, last], [first, last]):
        with ledger(policy) as opened:
            for rows in sent:
                opened.send(rows, stated=("a", "b"), mode=Mode.MIRROR)
            states.append(state(opened, "crm"))
    assert states[0] == states[1]
    assert states[0][0] == {
        row["id"]: {name: row[name] for name in ("a", "b") if row[name] is not None} for row in last
    }


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize(
    ("policy", "field", "values"),
    [
        *((policy, "a", TEXTS) for policy in ("ask", "longest", "max", "min")),
        ("union", "tags", [[], ["p"], ["q"], ["p", "q"]]),
    ],
)
def test_two_sources_may_come_in_any_order(
    policy: str, field: str, values: Sequence[Any], is_known: bool
) -> None:
    """A14: for max, min, longest and union; asked, stores differ only in what both orders ask."""
    base, crm, fair = files(3, [{field: value} for value in values])
    states = []
    for order in ([("crm", crm), ("fair", fair)], [("fair", fair), ("crm", crm)]):
        with ledger(policy, field) as opened:
            for source in ("crm", "fair") if is_known else ():
                opened.send(base, source)
            for source, rows in order:
                opened.send(rows, source)
            asked = {item["key"] for item in opened.conflicts()}
            states.append((opened.rows(), asked))
    (rows, asked), (other_rows, other_asked) = states
    differing = {key for key in rows if _cell(rows, key) != _cell(other_rows, key)}
    assert differing <= asked & other_asked
    assert bool(asked) == (policy == "ask")


def _cell(rows: Mapping[str, Row], key: str) -> dict[str, Any]:
    return {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in rows[key].items()
    }
