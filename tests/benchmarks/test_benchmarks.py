"""The benchmarks run, on few rows, and what they compare does the same. No time is asserted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import conflicts, history, inbox, large, staging, three_way
from benchmarks.accounts import write_accounts
from benchmarks.harness import NoRunError, run
from benchmarks.peers import PEERS, measure_peers


def test_a_three_way_import_leaves_the_rows_that_plain_sql_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """merge.md A18: a second implementation of its tables agrees, in counts and in every row."""
    three_way.measure(tmp_path, 2000)
    printed = capsys.readouterr().out
    assert "18 inserted, 34 updated, 16 deleted, 1,948 unchanged, 9 conflicts" in printed
    assert "x floor" in printed


def test_conflicts_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conflicts.measure(tmp_path, 500, 50)
    assert "50 conflicts resolved, take theirs" in capsys.readouterr().out


def test_the_past_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history.measure(tmp_path, 300, 3)
    printed = capsys.readouterr().out
    assert "after all 2 updates" in printed
    assert "blame of one record" in printed


def test_two_sizes_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large.measure(tmp_path, 200, 2)
    printed = capsys.readouterr().out
    assert "400 rows" in printed
    assert "a row among many, to one among few" in printed


def test_an_inbox_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for wait in ("IDLE_S", "TIDY_S"):
        monkeypatch.setattr(inbox, wait, 0.1)
    monkeypatch.setattr(inbox, "SMALL_FILES", 1)
    inbox.measure(tmp_path, 500)
    assert "10 updated, 475 unchanged" in capsys.readouterr().out


def test_every_format_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    staging.measure(tmp_path, 300, 100, tmp_path / "bin")
    printed = capsys.readouterr().out
    assert printed.count("3 rejected") == 4, "the same rows in every format"
    assert printed.count("not installed") == 2


def test_a_peer_that_is_not_installed_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure_peers(write_accounts(tmp_path, 100), tmp_path, tmp_path / "bin", 1.0, 1.0)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(PEERS)
    assert all("not installed" in line for line in lines)


def test_a_process_is_measured_with_its_own_peak() -> None:
    held = run([sys.executable, "-c", "print(len(b'x' * 300_000_000))"], 60)
    assert held.output == "300000000\n"
    assert 300_000_000 < held.peak < 400_000_000


def test_a_process_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(NoRunError, match="stopped after 1 s"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], 1.0)


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(NoRunError, match="exited 3: no such thing"):
        run(
            [
                sys.executable,
                "-c",
                "import sys; print('no such thing', file=sys.stderr); sys.exit(3)",
            ],
            60,
        )
