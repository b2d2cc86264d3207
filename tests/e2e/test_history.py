"""The past of a record, from the first file to the undo, as a person with a terminal asks for it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World

FIRST = """lead_id,name,phone,status,score
L1,Zoë Åström,(202) 555-0134,new,10
L2,山田太郎,202-555-0101,new,20
"""
SECOND = FIRST.replace("new,10", "contacted,10").replace("555-0101", "555-0199")


@pytest.fixture
def told(world: World, write: Callable[[str, str], Path]) -> World:
    """Commit 1 an import, 2 an edit, 3 an import that asks about L2's phone, 4 the answer."""
    world.send(write("october.csv", FIRST), "-m", "October")
    world.ok("edit", "leads", "L2", "phone=202 555 0177", "-m", "She called")
    world.send(write("november.csv", SECOND))
    world.ok("conflicts", "resolve", "--all", "--take", "theirs", "-m", "They know")
    return world


def test_messages_say_why_and_defaults_what(told: World) -> None:
    told.ok("undo", "4", "-m", "They did not")
    told.ok("undo", "5")
    assert [item["message"] for item in told.log()] == [
        "Undo commit 5 (the undo of commit 4)",
        "They did not",
        "They know",
        "Import november.csv from crm",
        "She called",
        "October",
    ]


def test_blame_names_commit_file_and_line(told: World) -> None:
    document = told.ok("blame", "leads", "L2")
    items = {item["field"]: item for item in document["items"]}
    promised = {"field", "value", "commit", "time", "actor", "source", "file", "line"}
    assert all(promised <= item.keys() for item in document["items"])

    def where(field: str) -> tuple[Any, ...]:
        item = items[field]
        file = item["file"] and Path(item["file"]).name
        return item["value"], item["commit"], item["source"], file, item["line"]

    assert where("name") == ("山田太郎", 1, "crm", "october.csv", 3)
    assert where("phone") == ("+12025550199", 4, "crm", "november.csv", 3)
    assert (items["phone"]["kind"], items["phone"]["from_commit"]) == ("resolve", 3)
    done = told.run("blame", "leads", "L9")
    assert (done.code, done.document["error"]["code"]) == (1, "unknown-record")


def test_rows_and_exports_as_of_then(told: World, tmp_path: Path) -> None:
    target = tmp_path / "then.csv"
    told.ok("export", "leads", "--as-of", "2", "--fields", "lead_id,phone", "--to", str(target))
    with target.open(encoding="utf-8", newline="") as stream:
        exported = list(csv.DictReader(stream))
    shown = told.rows("--as-of", "2", "--fields", "lead_id,phone")
    assert [row["phone"] for row in shown] == ["+12025550134", "+12025550177"]
    assert exported == shown
    assert told.rows("--as-of", told.log()[2]["time"])[1]["phone"] == "+12025550177"
    for words in (["rows", "leads"], ["export", "leads", "--to", str(target)]):
        done = told.run(*words, "--as-of", "9")
        assert done.document["error"]["code"] == "unknown-commit"


def test_a_difference_lists_rows_with_before_and_after(told: World) -> None:
    document = told.ok("diff", "1", "4")
    assert document["changes"] == {"inserted": 0, "updated": 2, "deleted": 0}
    assert document["items"] == [
        {
            "dataset": "leads",
            "key": "L1",
            "operation": "update",
            "changed": ["status"],
            "before": {"status": "new"},
            "after": {"status": "contacted"},
        },
        {
            "dataset": "leads",
            "key": "L2",
            "operation": "update",
            "changed": ["phone"],
            "before": {"phone": "+12025550101"},
            "after": {"phone": "+12025550199"},
        },
    ]
    inserted = told.ok("diff", "0", "--limit", "1")
    assert (inserted["total"], len(inserted["items"])) == (2, 1)
    stat = told.ok("diff", "1", "--stat", "--dataset", "leads")
    assert stat["items"][0]["fields"] == {"phone": 1, "status": 1}
    assert told.run("diff", "1", "9").document["error"]["code"] == "unknown-commit"
    assert told.run("diff", "1", "--dataset", "lead").document["error"]["code"] == "unknown-dataset"


def test_the_past_is_cut_as_the_settings_say(told: World) -> None:
    assert told.ok("log", "prune")["removed"] == 0
    config = told.home.config_file.read_text(encoding="utf-8")
    changed = config.replace('#keep = "all"', 'keep = "1 commit"')
    told.home.config_file.write_text(changed, encoding="utf-8")
    told.wait(lambda: told.ok("log", "prune", "--dry-run")["oldest"] == 3)
    assert told.ok("log", "prune")["oldest"] == 3
    assert told.ok("log")["oldest"] == 3
    assert told.rows("--as-of", "3") != told.rows()
    for words in (["rows", "leads", "--as-of", "2"], ["diff", "2", "3"], ["undo", "3"]):
        done = told.run(*words)
        error = done.document["error"]
        assert (done.code, error["code"], "is 3" in error["hint"]) == (1, "history-pruned", True)
    told.ok("undo", "4")
    assert told.ok("conflicts", "list")["total"] == 1


def test_an_undo_is_tried_then_done(told: World) -> None:
    tried = told.ok("undo", "3", "--dry-run")
    assert (tried["commit"], tried["changes"]["updated"], len(told.log())) == (None, 1, 4)
    done = told.ok("undo", "3")
    assert {**tried, "commit": 5, "dry_run": False} == done
    assert [row["status"] for row in told.rows()] == ["new", "new"]
    assert told.run("undo", "3").document["error"]["code"] == "already-undone"


BOTH = "lead_id,name,score\nL1,Ann,1\nL2,Bo,2\n"


def test_an_undo_tells_of_rows_that_other_sources_send_too(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """merge.md A9: they are deleted; a file that says the same as before does not bring them."""
    world.send(write("m1.csv", BOTH), source="s1")
    world.send(write("m2.csv", BOTH), source="s2")
    assert world.ok("undo", "2", "--dry-run")["notices"] == []
    told = [
        (
            "2 rows of leads are deleted although s2 sends them too: they stay deleted when s2 sends"
            " them again as before."
        )
    ]
    assert world.ok("undo", "1", "--dry-run")["notices"] == told
    undone = world.ok("undo", "1")
    assert (undone["changes"]["deleted"], undone["notices"]) == (2, told)
    again = world.send(write("m3.csv", BOTH + "\n"), source="s2")
    assert (again["commit"], again["message"]) == (
        None,
        "Nothing to change: of what s2 sent before, 2 rows are missing here; that stays as it is.",
    )


def test_an_import_without_changes_says_what_the_store_holds_otherwise(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """merge.md 5.2: what a source sent before is no news, whatever became of it here."""
    text = BOTH + "L3,Cy,3\n"
    world.send(write("1.csv", text))
    world.send(write("2.csv", text.replace("Ann", "Anna")))
    text = text.replace("Ann", "Anna")
    same = world.send(write("3.csv", text + "\n"))
    assert same["message"] == "Nothing to change: the store already has what the file says."
    world.ok("edit", "leads", "L1", "name=Annika", "score=9")
    world.ok("bulk", "delete", "leads", "--where", "lead_id = 'L2'")
    again = world.send(write("4.csv", text + "\n\n"))
    assert (again["commit"], again["message"]) == (
        None,
        (
            "Nothing to change: of what crm sent before, 1 row is missing here and 2 values are"
            " different here; that stays as it is."
        ),
    )
    part = world.send(write("5.csv", "lead_id,name,score\nL3,Cy,3\n"))
    assert part["message"] in (
        "Nothing to change: the store already has what the file says.",
        "Nothing to change: where the store differs from the file, the store stands.",
    )
