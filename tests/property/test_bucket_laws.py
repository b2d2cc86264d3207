"""However large files are split, nothing comes out otherwise (design section 16, issue 3).

Homes that work in one piece and homes that work in many, and read their files in other chunks,
are told the same; after every file all that staging, planning and applying left is compared.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dataport.core.errors import DataportError
from dataport.core.paths import Home
from dataport.core.settings import DaemonSettings, Settings
from dataport.core.words import JobKind, Mode, OnMatch, Origin, Take
from dataport.engine.as_of import rows_as_of
from dataport.engine.commits import head
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.engine import Engine
from dataport.engine.homes import create_home
from dataport.engine.importing import reading
from dataport.engine.merging.bases import base_query
from dataport.engine.requests import ImportRequest
from dataport.engine.resolving import Resolution
from dataport.engine.staging.request import CHUNK, StageRequest, StageResult
from dataport.engine.staging.stager import stage_file
from dataport.engine.staging.worker import connect, write_stage

THINGS = """
name = "things"
primaryKey = ["id"]
match = [["id"], ["mail"]]
deriveKey = [["mail"]]
duplicates = "{duplicates}"
[[fields]]
name = "id"
[[fields]]
name = "mail"
[[fields]]
name = "n"
type = "integer"
merge = "max"
[[fields]]
name = "tags"
type = "list"
[[fields]]
name = "up"
merge = ["source_rank", "ask"]
[[foreignKeys]]
fields = ["up"]
reference = {{ resource = "things", fields = ["id"] }}
onMissing = "{missing}"
"""

COLUMNS = ("id", "mail", "n", "tags", "up")
CELLS = {
    "id": st.sampled_from([*"123456789", "", " 4", "ä\nö"]),
    "mail": st.sampled_from(["", "a@x.org", "b@x.org", "c@x.org"]),
    "n": st.sampled_from(["1", "2", "", "NULL", "one"]),
    "tags": st.sampled_from(["", "p", "p;q", "q;r"]),
    "up": st.sampled_from(["", "1", "2", "nobody"]),
}
RECORDS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=9)
SOURCES = ("crm", "fair")
SHAPES = [(1, CHUNK), (3, 64), (8, 7), (64, 1000)]
"""Buckets, and bytes of a file that are looked at in one piece."""


class Split(RuleBasedStateMachine):
    """One home in one piece, another one in several."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.engines: list[Engine] = []
        self.last = ""

    def teardown(self) -> None:
        for engine in self.engines:
            engine.close()
        self.directory.cleanup()

    @initialize(
        shape=st.sampled_from(SHAPES[1:]),
        duplicates=st.sampled_from(["first", "newest", "ask"]),
        missing=st.sampled_from(["keep", "null", "reject", "stub"]),
    )
    def begin(self, shape: tuple[int, int], duplicates: str, missing: str) -> None:
        definition = THINGS.format(duplicates=duplicates, missing=missing)
        for name, (buckets, chunk) in (("whole", SHAPES[0]), ("split", shape)):
            home = Home.at(Path(self.directory.name) / name)
            create_home(home)
            (home.datasets / "things.toml").write_text(definition, encoding="utf-8")
            daemon = DaemonSettings(buckets=buckets)
            self.engines.append(Engine.open(home, Settings(daemon=daemon, source_ranks=SOURCES)))
            CHUNKS[str(home.root)] = chunk

    @rule(
        records=RECORDS,
        source=st.sampled_from(SOURCES),
        mode=st.sampled_from(Mode),
        how=st.sampled_from(OnMatch),
        stated=st.sampled_from([COLUMNS, COLUMNS[:3], ("tags", "id", "up")]),
    )
    def send(self, records: Any, source: str, mode: Mode, how: OnMatch, stated: Any) -> None:
        lines = [",".join(f'"{record[name]}"' for name in stated) for record in records]
        text = "\n".join([",".join(stated), *lines, ""])
        told = [_import(engine, text, source, mode, how) for engine in self.engines]
        assert told[0] == told[1]
        self._are_alike()

    @precondition(lambda self: self.engines)
    @rule(key=st.sampled_from("123"), n=st.sampled_from([1, 3, None]))
    def edit(self, key: str, n: int | None) -> None:
        self._both(lambda engine: engine.edit("things", key, {"n": n}, _author(engine)))

    @rule(take=st.sampled_from([Take.OURS, Take.THEIRS]))
    def resolve(self, take: Take) -> None:
        which, how = ConflictFilter(), Resolution(take)
        self._both(lambda engine: engine.decisions.resolve_all(which, how, _author(engine)))

    @rule(back=st.integers(0, 2))
    def undo(self, back: int) -> None:
        self._both(lambda engine: engine.timeline.undo(_head(engine) - back, _author(engine)))

    def _both(self, act: Any) -> None:
        told = []
        for engine in self.engines:
            try:
                told.append({**act(engine), "time": None})
            except DataportError as error:
                told.append(error.code)
        assert told[0] == told[1]
        self._are_alike()

    def _are_alike(self) -> None:
        assert _state(self.engines[0]) == _state(self.engines[1])


CHUNKS: dict[str, int] = {}
"""By home: settings have none, for nobody has a use for one."""


def stage_here(request: StageRequest, *_: object) -> StageResult:
    """What a worker does, in this process."""
    root = str(request.directory.parent.parent)
    request = replace(request, chunk=CHUNKS[root])
    with connect(request.directory, request.limits.memory, 2) as connection:
        result = stage_file(connection, request, lambda phase, processed, total: None)
    write_stage(request.directory, result)
    return result


def _import(engine: Engine, text: str, source: str, mode: Mode, how: OnMatch) -> Any:
    """Everything that a file left: staged rows, rejects, the plan's rows and counts."""
    path = engine.home.root.parent / "file.csv"
    path.write_text(text, encoding="utf-8")
    told = []
    for is_dry in (True, False):
        request = ImportRequest(
            path=str(path), dataset="things", source=source, mode=mode, on_match=how, dry_run=is_dry
        )
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
            is_approved=True,
            on_cursor=lambda _: None,
        )
        left = [_rows(file) for file in sorted(engine.home.job_staging(job.job).glob("*.parquet"))]
        told += [job.status, job.rows, job.changes, job.commit, job.notices, job.message, left]
    return told


def _rows(path: Path) -> Any:
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet(?) ORDER BY ALL", [str(path)])
        return path.name, found.fetchall()


def _author(engine: Engine) -> Any:
    return engine.author(Origin.CLI)


def _head(engine: Engine) -> int:
    with engine.store.reading() as cursor:
        return head(cursor)


def _state(engine: Engine) -> Any:
    """Rows at every commit, bases and conflicts."""
    dataset = engine.datasets["things"]
    queries = [
        *(rows_as_of(dataset, commit) for commit in range(1, _head(engine))),
        "SELECT * FROM store.rows.things",
        "SELECT * FROM store.versions.things",
        "SELECT * EXCLUDE (opened, closed) FROM store.conflicts",
        *(base_query(dataset, name) for name in SOURCES),
    ]
    with engine.store.reading() as cursor:
        return [
            cursor.execute(f"SELECT * FROM ({query}) ORDER BY ALL").fetchall() for query in queries
        ]


def run_split(monkeypatch: pytest.MonkeyPatch, examples: int, steps: int) -> None:
    """Try `examples` histories of `steps` steps."""
    monkeypatch.setattr(reading, "stage_file", stage_here)
    run_state_machine_as_test(
        Split,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(600)
def test_buckets_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 bucket, and 3, 8 or 64: the same staged rows, rejects, plans, counts, store and queue."""
    run_split(monkeypatch, examples=6, steps=5)


@pytest.mark.soak
def test_buckets_and_chunks_change_nothing_in_many_histories(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_split(monkeypatch, examples=100, steps=12)
