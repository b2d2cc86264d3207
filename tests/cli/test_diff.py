"""`diff` on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.cli import diff
from tests.cli.conftest import Cli, FakeDaemon, Request

ITEMS: list[dict[str, Any]] = [
    {
        "dataset": "leads",
        "key": "L-1",
        "operation": "update",
        "changed": ["phone", "tags"],
        "before": {"phone": None, "tags": ["a"]},
        "after": {"phone": "+1", "tags": ["a", "b"]},
    },
    {
        "dataset": "leads",
        "key": "L\n2",
        "operation": "insert",
        "changed": ["name"],
        "before": None,
        "after": {"name": "Zoë", "phone": None, "tags": None},
    },
    {
        "dataset": "people",
        "key": "P-3",
        "operation": "delete",
        "changed": ["name"],
        "before": {"name": "[b]Li", "phone": None, "tags": None},
        "after": None,
    },
]
COUNTS = {"inserted": 1, "updated": 1, "deleted": 1}
HEAD = {"from": 3, "to": 12, "dataset": None, "changes": COUNTS, "total": 3}


def page(request: Request) -> dict[str, Any]:
    """A page as the daemon gives it."""
    start, size = int(request.query.get("offset", 0)), int(request.query["limit"])
    return {**HEAD, "items": ITEMS[start : start + size]}


def test_people_see_each_row_with_before_and_after(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/diff", page)
    assert cli("diff", "3", "12").out.splitlines() == [
        "~ leads L-1",
        "    phone  - -> +1",
        "    tags  a -> a; b",
        "+ leads L↵ 2",
        "    name  Zoë",
        "- people P-3",
        "    name  [b]Li",
        "1 inserted, 1 updated, 1 deleted between commit 3 and commit 12.",
    ]
    assert daemon.query("/v1/diff") == {"from": "3", "to": "12", "limit": "50", "offset": "0"}


def test_a_long_difference_says_how_much_is_shown(cli: Cli, daemon: FakeDaemon) -> None:
    daemon.on("GET", "/v1/diff", page)
    out = cli("diff", "3", "--limit", "1", "--offset", "1").out
    assert out.splitlines()[0] == "+ leads L↵ 2"
    assert out.endswith("1 of 3 rows shown; more with --limit and --offset.\n")
    assert "to" not in daemon.query("/v1/diff")


@pytest.mark.parametrize(
    ("words", "expected", "requests"),
    [([], ITEMS, 2), (["--limit", "1", "--offset", "1"], ITEMS[1:2], 1)],
)
def test_json_is_one_patch_however_many_pages_it_takes(
    cli: Cli,
    daemon: FakeDaemon,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    expected: list[dict[str, Any]],
    requests: int,
) -> None:
    monkeypatch.setattr(diff, "PAGE", 2)
    daemon.on("GET", "/v1/diff", page)
    assert cli("diff", "2026-01-01", "--json", *words).document == {**HEAD, "items": expected}
    asked = daemon.asked("GET", "/v1/diff")
    assert len(asked) == requests
    # Later pages are about the same two commits, whatever is imported meanwhile.
    assert all((a.query["from"], a.query["to"]) == ("3", "12") for a in asked[1:])


def test_counts_alone(cli: Cli, daemon: FakeDaemon) -> None:
    items = [
        {"dataset": "leads", **COUNTS, "deleted": 0, "fields": {"phone": 1200, "tags": 1}},
        {"dataset": "people", "inserted": 0, "updated": 0, "deleted": 1, "fields": {}},
    ]
    daemon.on("GET", "/v1/diff", {**HEAD, "items": items})
    assert cli("diff", "3", "12", "--stat", "--dataset", "leads").out.splitlines() == [
        "leads: 1 inserted, 1 updated",
        "    values changed: phone 1,200, tags 1",
        "people: 1 deleted",
        "1 inserted, 1 updated, 1 deleted between commit 3 and commit 12.",
    ]
    assert daemon.query("/v1/diff") == {
        "from": "3",
        "to": "12",
        "dataset": "leads",
        "stat": "true",
    }
    assert cli("diff", "3", "12", "--stat", "--json").document == {**HEAD, "items": items}


def test_no_difference_is_said(cli: Cli, daemon: FakeDaemon) -> None:
    nothing = {**HEAD, "changes": dict.fromkeys(COUNTS, 0), "total": 0, "items": []}
    daemon.on("GET", "/v1/diff", nothing)
    assert cli("diff", "3", "12").out == "Nothing differs between commit 3 and commit 12.\n"
    assert cli("diff", "3", "12", "--stat").out == cli("diff", "3", "12").out
    assert cli("diff", "3", "12", "--json").document == nothing
