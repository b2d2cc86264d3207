"""Dropping earlier versions loses nothing but the past: a pruned store beside one that is not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataport.core.errors import NotFoundError, StateError
from dataport.core.paths import Home
from dataport.core.words import Mode, Take
from dataport.engine.as_of import check_readable
from dataport.engine.retention import Cut, prune
from dataport.engine.store import Store
from tests.engine.merging.ledger import AUTHOR, Ledger, dataset

KEYS = ("1", "2", "3")
SOURCES = ("crm", "fair")
VALUES = st.sampled_from(["x", "y", "z", None])
ROWS = st.dictionaries(
    st.sampled_from(KEYS), st.fixed_dictionaries({"a": VALUES, "b": VALUES}), max_size=3
)


class Histories(RuleBasedStateMachine):
    """Everything happens in both stores; only one of them forgets."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.whole, self.pruned = (self._ledger(name) for name in ("whole", "pruned"))
        self.oldest = 0

    def _ledger(self, name: str) -> Ledger:
        home = Home.at(Path(self.directory.name) / name)
        home.create()
        return Ledger(Store.open(home), dataset())

    def teardown(self) -> None:
        for ledger in (self.whole, self.pruned):
            ledger.store.close()
        self.directory.cleanup()

    @rule(source=st.sampled_from(SOURCES), rows=ROWS, mode=st.sampled_from(Mode))
    def send(self, source: str, rows: dict[str, Any], mode: Mode) -> None:
        sent = [{"id": key, **row} for key, row in rows.items()]
        for ledger in (self.whole, self.pruned):
            ledger.send(sent, source, stated=("a", "b"), mode=mode, job=ledger.head() + 1)

    @precondition(lambda self: self.whole.rows())
    @rule(data=st.data(), name=st.sampled_from(("a", "b")), value=VALUES)
    def edit(self, data: st.DataObject, name: str, value: str | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.whole.rows())))
        for ledger in (self.whole, self.pruned):
            ledger.edit(key, **{name: value})

    @precondition(lambda self: self.whole.rows())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.whole.rows())))
        for ledger in (self.whole, self.pruned):
            ledger.delete(key)

    @precondition(lambda self: self.whole.conflicts())
    @rule(take=st.sampled_from(Take), data=st.data())
    def resolve(self, take: Take, data: st.DataObject) -> None:
        cells = [item["id"] for item in self.whole.conflicts() if item["field"]]
        for conflict in cells and [data.draw(st.sampled_from(cells))]:
            for ledger in (self.whole, self.pruned):
                ledger.resolve(take, conflict=conflict)

    @precondition(lambda self: self.whole.head() > self.oldest)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        commit = data.draw(st.integers(self.oldest + 1, self.whole.head()))
        try:
            expected = self.whole.undo(commit)
        except StateError:
            return
        assert self.pruned.undo(commit) == expected

    @precondition(lambda self: self.whole.head() > self.oldest)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        self.oldest = data.draw(st.integers(self.oldest + 1, self.whole.head()))
        cut = Cut(before=str(self.oldest))
        foreseen = prune(self.pruned.store, cut, AUTHOR, "UTC", is_dry=True)
        done = prune(self.pruned.store, cut, AUTHOR, "UTC")
        assert {**foreseen, "dry_run": False} == done
        assert done["oldest"] == self.oldest

    @invariant()
    def both_hold_the_same(self) -> None:
        assert _state(self.pruned) == _state(self.whole)
        for commit in range(self.oldest, self.whole.head() + 1):
            assert self.pruned.rows_at(commit) == self.whole.rows_at(commit)
        if self.oldest:
            self._refuses(self.oldest)

    def _refuses(self, oldest: int) -> None:
        """What is gone is said to be gone, and by which commit."""
        with pytest.raises(StateError) as undone:
            self.pruned.undo(oldest)
        with pytest.raises(NotFoundError) as read, self.pruned.store.reading() as cursor:
            check_readable(cursor, oldest - 1)
        for caught in (undone.value, read.value):
            assert (caught.code, str(oldest) in caught.hint) == ("history-pruned", True)


def _state(ledger: Ledger) -> tuple[object, ...]:
    sources = [(ledger.base(source), ledger.stated(source)) for source in SOURCES]
    conflicts = [
        {**item, "time": None, "closed": None, "job": None} for item in ledger.conflicts(None)
    ]
    return ledger.rows(), sources, conflicts


def play(examples: int, steps: int) -> None:
    """Try `examples` histories of `steps` steps."""
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_pruning_loses_nothing_but_the_past() -> None:
    play(examples=8, steps=10)


@pytest.mark.soak
def test_pruning_loses_nothing_in_many_histories() -> None:
    play(examples=150, steps=16)
