"""What the planning steps promise beyond their results: no row meets every other, and the same
plan comes out of any number of buckets."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dataport.core.words import Mode, OnMatch
from dataport.engine.steps import LocalRunner, Step
from dataport.engine.store import Connection, Store
from tests.engine.merging.ledger import Ledger, dataset

PAIRWISE = re.compile(r"NESTED_LOOP|BLOCKWISE_NL|CROSS_PRODUCT")


class Explaining(LocalRunner):
    """Refuses a step whose query plan compares rows pair by pair."""

    def run(self, connection: Connection, *steps: Step) -> None:
        for step in steps:
            super().run(connection, step)
            plan = connection.execute(f"EXPLAIN {step.sql}").fetchall()[0][1]
            assert not PAIRWISE.search(plan), f"{step.name}: {plan}"


def histories(ledger: Ledger, runner: LocalRunner) -> None:
    """Enough of everything: new, changed, deleted, contested and open rows."""
    rows = [{"id": str(n), "a": "x", "b": "x", "n": n} for n in range(40)]
    ledger.send(rows, runner=runner)
    for n in range(0, 12, 3):
        ledger.edit(str(n), a="mine")
    ledger.delete("7")
    changed = [{**row, "a": f"y{row['n']}"} if row["n"] < 20 else row for row in rows]
    ledger.send(changed, runner=runner)
    ledger.send(changed[5:], mode=Mode.MIRROR, runner=runner)
    ledger.send([{**row, "b": "z"} for row in rows], "fair", runner=runner)
    ledger.send(rows[:9], "fair", on_match=OnMatch.OVERWRITE, runner=runner)


def test_no_step_compares_rows_pair_by_pair(ledger: Ledger) -> None:
    histories(ledger, Explaining())
    assert len(ledger.conflicts()) > 10


@pytest.mark.parametrize("buckets", [3, 8, 64])
def test_the_number_of_buckets_changes_nothing(ledger: Ledger, tmp_path: Any, buckets: int) -> None:
    """Design section 16: 1, 3, 8 and 64 buckets give the same store, bases and queue."""
    from dataport.core.paths import Home

    other_home = Home.at(tmp_path / "other")
    other_home.create()
    other = Ledger(Store.open(other_home), dataset())
    histories(ledger, LocalRunner())
    histories(other, LocalRunner(buckets))
    assert other.rows() == ledger.rows()
    assert other.queue() == ledger.queue()
    assert [other.base(s) for s in ("crm", "fair")] == [ledger.base(s) for s in ("crm", "fair")]
    other.store.close()
