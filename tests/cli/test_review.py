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
    ("words", "body"),
    [
        (["--take", "theirs"], {"take": "theirs"}),
        (["--value", "new"], {"value": "new"}),
        (["--value", ""], {"value": None}),
    ],
)
def test_one_conflict_is_shown_and_settled_as_it_was_shown(
    cli: Cli, daemon: FakeDaemon, words: list[str], body: dict[str, Any]
) -> None:
    """merge.md 5.5: a resolution is compare-and-set on what was shown."""
    daemon.on("GET", "/v1/conflicts/5", CONFLICT)
    daemon.on("POST", "/v1/conflicts/5/resolve", {"resolved": 1, "commit": 9})
    lines = cli("conflicts", "resolve", "5", *words).out.splitlines()
    shown = {"shown": "+12025550134", "shown_theirs": "+12025550135"}
    assert daemon.body("POST", "/v1/conflicts/5/resolve") == body | shown
    assert "store (ours)      +12025550134" in lines
    assert lines[-2:-1] == ["1 conflict resolved, commit 9."]
    assert lines[-1].endswith("conflicts undo")
    document = cli("conflicts", "resolve", "5", *words, "--json").document
    assert document == {"resolved": 1, "commit": 9, "conflict": CONFLICT}


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["--take", "ours"], {"take": "ours"}),
        (
            ["--take", "base", "--dataset", "leads", "--field", "phone"],
            {"take": "base", "dataset": "leads", "field": "phone"},
        ),
    ],
)
def test_a_rule_settles_whatever_fits(
    cli: Cli, daemon: FakeDaemon, words: list[str], body: dict[str, Any]
) -> None:
    daemon.on("POST", "/v1/conflicts/resolve", {"resolved": 2, "commit": 9})
    result = cli("conflicts", "resolve", "--all", *words)
    assert daemon.body("POST", "/v1/conflicts/resolve") == body
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
    assert cli("conflicts", "undo", "-m", "Wrong").out == "2 conflicts open again, commit 10.\n"
    assert daemon.body("POST", "/v1/conflicts/undo") == {"message": "Wrong"}


def test_no_conflicts_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/conflicts", {"total": 0, "items": []})
    assert cli("conflicts").out == "No conflicts.\n"
    daemon.on("POST", "/v1/conflicts/resolve", {"resolved": 0, "commit": None})
    result = cli("conflicts", "resolve", "--all", "--take", "ours")
    assert "conflicts undo" not in result.out


def test_a_closed_conflict_says_when_and_why(cli: Cli, daemon: FakeDaemon) -> None:
    closed = {
        **CONFLICT,
        "status": "withdrawn",
        "closed": "2026-11-22T09:00:00.000Z",
        "closed_by": 12,
        "reason": "fair went back to what it had sent before.",
    }
    daemon.on("GET", "/v1/conflicts", {"total": 1, "items": [closed]})
    out = cli("conflicts", "list", "--status", "all").out
    assert "withdrawn" in out
    assert "fair went back to what it had sent before." in out
    assert "--take" not in out
    daemon.on("GET", "/v1/conflicts/5", closed)
    lines = cli("conflicts", "show", "5").out.splitlines()
    assert lines[-2].split() == ["closed", "2026-11-22", "09:00:00,", "commit", "12"]
    assert lines[-1].endswith("fair went back to what it had sent before.")


def test_a_row_that_would_break_rules_names_all_of_them(cli: Cli, daemon: FakeDaemon) -> None:
    """merge.md 5.3: an invalid merge is queued with all violations."""
    messages = ['phone must be unique: "1" is also that of L7.', "'16' is more than 15."]
    broken = [{"field": "phone", "code": "constraint-error", "message": text} for text in messages]
    row = {"kind": "invalid merge", "field": None, "merged": {"phone": "1"}, "violations": broken}
    daemon.on("GET", "/v1/conflicts/5", {**CONFLICT, **row})
    lines = cli("conflicts", "show", "5").out.splitlines()
    assert [
        line.removeprefix("breaks").strip() for line in lines if line[:6] == "breaks"
    ] == messages
    assert any(line.startswith("would become") and '"phone"' in line for line in lines)


def test_a_conflict_shows_what_it_said_before(cli: Cli, daemon: FakeDaemon) -> None:
    said = {"time": CONFLICT["time"], "status": "open", "ours": "1", "resolution": None, "job": 3}
    history = [
        {**said, "commit": 3, "theirs": "2", "file": "/data/a.csv", "line": 4},
        {**said, "commit": 5, "theirs": "3", "file": "/data/b.csv", "line": 9},
        {**said, "commit": 6, "status": "resolved", "resolution": "ours", "actor": "ada"},
    ]
    daemon.on("GET", "/v1/conflicts/5", {**CONFLICT, "history": history})
    told = cli("conflicts", "show", "5").out.split("History:\n")[1].splitlines()
    assert told == [
        "  commit 3  2026-11-21 08:00:00  open: store 1, file 2 (/data/a.csv, line 4, job 3)",
        "  commit 5  2026-11-21 08:00:00  open: store 1, file 3 (/data/b.csv, line 9, job 3)",
        "  commit 6  2026-11-21 08:00:00  resolved (ours) by ada",
    ]


def test_a_decision_kept_as_the_policy_says_how_to_forget_it(cli: Cli, daemon: FakeDaemon) -> None:
    policy = {"dataset": "leads", "source": "crm", "field": "phone", "merge": ["file"]}
    daemon.on("POST", "/v1/conflicts/resolve", {"resolved": 2, "commit": 9, "policy": policy})
    words = ("--dataset", "leads", "--source", "crm", "--field", "phone")
    out = cli("conflicts", "resolve", "--all", "--take", "theirs", *words, "--always").out
    assert daemon.body("POST", "/v1/conflicts/resolve")["always"] is True
    assert "From now on, phone of leads from crm: file." in out
    assert out.endswith("policies remove --dataset leads --source crm --field phone\n")


def test_policies_are_shown_with_their_scope(cli: Cli, daemon: FakeDaemon) -> None:
    rule = {"dataset": "leads", "source": None, "field": "phone", "merge": ["fill", "ask"]}
    daemon.on("GET", "/v1/policies", {"items": [rule]})
    head, row = cli("policies").out.splitlines()
    assert head.split() == ["dataset", "source", "field", "policies"]
    assert row.split("  ")[0] == "leads"
    assert row.endswith("fill, ask")
    daemon.on("GET", "/v1/policies", {"items": []})
    assert "datasets show" in cli("policies").out


def test_one_decision_is_taken_back(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", "/v1/conflicts/5/undo", {"commit": 11, "reopened": 1})
    assert cli("conflicts", "undo", "5").out == "1 conflict open again, commit 11.\n"
