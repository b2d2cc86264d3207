from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest

from dataport.cli.main import run
from dataport.core.errors import StateError
from dataport.core.paths import Home, shipped_config
from dataport.core.settings import load_settings
from dataport.engine.catalog.load import load_datasets
from dataport.engine.homes import create_home
from tests.cli.conftest import IDENTITY, Cli, FakeDaemon


def test_a_home_is_private_and_holds_the_shipped_definitions(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "deep" / "home")
    made = create_home(home)
    assert home.config_file in made
    assert home.datasets / "leads.toml" in made
    assert set(load_datasets([home.datasets])) >= {"leads", "phone_numbers"}
    for path in [home.root, *home.root.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_making_a_home_again_keeps_what_the_user_wrote(home: Home) -> None:
    home.config_file.write_text('# mine\ntimezone = "Europe/Berlin"\n', encoding="utf-8")
    (home.datasets / "leads.toml").unlink()
    assert create_home(home) == [home.datasets / "leads.toml"]
    assert "# mine" in home.config_file.read_text(encoding="utf-8")
    assert create_home(home) == []


def test_a_sample_home_has_files_and_an_inbox_for_them(home: Home) -> None:
    made = create_home(home, sample=True)
    assert home.root / "samples" / "leads-fair.csv" in made
    (inbox,) = load_settings(home.config_file).inboxes
    assert (inbox.name, inbox.dataset, inbox.source) == ("sample-leads", "leads", "crm")
    assert home.inbox("sample-leads").is_dir()
    assert "# Settings of this home." in home.config_file.read_text(encoding="utf-8")
    assert create_home(home, sample=True) == []


def test_a_file_in_the_place_of_a_home_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(StateError) as raised:
        create_home(Home.at(tmp_path / "home"))
    assert raised.value.code == "home-not-writable"


def test_init_says_what_it_made_and_what_to_try(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "new"
    assert run(["--home", str(root), "init"]) == 0
    assert capsys.readouterr().out.startswith(f"Made a home: {root}\n")
    assert run(["--home", str(root), "init"]) == 0
    assert "is there already, and nothing is missing" in capsys.readouterr().out
    assert run(["--home", str(root), "init", "--sample", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["home"], document["existed"]) == (str(root), True)
    assert all(Path(path).is_file() for path in document["samples"])
    assert run(["--home", str(root), "init", "--sample"]) == 0
    out = capsys.readouterr().out
    assert f"import {root}/samples/leads-crm-2026-10.csv --dataset leads --source crm" in out


def test_the_samples_are_as_rough_as_real_files() -> None:
    folder = shipped_config() / "samples"
    with (folder / "leads-crm-2026-10.csv").open(encoding="utf-8", newline="") as file:
        october = list(csv.DictReader(file))
    with (folder / "leads-crm-2026-11.csv").open(encoding="utf-8", newline="") as file:
        november = list(csv.DictReader(file))
    ids = [row["Record ID"] for row in october]
    assert (len(ids), len(set(ids))) == (60, 59)
    assert any("\n" in row["Notes"] for row in october)
    old = {row["Record ID"]: row for row in reversed(october)}
    changed = [row for row in november if old.get(row["Record ID"]) not in (None, row)]
    new = [row for row in november if row["Record ID"] not in old]
    assert (len(changed), len(new)) == (6, 3)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        assert "@" not in text.lower().replace("@example.org", "")


STATUS = {
    **IDENTITY,
    "home": "/h",
    "waiting": {"approvals": 1, "conflicts": 2, "mappings": 0, "rejects": 0},
    "running": [
        {
            "job": 9,
            "kind": "import",
            "file": "/data/big.csv",
            "phase": "read",
            "progress": {"phase": "read", "processed": 500, "total": 12340},
        }
    ],
    "next": [],
    "inboxes": 1,
    "config_error": None,
}


def test_status_says_what_runs_and_what_waits(cli: Cli, daemon: FakeDaemon) -> None:
    """HIS-01."""
    daemon.on("GET", "/v1/status", STATUS)
    out = cli("status").out
    assert "/h: ready, process 4711" in out
    assert "job 9, big.csv, read 500 of 12,340" in out
    assert "1 plan waits for approval:" in out
    assert "2 conflicts wait:" in out
    assert "mapping" not in out
    assert cli("status", "--json").document == STATUS


def test_status_tells_of_a_broken_config(cli: Cli, daemon: FakeDaemon) -> None:
    error = {"code": "c", "title": "unknown key 'timezon'.", "detail": "", "hint": "Did you mean?"}
    daemon.on("GET", "/v1/status", {**STATUS, "config_error": error, "running": [], "waiting": {}})
    out = cli("status").out
    assert "not in force. unknown key 'timezon'." in out
    assert "Did you mean?" in out
    assert "Nothing runs, and nothing waits for you." in out


def test_doctor_finds_what_is_wrong_without_a_daemon(cli: Cli, home: Home) -> None:
    result = cli("doctor")
    assert result.code == 0
    assert "error" not in result.out
    home.config_file.write_text("timezon = 'UTC'\n", encoding="utf-8")
    home.root.chmod(0o755)
    result = cli("doctor", "--json")
    assert result.code == 1
    states = {item["check"]: item["state"] for item in result.document["items"]}
    assert states["settings"] == "error"
    assert states["home"] == "warning"
    assert states["dataset leads"] == "ok"
    assert states["daemon"] == "ok"


def test_doctor_names_a_missing_home_and_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path / "none"), "doctor"]) == 1
    assert "There is no home" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_doctor_knows_a_daemon_of_another_version(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/hello", {**IDENTITY, "version": "0.0.9"})
    assert "dataport daemon restart" in cli("doctor").out


def test_daemon_start_and_status_tell_of_a_running_one(cli: Cli, daemon: FakeDaemon) -> None:
    for verb in ("start", "status"):
        assert "Daemon 0.1.0 is ready: process 4711" in cli("daemon", verb).out
        assert cli("daemon", verb, "--json").document["state"] == "ready"


def test_daemon_stop_says_whether_one_was_running(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", "/v1/daemon/stop", {"state": "draining"})
    assert cli("daemon", "stop", "--json").document["was_running"] is True
    assert len(daemon.asked("POST", "/v1/daemon/stop")) == 1


def test_daemon_stop_without_one_is_done_already(cli: Cli) -> None:
    result = cli("daemon", "stop")
    assert (result.code, result.out) == (0, "No daemon was running.\n")
