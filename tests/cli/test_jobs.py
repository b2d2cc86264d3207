from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Cli, FakeDaemon, Json, Request

MakeJob = Callable[..., Json]


def test_jobs_alone_lists_them(cli: Cli, daemon: FakeDaemon, make_job: MakeJob) -> None:
    """HIS-01, HIS-03."""
    daemon.on("GET", "/v1/jobs", {"items": [make_job(), make_job(job=6, rows=None, commit=None)]})
    out = cli("jobs").out
    assert daemon.query("/v1/jobs") == {"limit": "20"}
    head, first, second = out.splitlines()
    assert head.split()[:3] == ["job", "kind", "status"]
    assert "2026-11-21 08:00:00" in first
    assert "None" not in second
    assert " - " in second


def test_jobs_can_be_narrowed_without_naming_list(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/jobs", {"items": []})
    assert cli("jobs", "--status", "failed", "--limit", "3").out == "No jobs.\n"
    assert daemon.query("/v1/jobs") == {"status": "failed", "limit": "3"}


def test_show_tells_how_a_job_went(cli: Cli, daemon: FakeDaemon, make_job: MakeJob) -> None:
    """ERR-14, HIS-05."""
    daemon.on("GET", "/v1/jobs/7", make_job())
    out = cli("jobs", "show", "7").out
    assert "1,000 read, 970 valid, 20 rejected, 10 duplicate" in out
    assert cli("jobs", "show", "7", "--json").document == make_job()


def test_show_of_a_running_job_gives_its_progress(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob
) -> None:
    progress = {"phase": "read", "processed": 500, "total": 12340, "rate": None, "eta_s": None}
    running = make_job(status="processing", rows=None, changes=None, progress=progress)
    daemon.on("GET", "/v1/jobs/7", running)
    assert "500 of 12,340" in cli("jobs", "show", "7").out


@pytest.mark.parametrize("verb", ["approve", "retry"])
def test_what_goes_on_is_waited_for(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob, verb: str
) -> None:
    daemon.on("POST", f"/v1/jobs/3/{verb}", make_job(status="pending"))
    daemon.on("GET", "/v1/jobs/7", make_job())
    assert "commit 12" in cli("jobs", verb, "3").out
    daemon.on("GET", "/v1/jobs/7", make_job(status="failed", error={"code": "c", "title": "t"}))
    assert cli("jobs", verb, "3").code == 1
    daemon.requests.clear()
    assert cli("jobs", verb, "3", "--no-wait", "--json").document["status"] == "pending"
    assert [asked.path for asked in daemon.requests] == [f"/v1/jobs/3/{verb}"]


@pytest.mark.parametrize("verb", ["cancel", "discard"])
def test_what_ends_a_job_is_done_when_said(
    cli: Cli, daemon: FakeDaemon, make_job: MakeJob, verb: str
) -> None:
    daemon.on("POST", f"/v1/jobs/7/{verb}", make_job(status="cancelled", rows=None, changes=None))
    result = cli("jobs", verb, "7")
    assert result.code == 0
    assert "cancelled" in result.out


PLAN = {
    "job": 7,
    "dataset": "leads",
    "counts": {
        "insert": 1,
        "update": 1,
        "delete": 1,
        "unchanged": 5,
        "skip": 0,
        "conflicts": 1,
    },
    "notices": ["2 rows leave out phone"],
    "total": 1200,
    "next": "3",
    "items": [
        {
            "key": "L-1",
            "operation": "update",
            "line": 4,
            "before": {"status": "new", "phone": None, "notes": "a"},
            "after": {"status": "won", "phone": "+12025550101", "notes": "a"},
            "changed": ["status", "phone"],
            "conflicts": ["notes"],
        },
        {
            "key": "[red]L-2[/red]",
            "operation": "insert",
            "line": 5,
            "before": None,
            "after": {"status": "new", "phone": None, "notes": "two\nlines"},
            "changed": ["status"],
            "conflicts": [],
        },
        {
            "key": "L-3",
            "operation": "delete",
            "line": None,
            "before": {"status": "lost"},
            "after": None,
            "changed": [],
            "conflicts": [],
        },
    ],
}


def test_a_plan_shows_before_and_after_of_every_changed_field(cli: Cli, daemon: FakeDaemon) -> None:
    """PRV-01, PRV-02."""
    daemon.on("GET", "/v1/plans/7", PLAN)
    lines = cli("jobs", "plan", "7").out.splitlines()
    assert lines[0].startswith("Job 7 -> leads: 1 insert, 1 update, 1 delete, 5 unchanged")
    assert lines[1:] == [
        "Note: 2 rows leave out phone.",
        "~ update   L-1  line 4",
        "    status  new -> won",
        "    phone  - -> +12025550101",
        "    notes  a -> a  conflict",
        "+ insert   [red]L-2[/red]  line 5",
        "    status  new",
        "    notes  two↵ lines",
        "- delete   L-3",
        lines[-1],
    ]
    assert lines[-1].startswith("3 of 1,200 shown; more: dataport ")
    assert lines[-1].endswith("jobs plan 7 --after 3")
    assert cli("jobs", "plan", "7", "--json").document == PLAN


def test_a_plan_can_be_filtered_and_paged(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/plans/7", {**PLAN, "items": [], "next": None})
    cli("jobs", "plan", "7", "--operation", "conflict", "--field", "phone", "--after", "9")
    assert daemon.query("/v1/plans/7") == {
        "operation": "conflict",
        "field": "phone",
        "after": "9",
        "limit": "50",
    }


def reject(number: int) -> Json:
    return {
        "line": number + 2,
        "row": number + 1,
        "field": "email",
        "code": "type-error",
        "message": "Write an address like name@example.org.",
        "value": f"bad {number}",
    }


def script_rejects(daemon: FakeDaemon, total: int) -> None:
    def page(request: Request) -> Any:
        start, size = int(request.query["offset"]), int(request.query["limit"])
        items = [reject(number) for number in range(total)][start : start + min(size, 1000)]
        return {"job": 7, "total": total, "items": items}

    daemon.on("GET", "/v1/rejects/7", page)


def test_rejects_name_line_field_and_what_to_do(cli: Cli, daemon: FakeDaemon) -> None:
    """ERR-01, ERR-03, ERR-12, ERR-13."""
    script_rejects(daemon, 120)
    lines = cli("jobs", "rejects", "7").out.splitlines()
    assert lines[1].split()[:4] == ["2", "1", "email", "type-error"]
    assert "Write an address like name@example.org." in lines[1]
    assert len(lines) == 52
    assert lines[-1] == "50 of 120 rejects shown; more with --limit and --offset."


def test_json_gives_all_rejects_however_many_pages(cli: Cli, daemon: FakeDaemon) -> None:
    script_rejects(daemon, 2500)
    document = cli("jobs", "rejects", "7", "--json").document
    assert [item["row"] for item in document["items"]] == list(range(1, 2501))
    assert (document["job"], document["total"]) == (7, 2500)
    document = cli("jobs", "rejects", "7", "--json", "--limit", "3", "--offset", "2").document
    assert [item["row"] for item in document["items"]] == [3, 4, 5]


def test_no_rejects_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    script_rejects(daemon, 0)
    assert cli("jobs", "rejects", "7").out == "No rejects.\n"


def test_a_discarded_plan_is_no_error(cli: Cli, daemon: FakeDaemon, make_job: MakeJob) -> None:
    error = {"code": "discarded", "title": "The plan was discarded.", "detail": "", "hint": ""}
    gone = make_job(status="cancelled", rows=None, changes=None, error=error)
    daemon.on("POST", "/v1/jobs/7/discard", gone)
    result = cli("jobs", "discard", "7")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "leads.csv: cancelled, nothing was changed.",
        "The plan was discarded.",
    ]
