"""Many records at once, through the real command and daemon (BLK-01..05, API-20..22)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.conftest import World

Write = Callable[[str, str], Path]

LEADS = "lead_id,name,status,score\nL1,Ann,new,10\nL2,Bob,new,90\nL3,Cleo,won,95\n"


def test_a_selection_is_updated_assigned_and_deleted_and_all_of_it_taken_back(
    world: World, write: Write, tmp_path: Path
) -> None:
    world.send(write("leads.csv", LEADS))
    before = world.rows()
    words = ("bulk", "update", "leads", "--where", "score >= '90'", "--set", "status=Won")
    dry = world.ok(*words, "--dry-run")
    done = world.ok(*words)
    assert (dry["commit"], done["commit"]) == (None, 2)
    assert dry["changes"] == done["changes"]
    assert (done["kind"], done["status"], done["dataset"]) == ("bulk", "completed", "leads")
    assert (done["matched"], done["changes"]["updated"], done["changes"]["unchanged"]) == (2, 1, 1)
    world.ok("bulk", "assign", "leads", "--where", "status = 'won'", "--to", "ada@example.org")
    assert [row["assigned_to"] for row in world.rows()] == [None, *["ada@example.org"] * 2]
    chosen = tmp_path / "chosen.csv"
    world.ok("export", "leads", "--to", str(chosen), "--where", "assigned_to IS NOT NULL")
    deleted = world.ok("bulk", "delete", "leads", "--keys", str(chosen), "-m", "sold")
    assert (deleted["matched"], [row["lead_id"] for row in world.rows()]) == (2, ["L1"])
    assert [(item["message"], item["job"]) for item in world.log()[:1]] == [
        ("sold", deleted["job"])
    ]
    for commit in (4, 3, 2):
        world.ok("undo", str(commit))
    assert world.rows() == before


def test_keys_of_several_fields(world: World, write: Write) -> None:
    """BLK-05, as lines of JSON and as the columns of an export."""
    numbers = write("numbers.txt", "(202) 555-0134\n(202) 555-0135\n(202) 555-0136\n")
    world.ok("import", str(numbers), "--dataset", "phone_numbers", "--source", "list")
    update = ("bulk", "update", "phone_numbers", "--set", "carrier=Acme", "--keys")
    lines = write("keys.txt", '["default", "12025550134"]\n\n["default","12025550135"]\n')
    assert world.ok(*update, str(lines))["changes"]["updated"] == 2
    table = write("keys.csv", "phone_number,carrier,project_id\n12025550135,x,default\n")
    assert world.ok(*update, str(table))["changes"]["unchanged"] == 1
    for text in ("12025550134\n", '["12025550134"]\n', "[default]\n"):
        wrong = world.run(*update, str(write("wrong.txt", text)))
        assert (wrong.code, wrong.document["error"]["code"]) == (2, "wrong-key")


def refusal(world: World, *words: str) -> tuple[int, Any]:
    done = world.run("bulk", *words)
    return done.code, done.document["error"]["code"]


def test_what_is_wrong_is_said_at_once_and_changes_nothing(world: World, write: Write) -> None:
    world.send(write("leads.csv", LEADS))
    before, jobs = world.rows(), world.ok("jobs")["items"]
    where = ("--where", "score > 5")
    for words, expected in (
        (("update", "leds", *where, "--set", "status=won"), (1, "unknown-dataset")),
        (("update", "leads", *where, "--set", "status=wno"), (2, "wrong-value")),
        (("update", "leads", *where, "--set", "lead_id=L9"), (2, "key-is-fixed")),
        (("update", "leads", *where, "--set", "scor=1"), (2, "unknown-field")),
        (("update", "leads", *where), (2, "nothing-to-set")),
        (("assign", "leads", *where, "--set", "status=won"), (2, "not-the-assignee")),
        (("delete", "leads", "--where", "scor > 5"), (2, "wrong-expression")),
    ):
        assert refusal(world, *words) == expected
    assert (world.rows(), world.ok("jobs")["items"]) == (before, jobs)


def test_a_failed_change_can_be_tried_again_with_the_same_keys(world: World, write: Write) -> None:
    """VAL-24: one unknown key, and nothing happens; the job keeps its keys."""
    world.send(write("leads.csv", LEADS))
    keys = write("keys.txt", "L1\nL4\n")
    failed = world.run("bulk", "update", "leads", "--keys", str(keys), "--set", "status=lost")
    assert (failed.code, failed.document["error"]["code"]) == (1, "unknown-keys")
    assert failed.document["error"]["detail"] == "L4."
    assert [row["status"] for row in world.rows()] == ["new", "new", "won"]
    world.send(write("more.csv", "lead_id,name\nL4,Dora\n"))
    keys.unlink()
    again = world.ok("jobs", "retry", str(failed.document["job"]))
    assert (again["status"], again["matched"]) == ("completed", 2)
    assert [row["status"] for row in world.rows()] == ["lost", "new", "won", "lost"]
