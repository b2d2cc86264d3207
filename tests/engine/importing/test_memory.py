"""Files whose rows a source mostly sent before, through real workers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.words import JobKind, Mode, Origin
from dataport.engine.engine import Engine
from dataport.engine.importing.imports import Staged
from dataport.engine.jobs import Job
from dataport.engine.requests import ImportRequest
from dataport.engine.staging.request import StageResult, read_stage

ROWS = 12_000
LINES = [f"{number},Name {number},n{number}@example.org" for number in range(ROWS)]


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    engine = Engine.open(home, Settings())
    yield engine
    engine.close()


def send(
    engine: Engine, lines: list[str], mode: Mode = Mode.MERGE, end: str = "\n"
) -> tuple[Job, StageResult]:
    """Import lines of lead_id, name and email as one file of the CRM."""
    path = Path(engine.home.root) / "leads.csv"
    path.write_bytes((end.join(["lead_id,name,email", *lines]) + end).encode())
    request = ImportRequest(path=str(path), dataset="leads", source="crm", mode=mode)
    job = engine.jobs.create(JobKind.IMPORT, request)
    target = engine.imports.prepare(job)
    staged = engine.imports.stage(job, target, lambda *_: None)
    assert staged is not None
    engine.imports.merge(
        job,
        target,
        staged,
        engine.author(Origin.CLI),
        lambda *_: None,
        is_approved=False,
        on_cursor=lambda _: None,
    )
    return job, read_stage(engine.home.job_staging(job.job)) or only(staged)


def only(staged: Staged) -> StageResult:
    """What was read of a job's only file."""
    [found] = staged
    assert found is not None
    return found


def names(engine: Engine, key: str) -> list[object]:
    with engine.store.reading() as cursor:
        rows = cursor.execute("SELECT name FROM store.rows.leads WHERE _key = ?", [key]).fetchall()
    return [row[0] for row in rows]


def test_the_same_rows_in_other_bytes_change_nothing(engine: Engine) -> None:
    """Shuffled, with other line ends: every row is recognised, and there is no commit (A5, A6)."""
    send(engine, LINES)
    shuffled = random.Random(1).sample(LINES, len(LINES))
    job, staged = send(engine, shuffled, end="\r\n")
    assert staged.repeated == ROWS
    assert job.rows == {"read": ROWS, "valid": ROWS, "rejected": 0, "duplicate": 0}
    assert (job.commit, (job.changes or {})["unchanged"]) == (None, ROWS)


def test_only_news_are_read(engine: Engine) -> None:
    send(engine, LINES)
    changed = ["7,Seven,n7@example.org", *LINES[:7], *LINES[8:], "x,New,x@example.org"]
    job, staged = send(engine, changed)
    assert staged.repeated == ROWS - 1
    changes = job.changes or {}
    assert (changes["inserted"], changes["updated"], changes["unchanged"]) == (1, 1, ROWS - 1)
    assert names(engine, "7") == ["Seven"]
    # The memory has moved with the base: what was sent before is news again.
    job, staged = send(engine, LINES)
    assert (staged.repeated, (job.changes or {})["updated"]) == (ROWS - 1, 1)
    assert names(engine, "7") == ["Name 7"]


def test_a_key_that_comes_twice_is_a_duplicate_though_one_row_is_known(engine: Engine) -> None:
    send(engine, LINES)
    job, staged = send(engine, ["7,Other,n7@example.org", *LINES])
    assert staged.repeated == ROWS - 1
    assert job.rows == {"read": ROWS + 1, "valid": ROWS, "rejected": 0, "duplicate": 1}
    assert names(engine, "7") == ["Other"]


def test_a_mirror_keeps_what_it_recognises_and_forgets_what_it_deletes(engine: Engine) -> None:
    send(engine, LINES, Mode.MIRROR)
    job, staged = send(engine, LINES[1:], Mode.MIRROR)
    assert (staged.repeated, (job.changes or {})["deleted"]) == (ROWS - 1, 1)
    job, staged = send(engine, LINES, Mode.MIRROR, end="\r\n")
    assert (staged.repeated, (job.changes or {})["inserted"]) == (ROWS - 1, 1)
    assert names(engine, "0") == ["Name 0"]


def test_an_undone_import_is_not_remembered(engine: Engine) -> None:
    job, _ = send(engine, LINES)
    assert job.commit is not None
    engine.timeline.undo(job.commit, engine.author(Origin.CLI))
    job, staged = send(engine, LINES, end="\r\n")
    assert (staged.repeated, (job.changes or {})["inserted"]) == (0, ROWS)


def test_rows_recognised_before_another_file_came_first_are_read_again(engine: Engine) -> None:
    """Two files of one source are read side by side, and applied one after the other."""
    send(engine, LINES)
    path = engine.home.root / "late.csv"
    path.write_text("\n".join(["lead_id,name,email", *LINES, "y,Y,y@example.org"]) + "\n")
    late = engine.jobs.create(
        JobKind.IMPORT, ImportRequest(path=str(path), dataset="leads", source="crm")
    )
    target = engine.imports.prepare(late)
    staged = engine.imports.stage(late, target, lambda *_: None)
    assert staged is not None
    assert only(staged).repeated == ROWS
    send(engine, ["7,Seven,n7@example.org"])
    engine.imports.merge(
        late,
        target,
        staged,
        engine.author(Origin.CLI),
        lambda *_: None,
        is_approved=False,
        on_cursor=lambda _: None,
    )
    assert (late.changes or {})["updated"] == 1
    assert names(engine, "7") == ["Name 7"]


WIDE = """
name = "leads"
primaryKey = ["lead_id"]
[[fields]]
name = "lead_id"
[[fields]]
name = "name"
type = "{}"
[[fields]]
name = "email"
"""


def test_rows_are_not_recognised_by_another_definition(home: Home) -> None:
    """A widened type means other values: all rows are read, and none changes (A5)."""
    home.datasets.mkdir(parents=True, exist_ok=True)
    definition = home.datasets / "leads.toml"
    definition.write_text(WIDE.format("integer"), encoding="utf-8")
    engine = Engine.open(home, Settings())
    lines = [f"{number},{number},n@example.org" for number in range(ROWS)]
    try:
        send(engine, lines)
        assert send(engine, lines, end="\r\n")[1].repeated == ROWS
        definition.write_text(WIDE.format("string"), encoding="utf-8")
        engine.reload(engine.settings)
        job, staged = send(engine, lines)
        assert (staged.repeated, job.commit) == (0, None)
        assert names(engine, "7") == ["7"]
        assert send(engine, lines, end="\r\n")[1].repeated == ROWS
    finally:
        engine.close()


def test_a_plan_that_waits_holds_every_row(engine: Engine) -> None:
    """It may wait until its source has sent more: nothing of it may rest on a memory."""
    send(engine, LINES, Mode.MIRROR)
    job, staged = send(engine, LINES[: ROWS // 2], Mode.MIRROR)
    assert job.status == "waiting"
    assert staged.repeated == 0
    assert (job.changes or {})["deleted"] == ROWS // 2


def test_a_memory_may_be_lost(engine: Engine) -> None:
    send(engine, LINES)
    for path in engine.home.store_directory.glob("seen/leads/*/*.parquet"):
        path.unlink()
    job, staged = send(engine, LINES, end="\r\n")
    assert (staged.repeated, job.commit) == (0, None)
    _, staged = send(engine, LINES)
    assert staged.repeated == ROWS


def test_layers_are_folded_into_one(engine: Engine) -> None:
    send(engine, LINES)
    for number in range(10):
        send(engine, [f"new {number},N,n@example.org"])
    _, staged = send(engine, [*LINES, "new 3,N,n@example.org"])
    assert staged.repeated == ROWS + 1
    layers = list(engine.home.store_directory.glob("seen/leads/*/*.parquet"))
    assert len(layers) < 10
