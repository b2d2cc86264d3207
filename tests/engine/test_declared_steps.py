"""Staging and merging are declared steps, all of them (design section 16, issue 3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dataport.engine
from dataport.core.words import Mode, OnMatch
from dataport.engine.merging import relations
from dataport.engine.staging.workers import PASSED_ON
from dataport.engine.steps import LocalRunner, Scope, Step, buckets_for
from dataport.engine.store import Connection, Store
from tests.engine.merging.ledger import Ledger, dataset, defined

ENGINE = Path(dataport.engine.__file__).parent

INPUTS = {
    # What steps start from: the file's rows, the store's, and what a person or a reader says.
    "staging/above.py": ["raw_rows"],
    "staging/pipeline.py": ["raw"],
    "staging/places.py": ["{name}"],
    "staging/recall.py": ["{MEMORY}", "raw"],
    "staging/rejects.py": ["messages", "cuts"],
    "staging/uniting.py": ["{rows}"],
    "staging/readers/json_reader.py": None,
    "staging/readers/json_document.py": None,
    "staging/readers/json_shapes.py": None,
    "merging/snapshot.py": ["{name}", "{OPEN}"],
    "merging/references.py": ["reference_stubs", "{REJECTED}", "{rows}"],
    "merging/kept.py": ["{table}"],
    "merging/undo.py": None,
    # Of a commit, which writes what the steps have planned.
    "merging/apply.py": ["plan_updates"],
    "merging/bases.py": ["undo_bases"],
    "merging/rows.py": ["{BEFORE}"],
}
"""Relations that are made without a step, by module; None for a module that has nothing else."""

MADE = re.compile(r"CREATE (?:OR REPLACE )?TEMP (?:TABLE|VIEW)\"?\s*(?:f?\")?\s*([\w{}]+)")


@pytest.mark.parametrize("package", ["staging", "merging"])
def test_only_inputs_are_made_without_a_step(package: str) -> None:
    for path in sorted((ENGINE / package).rglob("*.py")):
        module = str(path.relative_to(ENGINE))
        made = MADE.findall(path.read_text(encoding="utf-8"))
        allowed = INPUTS.get(module, [])
        assert allowed is None or set(made) <= set(allowed), module


class Recording(LocalRunner):
    """Keeps the steps that were run."""

    steps: list[Step] = []

    def run(self, connection: Connection, *steps: Step) -> None:
        self.steps.extend(steps)
        super().run(connection, *steps)

    def totals(
        self, connection: Connection, name: str, sql: str, inputs: tuple[str, ...]
    ) -> tuple[object, ...]:
        self.steps.append(Step(name, Scope.SUM, sql, tuple(inputs), ""))
        found = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE temporary UNION ALL"
            " SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal"
        ).fetchall()
        planned = {each for (each,) in found if each.startswith("plan_")}
        seen = {value for word, value in vars(relations).items() if word.isupper()}
        assert planned <= {step.output for step in self.steps} | seen
        return super().totals(connection, name, sql, inputs)


@pytest.mark.parametrize("duplicates", ["first", "ask"])
def test_a_plan_is_made_of_steps_and_of_nothing_else(store: Store, duplicates: str) -> None:
    """Each step declares all that it reads: none names a table of the store, or a file."""
    definition = defined(policies={"b": "source_rank"}, duplicates=duplicates)
    ledger, runner = Ledger(store, definition), Recording()
    rows = [{"id": str(n), "a": "x", "b": "x"} for n in range(9)]
    ledger.send(rows, runner=runner)
    ledger.edit("1", a="mine", b="mine")
    ledger.delete("2")
    changed = [{**row, "a": "y", "b": "y"} for row in rows]
    for mode in Mode:
        for how in OnMatch:
            ledger.send(changed[:5], "fair", mode=mode, on_match=how, runner=runner)
    ledger.send(changed[1:], mode=Mode.MIRROR, source_ranks=("crm", "fair"), runner=runner)
    ledger.send(rows[1:], mode=Mode.MIRROR, source_ranks=("crm", "fair"), runner=runner)
    assert {step.scope for step in Recording.steps} >= {Scope.ROW, Scope.KEY, Scope.SUM}
    assert not [step.name for step in Recording.steps if "store." in step.sql]


@pytest.mark.parametrize("buckets", [3, 64])
def test_a_merge_takes_as_many_buckets_as_it_is_told(ledger: Ledger, buckets: int) -> None:
    ledger.send([{"id": str(n), "a": "x"} for n in range(99)])
    plan = ledger.send([{"id": str(n), "a": "y"} for n in range(9)], runner=LocalRunner(buckets))
    assert (plan.updated, plan.conflicts) == (9, 0)


def test_every_step_of_every_test_is_checked() -> None:
    """Design section 16: in workers, too, which see little of the environment."""
    assert LocalRunner().is_checked
    assert "DATAPORT_CHECK_STEPS" in PASSED_ON


@pytest.mark.parametrize(
    ("memory", "rows", "fields", "buckets"),
    [
        ("1GiB", 100_000, 10, 1),
        ("1GiB", 1_000_000, 10, 1),
        ("1GiB", 10_000_000, 10, 3),
        ("256MiB", 1_000_000, 10, 2),
        ("1GiB", 0, 0, 1),
    ],
)
def test_only_large_files_are_split(
    store: Store, memory: str, rows: int, fields: int, buckets: int
) -> None:
    """Each bucket fits into the memory limit; small files cost nothing extra."""
    with store.reading() as cursor:
        cursor.execute(f"SET memory_limit = '{memory}'")
        assert buckets_for(cursor, rows, fields) == buckets


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, dataset())
