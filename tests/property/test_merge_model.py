"""The engine against the model, on random histories of three sources and a person (A18)."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataport.core.paths import Home
from dataport.core.settings import PolicyRule
from dataport.core.words import Mode, OnMatch, Take
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset
from tests.property.merge_model import FIELDS, POLICIES, Model, Row, as_rows

KEYS = ("1", "2", "3")
SOURCES = ("crm", "fair", "web")
VALUES = st.sampled_from(["x", "y", "z", None])
ROWS = st.dictionaries(
    st.sampled_from(KEYS), st.fixed_dictionaries(dict.fromkeys(FIELDS, VALUES)), max_size=3
)


Rows = dict[str, Row]


@dataclass(frozen=True)
class View:
    """What one source, and everybody, could see at a moment."""

    head: int
    rows: dict[str, dict[str, Any]]
    base: dict[str, dict[str, Any]]
    """What the source sent last."""
    open_bases: dict[tuple[str, str], Any]
    """What it had sent of the cells that are asked about."""

    def sent(self, key: str, name: str) -> Any:
        """The base that holds for a cell."""
        return self.open_bases.get((key, name), self.base.get(key, {}).get(name))


class Histories(RuleBasedStateMachine):
    """Files, edits, deletions, decisions and undos in any order, under any policy."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        home = Home.at(Path(self.directory.name) / "home")
        home.create()
        self.store = Store.open(home)
        self.ledger = Ledger(self.store, dataset())
        self.model = Model()
        self.last: dict[str, Rows] = {}
        """The last file of each source."""

    @initialize(policy=st.sampled_from(POLICIES))
    def choose(self, policy: str) -> None:
        self.ledger.rules = (PolicyRule(dataset="things", merge=policy),)
        self.model.policy = policy

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(
        source=st.sampled_from(SOURCES),
        rows=ROWS,
        mode=st.sampled_from([Mode.MERGE, Mode.MIRROR]),
        random=st.randoms(use_true_random=False),
    )
    def send(self, source: str, rows: Rows, mode: Mode, random: Random) -> None:
        before = self._view(source)
        plan = self.ledger.send(as_rows(rows), source, stated=FIELDS, mode=mode)
        self.model.send(source, rows, is_mirror=mode is Mode.MIRROR)
        self.last[source] = rows
        # A15: every row of the file, and every row of the store, has one outcome.
        assert plan.inserted + plan.updated + plan.unchanged == len(rows)
        assert len(self.ledger.rows()) == len(before.rows) + plan.inserted - plan.deleted
        self._check_nothing_lost(before, source, rows, mode)
        # A5, A6: the same file again writes nothing, whatever the order of its rows.
        after = self.ledger.head()
        shuffled = as_rows(rows)
        random.shuffle(shuffled)
        assert self.ledger.send(shuffled, source, stated=FIELDS, mode=mode).is_empty
        assert self.ledger.head() == after <= before.head + 1

    def _check_nothing_lost(self, before: View, source: str, rows: Rows, mode: Mode) -> None:
        """A8: edits and changes are in the store or asked about, and no row leaves unasked."""
        after = self.ledger.rows()
        asked = {(key, name) for key, name, who, *_ in self.ledger.queue() if who == source}
        for key in before.rows.keys() - after.keys():
            assert mode is Mode.MIRROR
            assert key not in rows
            assert before.rows[key] == before.base[key]
        if self.model.policy != "ask":
            return
        for key, theirs in rows.items():
            for name in FIELDS if key in before.rows and key in after else ():
                ours, sent = before.rows[key].get(name), before.sent(key, name)
                if ours != sent:
                    assert after[key].get(name) == ours
                if theirs[name] not in (sent, after[key].get(name)):
                    assert (key, name) in asked

    @precondition(lambda self: self.last)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        # A10: whatever was edited and decided since, a source that repeats itself changes nothing.
        source = data.draw(st.sampled_from(sorted(self.last)))
        assert self.ledger.send(as_rows(self.last[source]), source, stated=FIELDS).is_empty

    @rule(source=st.sampled_from(SOURCES), rows=ROWS.filter(lambda rows: len(rows) > 1))
    def split(self, source: str, rows: Rows) -> None:
        # A7: files without a common key may come one by one, in any order.
        plan = self.ledger.send(as_rows(rows), source, stated=FIELDS)
        whole = self._state()
        if not plan.is_empty:
            self.ledger.undo(self.ledger.head())
        for key in sorted(rows, reverse=True):
            self.ledger.send(as_rows({key: rows[key]}), source, stated=FIELDS)
        assert self._state() == whole
        self.model.send(source, rows, is_mirror=False)
        self.last[source] = rows

    @rule(source=st.sampled_from(SOURCES))
    def send_back(self, source: str) -> None:
        # A12: what was exported and comes back changes nothing.
        rows = {key: dict(row) for key, row in self.model.store.items()}
        before = self.ledger.rows()
        self.ledger.send(as_rows(rows), source, stated=FIELDS)
        assert self.ledger.rows() == before
        self.model.send(source, rows, is_mirror=False)
        self.last[source] = rows

    @rule(source=st.sampled_from(SOURCES), rows=ROWS)
    def take_all(self, source: str, rows: Rows) -> None:
        # A11: with everything decided for the file, the store has what a mirror says, but for
        # edits and deletions that the source never contested.
        before = self._view(source)
        self.ledger.send(as_rows(rows), source, stated=FIELDS, mode=Mode.MIRROR)
        self.model.send(source, rows, is_mirror=True)
        self.last[source] = rows
        self.resolve(source, is_theirs=True)
        if self.model.policy not in ("ask", "file"):
            return
        after = self.ledger.rows()
        for key, theirs in rows.items():
            if key not in after:
                assert theirs == {name: before.base[key].get(name) for name in FIELDS}
                continue
            for name in FIELDS:
                if after[key].get(name) != theirs[name]:
                    assert theirs[name] == before.sent(key, name)

    @rule(
        source=st.sampled_from(SOURCES),
        rows=ROWS,
        damaged=st.sets(st.sampled_from(KEYS)),
        has_unknown=st.booleans(),
    )
    def send_damaged(self, source: str, rows: Rows, damaged: set[str], has_unknown: bool) -> None:
        # A17: rows without a key or with contradicting ones change and delete nothing.
        before = self._view(source)
        intact = {key: row for key, row in rows.items() if key not in damaged}
        plan = self.ledger.send(
            as_rows(intact),
            source,
            stated=FIELDS,
            mode=Mode.MIRROR,
            present=sorted(damaged),
            unknown_keys=has_unknown,
        )
        self.model.send(source, intact, is_mirror=not has_unknown, spared=damaged)
        self.last[source] = intact
        after = self._view(source)
        for key in damaged:
            assert after.rows.get(key) == before.rows.get(key)
            assert after.base.get(key) == before.base.get(key)
        if has_unknown:
            assert plan.deleted == 0
            assert before.rows.keys() <= after.rows.keys()

    @rule(
        source=st.sampled_from(SOURCES),
        rows=ROWS,
        how=st.sampled_from([OnMatch.SKIP, OnMatch.OVERWRITE, OnMatch.FILL]),
    )
    def send_by_rule(self, source: str, rows: Rows, how: OnMatch) -> None:
        self.ledger.send(as_rows(rows), source, stated=FIELDS, on_match=how)
        self.model.send_by_rule(source, rows, how.value)
        self.last[source] = rows

    @rule(source=st.sampled_from(SOURCES), rows=ROWS, mode=st.sampled_from(Mode))
    def send_and_undo(self, source: str, rows: Rows, mode: Mode) -> None:
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
        asked = [(item["source"], item["key"], item["field"]) for item in self.ledger.conflicts()]
        assert sorted(asked, key=str) == sorted(places, key=str), "each is asked about once"
        for source in SOURCES:
            assert self.ledger.base(source) == {
                key: {name: value for name, value in row.items() if value is not None}
                for key, row in self.model.bases.get(source, {}).items()
            }

    def _state(self) -> tuple[object, ...]:
        bases = [self.ledger.base(source) for source in SOURCES]
        return self.ledger.rows(), bases, self.ledger.queue()

    def _view(self, source: str) -> View:
        open_bases = {
            (key, name): json.loads(base)
            for key, name, who, base, _ in self.ledger.queue()
            if who == source and name is not None
        }
        return View(self.ledger.head(), self.ledger.rows(), self.ledger.base(source), open_bases)


def play(examples: int, steps: int) -> None:
    """Play random histories against the model."""
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_histories_agree_with_the_model() -> None:
    """A5 to A12, A15, A17 and A18 of merge.md section 6."""
    play(examples=25, steps=12)


@pytest.mark.soak
def test_thousands_of_histories_agree_with_the_model() -> None:
    """The same laws, as often as merge.md section 6 tried them."""
    play(examples=2000, steps=16)
