from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import click
import pytest

from dataport.cli import main
from dataport.cli.main import dataport_command, run
from tests.cli.conftest import COMMAND, Cli, FakeDaemon


def every_command() -> list[list[str]]:
    """The words of every command and group there is."""
    found: list[list[str]] = [[]]
    context = click.Context(dataport_command)
    for name in dataport_command.list_commands(context):
        command = dataport_command.get_command(context, name)
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, inner] for inner in command.list_commands(context)]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_explains_itself(words: list[str], cli: Cli) -> None:
    result = cli(*words, "--help")
    assert result.code == 0
    assert result.out.startswith("Usage: dataport")
    assert "--home DIR" in result.out
    assert "--json" in result.out
    assert result.err == ""


def test_the_commands_of_the_design_are_there() -> None:
    """Design section 12, as far as this release goes."""
    said = {" ".join(words) for words in every_command()}
    promised = """init; status; doctor; daemon run; daemon start; daemon stop; daemon restart;
        daemon status; import; jobs list; jobs show; jobs cancel; jobs retry; jobs approve;
        jobs discard; jobs plan; jobs rejects; datasets list; datasets show; datasets check; rows;
        edit; conflicts list; conflicts show; conflicts resolve; conflicts undo; log; history; undo;
        export; inboxes list; inboxes add; inboxes remove; inboxes rescan; completion"""
    assert {" ".join(words.split()) for words in promised.split(";")} <= said


def test_the_version_is_one_line(cli: Cli) -> None:
    assert cli("--version").out == "dataport 0.1.0\n"


@pytest.mark.parametrize("words", [["--json", "--version"], ["--version", "--json"]])
def test_the_version_is_a_document_for_programs(cli: Cli, words: list[str]) -> None:
    assert cli(*words).document == {"name": "dataport", "version": "0.1.0"}


@pytest.mark.parametrize("words", [["--json", "daemon"], ["daemon", "--json"]])
def test_a_group_alone_names_its_commands(cli: Cli, words: list[str]) -> None:
    error = cli(*words).document["error"]
    assert error == {
        "code": "usage",
        "title": "Missing command.",
        "detail": "Usage: dataport daemon [OPTIONS] COMMAND [ARGS]...",
        "hint": "Commands: restart, run, start, status, stop.\nSee: dataport daemon --help",
    }


@pytest.mark.parametrize(
    "words",
    [
        ["edit", "leads", "k", "name=\udcff"],
        ["rows", "leads", "--where", "\udcff"],
        ["history", "leads", "\udcff"],
        ["import", "\udcff.csv"],
        ["export", "leads", "--to", "\udcff.csv"],
        ["datasets", "check", "\udcff.toml"],
        ["--home", "\udcff", "status"],
    ],
    ids=" ".join,
)
def test_bytes_that_are_no_text_are_refused(cli: Cli, words: list[str]) -> None:
    """A byte that is no UTF-8 reaches Python as a lone surrogate."""
    result = cli(*words, "--json")
    assert (result.code, result.document["error"]["code"]) == (2, "argument-not-text")
    assert "�" in result.document["error"]["title"]


def test_a_home_and_a_directory_of_no_text_are_refused(
    spawn: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "d\udcff"
    odd.mkdir()
    done = spawn("import", "a.csv", "--json", cwd=odd)
    assert (done.code, done.document["error"]["code"]) == (2, "file-name-not-text")
    monkeypatch.setenv("DATAPORT_HOME", str(odd))
    assert run(["status"]) == 2
    assert list(odd.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "jobs"],
        ["jobs", "--json"],
        ["jobs", "list", "--json"],
        ["--json", "jobs", "list"],
    ],
)
def test_json_is_taken_before_and_after_the_command(
    cli: Cli, daemon: FakeDaemon, words: list[str]
) -> None:
    daemon.on("GET", "/v1/jobs", {"items": []})
    assert cli(*words).document == {"items": []}


def test_home_is_taken_after_the_command_and_from_the_environment(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(daemon.home.root)
    assert run(["daemon", "status", "--home", root]) == 0
    assert root in capsys.readouterr().out
    monkeypatch.setenv("DATAPORT_HOME", root)
    assert run(["daemon", "status"]) == 0
    assert root in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["jobs", "shw", "3"],
        ["jobs", "show", "three"],
        ["import"],
        ["rows"],
        ["import", "a.csv", "--mode", "mrge"],
        ["status", "--no-such-option"],
        ["conflicts", "resolve", "1"],
    ],
)
def test_a_wrong_command_line_exits_2_and_says_where_help_is(cli: Cli, words: list[str]) -> None:
    result = cli(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Error: ")
    assert "--help" in result.err
    result = cli(*words, "--json")
    assert result.code == 2
    assert result.document["error"].keys() == {"code", "title", "detail", "hint"}
    assert result.err == ""


def test_words_after_two_dashes_are_no_options(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.fail("GET", "/v1/records/leads/--json/history", 404, "unknown-record", "No record.")
    result = cli("history", "leads", "--", "--json")
    assert (result.code, result.out) == (1, "")


@pytest.mark.parametrize(("status", "code"), [(400, 2), (404, 1), (409, 1), (422, 1), (500, 1)])
def test_an_error_of_the_daemon_becomes_text_or_a_document(
    cli: Cli, daemon: FakeDaemon, status: int, code: int
) -> None:
    daemon.fail("GET", "/v1/jobs/3", status, "some-code", "What happened.")
    result = cli("jobs", "show", "3")
    assert (result.code, result.out) == (code, "")
    assert result.err == "Error: What happened.\n  d\n  h\n"
    result = cli("jobs", "show", "3", "--json")
    expected = {"code": "some-code", "title": "What happened.", "detail": "d", "hint": "h"}
    assert (result.code, result.document) == (code, {"error": expected})


@pytest.mark.parametrize("words", [["status", "--no-start"], ["daemon", "status"]])
def test_without_a_daemon_and_none_allowed_the_exit_is_4(cli: Cli, words: list[str]) -> None:
    result = cli(*words, "--json")
    assert result.code == 4
    assert result.document["error"]["code"] == "no-daemon"


def test_an_unforeseen_failure_is_an_error_too(
    cli: Cli, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.on("GET", "/v1/jobs", {"unexpected": 1})
    result = cli("jobs")
    assert result.code == 1
    assert "Traceback" not in result.err
    assert "KeyError" in result.err
    monkeypatch.setenv("DATAPORT_DEBUG", "1")
    assert "Traceback" in cli("jobs").err


def test_alone_it_wants_a_terminal(cli: Cli) -> None:
    assert cli().code == 2
    assert cli("--json").document["error"]["code"] == "no-terminal"


def test_a_first_use_makes_the_home_and_a_directory_of_other_things_is_left_alone(
    tmp_path: Path, daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").touch()
    assert run(["--home", str(other), "jobs", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not-a-home"
    assert [path.name for path in other.iterdir()] == ["cat.jpg"]
    (daemon.home.config_file).unlink()
    for path in sorted(daemon.home.root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    daemon.on("GET", "/v1/jobs", {"items": []})
    assert run(["--home", str(daemon.home.root), "jobs", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"items": []}
    assert said.err == f"Made a new home: {daemon.home.root}\n"
    assert daemon.home.exists


def test_json_is_utf_8_in_every_locale(spawn: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/datasets", {"items": [{"name": "leads", "title": "Kundér 山田"}]})
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = spawn("datasets", "--json", env=environment)
    assert "山田" in result.out


def test_a_reader_that_leaves_early_is_no_error(daemon: FakeDaemon) -> None:
    items = [{"name": "x" * 100, "title": "t"}] * 20_000
    daemon.on("GET", "/v1/datasets", {"items": items})
    line = [*COMMAND, "--home", str(daemon.home.root), "datasets", "--json"]
    # Unbuffered, Python itself forgets what a broken pipe did not take.
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def test_the_quick_commands_import_nothing_heavy(spawn: Cli, daemon: FakeDaemon) -> None:
    """Design section 4: --version and status load neither engine nor screen libraries."""
    daemon.on(
        "GET",
        "/v1/status",
        {"pid": 1, "state": "ready", "home": "/h", "waiting": {}, "running": [], "next": []},
    )
    for words in (["--version"], ["status"], ["status", "--json"], ["status", "--no-start"]):
        done = spawn(*words, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})
        assert done.code == 0, done.err
        loaded = {
            line.rpartition("|")[2].strip()
            for line in done.err.splitlines()
            if line.startswith("import time:")
        }
        assert "dataport.cli.main" in loaded
        heavy = {"duckdb", "textual", "pyarrow", "fastapi", "pydantic", "rich", "dataport.engine"}
        assert loaded & heavy == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_for_each_shell(cli: Cli, shell: str) -> None:
    result = cli("completion", shell)
    assert result.code == 0
    assert "_DATAPORT_COMPLETE" in result.out
    assert cli("completion", shell, "--json").document["shell"] == shell


def test_the_shell_completes_commands_and_datasets(spawn: Cli, daemon: FakeDaemon) -> None:
    def completed(line: str) -> str:
        environment = {
            **os.environ,
            "_DATAPORT_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - (0 if line.endswith(" ") else 1)),
            "DATAPORT_HOME": str(daemon.home.root),
        }
        return subprocess.run(
            COMMAND, env=environment, capture_output=True, text=True, check=False
        ).stdout

    assert "plain,conflicts" in completed("dataport conf")
    assert "plain,leads" in completed("dataport rows le")
    assert main.dataport_command.name == "dataport"
