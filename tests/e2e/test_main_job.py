"""The main job, as a person with a terminal does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import World

FIRST = """lead_id,name,email,phone,status,score,notes
L1,Zoë Åström,zoe@example.org,(202) 555-0134,new,10,"two
lines"
L2,山田太郎,taro@example.org,202-555-0101,new,20,
L3,Bad Mail,nope,2025550102,new,30,
L4,Łukasz Wójcik,lukasz@example.org,12025550103,won,140,
L2,Again,again@example.org,2025550104,new,40,
"""
SECOND = FIRST.replace("new,10", "contacted,10").replace("555-0101", "555-0199")


def test_a_file_is_checked_and_merged(world: World, write: Callable[[str, str], Path]) -> None:
    """ERR-01, ERR-05, DUP-01, VAL-01..05: counts, lines, canonical phones."""
    path = write("leads.csv", FIRST)
    job = world.send(path)
    assert job["rows"] == {"read": 5, "valid": 2, "rejected": 2, "duplicate": 1}
    assert job["changes"]["inserted"] == 2
    assert (job["kind"], job["status"], job["commit"]) == ("import", "completed", 1)
    rejects = world.ok("jobs", "rejects", str(job["job"]))["items"]
    assert [(r["line"], r["row"], r["field"], r["class"]) for r in rejects] == [
        (5, 3, "email", "error"),
        (6, 4, "score", "error"),
        (7, 5, None, "duplicate"),
    ]
    assert [(row["lead_id"], row["phone"]) for row in world.rows()] == [
        ("L1", "+12025550134"),
        ("L2", "+12025550101"),
    ]
    assert world.rows()[0]["notes"] == "two\nlines"


def test_a_rejects_file_is_fixed_and_dropped_back(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """ERR-13: the fixed rows re-import as the same source."""
    job = world.send(write("leads.csv", FIRST))
    rejects = Path(job["rejects_file"])
    assert rejects.parent == Path(job["file"]).parent
    text = rejects.read_text(encoding="utf-8")
    assert text.startswith("line,row,field,code,message,value,lead_id,name,email")
    fixed = text.replace("nope,2025550102", "ok@example.org,2025550102").replace(
        "won,140", "won,90"
    )
    rejects.write_text(fixed, encoding="utf-8")
    again = world.send(rejects)
    assert again["changes"]["inserted"] == 2
    assert [row["lead_id"] for row in world.rows()] == ["L1", "L2", "L3", "L4"]


def test_the_same_bytes_again_do_nothing_and_say_so(
    world: World, write: Callable[[str, str], Path]
) -> None:
    path = write("leads.csv", FIRST)
    world.send(path)
    again = world.send(path)
    assert (again["status"], again["commit"]) == ("completed", None)
    assert "Already imported" in again["message"]
    assert len(world.log()) == 1


def test_the_same_rows_in_other_bytes_are_no_commit(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """Design section 12: `commit` is null when nothing changed (merge.md A5, A6)."""
    world.send(write("leads.csv", "lead_id,name\nL1,Ann\nL2,Bob\n"))
    again = world.send(write("turned.csv", "name;lead_id\r\nBob;L2\r\nAnn;L1\r\n"))
    assert (again["status"], again["commit"], again["rows"]["valid"]) == ("completed", None, 2)
    assert "Nothing to change" in again["message"]
    assert len(world.log()) == 1


def test_what_a_source_sent_is_recorded_by_a_commit_also_where_no_row_changes(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """docs/merging.md: every change is a commit, and what a source sent last is one."""
    world.send(write("leads.csv", FIRST))
    job = world.send(write("fair.csv", FIRST), source="fair")
    assert (job["commit"], job["changes"]["unchanged"]) == (2, 2)
    assert sum(job["changes"].values()) == 2
    assert job["message"] == (
        "Import fair.csv from fair: no row changes, but what it sent is remembered"
    )
    assert world.log()[0]["message"] == job["message"]
    newer = world.send(write("newer.csv", SECOND), source="fair")
    assert (newer["changes"]["updated"], newer["changes"]["conflicts"]) == (2, 0)


def test_an_older_file_that_comes_back_is_news_again(
    world: World, write: Callable[[str, str], Path]
) -> None:
    first, second = write("1.csv", FIRST), write("2.csv", SECOND)
    world.send(first)
    world.send(second)
    assert world.send(first)["changes"]["updated"] == 2
    assert world.rows()[0]["status"] == "new"


def test_edits_survive_and_contradictions_wait(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """CON-01, CON-02: three-way, per field."""
    world.send(write("leads.csv", FIRST))
    edited = world.ok("edit", "leads", "L2", "phone=202 555 0177", "score=21")
    assert edited["commit"] == 2
    job = world.send(write("newer.csv", SECOND))
    assert (job["changes"]["updated"], job["changes"]["conflicts"]) == (1, 1)
    [conflict] = world.ok("conflicts", "list")["items"]
    assert {
        key: conflict[key] for key in ("dataset", "key", "field", "base", "ours", "theirs")
    } == {
        "dataset": "leads",
        "key": "L2",
        "field": "phone",
        "base": "+12025550101",
        "ours": "+12025550177",
        "theirs": "+12025550199",
    }
    assert (conflict["source"], conflict["job"], conflict["line"], conflict["status"]) == (
        "crm",
        job["job"],
        4,
        "open",
    )
    world.ok("conflicts", "resolve", str(conflict["id"]), "--take", "theirs")
    assert world.ok("conflicts", "list")["items"] == []
    assert (world.rows()[1]["phone"], world.rows()[1]["score"]) == ("+12025550199", 21)


def test_history_as_of_and_undo(world: World, write: Callable[[str, str], Path]) -> None:
    """HIS-12: what was, and back again."""
    world.send(write("leads.csv", FIRST))
    world.send(write("newer.csv", SECOND))
    versions = world.ok("history", "leads", "L1")["items"]
    assert [(v["commit"], v["operation"], v["values"]["status"]) for v in versions] == [
        (2, "update", "contacted"),
        (1, "insert", "new"),
    ]
    assert world.rows("--as-of", "1")[0]["status"] == "new"
    undone = world.ok("undo", "2")
    assert undone["commit"] == 3
    assert world.rows()[0]["status"] == "new"
    assert [(c["commit"], c["source"]) for c in world.log()] == [(3, None), (2, "crm"), (1, "crm")]
    assert world.send(write("newer.csv", SECOND))["changes"]["updated"] == 2


def test_a_dry_run_changes_nothing(world: World, write: Callable[[str, str], Path]) -> None:
    """PRV-01, PRV-03."""
    world.send(write("leads.csv", FIRST))
    job = world.send(write("newer.csv", SECOND), "--dry-run")
    assert (job["changes"]["updated"], job["commit"]) == (2, None)
    items = world.ok("jobs", "plan", str(job["job"]))["items"]
    assert [(item["key"], item["operation"], item["changed"]) for item in items] == [
        ("L1", "update", ["status"]),
        ("L2", "update", ["phone"]),
    ]
    assert (items[0]["before"]["status"], items[0]["after"]["status"]) == ("new", "contacted")
    assert len(world.log()) == 1


def test_a_held_import_waits_for_approval(world: World, write: Callable[[str, str], Path]) -> None:
    world.send(write("leads.csv", FIRST))
    job = world.send(write("newer.csv", SECOND), "--hold")
    assert (job["status"], job["commit"]) == ("waiting", None)
    assert world.ok("status")["waiting"]["approvals"] == 1
    approved = world.ok("jobs", "approve", str(job["job"]))
    assert approved["status"] == "completed"
    assert approved["commit"] == 2


def test_a_plan_whose_store_moved_on_is_made_again(
    world: World, write: Callable[[str, str], Path]
) -> None:
    world.send(write("leads.csv", FIRST))
    job = world.send(write("newer.csv", SECOND), "--hold")
    world.ok("edit", "leads", "L2", "phone=202 555 0199")
    again = world.ok("jobs", "approve", str(job["job"]))
    assert (again["status"], again["changes"]["updated"]) == ("waiting", 1)
    assert "moved on" in again["message"]
    assert world.ok("jobs", "discard", str(job["job"]))["status"] == "cancelled"
    assert world.rows()[0]["status"] == "new"


def test_a_replace_that_would_destroy_waits(
    world: World, write: Callable[[str, str], Path]
) -> None:
    world.send(write("leads.csv", FIRST))
    job = world.send(write("less.csv", "lead_id,name\nL2,Taro\n"), "--mode", "replace")
    assert (job["status"], job["changes"]["deleted"]) == ("waiting", 1)
    assert world.ok("jobs", "approve", str(job["job"]))["changes"]["deleted"] == 1
    assert [row["lead_id"] for row in world.rows()] == ["L2"]


def test_another_source_matches_by_mail(world: World, write: Callable[[str, str], Path]) -> None:
    """V-01: rows without an id are matched by e-mail, then phone, else get a derived id."""
    world.send(write("leads.csv", FIRST))
    fair = "E-mail Address;Telephone;Organization\nZOE@example.org;;Nordwind\n;202-555-0101;Sakura\nnew@example.org;;Neu\n"
    job = world.send(write("fair.csv", fair), source="fair")
    assert (job["changes"]["updated"], job["changes"]["inserted"]) == (2, 1)
    rows = {row["lead_id"]: row["company"] for row in world.rows()}
    assert (rows.pop("L1"), rows.pop("L2")) == ("Nordwind", "Sakura")
    [(derived, company)] = rows.items()
    assert (derived[0], company) == ("~", "Neu")


def test_an_export_comes_back_without_a_change(
    world: World, write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """A12, TST-04, EXF-02, EXF-04: the round trip is the identity."""
    text = FIRST + "L9,=cmd|' /C calc'!A0,nine@example.org,+44 20 7946 0018,new,5,'=quoted\n"
    world.send(write("leads.csv", text))
    before = world.rows()
    for form in ("csv", "json"):
        target = tmp_path / f"out.{form}"
        done = world.ok("export", "leads", "--format", form, "--to", str(target))
        assert (done["status"], done["file"]) == ("completed", str(target))
        again = world.send(target)
        assert (again["changes"]["updated"], again["changes"]["conflicts"]) == (0, 0)
        assert world.rows() == before
    assert "'=cmd" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_rows_are_filtered_sorted_and_cut(world: World, write: Callable[[str, str], Path]) -> None:
    world.send(write("leads.csv", FIRST))
    found = world.ok("rows", "leads", "--where", "score > 5", "--sort", "-score", "--limit", "1")
    assert (found["dataset"], found["total"]) == ("leads", 2)
    assert [row["lead_id"] for row in found["rows"]] == ["L2"]
    refused = world.run("rows", "leads", "--where", "name = 'Zoë' AND scor > 5")
    assert (refused.code, refused.document["error"]["code"]) == (2, "wrong-expression")
    said, shown, caret = refused.document["error"]["detail"].split("\n")
    assert said == "There is no field 'scor'; did you mean 'score'? At character 18:"
    assert shown[caret.index("^") :] == "scor > 5"


def test_phone_lists_need_no_header(world: World, write: Callable[[str, str], Path]) -> None:
    """IMF-03..06, V-14, VAL-05: one number a line, or a CSV with and without a header."""
    texts = {
        "list.txt": "(555) 123-4567\n555-123-4568\nnonsense\n",
        "bare.csv": "5551234569,Example Mobile,mobile\n15551234570,,\n",
        "header.csv": "phone_number,carrier\n555 123 4571,Other\n",
    }
    for name, text in texts.items():
        world.ok("import", str(write(name, text)), "--dataset", "phone_numbers", "--source", name)
    rows = world.ok("rows", "phone_numbers", "--sort", "phone_number")["rows"]
    assert [row["phone_number"] for row in rows] == [f"1555123{n}" for n in range(4567, 4572)]
    assert (rows[2]["carrier"], rows[2]["project_id"]) == ("Example Mobile", "default")
    key = '["default", "15551234569"]'
    assert world.ok("history", "phone_numbers", key)["items"][0]["values"]["type"] == "mobile"
