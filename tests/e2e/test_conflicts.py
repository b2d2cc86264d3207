"""Conflicts: found, decided one by one or by rule, explained (merge.md 5.5, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataport.client.api import Client
from dataport.core.errors import UsageError
from tests.e2e.conftest import World

Write = Callable[[str, str], Path]
Send = Callable[..., dict[str, Any]]

HEAD = "lead_id,name,phone,status\n"
FIRST = HEAD + "".join(f"L{n},Name {n},20255501{n},new\n" for n in range(10, 15))
SECOND = HEAD + "".join(f"L{n},Name {n},20255502{n},contacted\n" for n in range(10, 15))
"""Another phone and another status for each."""
FAIR = "lead_id,phone\nL10,2025550910\n"
"""Another source names another phone."""


@pytest.fixture
def api(world: World) -> Iterator[Client]:
    world.ok("daemon", "start")
    client = Client(world.home, start=False)
    yield client
    client.close()


@pytest.fixture
def send(api: Client, write: Write) -> Send:
    """Import a file's text; its job."""

    def send(text: str, source: str = "crm") -> dict[str, Any]:
        path = write(f"{source}.csv", text)
        request = {"path": str(path), "dataset": "leads", "source": source}
        return api.wait_job(api.post("/v1/imports", request)["job"])

    return send


@pytest.fixture
def asked(api: Client, send: Send) -> dict[str, Any]:
    """The import that asks about phone and status of L10, L11 and L12, edited here."""
    send(FIRST)
    for n in range(10, 13):
        values = {"phone": f"20255503{n}", "status": "qualified"}
        api.patch(f"/v1/records/leads/L{n}", {"set": values})
    job = send(SECOND)
    send(FAIR, "fair")
    return job


def found(api: Client, **query: Any) -> list[tuple[str, str, str]]:
    """Key, field and source of the conflicts that fit."""
    items = api.get("/v1/conflicts", **query)["items"]
    return sorted((item["key"], item["field"], item["source"]) for item in items)


def test_conflicts_are_found_by_what_they_are_about(
    world: World, api: Client, asked: dict[str, Any]
) -> None:
    assert len(found(api)) == 7
    assert found(api, field="phone", source="crm", limit=2) == [
        ("L10", "phone", "crm"),
        ("L11", "phone", "crm"),
    ]
    assert found(api, key="L10") == [
        ("L10", "phone", "crm"),
        ("L10", "phone", "fair"),
        ("L10", "status", "crm"),
    ]
    assert len(found(api, job=asked["job"])) == 6
    assert found(api, kind="add/add") == [("L10", "phone", "fair")]
    page = world.ok("conflicts", "list", "--kind", "edit/edit", "--limit", "4", "--offset", "4")
    assert (page["total"], len(page["items"])) == (6, 2)
    assert world.run("conflicts", "list", "--kind", "none").code == 2
    with pytest.raises(UsageError):
        api.get("/v1/conflicts", kind="none")


@pytest.mark.usefixtures("asked")
def test_a_rule_settles_what_fits_and_nothing_else(world: World, api: Client) -> None:
    done = world.ok("conflicts", "resolve", "--all", "--take", "theirs", "--key", "L10",
                    "--kind", "edit/edit")  # fmt: skip
    assert (done["resolved"], done["changes"]["updated"]) == (2, 1)
    assert len(found(api)) == 5
    assert found(api, key="L10") == [("L10", "phone", "fair")]
    row = {row["lead_id"]: row for row in world.rows()}["L10"]
    assert (row["phone"], row["status"]) == ("+12025550210", "contacted")


@pytest.mark.usefixtures("asked")
def test_a_decision_is_kept_as_the_policy(world: World, api: Client, send: Send) -> None:
    """ "Always theirs for phone from crm": what waits is settled, what comes is not asked about."""
    words = ("--dataset", "leads", "--field", "phone", "--source", "crm")
    done = world.ok("conflicts", "resolve", "--all", "--take", "theirs", *words, "--always")
    rule = {"dataset": "leads", "source": "crm", "field": "phone", "merge": ["file"]}
    assert (done["resolved"], done["policy"]) == (3, rule)
    assert world.ok("policies")["items"] == [rule]
    api.patch("/v1/records/leads/L11", {"set": {"phone": "2025550777", "status": "won"}})
    job = send(SECOND.replace("20255502", "20255504").replace("contacted", "lost"))
    assert job["changes"]["conflicts"] == 3, "status is still asked about"
    assert all(field == "status" for _, field, source in found(api) if source == "crm")
    assert {row["lead_id"]: row["phone"] for row in world.rows()}["L11"] == "+12025550411"
    world.ok("policies", "remove", *words)
    assert world.ok("policies")["items"] == []


@pytest.mark.usefixtures("asked")
def test_one_decision_is_kept_as_the_policy_too(world: World, api: Client) -> None:
    [conflict] = api.get("/v1/conflicts", key="L11", field="phone")["items"]
    done = world.ok("conflicts", "resolve", str(conflict["id"]), "--take", "ours", "--always")
    assert (done["resolved"], done["policy"]["merge"]) == (1, ["store"])
    assert "dataport policies" not in world.home.config_file.read_text(encoding="utf-8")
    assert 'source = "crm"' in world.home.config_file.read_text(encoding="utf-8")
    for words in ((), (str(conflict["id"]),)):
        undone = world.ok("conflicts", "undo", *words)
        assert undone["reopened"] == 1
        [notice] = undone["notices"]
        assert "policies remove --dataset leads --source crm --field phone" in notice
        world.ok("conflicts", "resolve", str(conflict["id"]), "--take", "ours")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--all", "--take", "theirs", "--dataset", "leads"), "no-standing-scope"),
        (("--all", "--take", "base"), "no-standing-side"),
        (("--all", "--take", "theirs", "--job", "2"), "narrow-policy"),
        (("1", "--value", "2025550888"), "no-standing-side"),
    ],
)
@pytest.mark.usefixtures("asked")
def test_what_is_no_rule_settles_nothing(
    world: World, api: Client, words: tuple[str, ...], code: str
) -> None:
    refused = world.run("conflicts", "resolve", *words, "--always")
    assert (refused.code, refused.document["error"]["code"]) == (2, code)
    assert len(found(api)) == 7
    assert world.ok("policies")["items"] == []


def test_policies_are_set_and_listed(world: World) -> None:
    world.ok("policies", "set", "--source", "crm", "fill", "newest(created_at)", "ask")
    world.ok("policies", "set", "--dataset", "leads", "--field", "notes", "longest")
    assert [(item["source"], item["field"], item["merge"]) for item in world.ok("policies")["items"]] == [
        ("crm", None, ["fill", "newest(created_at)", "ask"]),
        (None, "notes", ["longest"]),
    ]  # fmt: skip
    refused = world.run("policies", "set", "--dataset", "leads", "--field", "nots", "longest")
    assert (refused.code, refused.document["error"]["code"]) == (2, "wrong-policy")
    assert "notes" in refused.document["error"]["detail"]
    refused = world.run("policies", "remove", "--dataset", "leads")
    assert refused.document["error"]["code"] == "unknown-policy"


@pytest.mark.usefixtures("asked")
def test_one_decision_of_many_is_taken_back(world: World, api: Client) -> None:
    world.ok("conflicts", "resolve", "--all", "--take", "theirs", "--source", "crm")
    [conflict] = api.get("/v1/conflicts", status="resolved", key="L11", field="phone")["items"]
    done = world.ok("conflicts", "undo", str(conflict["id"]), "-m", "Not this one")
    assert (done["reopened"], done["changes"]["updated"]) == (1, 1)
    assert world.log()[0]["message"] == "Not this one"
    rows = {row["lead_id"]: (row["phone"], row["status"]) for row in world.rows()}
    assert (rows["L11"], rows["L12"]) == (
        ("+12025550311", "contacted"),
        ("+12025550212", "contacted"),
    )
    assert found(api, source="crm") == [("L11", "phone", "crm")]
    again = world.run("conflicts", "undo", str(conflict["id"]))
    assert (again.code, again.document["error"]["code"]) == (1, "not-decided")
    shown = world.ok("conflicts", "show", str(conflict["id"]))
    assert [version["status"] for version in shown["history"]] == ["open", "resolved", "open"]
    assert world.ok("conflicts", "undo")["reopened"] == 5, "the rest, at once"


@pytest.mark.parametrize("source", ["export", "export:12"])
def test_no_rule_is_made_of_what_comes_back_from_an_export(
    world: World, api: Client, source: str
) -> None:
    """merge.md 5.6: each export is a source of its own."""
    scope = ("--dataset", "leads", "--field", "phone", "--source", source)
    refused = world.run("conflicts", "resolve", "--all", "--take", "theirs", *scope, "--always")
    assert (refused.code, refused.document["error"]["code"]) == (2, "no-standing-export")
    assert api.get("/v1/policies")["items"] == []


def test_conflicts_of_a_job_that_is_not_there_are_not_found(
    world: World, asked: dict[str, Any]
) -> None:
    job = str(asked["job"])
    refused = world.run("conflicts", "resolve", "--all", "--take", "ours", "--job", "999")
    assert (refused.code, refused.document["error"]["code"]) == (1, "unknown-job")
    assert world.ok("conflicts", "resolve", "--all", "--take", "ours", "--job", job)["resolved"]


def test_a_settled_conflict_is_answered_as_it_is_then(world: World, asked: dict[str, Any]) -> None:
    number = world.ok("conflicts", "list", "--job", str(asked["job"]))["items"][0]["id"]
    answer = world.ok("conflicts", "resolve", str(number), "--take", "base")
    assert (answer["resolved"], answer["conflict"]["status"]) == (1, "resolved")
    assert answer["conflict"]["closed"]
