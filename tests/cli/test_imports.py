from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, Cli, Failure, FakeDaemon, Json, Request

Script = Callable[..., Json]

IMPORT_KEYS = {
    "job",
    "kind",
    "status",
    "dataset",
    "source",
    "file",
    "rows",
    "changes",
    "commit",
    "rejects_file",
    "elapsed_s",
}
CLEAN = {"read": 3, "valid": 3, "rejected": 0, "duplicate": 0}
QUIET = {"inserted": 3, "updated": 0, "deleted": 0, "unchanged": 0, "skipped": 0, "conflicts": 0}


def test_an_import_tells_what_was_read_what_changed_and_what_to_do_next(
    cli: Cli, script_import: Script
) -> None:
    """ERR-05, ERR-13, HIS-05."""
    script_import()
    result = cli("import", "leads.csv", "--dataset", "leads", "--source", "crm")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == (
        "leads.csv -> leads from crm: 1,000 read, 970 valid, 20 rejected, 10 duplicate"
    )
    assert lines[1] == (
        "commit 12: 900 inserted, 50 updated, 0 deleted, 20 unchanged, 0 skipped, 2 conflicts"
    )
    assert "jobs rejects 7" in lines[2]
    assert lines[3].endswith("/data/leads.rejects.csv")
    assert lines[4].startswith("2 conflicts wait: dataport --home ")
    assert lines[4].endswith("conflicts list")
    assert result.err == ""


def test_json_is_one_document_with_the_promised_keys(cli: Cli, script_import: Script) -> None:
    job = script_import()
    result = cli("import", "leads.csv", "--json")
    assert result.document == job
    assert result.document.keys() >= IMPORT_KEYS


def test_every_option_reaches_the_daemon_and_none_that_was_not_given(
    cli: Cli, daemon: FakeDaemon, script_import: Script, tmp_path: Path, monkeypatch: Any
) -> None:
    script_import()
    monkeypatch.chdir(tmp_path)
    cli("import", "leads.csv")
    assert daemon.body("POST", "/v1/imports") == {
        "path": str(tmp_path / "leads.csv"),
        "origin": "cli",
    }
    daemon.requests.clear()
    words = (
        "--dataset leads --source crm --mapping m --format csv --mode mirror --on-match fill -m why"
    )
    cli("import", "../x.csv", *words.split(), "--dry-run", "--hold", "--strict")
    assert daemon.body("POST", "/v1/imports") == {
        "path": str(tmp_path.parent / "x.csv"),
        "dataset": "leads",
        "source": "crm",
        "mapping": "m",
        "format": "csv",
        "mode": "mirror",
        "on_match": "fill",
        "dry_run": True,
        "hold": True,
        "strict": True,
        "message": "why",
        "origin": "cli",
    }


def test_a_link_is_named_as_the_user_names_it(
    cli: Cli, daemon: FakeDaemon, script_import: Script, tmp_path: Path
) -> None:
    script_import()
    link = tmp_path / "latest.csv"
    link.symlink_to(tmp_path / "leads-2026.csv")
    cli("import", str(link))
    assert daemon.body("POST", "/v1/imports")["path"] == str(link)


def test_several_files_become_items_in_their_order(cli: Cli, daemon: FakeDaemon) -> None:
    def submit(request: Request) -> Any:
        number = {"a.csv": 1, "b.csv": 2}.get(Path(request.body["path"]).name)
        missing = {
            "code": "no-such-file",
            "title": "There is no such file.",
            "detail": "",
            "hint": "",
        }
        return {"job": number} if number else Failure(422, missing)

    daemon.on("POST", "/v1/imports", submit)
    for number in (1, 2):
        job = {"job": number, "kind": "import", "status": "completed", "rows": CLEAN}
        daemon.on("GET", f"/v1/jobs/{number}", {**job, "changes": QUIET, "commit": number})
    result = cli("--json", "import", "a.csv", "gone.csv", "b.csv")
    assert result.code == 1
    first, gone, second = result.document["items"]
    assert (first["job"], second["job"]) == (1, 2)
    assert gone.keys() >= IMPORT_KEYS
    assert gone["status"] == "failed"
    assert gone["error"]["code"] == "no-such-file"
    assert Path(gone["file"]).name == "gone.csv"


def test_a_failed_import_prints_its_job_and_exits_1(cli: Cli, script_import: Script) -> None:
    """ERR-02, ERR-09."""
    error = {"code": "no-header", "title": "No header.", "detail": "Line 1.", "hint": "Add one."}
    script_import(status="failed", error=error, rows=None, changes=None, commit=None)
    result = cli("import", "leads.csv", "--json")
    assert (result.code, result.document["error"]) == (1, error)
    assert result.document["status"] == "failed"
    result = cli("import", "leads.csv")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "leads.csv: failed, nothing was changed.",
        "Error: No header.",
        "  Line 1.",
        "  Add one.",
    ]


@pytest.mark.parametrize(
    ("changed", "words", "code"),
    [
        ({}, [], 0),
        ({}, ["--strict"], 3),
        ({"rows": CLEAN, "changes": QUIET}, ["--strict"], 0),
        ({"rows": CLEAN, "status": "waiting", "changes": QUIET}, ["--strict"], 3),
        ({"rows": CLEAN, "status": "waiting", "changes": QUIET}, ["--hold"], 0),
        ({"status": "failed", "exit_code": 3, "error": {"title": "t"}}, ["--strict"], 3),
        ({"status": "failed", "exit_code": 2, "error": {"title": "t"}}, ["--strict"], 2),
        ({"status": "failed", "exit_code": 1, "error": {"title": "t"}}, ["--strict"], 1),
        ({"status": "cancelled"}, [], 130),
    ],
)
def test_exit_codes(
    cli: Cli, script_import: Script, changed: Json, words: list[str], code: int
) -> None:
    """Design section 12: 3 only with --strict, for what waits or was rejected."""
    script_import(**changed)
    assert cli("import", "leads.csv", *words).code == code
    assert cli("import", "leads.csv", *words, "--json").code == code


def test_a_dry_run_says_that_nothing_was_changed(cli: Cli, script_import: Script) -> None:
    """PRV-01, PRV-03, PRV-04, PRV-05."""
    script_import(dry_run=True, commit=None, rows=CLEAN)
    out = cli("import", "leads.csv", "--dry-run").out
    assert "dry run, nothing was changed; it would be: 900 inserted" in out
    assert "jobs plan 7" in out
    assert "wait:" not in out


def test_a_held_import_says_how_to_decide(cli: Cli, script_import: Script) -> None:
    """PRV-01, PRV-04."""
    script_import(status="waiting", commit=None, rows=CLEAN)
    out = cli("import", "leads.csv", "--hold").out
    assert "planned: 900 inserted" in out
    for verb in ("plan", "approve", "discard"):
        assert f"jobs {verb} 7" in out


def test_the_same_bytes_again_say_so(cli: Cli, script_import: Script) -> None:
    script_import(rows=CLEAN, changes=None, commit=None, message="Imported already by job 3")
    assert "Imported already by job 3." in cli("import", "leads.csv").out


def test_no_wait_returns_the_job_as_it_stands(
    cli: Cli, daemon: FakeDaemon, script_import: Script
) -> None:
    script_import(status="pending", rows=None, changes=None, commit=None, rejects_file=None)
    result = cli("import", "leads.csv", "--no-wait")
    assert result.code == 0
    assert "Job 7 is pending" in result.out
    assert not daemon.asked("GET", "/v1/events")


def test_progress_is_followed_through_events(
    cli: Cli, daemon: FakeDaemon, make_job: Callable[..., Json], script_import: Script
) -> None:
    progress = {"phase": "read", "processed": 5, "total": 10, "rate": 1.0, "eta_s": 5.0}
    script_import(status="processing", rows=None, changes=None, commit=None, progress=progress)
    daemon.events = [
        ("job", {"job": make_job(job=8, status="failed")}),
        ("job", {"job": make_job(status="processing", progress=progress)}),
        ("job", {"job": make_job(rows=CLEAN, changes=QUIET)}),
    ]
    assert "commit 12: 3 inserted" in cli("import", "leads.csv").out


def test_ctrl_c_leaves_the_job_alone_and_says_how_to_stop_it(
    daemon: FakeDaemon, script_import: Script
) -> None:
    script_import(status="processing", rows=None, changes=None, commit=None)
    # Where the tests run in the background of a shell, it has Ctrl-C ignored by all they start.
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    python, flag, code = COMMAND
    words = [python, flag, f"{heeds}; {code}", "--home", str(daemon.home.root)]
    words += ["import", "leads.csv", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert daemon.was_followed.wait(30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert '"code": "interrupted"' in out
    assert "Job 7 goes on in the background." in out
    assert "jobs cancel 7" in out
    assert err == ""
    assert not daemon.asked("POST", "/v1/jobs/7/cancel")


@pytest.mark.parametrize("words", [["-"], [os.fsdecode(b"caf\xe9.csv")]])
def test_what_can_not_be_a_file_of_ours_is_refused_with_a_hint(
    cli: Cli, daemon: FakeDaemon, words: list[str]
) -> None:
    result = cli("import", "--json", *words)
    assert result.code == 2
    assert result.document["error"]["hint"]
    assert daemon.requests == []


def test_dataset_and_package_exclude_each_other(cli: Cli) -> None:
    result = cli("import", "a.csv", "--dataset", "leads", "--package", "helpdesk")
    assert result.code == 2
    assert "not both" in result.err


def test_a_source_has_a_name(cli: Cli, daemon: FakeDaemon) -> None:
    for name in ("", " "):
        result = cli("import", "leads.csv", "--source", name)
        assert result.code == 2
        assert "--source is empty" in result.err
    assert not daemon.asked("POST", "/v1/imports")
