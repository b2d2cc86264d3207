"""Undo on random histories: a three-way merge of its own, and exact where nothing came later (A9)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dataport.core.errors import StateError
from dataport.core.paths import Home
from dataport.core.words import Mode, OnMatch, Take
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset

KEYS = ("1", "2", "3")
SOURCES = ("crm", "fair")
VALUES = st.sampled_from(["x", "y", "z", None])
STATED = st.sampled_from([("a", "b"), ("a",), ("b",)])
ROWS = st.dictionaries(
    st.sampled_from(KEYS), st.fixed_dictionaries({"a": VALUES, "b": VALUES}), max_size=3
)

Cells = dict[str, Any]


class Histories(RuleBasedStateMachine):
    """Any change may be taken back at any later time, an undo too."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        home = Home.at(Path(self.directory.name) / "home")
        home.create()
        self.store = Store.open(home)
        self.ledger = Ledger(self.store, dataset())

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(
        source=st.sampled_from(SOURCES),
        rows=ROWS,
        stated=STATED,
        mode=st.sampled_from(Mode),
        how=st.sampled_from(OnMatch),
    )
    def send(
        self, source: str, rows: dict[str, Cells], stated: tuple[str, ...], mode: Mode, how: OnMatch
    ) -> None:
        before, commit = self._state(), self.ledger.head()
        sent = [{"id": key, **{name: row[name] for name in stated}} for key, row in rows.items()]
        self.ledger.send(sent, source, stated=stated, mode=mode, on_match=how, job=commit + 1)
        if self.ledger.head() > commit:
            self._back_and_forth(before)

    @precondition(lambda self: self.ledger.rows())
    @rule(data=st.data(), name=st.sampled_from(("a", "b")), value=VALUES)
    def edit(self, data: st.DataObject, name: str, value: str | None) -> None:
        before = self._state()
        self.ledger.edit(data.draw(st.sampled_from(sorted(self.ledger.rows()))), **{name: value})
        self._back_and_forth(before)

    @precondition(lambda self: self.ledger.rows())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        before = self._state()
        self.ledger.delete(data.draw(st.sampled_from(sorted(self.ledger.rows()))))
        self._back_and_forth(before)

    @precondition(lambda self: self.ledger.conflicts())
    @rule(take=st.sampled_from([Take.OURS, Take.THEIRS]), data=st.data())
    def resolve(self, take: Take, data: st.DataObject) -> None:
        before = self._state()
        conflict = data.draw(st.sampled_from([item["id"] for item in self.ledger.conflicts()]))
        self.ledger.resolve(take, conflict=conflict)
        self._back_and_forth(before)

    @precondition(lambda self: self.ledger.head())
    @rule(data=st.data(), stays=st.booleans())
    def undo(self, data: st.DataObject, stays: bool) -> None:
        commit = data.draw(st.integers(1, self.ledger.head()))
        expected = self._merged_back(commit)
        before = self._state()
        try:
            foreseen = self.ledger.undo(commit, is_dry=True)
        except StateError:
            return
        assert self._state() == before
        done = self.ledger.undo(commit)
        assert {**done, "commit": None, "dry_run": True} == foreseen
        assert self.ledger.rows() == expected
        undone = self._state()
        self.ledger.undo(self.ledger.head())
        assert self._state() == before
        if stays:
            self.ledger.undo(self.ledger.head())
            assert self._state() == undone

    def _back_and_forth(self, before: tuple[object, ...]) -> None:
        """The newest commit is taken back exactly, and comes again exactly."""
        after = self._state()
        self.ledger.undo(self.ledger.head())
        assert self._state() == before
        self.ledger.undo(self.ledger.head())
        assert self._state() == after

    def _merged_back(self, commit: int) -> dict[str, Cells]:
        """Rows after an undo: base is after the commit, theirs before it, ours now."""
        theirs, base = self.ledger.rows_at(commit - 1), self.ledger.rows_at(commit)
        ours = self.ledger.rows()
        merged = {key: _merged(ours.get(key), base.get(key), theirs.get(key)) for key in KEYS}
        return {key: row for key, row in merged.items() if row is not None}

    def _state(self) -> tuple[object, ...]:
        sources = [(self.ledger.base(source), self.ledger.stated(source)) for source in SOURCES]
        return self.ledger.rows(), sources, self.ledger.queue()


def _merged(ours: Cells | None, base: Cells | None, theirs: Cells | None) -> Cells | None:
    if base == theirs:
        return ours
    if ours is None:
        return theirs if base is None else None
    if theirs is None:
        return None if ours == base else ours
    merged = {}
    for name in ("a", "b"):
        mine, was, back = ours.get(name), (base or {}).get(name), theirs.get(name)
        merged[name] = back if mine == was else mine
    return {name: value for name, value in merged.items() if value is not None}


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


def test_undo_on_random_histories() -> None:
    """A9."""
    play(examples=15, steps=8)


@pytest.mark.soak
def test_undo_on_many_histories() -> None:
    """A9."""
    play(examples=300, steps=16)
