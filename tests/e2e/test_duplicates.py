"""One key twice in a file whose rows contradict each other (merge.md 5.2), where a person is asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DATAPORT, World

Write = Callable[[str, str], Path]

FIRST = "lead_id,name,email\nL1,Ann,ann@example.org\nL2,Bo,bo@example.org\nL3,Cy,cy@example.org\n"
TWICE = (
    "lead_id,name,email\n"
    "L1,Anna,ann@example.org\n"
    "L2,Bob,bo@example.org\n"
    "L1,Anne,ann@example.org\n"
    "L3,Cy,cy@example.org\n"
    "L3,Cy,cy@example.org\n"
)


@pytest.fixture
def asking(world: World) -> World:
    """A home whose leads ask about their duplicates."""
    path = world.home.root / "config" / "datasets" / "leads.toml"
    text = path.read_text(encoding="utf-8")
    assert 'duplicates = "first"' in text
    path.write_text(text.replace('duplicates = "first"', 'duplicates = "ask"'), encoding="utf-8")
    world.ok("daemon", "restart")
    return world


def names(world: World) -> dict[str, Any]:
    """Names of the stored leads by id."""
    return {row["lead_id"]: row["name"] for row in world.rows()}


def conflicts(world: World, *words: str) -> list[dict[str, Any]]:
    """The conflict queue."""
    items: list[dict[str, Any]] = world.ok("conflicts", "list", *words)["items"]
    return items


@pytest.mark.parametrize("mode", ["merge", "mirror"])
def test_a_key_with_contradicting_rows_is_present_but_unstated(
    asking: World, write: Write, mode: str
) -> None:
    """A17: no update, no delete, base unchanged; copies of one row are counted as duplicates."""
    asking.send(write("1.csv", FIRST), "--mode", mode)
    job = asking.send(write("2.csv", TWICE), "--mode", mode)
    assert job["rows"] == {"read": 5, "valid": 2, "rejected": 0, "duplicate": 3}
    assert (job["changes"]["updated"], job["changes"]["conflicts"]) == (1, 1)
    assert job["changes"]["deleted"] == 0
    assert names(asking) == {"L1": "Ann", "L2": "Bob", "L3": "Cy"}
    [conflict] = conflicts(asking)
    assert (conflict["key"], conflict["field"], conflict["kind"]) == ("L1", None, "dup_key")
    assert (conflict["line"], conflict["theirs"]["lines"]) == (2, [2, 4])
    assert [row["name"] for row in conflict["theirs"]["rows"]] == ["Anna", "Anne"]
    assert (conflict["base"]["name"], conflict["ours"]["name"]) == ("Ann", "Ann")
    rejects = asking.ok("jobs", "rejects", str(job["job"]))["items"]
    assert [(r["line"], r["code"], r["class"]) for r in rejects] == [
        (2, "primary-key.differs", "duplicate"),
        (4, "primary-key.differs", "duplicate"),
        (6, "primary-key", "duplicate"),
    ]
    assert "Lines 2, 4" in rejects[0]["message"]

    moved = "lead_id,name,email\nL3,Cy,cy@example.org\n" + TWICE.partition("\n")[2]
    again = asking.send(write("3.csv", moved), "--mode", mode)
    assert (again["changes"]["conflicts"], again["commit"]) == (0, None)

    asking.send(write("4.csv", FIRST.replace("Ann,", "Anne,")), "--mode", mode)
    assert names(asking)["L1"] == "Anne"
    assert [c["status"] for c in conflicts(asking, "--status", "all")] == ["withdrawn"]


def test_a_decision_about_the_same_rows_is_final(asking: World, write: Write) -> None:
    """A10; the rows of the file say no single thing that could be taken."""
    asking.send(write("1.csv", FIRST))
    asking.send(write("2.csv", TWICE))
    number = str(conflicts(asking)[0]["id"])
    refused = asking.run("conflicts", "resolve", number, "--take", "theirs")
    assert (refused.code, refused.document["error"]["code"]) == (2, "several-rows")
    assert refused.document["error"]["hint"]
    asking.ok("conflicts", "resolve", number, "--take", "ours")
    assert names(asking)["L1"] == "Ann"
    again = asking.send(write("3.csv", TWICE + "L4,Di,di@example.org\n"))
    assert (again["changes"]["inserted"], again["changes"]["conflicts"]) == (1, 0)
    other = asking.send(write("4.csv", TWICE + "L1,Ava,ann@example.org\n"))
    assert other["changes"]["conflicts"] == 1
    assert len(conflicts(asking)) == 1


def test_rows_that_turn_out_to_be_one_record_contradict_each_other_too(
    asking: World, write: Write
) -> None:
    """V-02: the second row has no id, but the e-mail of a stored one."""
    asking.send(write("1.csv", FIRST))
    text = (
        "lead_id,name,email\nL1,Anna,ann@example.org\n,Anne,ann@example.org\n,Bo,bo@example.org\n"
    )
    job = asking.send(write("2.csv", text))
    assert job["rows"] == {"read": 3, "valid": 1, "rejected": 0, "duplicate": 2}
    assert [(c["key"], c["theirs"]["lines"]) for c in conflicts(asking)] == [("L1", [2, 3])]
    text = "lead_id,name,email\n,Beo,bo@example.org\n,Bob,bo@example.org\n"
    job = asking.send(write("3.csv", text))
    assert job["rows"] == {"read": 2, "valid": 0, "rejected": 0, "duplicate": 2}
    assert [(c["key"], c["theirs"]["lines"]) for c in conflicts(asking)][1:] == [("L2", [2, 3])]
    assert names(asking) == {"L1": "Ann", "L2": "Bo", "L3": "Cy"}


def test_rows_of_one_record_that_state_different_fields_are_one_statement(
    asking: World, write: Write
) -> None:
    """merge.md 5.1: what a row does not state contradicts nothing; V-02 finds the record."""
    asking.send(write("1.csv", FIRST))
    rows = [
        {"lead_id": "L1", "email": "ann@example.org"},
        {"email": "ann@example.org", "company": "Acme"},
        {"email": "ann@example.org", "name": "Anna"},
        {"lead_id": "L2", "email": "bo@example.org", "name": "Bob"},
        {"email": "bo@example.org", "name": None},
        {"lead_id": "L3", "company": "Beta"},
        {"lead_id": "L3", "email": "cy@example.com"},
    ]
    job = asking.send(write("2.json", json.dumps(rows)))
    assert job["rows"] == {"read": 7, "valid": 2, "rejected": 0, "duplicate": 5}
    found = {row["lead_id"]: (row["name"], row["company"], row["email"]) for row in asking.rows()}
    assert found == {
        "L1": ("Anna", "Acme", "ann@example.org"),
        "L2": ("Bo", None, "bo@example.org"),
        "L3": ("Cy", "Beta", "cy@example.com"),
    }
    assert [(c["key"], c["theirs"]["lines"]) for c in conflicts(asking)] == [("L2", [1, 1])]
    assert asking.send(write("3.json", json.dumps(rows[::-1])))["commit"] is None


def test_the_plan_shows_what_waits(asking: World, write: Write) -> None:
    asking.send(write("1.csv", FIRST))
    job = asking.send(write("2.csv", TWICE), "--dry-run")
    assert job["changes"]["conflicts"] == 1
    items = asking.ok("jobs", "plan", str(job["job"]))["items"]
    assert [(i["key"], i["operation"], i["after"] is None) for i in items if i["conflicts"]] == [
        ("L1", "unchanged", True)
    ]


def test_undo_takes_the_question_back(asking: World, write: Write) -> None:
    asking.send(write("1.csv", FIRST))
    job = asking.send(write("2.csv", TWICE))
    asking.ok("undo", str(job["commit"]))
    assert conflicts(asking) == []
    assert names(asking)["L2"] == "Bo"


@pytest.mark.parametrize("row", [",Zoe,zoe@example.org,nope", ",,,new"])
def test_a_mirror_deletes_nothing_while_a_rejected_row_has_no_key(
    world: World, write: Write, row: str
) -> None:
    """merge.md 5.2: the row could be any of them, also one that its e-mail would lead to."""
    world.send(write("1.csv", FIRST), "--mode", "mirror")
    text = f"lead_id,name,email,status\nL1,Ann,ann@example.org,\n{row}\n"
    job = world.send(write("2.csv", text), "--mode", "mirror")
    assert (job["rows"]["rejected"], job["changes"]["deleted"]) == (1, 0)
    assert set(names(world)) == {"L1", "L2", "L3"}
    assert any("nothing was deleted" in notice for notice in job["notices"])
    job = world.send(write("3.csv", text.replace(f"{row}\n", "")), "--mode", "mirror")
    assert job["changes"]["deleted"] == 2


def test_rows_that_contradict_each_other_can_be_left_out_of_a_plan(
    asking: World, write: Write
) -> None:
    """Left out, they are not asked about, and what was asked already stays asked."""
    asking.send(write("1.csv", FIRST), "--mode", "mirror")
    path = write("2.csv", TWICE)

    def leave_out(words: str) -> dict[str, Any]:
        job = str(asking.send(write("held.csv", words), "--mode", "mirror", "--hold")["job"])
        shown = asking.ok("jobs", "plan", job, "--operation", "conflict")
        assert [item["key"] for item in shown["items"]] == ["L1"]
        page = asking.ok("jobs", "plan", job, "--exclude", "L1")
        assert (page["counts"]["conflicts"], page["counts"]["excluded"]) == (0, 1)
        done: dict[str, Any] = asking.ok("jobs", "approve", job)
        return done

    assert leave_out(TWICE)["changes"]["conflicts"] == 0
    assert conflicts(asking) == []
    assert asking.send(path, "--mode", "mirror")["changes"]["conflicts"] == 1
    leave_out(TWICE.replace("Anne", "Annette").replace("Bob", "Rob"))
    [conflict] = conflicts(asking)
    assert [row["name"] for row in conflict["theirs"]["rows"]] == ["Anna", "Anne"]
    assert names(asking) == {"L1": "Ann", "L2": "Rob", "L3": "Cy"}


def test_the_list_suggests_a_side_that_can_be_taken(asking: World, write: Write) -> None:
    """A17: of rows that contradict each other only the store's can be taken."""
    asking.send(write("1.csv", FIRST))
    asking.send(write("2.csv", TWICE))
    words = [DATAPORT, "--home", str(asking.home.root), "conflicts", "list"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    number = str(conflicts(asking)[0]["id"])
    assert told.rstrip().endswith(f"conflicts resolve {number} --take ours")
    asking.ok("conflicts", "resolve", number, "--take", "ours")
