"""Record accounting on a million records (import.md sections 0 and 4)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from benchmarks.leads import write_addresses, write_unterminated
from tests.e2e.conftest import World

RECORDS = 1_000_000


@pytest.mark.parametrize("endings", ["lf", "crlf", "mixed"])
def test_two_line_addresses_are_one_record_each(
    world: World, tmp_path: Path, endings: Literal["lf", "crlf", "mixed"]
) -> None:
    """DuckDB's parallel reader makes more rows of this file than it has records."""
    path = write_addresses(tmp_path / "addresses.csv", RECORDS, endings)
    job = world.send(path)
    assert job["rows"] == {"read": RECORDS, "valid": RECORDS, "rejected": 0, "duplicate": 0}
    assert job["changes"]["inserted"] == RECORDS


@pytest.mark.parametrize("endings", ["lf", "crlf", "mixed"])
def test_three_open_quotes_cost_three_lines(
    world: World, tmp_path: Path, endings: Literal["lf", "crlf", "mixed"]
) -> None:
    path, lines = write_unterminated(tmp_path / "open.csv", RECORDS, endings)
    job = world.send(path)
    assert job["rows"] == {
        "read": RECORDS,
        "valid": RECORDS - 3,
        "rejected": 3,
        "duplicate": 0,
    }
    rejects = world.ok("jobs", "rejects", str(job["job"]))["items"]
    assert [(item["line"], item["code"]) for item in rejects] == [
        (line, "unterminated-quote") for line in lines
    ]
