"""A difference is a patch (merge.md A19), on random histories."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import Mode
from dataport.engine.selection import Selection, rows_document
from dataport.engine.store import Store
from dataport.engine.timeline import Timeline
from tests.engine.merging.ledger import Ledger, dataset

KEYS = ("1", "2", '["3"]', 'ö"4')
ROW = st.fixed_dictionaries(
    {
        "a": st.sampled_from(["x", "", 'quote " and\nline', None]),
        "b": st.sampled_from(["y", "null", None]),
        "n": st.sampled_from([1, 2**60 + 1, None]),
        "at": st.sampled_from(["2026-01-01T00:00:00", "2026-01-01T00:00:00.5", None]),
        "tags": st.sampled_from([["a"], ["a", "b"], [], None]),
    }
)
ROWS = st.dictionaries(st.sampled_from(KEYS), ROW, max_size=4)

Document = dict[str, Any]
Rows = dict[str, Document]


class Histories(RuleBasedStateMachine):
    """Rows come, change, go and come back; any two commits are compared."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        home = Home.at(Path(self.directory.name) / "home")
        home.create()
        self.store = Store.open(home)
        self.ledger = Ledger(self.store, dataset())
        datasets = {"things": self.ledger.dataset}
        self.timeline = Timeline(self.store, Settings, lambda: datasets)

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(rows=ROWS, mode=st.sampled_from([Mode.REPLACE, Mode.MIRROR, Mode.MERGE]))
    def send(self, rows: Rows, mode: Mode) -> None:
        names = ("a", "b", "n", "at", "tags")
        sent = [{"id": key, **row} for key, row in rows.items()]
        self.ledger.send(sent, stated=names, mode=mode)

    @precondition(lambda self: self.ledger.head())
    @rule(data=st.data(), page=st.integers(1, 3))
    def compare(self, data: st.DataObject, page: int) -> None:
        commits = st.integers(0, self.ledger.head())
        one, other = data.draw(commits), data.draw(commits)
        before, after = self._rows(one), self._rows(other)
        patch = self._diff(one, other, page)
        assert applied(patch, before) == after
        assert applied(turned_round(patch), after) == before
        assert turned_round(patch) == self._diff(other, one, page)
        assert len(patch) == sum(before.get(key) != after.get(key) for key in before | after)

    def _rows(self, commit: int) -> Rows:
        selection = Selection(self.ledger.dataset, as_of=str(commit))
        with self.store.reading() as cursor:
            rows = json.loads(rows_document(cursor, selection))["rows"]
        return {row["id"]: row for row in rows}

    def _diff(self, before: int, after: int, page: int) -> list[Document]:
        """Every item, page by page; counted as the counts say."""
        items: list[Document] = []
        while True:
            text = self.timeline.diff(str(before), str(after), limit=page, offset=len(items))
            found = json.loads(text)
            assert len(found["items"]) <= page
            items += found["items"]
            if not found["items"]:
                break
        counted = {
            name: sum(item["operation"] == operation for item in items)
            for name, operation in (
                ("inserted", "insert"),
                ("updated", "update"),
                ("deleted", "delete"),
            )
        }
        assert (found["changes"], found["total"]) == (counted, len(items))
        counts = self.timeline.diff_counts(str(before), str(after))
        assert counts["changes"] == counted
        cells: dict[str, int] = {}
        for item in items:
            for name in item["changed"] if item["operation"] == "update" else ():
                cells[name] = cells.get(name, 0) + 1
        assert [each["fields"] for each in counts["items"]] == ([cells] if items else [])
        return items


def applied(patch: list[Document], rows: Rows) -> Rows:
    """The rows after the patch, which fits them exactly."""
    patched = dict(rows)
    for item in patch:
        key, before, after = item["key"], item["before"], item["after"]
        if before is None:
            assert key not in patched
            patched[key] = after
        elif after is None:
            assert patched.pop(key) == before
        else:
            assert item["changed"] == list(before) == list(after)
            assert {name: patched[key][name] for name in before} == before
            patched[key] = patched[key] | after
    return patched


def turned_round(patch: list[Document]) -> list[Document]:
    other = {"insert": "delete", "delete": "insert", "update": "update"}
    return [
        {
            **item,
            "operation": other[item["operation"]],
            "before": item["after"],
            "after": item["before"],
        }
        for item in patch
    ]


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


def test_a_difference_is_a_patch_both_ways() -> None:
    """A19: apply(diff(A,B), A) = B and apply(inverse(diff(A,B)), B) = A."""
    play(examples=12, steps=10)


@pytest.mark.soak
def test_a_difference_is_a_patch_in_many_histories() -> None:
    """A19."""
    play(examples=300, steps=20)
