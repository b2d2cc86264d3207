"""Damaged files of every format, each read by a worker of its own.

Whatever a file holds, the outcome is a result whose records add up, or an error that says what to
do. A worker that dies, hangs or does not know what went wrong fails the test.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dataport.core.errors import InputError
from dataport.engine.staging.process import stage
from dataport.engine.staging.request import StageLimits, StageRequest, StageResult
from tests.property.mangling import SEEDS, THINGS, Mangled, mangled

LIMITS = StageLimits(
    file_size=2**22, rows=10_000, columns=500, field_size=2**16, nesting=50, seconds=30
)

NOT_CLEAR = {"worker-died", "worker-timeout", "worker-memory", "staging-failed"}
"""Errors that a file of some kilobytes has no right to."""

SOAK_S = 1_800

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A file of some kilobytes is small enough; making it smaller would take minutes."""


@pytest.mark.parametrize("name", SEEDS)
def test_good_files_are_read(tmp_path: Path, name: str) -> None:
    """Without this, all that follows could be one error at the first byte."""
    assert outcome(tmp_path, Mangled(name, SEEDS[name])) == "read"


@settings(
    max_examples=400,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(file=mangled())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, file: Mangled) -> None:
    outcome(tmp_path, file)


@pytest.mark.soak
def test_damaged_files_for_half_an_hour(tmp_path: Path) -> None:
    deadline = time.monotonic() + SOAK_S

    @settings(
        max_examples=5_000, phases=PHASES, suppress_health_check=list(HealthCheck), database=None
    )
    @given(file=mangled())
    def go(file: Mangled) -> None:
        if time.monotonic() < deadline:
            outcome(tmp_path, file)

    while time.monotonic() < deadline:
        go()


def outcome(directory: Path, file: Mangled) -> str:
    """`read` or the code of the error; fails the test on anything that is neither."""
    source, job = directory / file.name, directory / "job"
    source.write_bytes(file.content)
    shutil.rmtree(job, ignore_errors=True)
    result = staged(StageRequest(source, job, THINGS, limits=LIMITS))
    if isinstance(result, InputError):
        assert result.code not in NOT_CLEAR, result
        assert result.title
        return result.code
    rows = result.rows
    assert rows.read == rows.valid + rows.rejected + rows.duplicate
    found = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(job / "staged.parquet")])
    assert found.fetchone() == (rows.valid,)
    return "read"


def staged(request: StageRequest) -> StageResult | InputError:
    try:
        return stage(request)
    except InputError as error:
        return error
