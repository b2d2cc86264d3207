"""Files in inboxes, and what becomes of them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import World


def drop(path: Path, inbox: Path) -> Path:
    """Put a finished file into an inbox at once."""
    partial = inbox / f".{path.name}.part"
    shutil.copyfile(path, partial)
    return partial.rename(inbox / path.name)


def test_a_file_is_merged_and_moves_to_done(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    dropped = drop(write("leads.csv", "lead_id,email\nL1,a@example.org\nL2,nope\n"), inbox)
    [job] = world.wait_jobs(1)
    assert (job["status"], job["inbox"], job["source"]) == ("completed", "crm", "crm")
    assert not dropped.exists()
    assert (inbox / ".done" / "leads.csv").exists()
    assert Path(job["rejects_file"]).parent == inbox / ".rejects"
    assert world.ok("status")["waiting"]["rejects"] == 1
    assert [row["lead_id"] for row in world.rows()] == ["L1"]


def test_a_bad_file_moves_to_failed(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    drop(write("bad.json", '[{"lead_id": "1"'), inbox)
    [job] = world.wait_jobs(1)
    assert (job["status"], job["error"]["code"]) == ("failed", "json-error")
    assert (inbox / ".failed" / "bad.json").exists()
    assert world.rows() == []


def test_many_files_are_merged_in_the_order_of_their_age(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    for number in range(12):
        drop(write(f"v{number:02}.csv", f"lead_id,score\nL1,{number}\n"), inbox)
    jobs = world.wait_jobs(12)
    assert {job["status"] for job in jobs} == {"completed"}
    assert world.rows()[0]["score"] == 11
    scores = [v["values"]["score"] for v in world.ok("history", "leads", "L1")["items"]]
    assert scores == list(range(11, -1, -1))


UNEVEN = """lead_id,name,email,status
L1,Ann,ann@example.org,new
L2,Short
L3,Acme, Inc.,info@example.org,new
L4,"Open,o@example.org,new
L5,Two,nope,nwe
"""
FIXED = {"L2": "Bo", "L3": "Acme, Inc.", "L4": "Open", "L5": "Two"}


def test_rejects_come_back_unfixed_and_fixed(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    """ERR-13: what nobody fixed is rejected again; what was fixed goes in and deletes nothing."""
    world.ok("inboxes", "remove", "crm")
    world.ok(*"inboxes add crm --dataset leads --source crm --mode mirror".split())
    drop(write("leads.csv", UNEVEN), inbox)
    [job] = world.wait_jobs(1)
    assert job["rows"] == {"read": 5, "valid": 1, "rejected": 4, "duplicate": 0}

    path = write("back.csv", Path(job["rejects_file"]).read_text(encoding="utf-8"))
    drop(path, inbox)
    again = world.wait_jobs(2)[0]
    assert again["rows"] == {"read": 5, "valid": 0, "rejected": 4, "duplicate": 1}
    assert again["commit"] is None
    assert [row["lead_id"] for row in world.rows()] == ["L1"]

    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            row |= {"name": FIXED[row["lead_id"]], "status": "new", "broken_row": ""}
            writer.writerow(row | {"email": f"{row['lead_id']}@example.org"})
    drop(path, inbox)
    fixed = world.wait_jobs(3)[0]
    assert fixed["rows"] == {"read": 5, "valid": 4, "rejected": 0, "duplicate": 1}
    assert [(row["lead_id"], row["name"]) for row in world.rows()] == [
        ("L1", "Ann"),
        *FIXED.items(),
    ]


def test_what_arrived_while_nobody_watched_is_taken_up(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    world.ok("daemon", "stop")
    drop(write("late.csv", "lead_id,score\nL1,1\n"), inbox)
    world.ok("status")
    world.wait_jobs(1)
    assert len(world.rows()) == 1


def test_the_same_file_again_is_moved_away_and_changes_nothing(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    path = write("leads.csv", "lead_id,score\nL1,1\n")
    drop(path, inbox)
    world.wait_jobs(1)
    drop(path, inbox)
    jobs = world.wait_jobs(2)
    assert "Already imported" in jobs[0]["message"]
    assert sorted(p.name for p in (inbox / ".done").iterdir()) == ["leads-2.csv", "leads.csv"]
    assert len(world.log()) == 1


def test_a_retry_does_what_the_job_was_asked_for(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    """The inbox is gone by now; dataset, source, mode and hold are still the job's."""
    made = ("--dataset", "leads", "--source", "fair", "--mode", "mirror", "--hold")
    world.ok("inboxes", "add", "fair", *made)
    folder = inbox.with_name("fair")
    drop(write("bad.csv", "lead_id\n"), folder)
    [failed] = world.wait_jobs(1)
    assert failed["error"]["code"] == "no-rows"
    world.ok("inboxes", "remove", "fair")
    (folder / ".failed" / "bad.csv").write_text("lead_id,name\nL1,Ann\n", encoding="utf-8")
    again = world.ok("jobs", "retry", str(failed["job"]))
    shown = {name: again[name] for name in ("dataset", "source", "mode", "inbox", "hold")}
    assert shown == {
        "dataset": "leads",
        "source": "fair",
        "mode": "mirror",
        "inbox": "fair",
        "hold": True,
    }
    world.ok("jobs", "approve", str(again["job"]))
    assert [row["lead_id"] for row in world.rows()] == ["L1"]
    assert (folder / ".done" / "bad.csv").exists()


def test_a_directory_fails_once_and_stays(world: World, inbox: Path) -> None:
    """ERR-02: a clear error, a failed job and an untouched store; also after a restart."""
    folder = inbox / "exports"
    folder.mkdir()
    [job] = world.wait_jobs(1)
    assert (job["status"], job["error"]["code"]) == ("failed", "not-a-file")
    assert job["error"]["title"] == f"{folder} is a directory."
    assert "put them into the inbox itself" in job["error"]["hint"]
    (folder / "leads.csv").write_text("lead_id,name\nL1,Ann\n", encoding="utf-8")
    assert world.ok("inboxes", "rescan") == {"queued": 0}
    world.ok("daemon", "restart")
    assert world.ok("inboxes", "rescan") == {"queued": 0}
    assert len(world.ok("jobs")["items"]) == 1
    assert (folder / "leads.csv").exists()
    assert world.rows() == []
