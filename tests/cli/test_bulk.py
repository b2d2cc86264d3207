from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, Cli, FakeDaemon, Json

PATH = "/v1/datasets/leads/bulk"


@pytest.fixture
def script_bulk(daemon: FakeDaemon, make_job: Callable[..., Json]) -> Callable[..., None]:
    """Makes the daemon take bulk changes; a dry run has job 6, what is done has job 7."""

    def script(matched: int = 1200, key: Any = "lead_id", **changed: Any) -> None:
        counts = {"updated": 0, "unchanged": 0, "deleted": 0, **changed.pop("changes", {})}
        common = {"kind": "bulk", "file": None, "source": None, "rejects_file": None}
        common |= {"rows": {"matched": matched}, "matched": matched, "action": "update"}
        done = make_job(**{**common, "changes": counts, **changed})
        dry = {**done, "job": 6, "commit": None, "dry_run": True}
        keys = [key] if isinstance(key, str) else key
        daemon.on("GET", "/v1/datasets/leads", {"primaryKey": keys, "assigneeField": "owner"})
        daemon.on("POST", PATH, lambda asked: {"job": 6 if asked.body.get("dry_run") else 7})
        daemon.on("GET", "/v1/jobs/6", dry)
        daemon.on("GET", "/v1/jobs/7", done)

    return script


def bodies(daemon: FakeDaemon) -> list[Any]:
    return [request.body for request in daemon.asked("POST", PATH)]


def test_an_update_says_what_was_processed_and_how_to_take_it_back(
    cli: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None]
) -> None:
    """BLK-01, BLK-04, BLK-05."""
    script_bulk(changes={"updated": 1100, "unchanged": 100})
    words = ["--where", "score > 5", "--set", "status=won", "--set", "notes=", "-m", "why"]
    result = cli("bulk", "update", "leads", *words)
    assert result.code == 0
    said = result.out.splitlines()
    assert said[0] == "1,200 records of leads match"
    assert said[1].startswith("commit 12: 1,100 updated, 100 unchanged. To take it back: ")
    assert said[1].endswith("undo 12")
    assert bodies(daemon) == [
        {
            "action": "update",
            "where": "score > 5",
            "set": {"status": "won", "notes": None},
            "message": "why",
        }
    ]


def test_a_dry_run_changes_nothing_and_says_so(
    cli: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None]
) -> None:
    script_bulk(changes={"deleted": 1200}, action="delete")
    result = cli("bulk", "delete", "leads", "--where", "true", "--dry-run")
    assert "dry run, nothing was changed; it would be: 1,200 deleted" in result.out
    assert bodies(daemon)[0]["dry_run"] is True


@pytest.mark.parametrize("words", [["--to", "ada"], ["--set", "owner=ada"]])
def test_an_assignment_names_the_field_or_leaves_it_to_the_definition(
    cli: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None], words: list[str]
) -> None:
    """BLK-02."""
    script_bulk(action="assign")
    assert cli("bulk", "assign", "leads", "--where", "true", *words).code == 0
    assert bodies(daemon) == [{"action": "assign", "where": "true", "set": {"owner": "ada"}}]


def test_as_a_document_it_has_the_promised_keys_and_asks_nothing(
    cli: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None]
) -> None:
    script_bulk(changes={"deleted": 1200}, action="delete")
    document = cli("bulk", "delete", "leads", "--where", "true", "--json").document
    assert document.keys() >= {"job", "kind", "status", "dataset", "matched", "changes", "commit"}
    assert (document["kind"], document["matched"]) == ("bulk", 1200)
    assert [body.get("dry_run") for body in bodies(daemon)] == [None]


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        ("L-1\r\n\r\n  L-2  \r\n", ["L-1", "L-2"]),
        ("\ufeffL-1\nL,2\n", ["L-1", "L,2"]),
        ("lead_id\nL-1\n", ["L-1"]),
        ('name,Lead_ID\n"a\nb", L-1\n\n,L-2\n', ["L-1", "L-2"]),
        ("name;lead_id\nx;L-1\n", ["L-1"]),
        ('\n"lead_id"\tname\nL-1\tx\n', ["L-1"]),
    ],
)
def test_keys_come_from_lines_or_from_a_column_that_the_header_names(
    cli: Cli,
    daemon: FakeDaemon,
    script_bulk: Callable[..., None],
    tmp_path: Path,
    content: str,
    keys: list[str],
) -> None:
    script_bulk()
    path = tmp_path / "keys.txt"
    path.write_bytes(content.encode())
    assert cli("bulk", "update", "leads", "--keys", str(path), "--set", "a=b").code == 0
    assert bodies(daemon)[0]["keys"] == keys


def test_keys_of_several_fields_are_arrays_or_columns(
    cli: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None], tmp_path: Path
) -> None:
    script_bulk(key=["project", "number"])
    path = tmp_path / "keys.txt"
    for content, keys in (
        ('["p", "1"]\n["p", 2]\n', ['["p", "1"]', '["p", 2]']),
        ("number,x,project\n1,y,p\n 2,,p\n", [["p", "1"], ["p", "2"]]),
    ):
        path.write_text(content)
        assert cli("bulk", "delete", "leads", "--keys", str(path), "--yes").code == 0
        assert bodies(daemon)[-1]["keys"] == keys


def test_keys_come_from_standard_input(
    spawn: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None]
) -> None:
    script_bulk()
    words = ("bulk", "update", "leads", "--keys", "-", "--set", "a=b")
    assert spawn(*words, input="L-1\nL-2\n").code == 0
    assert bodies(daemon)[0]["keys"] == ["L-1", "L-2"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "file-not-found"),
        (b"", "no-keys"),
        (b" \n\r\n", "no-keys"),
        (b"lead_id,name\n", "no-keys"),
        (b"L-1\n\xff\n", "keys-not-text"),
        (b"name,lead_id\nx\n", "wrong-key-file"),
        (b'lead_id,name\nL-1,"x\n', "wrong-key-file"),
    ],
)
def test_a_file_without_keys_is_refused(
    cli: Cli,
    daemon: FakeDaemon,
    script_bulk: Callable[..., None],
    tmp_path: Path,
    content: bytes | None,
    code: str,
) -> None:
    script_bulk()
    path = tmp_path / "keys.txt"
    if content is not None:
        path.write_bytes(content)
    result = cli("bulk", "delete", "leads", "--keys", str(path), "--json")
    assert (result.code != 0, result.document["error"]["code"]) == (True, code)
    assert bodies(daemon) == []


@pytest.mark.parametrize(
    "words",
    [
        ["update", "leads", "--set", "a=b"],
        ["update", "leads", "--where", "true", "--keys", "x", "--set", "a=b"],
        ["update", "leads", "--where", "true", "--set", "a"],
        ["assign", "leads", "--where", "true", "--to", "x", "--set", "a=b"],
        ["delete", "leads", "--where", "true", "--set", "a=b"],
        [],
    ],
)
def test_an_unclear_change_is_refused(cli: Cli, daemon: FakeDaemon, words: list[str]) -> None:
    assert cli("bulk", *words).code == 2
    assert daemon.asked("POST", PATH) == []


def test_a_change_that_failed_says_why(
    cli: Cli, daemon: FakeDaemon, script_bulk: Callable[..., None]
) -> None:
    """VAL-24."""
    error = {"code": "unknown-keys", "title": "1 key is of no record.", "detail": "9.", "hint": ""}
    script_bulk(status="failed", error=error, commit=None, rows=None, changes={})
    result = cli("bulk", "update", "leads", "--where", "true", "--set", "a=b")
    assert (result.code, result.out) == (1, "")
    assert "Error: 1 key is of no record.\n  9.\n" in result.err


@pytest.mark.parametrize(
    ("words", "typed", "code", "done"),
    [
        ([], b"y\n", 0, [{"dry_run": True}, {"expect": 1200}]),
        ([], b"n\n", 130, [{"dry_run": True}]),
        (["--yes"], b"", 0, [{}]),
        (["--dry-run"], b"", 0, [{"dry_run": True}]),
    ],
)
def test_a_deletion_asks_on_a_terminal_with_the_number_of_records(
    daemon: FakeDaemon,
    script_bulk: Callable[..., None],
    words: list[str],
    typed: bytes,
    code: int,
    done: list[Json],
) -> None:
    """What is deleted is what was counted, or nothing."""
    script_bulk(changes={"deleted": 1200}, action="delete")
    home = ("--home", str(daemon.home.root))
    found, said = typing([*home, "bulk", "delete", "leads", "--where", "true", *words], typed)
    assert found == code, said
    assert ("Delete 1,200 records of leads? [y/N]" in said) == bool(typed)
    asked = {"action": "delete", "where": "true"}
    assert bodies(daemon) == [{**asked, **each} for each in done]


def typing(words: list[str], typed: bytes) -> tuple[int, str]:
    """The exit code and the screen of a command that a person answers at a terminal."""
    screen, end = pty.openpty()
    process = subprocess.Popen([*COMMAND, *words], stdin=end, stdout=end, stderr=end)
    os.close(end)
    os.write(screen, typed)
    said = b""
    while True:
        try:
            piece = os.read(screen, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(screen)
    return process.wait(timeout=30), said.decode()


def test_the_shell_completes_datasets(spawn: Cli, daemon: FakeDaemon) -> None:
    environment = {
        **os.environ,
        "_DATAPORT_COMPLETE": "bash_complete",
        "COMP_WORDS": f"dataport --home {daemon.home.root} bulk update le",
        "COMP_CWORD": "5",
    }
    assert "leads" in spawn(env=environment).out
