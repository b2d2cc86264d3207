from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dataport.core.paths import Home
from tests.cli.conftest import COMMAND, Cli, Failure, FakeDaemon, Json

ROWS = {
    "dataset": "leads",
    "total": 3,
    "rows": [
        {"lead_id": "L-1", "name": "山田太郎", "score": 7, "tags": ["vip", "tokyo"], "notes": None},
        {"lead_id": "L-2", "name": "[bold]Zoë", "score": 70, "tags": [], "notes": "a\nb\x1b[2J"},
    ],
}
PATH = "/v1/datasets/leads/rows"


def test_rows_as_a_document(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", PATH, ROWS)
    result = cli("rows", "leads", "--json")
    assert result.document == ROWS
    assert "山田太郎" in result.out
    assert daemon.query(PATH) == {"offset": "0"}


def test_rows_for_people_are_data_not_markup_and_steer_no_terminal(
    cli: Cli, daemon: FakeDaemon
) -> None:
    daemon.on("GET", PATH, ROWS)
    head, first, second, rest = cli("rows", "leads").out.splitlines()
    assert head.split() == ["lead_id", "name", "score", "tags", "notes"]
    assert first.split() == ["L-1", "山田太郎", "7", "vip;", "tokyo", "-"]
    assert second.endswith("a↵ b␛[2J")
    assert "[bold]Zoë" in second
    assert rest == "2 of 3 rows shown; more with --limit and --offset."


def test_rows_hands_every_choice_on(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", PATH, {**ROWS, "rows": []})
    words = ["--where", "score > 5 AND name = 'ö&='", "--fields", "a, b", "--sort", "a,-b"]
    result = cli("rows", "leads", *words, "--limit", "9", "--offset", "4", "--as-of", "12")
    assert result.out == "No rows.\n"
    assert daemon.query(PATH) == {
        "where": "score > 5 AND name = 'ö&='",
        "fields": "a,b",
        "sort": "a,-b",
        "limit": "9",
        "offset": "4",
        "as_of": "12",
    }


def test_people_get_a_screenful(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", PATH, ROWS)
    cli("rows", "leads")
    assert daemon.query(PATH) == {"limit": "50", "offset": "0"}


def test_on_a_terminal_columns_without_room_are_named(daemon: FakeDaemon) -> None:
    row = {f"field_{number:02}": "x" * 20 for number in range(10)}
    daemon.on("GET", PATH, {"dataset": "leads", "total": 1, "rows": [row]})
    out = on_a_terminal(["--home", str(daemon.home.root), "rows", "leads"], columns=60)
    assert "Not shown, for want of room: field_02, " in out
    assert max(len(line) for line in out.splitlines()[:2]) <= 60


def on_a_terminal(words: list[str], columns: int) -> str:
    """What a person sees on a terminal of that width."""
    screen, end = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm"}
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=end, stdout=end, stderr=subprocess.PIPE, env=environment
    )
    os.close(end)
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
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode().replace("\r\n", "\n"))


def test_a_filter_s_error_shows_its_place_to_people(cli: Cli, daemon: FakeDaemon) -> None:
    detail = "There is no field 'scor'. At character 1:\n  scor > 5\n  ^"
    error = {"code": "wrong-expression", "title": "t", "detail": detail, "hint": "h"}
    daemon.on("GET", PATH, Failure(400, error))
    result = cli("rows", "leads", "--where", "scor > 5")
    assert result.code == 2
    assert result.err.splitlines()[2:4] == ["    scor > 5", "    ^"]


EDITED = {"commit": 13, "changes": {"updated": 1}}


def test_edit_sends_text_and_null(cli: Cli, daemon: FakeDaemon) -> None:
    path = "/v1/records/leads/L-1"
    daemon.on("PATCH", path, EDITED)
    result = cli("edit", "leads", "L-1", "status=won", "notes=", "name=a=b", "--message", "why")
    assert daemon.body("PATCH", path) == {
        "set": {"status": "won", "notes": None, "name": "a=b"},
        "message": "why",
    }
    assert result.out.startswith("commit 13: the record is changed.")
    assert "undo 13" in result.out
    assert cli("edit", "leads", "L-1", "status=won", "--json").document == EDITED


def test_an_edit_says_what_it_refers_to_that_is_not_there(cli: Cli, daemon: FakeDaemon) -> None:
    said = "owner of 1 row refers to cy@x, which users does not have. It is kept as it is."
    daemon.on("PATCH", "/v1/records/leads/L-1", {**EDITED, "notices": [said]})
    assert cli("edit", "leads", "L-1", "owner=cy@x").out.endswith(f"Note: {said}\n")


def test_an_edit_that_changes_nothing_says_so(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("PATCH", "/v1/records/leads/L-1", {"commit": None, "changes": {}})
    assert cli("edit", "leads", "L-1", "a=b").out.startswith("Nothing changed")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a/b c?d#e%", "a%2Fb%20c%3Fd%23e%25"),
        ('["default", "15551234567"]', "%5B%22default%22%2C%20%2215551234567%22%5D"),
        ("山", "%E5%B1%B1"),
    ],
)
def test_every_character_of_a_key_is_data(
    cli: Cli, daemon: FakeDaemon, key: str, path: str
) -> None:
    daemon.on("PATCH", f"/v1/records/leads/{path}", EDITED)
    assert cli("edit", "leads", key, "a=b").code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["L-1", "status"], "wrong-assignment"),
        (["L-1", "=won"], "wrong-assignment"),
        (["L-1", "a=1", "a=2"], "field-twice"),
        (["", "a=1"], "empty-key"),
    ],
)
def test_a_wrong_edit_is_refused_before_anything_is_asked(
    cli: Cli, daemon: FakeDaemon, words: list[str], code: str
) -> None:
    result = cli("edit", "leads", *words, "--json")
    assert (result.code, result.document["error"]["code"]) == (2, code)
    assert daemon.requests == []


DEFINITION = {
    "name": "leads",
    "title": "Leads",
    "description": "People.",
    "primaryKey": ["lead_id"],
    "rows": 1234,
    "fields": [
        {"name": "lead_id", "type": "string", "aliases": ["id"]},
        {
            "name": "score",
            "type": "integer",
            "merge": ["max"],
            "constraints": {"minimum": 0, "required": True, "enum": None},
        },
    ],
}


def test_datasets_are_listed_and_shown(cli: Cli, daemon: FakeDaemon) -> None:
    item = {"name": "leads", "title": "Leads", "rows": 0, "fields": 16, "primary_key": ["lead_id"]}
    daemon.on("GET", "/v1/datasets", {"items": [item]})
    daemon.on("GET", "/v1/datasets/leads", DEFINITION)
    assert cli("datasets").out.splitlines()[1].split() == ["leads", "Leads", "0", "16", "lead_id"]
    assert cli("datasets", "list", "--json").document == {"items": [item]}
    out = cli("datasets", "show", "leads").out
    assert "minimum 0; required" in out
    assert cli("datasets", "show", "leads", "--json").document == DEFINITION


def test_a_definition_is_checked_without_a_daemon(cli: Cli, home: Home, tmp_path: Path) -> None:
    good = home.datasets / "leads.toml"
    assert "is right: dataset leads, 16 fields" in cli("datasets", "check", str(good)).out
    bad = Path(shutil.copy(good, tmp_path / "leads.toml"))
    bad.write_text(bad.read_text(encoding="utf-8").replace("primaryKey", "primaryKy"))
    result = cli("datasets", "check", str(bad), "--json")
    assert result.code == 2
    assert "primaryKey" in result.document["error"]["hint"]
    assert cli("datasets", "check", str(tmp_path / "none.toml")).code == 2


MakeJob = Callable[..., Json]


def script_export(daemon: FakeDaemon, job: Json) -> None:
    daemon.on("POST", "/v1/exports", {"job": 7})
    daemon.on("GET", "/v1/jobs/7", job)


def exported(make_job: MakeJob, **changed: object) -> Json:
    rows = {"written": 1000}
    return make_job(kind="export", file="/out/leads.csv", rows=rows, changes=None, **changed)


def test_an_export_says_how_many_rows_went_where(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob, tmp_path: Path
) -> None:
    """HIS-02."""
    script_export(daemon, exported(make_job))
    words = "--fields name,email --where score>5 --sort -score --as-of 3 --from 2026-01-01"
    target = tmp_path / "leads.json"
    result = cli("export", "leads", "--to", str(target), *words.split(), "--until", "2026-02-01")
    assert result.out == "1,000 rows written to /out/leads.csv\n"
    assert daemon.body("POST", "/v1/exports") == {
        "datasets": ["leads"],
        "format": "json",
        "to": str(target),
        "fields": ["name", "email"],
        "sort": ["-score"],
        "where": "score>5",
        "as_of": "3",
        "from": "2026-01-01",
        "until": "2026-02-01",
    }
    assert cli("export", "leads", "--json").document["rows"] == {"written": 1000}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("--zip --overwrite", {"format": "csv", "zip": True, "overwrite": True}),
        ("--zip --format xml", {"format": "xml", "zip": True}),
        ("--to {}/a.zip", {"format": "csv", "to": "{}/a.zip"}),
        ("--to {}/a.xlsx.ZIP", {"format": "xlsx", "to": "{}/a.xlsx.ZIP"}),
    ],
)
def test_an_export_may_be_one_zip(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob, tmp_path: Path, words: str, sent: Json
) -> None:
    """EXF-25, EXF-27: the ending of what lies in it is its format; its size is shown."""
    script_export(daemon, {**exported(make_job), "file_size": 2_621_440})
    result = cli("export", "leads", *words.format(tmp_path).split())
    assert result.out == "1,000 rows written to /out/leads.csv (2.5 MB)\n"
    expected = {
        key: str(tmp_path).join(str(value).split("{}")) if key == "to" else value
        for key, value in sent.items()
    }
    assert daemon.body("POST", "/v1/exports") == {"datasets": ["leads"], **expected}


def test_an_export_without_a_name_takes_all_datasets_with_rows(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob
) -> None:
    """ERR-06."""
    script_export(daemon, exported(make_job))
    daemon.on(
        "GET", "/v1/datasets", {"items": [{"name": "a", "rows": 0}, {"name": "b", "rows": 2}]}
    )
    cli("export", "--format", "csv")
    assert daemon.body("POST", "/v1/exports") == {"datasets": ["b"], "format": "csv"}
    daemon.on("GET", "/v1/datasets", {"items": [{"name": "a", "rows": 0}]})
    result = cli("export", "--json")
    assert (result.code, result.document["error"]["code"]) == (1, "nothing-to-export")


def test_an_empty_export_is_said_and_a_failed_one_exits_1(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob
) -> None:
    """ERR-06, ERR-07, ERR-08."""
    script_export(daemon, {**exported(make_job), "rows": {"written": 0}})
    assert cli("export", "leads").out.startswith("No rows to export")
    error = {"code": "disk-full", "title": "No room.", "detail": "", "hint": "Make some."}
    script_export(daemon, exported(make_job, status="failed", error=error))
    result = cli("export", "leads")
    assert (result.code, result.out) == (1, "")
    assert "Error: No room." in result.err
    assert cli("export", "leads", "--to", "-").code == 2


def test_inboxes_are_listed_added_removed_and_rescanned(cli: Cli, daemon: FakeDaemon) -> None:
    item = {
        "name": "crm",
        "path": "/h/inbox/crm",
        "dataset": "leads",
        "package": None,
        "source": "crm",
        "mode": "merge",
        "on_match": "merge",
        "hold": True,
    }
    daemon.on("GET", "/v1/inboxes", {"items": [item]})
    daemon.on("POST", "/v1/inboxes", item)
    daemon.on("DELETE", "/v1/inboxes/crm", {"name": "crm", "path": "/h/inbox/crm"})
    daemon.on("POST", "/v1/inboxes/rescan", {"queued": 2})
    assert cli("inboxes").out.splitlines()[1].split() == [
        "crm", "leads", "crm", "merge", "merge", "yes", "/h/inbox/crm",
    ]  # fmt: skip
    assert cli("inboxes", "list", "--json").document == {"items": [item]}
    words = "add crm --dataset leads --source crm --mode mirror --on-match fill --hold"
    assert cli("inboxes", *words.split()).out == "Drop files into /h/inbox/crm\n"
    assert daemon.body("POST", "/v1/inboxes") == {
        "name": "crm",
        "dataset": "leads",
        "source": "crm",
        "mode": "mirror",
        "on_match": "fill",
        "hold": True,
    }
    assert cli("inboxes", "remove", "crm").code == 0
    assert cli("inboxes", "rescan").out == "2 files queued.\n"
    assert cli("inboxes", "add", "crm", "--source", "crm").code == 2
    daemon.on("GET", "/v1/inboxes", {"items": []})
    assert "Add one: dataport" in cli("inboxes").out
