from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Cli, FakeDaemon

CONFLICT = {
    "id": 5,
    "dataset": "leads",
    "key": "L-1",
    "field": "phone",
    "kind": "edit/edit",
    "base": None,
    "ours": "+12025550134",
    "theirs": "+12025550135",
    "source": "fair",
    "job": 3,
    "file": "/data/fair.csv",
    "line": 2,
    "status": "open",
    "time": "2026-11-21T08:00:00.000Z",
}
ROW_CONFLICT = {**CONFLICT, "id": 6, "field": None, "kind": "delete/edit", "theirs": {"name": "x"}}
LIST = {"total": 2, "items": [CONFLICT, ROW_CONFLICT]}


def test_conflicts_show_all_three_values(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/conflicts", LIST)
    lines = cli("conflicts").out.splitlines()
    for words in ("last sent", "store", "file"):
        assert words in lines[0]
    assert lines[1].split()[:7] == [
        "5", "leads", "L-1", "phone", "-", "+12025550134", "+12025550135",
    ]  # fmt: skip
    assert "(row)" in lines[2]
    assert '{"name": "x"}' in lines[2]
    assert lines[3].endswith("conflicts resolve 5 --take theirs")
    assert daemon.query("/v1/conflicts") == {"status": "open", "limit": "50", "offset": "0"}


def test_conflicts_as_a_document_have_the_promised_keys(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/conflicts", LIST)
    document = cli("conflicts", "list", "--json", "--dataset", "leads", "--status", "all").document
    assert document == LIST
    promised = "id dataset key field kind base ours theirs source job line status"
    assert document["items"][0].keys() >= set(promised.split())
    assert daemon.query("/v1/conflicts") == {"dataset": "leads", "status": "all", "offset": "0"}


def test_one_conflict_in_full(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/conflicts/5", CONFLICT)
    out = cli("conflicts", "show", "5").out
    assert "/data/fair.csv, line 2, job 3" in out
    assert "last sent (base)  -" in out
    assert cli("conflicts", "show", "5", "--json").document == CONFLICT


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["5", "--take", "theirs"], "/v1/conflicts/5/resolve", {"take": "theirs"}),
        (["5", "--value", "new"], "/v1/conflicts/5/resolve", {"value": "new"}),
        (["5", "--value", ""], "/v1/conflicts/5/resolve", {"value": None}),
        (["--all", "--take", "ours"], "/v1/conflicts/resolve", {"take": "ours"}),
        (
            ["--all", "--take", "base", "--dataset", "leads", "--field", "phone"],
            "/v1/conflicts/resolve",
            {"take": "base", "dataset": "leads", "field": "phone"},
        ),
    ],
)
def test_resolving(
    cli: Cli, daemon: FakeDaemon, words: list[str], path: str, body: dict[str, Any]
) -> None:
    daemon.on("POST", path, {"resolved": 2, "commit": 9})
    result = cli("conflicts", "resolve", *words)
    assert daemon.body("POST", path) == body
    assert result.out.startswith("2 conflicts resolved, commit 9.\n")
    assert "conflicts undo" in result.out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["5"],
        ["--all"],
        ["5", "--all", "--take", "ours"],
        ["5", "--take", "ours", "--value", "x"],
        ["--all", "--value", "x"],
        ["5", "--take", "ours", "--field", "phone"],
        ["--take", "ours"],
    ],
)
def test_an_unclear_resolution_is_refused(cli: Cli, daemon: FakeDaemon, words: list[str]) -> None:
    assert cli("conflicts", "resolve", *words).code == 2
    assert daemon.requests == []


def test_a_resolution_is_taken_back(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", "/v1/conflicts/undo", {"commit": 10, "reopened": 2})
    assert cli("conflicts", "undo").out == "2 conflicts open again, commit 10.\n"


def test_no_conflicts_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/conflicts", {"total": 0, "items": []})
    assert cli("conflicts").out == "No conflicts.\n"
    daemon.on("POST", "/v1/conflicts/resolve", {"resolved": 0, "commit": None})
    result = cli("conflicts", "resolve", "--all", "--take", "ours")
    assert "conflicts undo" not in result.out


COMMIT = {
    "commit": 12,
    "time": "2026-11-21T08:00:00.000Z",
    "actor": "ada",
    "source": "crm",
    "job": 7,
    "message": "Import leads.csv",
    "changes": {"inserted": 900, "updated": 0, "conflicts": 2},
}


def test_the_log_names_who_when_and_how_much(cli: Cli, daemon: FakeDaemon) -> None:
    """HIS-01, HIS-03, HIS-04."""
    daemon.on("GET", "/v1/commits", {"items": [COMMIT]})
    out = cli("log", "--dataset", "leads", "--limit", "5").out
    assert "2026-11-21 08:00:00" in out
    assert "900 inserted, 2 conflicts" in out
    assert "ada" in out
    assert daemon.query("/v1/commits") == {"dataset": "leads", "limit": "5"}
    assert cli("log", "--json").document == {"items": [COMMIT]}


def version(commit: int, operation: str, values: dict[str, Any] | None) -> dict[str, Any]:
    entry = {key: COMMIT[key] for key in ("time", "actor", "source")}
    return {**entry, "commit": commit, "operation": operation, "values": values}


def test_a_record_s_history_shows_what_each_commit_changed(cli: Cli, daemon: FakeDaemon) -> None:
    items = [
        version(4, "delete", None),
        version(3, "update", {"name": "Zoë", "status": None, "score": 5}),
        version(1, "insert", {"name": "Zoë", "status": "new", "score": None}),
    ]
    path = "/v1/records/leads/L-1/history"
    daemon.on("GET", path, {"items": items})
    assert cli("history", "leads", "L-1").out.splitlines() == [
        "commit 4  2026-11-21 08:00:00  delete from crm by ada",
        "commit 3  2026-11-21 08:00:00  update from crm by ada",
        "    status  new -> -",
        "    score  - -> 5",
        "commit 1  2026-11-21 08:00:00  insert from crm by ada",
        "    name  Zoë",
        "    status  new",
    ]
    assert cli("history", "leads", "L-1", "--json").document == {"items": items}


def test_undo_says_which_commit_takes_back_which(cli: Cli, daemon: FakeDaemon) -> None:
    document = {"commit": 13, "changes": {"updated": 3}, "conflicts": 1}
    daemon.on("POST", "/v1/commits/12/undo", document)
    out = cli("undo", "12").out
    assert out.startswith("commit 13 takes back commit 12: 3 updated\n")
    assert "conflicts list" in out
    assert cli("undo", "12", "--json").document == document


def test_an_undo_of_nothing_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", "/v1/commits/12/undo", {"commit": None, "changes": {}, "conflicts": 0})
    assert cli("undo", "12").out.startswith("Nothing to take back")
