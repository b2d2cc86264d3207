"""`log`, `history`, `blame` and `undo` on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Cli, FakeDaemon

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


def test_one_conflict_is_one_conflict_wherever_it_is_counted(
    cli: Cli, daemon: FakeDaemon, script_import: Callable[..., Any]
) -> None:
    changes = {"inserted": 3, "conflicts": 1}
    daemon.on("GET", "/v1/commits", {"items": [{**COMMIT, "changes": changes}]})
    assert "3 inserted, 1 conflict " in cli("log").out
    script_import(changes=changes)
    assert "0 skipped, 1 conflict\n" in cli("import", "leads.csv").out
    plan = {"job": 7, "dataset": "leads", "counts": {"insert": 3, "conflicts": 1}, "total": 0}
    daemon.on("GET", "/v1/plans/7", {**plan, "next": None, "items": []})
    assert "3 insert, 1 conflict\n" in cli("jobs", "plan", "7").out


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


UNDONE = {
    "commit": 13,
    "undoes": 12,
    "dry_run": False,
    "changes": {"updated": 3, "conflicts": 1},
    "conflicts": 1,
    "reopened": 2,
}


def test_what_is_no_longer_kept_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/commits", {"items": [COMMIT], "oldest": 7})
    assert cli("log").out.endswith("Commits up to 7 can no longer be undone.\n")
    items = [{**version(9, "update", {"name": "Zoë"}), "boundary": True}]
    daemon.on("GET", "/v1/records/leads/L-1/history", {"items": items})
    out = cli("history", "leads", "L-1").out
    assert out.endswith("Versions from before that are no longer kept.\n")


def test_undo_says_which_commit_takes_back_which(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("POST", "/v1/commits/12/undo", UNDONE)
    out = cli("undo", "12", "--message", "Wrong file").out
    assert out.startswith(
        "commit 13 takes back commit 12: 3 updated, 1 conflict, 2 conflicts open again\n"
    )
    assert "conflicts list" in out
    assert daemon.body("POST", "/v1/commits/12/undo") == {"message": "Wrong file"}
    assert cli("undo", "12", "--json").document == UNDONE


def test_an_undo_can_be_tried_first(cli: Cli, daemon: FakeDaemon) -> None:
    document = {**UNDONE, "commit": None, "dry_run": True, "reopened": 0}
    daemon.on("POST", "/v1/commits/12/undo", document)
    out = cli("undo", "12", "--dry-run").out
    assert out == (
        "Taking back commit 12 would come to: 3 updated, 1 conflict. Nothing was changed.\n"
    )
    assert daemon.body("POST", "/v1/commits/12/undo") == {"dry_run": True}


@pytest.mark.parametrize("is_dry", [True, False])
def test_an_undo_names_what_leads_nowhere_by_it(cli: Cli, daemon: FakeDaemon, is_dry: bool) -> None:
    said = "owner of 2 rows of tickets refers to 1 row of users that is taken away: ann@x."
    document = {**UNDONE, "dry_run": is_dry, "notices": [said]}
    daemon.on("POST", "/v1/commits/12/undo", document)
    assert cli("undo", "12").out.endswith(f"Note: {said}\n")


def blamed(field: str, value: Any, **changed: Any) -> dict[str, Any]:
    item = {"field": field, "value": value, **{key: COMMIT[key] for key in ("commit", "time")}}
    item |= {"actor": "ada", "source": "crm", "file": "/in/leads.csv", "line": 1200}
    item |= {"kind": "import", "message": "", "from_commit": 12, "boundary": False}
    return {**item, **changed}


def test_blame_says_for_every_value_who_when_and_from_where(cli: Cli, daemon: FakeDaemon) -> None:
    nowhere = {"source": None, "file": None, "line": None}
    items = [
        blamed("name", "Zoë"),
        blamed("status", None, commit=13, kind="edit", **nowhere),
        blamed("phone", "+1", commit=14, kind="resolve", line=None),
        blamed("score", 5, boundary=True, **nowhere),
    ]
    daemon.on("GET", "/v1/records/leads/a%2Fb/blame", {"items": items})
    out = cli("blame", "leads", "a/b").out.splitlines()
    assert [line.split() for line in out] == [
        ["field", "value", "commit", "by", "who", "time", "from"],
        "name Zoë 12 import ada 2026-11-21 08:00:00 crm, leads.csv line 1,200".split(),
        "status - 13 edit ada 2026-11-21 08:00:00 -".split(),
        "phone +1 14 resolve ada 2026-11-21 08:00:00 crm, leads.csv".split(),
        "score 5 12 or before import ada 2026-11-21 08:00:00 -".split(),
    ]
    assert cli("blame", "leads", "a/b", "--json").document == {"items": items}
