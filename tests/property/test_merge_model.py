"""The engine against the model, on random histories of three sources and a person (A18)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataport.core.paths import Home
from dataport.core.words import Mode, OnMatch, Take
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset
from tests.property.merge_model import FIELDS, Model, as_rows

KEYS = ("1", "2", "3")
SOURCES = ("crm", "fair", "web")
VALUES = st.sampled_from(["x", "y", "z", None])
ROWS = st.dictionaries(
    st.sampled_from(KEYS), st.fixed_dictionaries(dict.fromkeys(FIELDS, VALUES)), max_size=3
)


class Histories(RuleBasedStateMachine):
    """Files, edits, deletions, decisions and undos in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        home = Home.at(Path(self.directory.name) / "home")
        home.create()
        self.store = Store.open(home)
        self.ledger = Ledger(self.store, dataset())
        self.model = Model()

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(
        source=st.sampled_from(SOURCES), rows=ROWS, mode=st.sampled_from([Mode.MERGE, Mode.MIRROR])
    )
    def send(self, source: str, rows: dict[str, dict[str, str | None]], mode: Mode) -> None:
        before = self.ledger.head()
        plan = self.ledger.send(as_rows(rows), source, stated=FIELDS, mode=mode)
        self.model.send(source, rows, is_mirror=mode is Mode.MIRROR)
        assert plan.inserted + plan.updated + plan.unchanged == len(rows)
        # A5: the same file again writes nothing.
        after = self.ledger.head()
        assert self.ledger.send(as_rows(rows), source, stated=FIELDS, mode=mode).is_empty
        assert self.ledger.head() == after <= before + 1

    @rule(
        source=st.sampled_from(SOURCES),
        rows=ROWS,
        how=st.sampled_from([OnMatch.SKIP, OnMatch.OVERWRITE, OnMatch.FILL]),
    )
    def send_by_rule(
        self, source: str, rows: dict[str, dict[str, str | None]], how: OnMatch
    ) -> None:
        self.ledger.send(as_rows(rows), source, stated=FIELDS, on_match=how)
        self.model.send_by_rule(source, rows, how.value)

    @rule(source=st.sampled_from(SOURCES), rows=ROWS, mode=st.sampled_from(Mode))
    def send_and_undo(
        self, source: str, rows: dict[str, dict[str, str | None]], mode: Mode
    ) -> None:
        before = self._state()
        if not self.ledger.send(as_rows(rows), source, stated=FIELDS, mode=mode).is_empty:
            self.ledger.undo(self.ledger.head())
        # A9: store, bases and queue are exactly as before.
        assert self._state() == before

    @precondition(lambda self: self.model.store)
    @rule(data=st.data(), name=st.sampled_from(FIELDS), value=VALUES)
    def edit(self, data: st.DataObject, name: str, value: str | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.store)))
        self.ledger.edit(key, **{name: value})
        self.model.edit(key, name, value)

    @precondition(lambda self: self.model.store)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.store)))
        self.ledger.delete(key)
        self.model.delete(key)

    @rule(source=st.sampled_from(SOURCES), is_theirs=st.booleans())
    def resolve(self, source: str, is_theirs: bool) -> None:
        self.ledger.resolve(Take.THEIRS if is_theirs else Take.OURS, source=source)
        self.model.resolve(source, is_theirs=is_theirs)

    @invariant()
    def engine_and_model_agree(self) -> None:
        rows, places = self.model.settled()
        assert self.ledger.rows() == rows
        assert {(source, key, name) for key, name, source, *_ in self.ledger.queue()} == places
        for source in SOURCES:
            assert self.ledger.base(source) == {
                key: {name: value for name, value in row.items() if value is not None}
                for key, row in self.model.bases.get(source, {}).items()
            }

    def _state(self) -> tuple[object, ...]:
        bases = [self.ledger.base(source) for source in SOURCES]
        return self.ledger.rows(), bases, self.ledger.queue()


def test_random_histories_agree_with_the_model() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
