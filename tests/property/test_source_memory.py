"""A source's memory saves work and changes nothing: a home that has one against one that has not.

Files come in every way that a memory could trip over: records twice, keys missing or shared,
rejected rows, other orders of rows and columns, other line ends, undone imports, edits, sources
that take turns.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataport.core.errors import DataportError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import JobKind, Mode, Origin
from dataport.engine.commits import head
from dataport.engine.engine import Engine
from dataport.engine.importing import memory, reading
from dataport.engine.merging.bases import base_query
from dataport.engine.requests import ImportRequest
from dataport.engine.staging import recall
from dataport.engine.staging.request import StageRequest, StageResult
from dataport.engine.staging.stager import stage_file
from dataport.engine.staging.worker import connect, write_stage

COLUMNS = ("lead_id", "first_name", "email", "status")
CELLS = {
    "lead_id": st.sampled_from([*"123456789", " 4", ""]),
    "first_name": st.sampled_from(["Ann", "Bo", "A\nnn", ""]),
    "email": st.sampled_from(["a@x.org", "b@x.org", "c@x.org", "A@x.org", "bad"]),
    "status": st.sampled_from(["new", "won", "NEW"]),
}
RECORDS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6)
SHAPES = st.tuples(st.permutations(COLUMNS), st.sampled_from(["\n", "\r\n"]))
SOURCES = st.sampled_from(["crm", "fair"])

RECOGNISED: list[int] = []
"""Rows that were recognised in each file: a run that recognises none proves nothing."""


def stage_here(request: StageRequest, *_: object) -> StageResult:
    """What a worker does, in this process."""
    with connect(request.directory, request.limits.memory, 1) as connection:
        result = stage_file(connection, request, lambda phase, processed, total: None)
    write_stage(request.directory, result)
    RECOGNISED.append(result.repeated)
    return result


class Twins(RuleBasedStateMachine):
    """Two homes that are told the same, one of which forgets before every file."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.homes = [Home.at(Path(self.directory.name) / name) for name in ("keeps", "forgets")]
        for home in self.homes:
            home.create()
        self.engines = [Engine.open(home, Settings()) for home in self.homes]
        self.last: list[dict[str, str]] = []
        self.source = ""

    def teardown(self) -> None:
        for engine in self.engines:
            engine.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        """A file without anything odd, so that there is something to be recognised."""
        records = [
            {"lead_id": key, "first_name": "Ann", "email": f"{key}@x.org", "status": "new"}
            for key in "12356789"
        ]
        self._send(records, (COLUMNS, "\n"), "crm", Mode.MERGE)

    @rule(records=RECORDS, shape=SHAPES, source=SOURCES, mode=st.sampled_from(list(Mode)[:2]))
    def send(self, records: list[dict[str, str]], shape: Any, source: str, mode: Mode) -> None:
        self._send(records, shape, source, mode)

    @precondition(lambda self: self.last)
    @rule(
        news=RECORDS,
        shape=SHAPES,
        mode=st.sampled_from([Mode.MERGE, Mode.MIRROR]),
        kept=st.integers(3, 8),
    )
    def send_again(self, news: list[dict[str, str]], shape: Any, mode: Mode, kept: int) -> None:
        """Most of the last file, with some rows besides, in another shape."""
        self._send(self.last[:kept] + news[:2], shape, self.source, mode)

    @rule(key=st.sampled_from(["1", "2", "3"]), name=st.sampled_from(["Ann", "Cy"]))
    def edit(self, key: str, name: str) -> None:
        self._both(lambda engine: engine.edit("leads", key, {"first_name": name}, _author(engine)))

    @rule(back=st.integers(0, 3))
    def undo(self, back: int) -> None:
        self._both(lambda engine: engine.timeline.undo(_head(engine) - back, _author(engine)))

    @invariant()
    def are_alike(self) -> None:
        keeps, forgets = map(_state, self.engines)
        assert keeps == forgets

    def _send(self, records: list[dict[str, str]], shape: Any, source: str, mode: Mode) -> None:
        self.last, self.source = records, source
        columns, end = shape
        rows = [",".join(f'"{record[name]}"' for name in columns) for record in records]
        text = end.join([",".join(columns), *rows]) + end
        memory.forget_all(self.homes[1])
        told = [_import(engine, text, source, mode) for engine in self.engines]
        assert told[0] == told[1]

    def _both(self, act: Any) -> None:
        told = []
        for engine in self.engines:
            try:
                told.append(act(engine))
            except DataportError as error:
                told.append(error.code)
        assert _plain(told[0]) == _plain(told[1])


def _import(engine: Engine, text: str, source: str, mode: Mode) -> Any:
    path = engine.home.root.parent / "file.csv"
    path.write_bytes(text.encode())
    request = ImportRequest(path=str(path), dataset="leads", source=source, mode=mode)
    job = engine.jobs.create(JobKind.IMPORT, request)
    target = engine.imports.prepare(job)
    try:
        staged = engine.imports.stage(job, target, lambda *_: None)
    except DataportError as error:
        return error.code
    if staged is None:
        return "known"
    engine.imports.merge(
        job,
        target,
        staged,
        _author(engine),
        lambda *_: None,
        is_approved=False,
        on_cursor=lambda _: None,
    )
    rejects = engine.rejects(job.job, 100, 0)["items"] if (job.rows or {}).get("rejected") else []
    return job.status, job.rows, job.changes, job.commit, rejects


def _author(engine: Engine) -> Any:
    return engine.author(Origin.CLI)


def _head(engine: Engine) -> int:
    with engine.store.reading() as cursor:
        return head(cursor)


def _plain(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: value for name, value in document.items() if name != "time"}
    return document


def _state(engine: Engine) -> Any:
    """Rows, bases, versions and conflicts, whoever asks."""
    dataset = engine.datasets["leads"]
    queries = [
        "SELECT * FROM store.rows.leads ORDER BY _key",
        "SELECT * FROM store.versions.leads ORDER BY _key, _commit, _until",
        "SELECT * EXCLUDE (opened, closed) FROM store.conflicts ORDER BY conflict",
        *(f"SELECT * FROM ({base_query(dataset, name)}) ORDER BY _key" for name in ("crm", "fair")),
    ]
    with engine.store.reading() as cursor:
        return [cursor.execute(query).fetchall() for query in queries]


def run_twins(monkeypatch: pytest.MonkeyPatch, examples: int, steps: int) -> None:
    """Try `examples` histories of `steps` steps."""
    monkeypatch.setattr(reading, "stage_file", stage_here)
    monkeypatch.setattr(recall, "FEWEST", 1)
    monkeypatch.setattr(recall, "WORTHWHILE", 0.0)
    RECOGNISED.clear()
    run_state_machine_as_test(
        Twins,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # Shrinking histories takes minutes; as they are they can be read, too.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert sum(RECOGNISED) > 0


@pytest.mark.timeout(600)
def test_a_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same counts, rows, bases, versions, conflicts and rejects with and without (A5, A18)."""
    run_twins(monkeypatch, examples=10, steps=8)


@pytest.mark.soak
def test_a_memory_changes_nothing_in_many_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    run_twins(monkeypatch, examples=500, steps=20)
