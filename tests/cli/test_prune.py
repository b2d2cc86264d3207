"""`log prune` on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.cli import prune
from tests.cli.conftest import Cli, FakeDaemon, Request

PATH = "/v1/commits/prune"
PRUNED = {
    "oldest": 12,
    "oldest_time": "2026-11-21T08:00:00.000Z",
    "was": 0,
    "newest": 40,
    "dry_run": False,
    "removed": 1203,
    "items": [
        {"dataset": "leads", "versions": 1200, "bases": 3, "still_bases": 40},
        {"dataset": "people", "versions": 1, "bases": 0, "still_bases": 0},
    ],
}


def answered(request: Request) -> dict[str, Any]:
    return {**PRUNED, "dry_run": request.body.get("dry_run", False)}


def test_pruning_says_what_is_gone_and_what_can_still_be_undone(
    cli: Cli, daemon: FakeDaemon
) -> None:
    daemon.on("POST", PATH, answered)
    assert cli("log", "prune", "--keep", "90 days").out.splitlines() == [
        "leads: 1,200 versions dropped",
        "    kept, as what a source sent last: 40",
        "people: 1 version dropped",
        "What was before commit 12 (2026-11-21 08:00:00) can't be read or compared any more.",
        "Commits 13 to 40 can still be undone, those before can't.",
    ]
    assert daemon.body("POST", PATH) == {"keep": "90 days"}
    assert cli("log", "prune", "--json").document == PRUNED


def test_a_dry_run_speaks_of_what_would_be(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", PATH, answered)
    out = cli("log", "prune", "--before", "12", "--dry-run").out
    assert out.startswith("leads: 1,200 versions would be dropped\n")
    assert daemon.body("POST", PATH) == {"before": "12", "dry_run": True}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"oldest": 0}, "Nothing to drop: all of it is kept.\n"),
        ({"was": 12}, "Nothing to drop: commit 12 is the oldest that can be read.\n"),
    ],
)
def test_nothing_to_drop_is_said(
    cli: Cli, daemon: FakeDaemon, changed: dict[str, int], said: str
) -> None:
    daemon.on("POST", PATH, {**PRUNED, **changed, "items": []})
    assert cli("log", "prune").out == said


def test_nothing_left_to_undo_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", PATH, {**PRUNED, "newest": 12})
    assert cli("log", "prune").out.endswith("No commit made so far can be undone any more.\n")


def test_a_person_at_a_terminal_is_asked_first(
    cli: Cli, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["n\n", "y\n"])
    monkeypatch.setattr(prune, "is_interactive", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: next(answers))
    daemon.on("POST", PATH, answered)
    refused = cli("log", "prune")
    assert (refused.code, "would be dropped" in refused.out) == (130, True)
    assert [request.body for request in daemon.asked("POST", PATH)] == [{"dry_run": True}]
    assert "leads: 1,200 versions dropped" in cli("log", "prune").out
    assert cli("log", "prune", "--yes").out.startswith("leads: 1,200 versions dropped")
    assert [request.body for request in daemon.asked("POST", PATH)][1:] == [
        {"dry_run": True},
        {},
        {},
    ]


def test_the_log_itself_still_lists(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/commits", {"items": [], "oldest": 0})
    assert cli("log", "--limit", "3").out == "No commits yet.\n"
    assert daemon.asked("POST", PATH) == []
