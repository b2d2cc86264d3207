"""Packages through the real command: one file a dataset, one plan, one commit (issue 3)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dataport.engine.exporting.records import sidecar
from tests.e2e.conftest import World

Write = Callable[[str, str], Path]


def test_packages_are_listed_shown_and_checked(world: World) -> None:
    packages = {item["name"]: item for item in world.ok("packages")["items"]}
    assert list(packages) == ["goals", "helpdesk", "phone_campaign", "time_tracking"]
    assert packages["time_tracking"]["datasets"] == ["clients", "projects", "tasks", "time_entries"]
    members = world.ok("packages", "show", "time_tracking")["members"]
    assert members[3]["after"] == ["clients", "projects", "tasks"]
    assert members[0]["files"] == ["clients.*", "clients-*", "customers*"]
    assert world.run("packages", "show", "timetracking").document["error"]["code"] == (
        "unknown-package"
    )
    path = world.home.packages / "time_tracking.toml"
    assert world.ok("packages", "check", str(path))["ok"] is True
    path.write_text(path.read_text().replace('"tasks"', '"task"'), encoding="utf-8")
    broken = world.run("packages", "check", str(path))
    assert (broken.code, broken.document["error"]["hint"]) == (2, "Did you mean 'tasks'?")
    findings = {item["check"]: item for item in world.run("doctor").document["items"]}
    assert findings["package time_tracking"]["state"] == "error"
    assert world.run("inboxes", "add", "hours", "--package", "hours", "--source", "x").code != 0


def hours(world: World) -> Path:
    """The samples of time tracking."""
    return world.home.root / "samples" / "time-tracking"


def test_a_folder_of_samples_goes_in_and_out_as_one(world: World) -> None:
    """IMF-11, REC-18: clients, projects, tasks with sub-tasks, entries; commit, log, undo."""
    world.ok("init", "--sample")
    asked = ("--package", "time_tracking", "--source", "toggl")
    job = world.ok("import", str(hours(world)), *asked)
    assert {item["dataset"]: item["changes"]["inserted"] for item in job["items"]} == {
        "clients": 3,
        "projects": 3,
        "tasks": 4,
        "time_entries": 5,
    }
    assert {(item["job"], item["commit"], item["status"]) for item in job["items"]} == {
        (1, 1, "completed")
    }
    assert (job["package"], job["dataset"], job["changes"]["inserted"]) == (
        "time_tracking",
        None,
        15,
    )
    assert world.ok("import", str(hours(world)), *asked)["commit"] is None
    [commit] = world.log()
    assert commit["datasets"] == ["clients", "projects", "tasks", "time_entries"]
    assert world.ok("rows", "tasks", "--where", "task_name = 'Review'")["total"] == 1
    world.ok("undo", "1")
    assert {item["rows"] for item in world.ok("datasets")["items"]} == {0}


def test_a_plan_of_a_package_is_looked_at_and_decided_about(world: World, write: Write) -> None:
    """PRV-01: one job waits; a row is left out by dataset and key; approving applies the rest."""
    files = [
        str(write("clients.csv", "client_name\nAcme\nNordwind\n")),
        str(write("projects.csv", "project_name,client_name\nShop,Acme\nSite,Nordwind\n")),
    ]
    job = world.ok("import", *files, "--package", "time_tracking", "--hold")
    number = str(job["job"])
    assert (job["status"], len(job["items"])) == ("waiting", 2)
    plan = world.ok("jobs", "plan", number, "--dataset", "projects")
    assert [item["key"] for item in plan["items"]] == ["Shop", "Site"]
    refused = world.run("jobs", "plan", number, "--exclude", "Site").document["error"]
    assert (refused["code"], refused["hint"]) == (
        "dataset-not-named",
        "Name one: clients, projects.",
    )
    plan = world.ok("jobs", "plan", number, "--dataset", "projects", "--exclude", "Site")
    assert plan["counts"]["excluded"] == 1
    done = world.ok("jobs", "approve", number)
    assert (done["commit"], done["excluded"]) == (1, 1)
    assert world.ok("rows", "projects")["total"] == 1


def test_a_file_that_is_of_no_dataset_is_refused_with_the_names(world: World, write: Write) -> None:
    path = write("invoices.csv", "a\n1\n")
    failed = world.run("import", str(path), "--package", "time_tracking")
    assert (failed.code, failed.document["error"]["code"]) == (2, "not-in-package")
    assert "timesheet* (time_entries)" in failed.document["error"]["hint"]


@pytest.fixture
def hours_inbox(world: World) -> Path:
    """An inbox for time tracking of the source toggl."""
    world.ok("init", "--sample")
    asked = ("--package", "time_tracking", "--source", "toggl")
    return Path(world.ok("inboxes", "add", "hours", *asked)["path"])


def test_files_that_are_dropped_together_are_one_job(world: World, hours_inbox: Path) -> None:
    """In whatever order they come; of two for one dataset the later is a job of its own."""
    for name in ("time_entries.csv", "tasks.csv", "clients.csv", "projects.csv"):
        shutil.copy(hours(world) / name, hours_inbox / name)
    (hours_inbox / "clients-2.csv").write_text("client_name\nUmbrella\n", encoding="utf-8")
    (hours_inbox / "readme.txt").write_text("what is this\n", encoding="utf-8")
    jobs = world.wait_jobs(3)
    assert len(jobs) == 3
    done = {len(job.get("items", ())): job for job in jobs}
    assert (done[4]["changes"]["inserted"], done[4]["package"]) == (15, "time_tracking")
    assert done[1]["changes"]["inserted"] == 1
    assert (done[0]["status"], done[0]["error"]["code"]) == ("failed", "not-in-package")
    world.wait(lambda: not [path for path in hours_inbox.iterdir() if path.is_file()])
    assert len(list((hours_inbox / ".done").iterdir())) == 5
    assert [path.name for path in (hours_inbox / ".failed").iterdir()] == ["readme.txt"]


def test_a_dropped_folder_is_one_job_and_leaves_as_a_whole(world: World, hours_inbox: Path) -> None:
    shutil.copytree(hours(world), hours_inbox / "january")
    [job] = world.wait_jobs(1)
    assert (len(job["items"]), job["commit"]) == (4, 1)
    world.wait((hours_inbox / ".done" / "january" / "tasks.csv").is_file)
    assert not (hours_inbox / "january").exists()
    wrong = hours_inbox / "february"
    wrong.mkdir()
    (wrong / "invoices.csv").write_text("a\n1\n", encoding="utf-8")
    [failed, _] = world.wait_jobs(2)
    assert failed["error"]["code"] == "not-in-package"
    (wrong / "invoices.csv").rename(wrong / "clients.csv")
    world.wait(lambda: world.ok("inboxes", "rescan") and len(world.ok("jobs")["items"]) == 3)
    world.wait_jobs(3)
    assert world.ok("inboxes", "rescan")["queued"] == 0


def test_folders_that_can_not_be_taken_hold_nothing_up(world: World, hours_inbox: Path) -> None:
    """One that is empty, and one with a link in it, which no inbox follows."""
    (hours_inbox / "empty").mkdir()
    (hours_inbox / "links").mkdir()
    (hours_inbox / "links" / "clients.csv").symlink_to(hours(world) / "clients.csv")
    shutil.copy(hours(world) / "tasks.csv", hours_inbox / "tasks.csv")
    [job] = world.wait_jobs(1)
    assert [item["dataset"] for item in job["items"]] == ["tasks"]
    assert world.ok("inboxes", "rescan")["queued"] == 0
    assert world.ok("rows", "clients")["total"] == 0


def test_files_that_failed_together_are_tried_again_together(
    world: World, hours_inbox: Path
) -> None:
    """Where they lie by now; the folders for what has left the inbox stay where they are."""
    (hours_inbox / "clients.csv").write_text("client_name\nAcme\n", encoding="utf-8")
    (hours_inbox / "projects.csv").write_bytes(b"%PDF-1.7\x00\x01\x02 no table\n")
    [job] = world.wait_jobs(1)
    aside = hours_inbox / ".failed"
    world.wait(lambda: len(list(aside.iterdir())) == 2)
    assert (job["status"], world.ok("rows", "clients")["total"]) == ("failed", 0)
    (aside / "projects.csv").write_text("project_name,client_name\nShop,Acme\n", encoding="utf-8")
    again = world.ok("jobs", "retry", str(job["job"]))
    assert (again["commit"], again["changes"]["inserted"]) == (1, 2)
    assert sorted(path.name for path in (hours_inbox / ".done").iterdir()) == [
        "clients.csv",
        "projects.csv",
    ]
    assert aside.is_dir()


@pytest.mark.parametrize("delay", [0.0, 0.4, 0.8])
def test_killed_at_any_time_it_is_all_or_nothing(world: World, write: Write, delay: float) -> None:
    """The next daemon finishes the job: one commit with the rows of every file (I4)."""
    clients = "".join(f"c{number}\n" for number in range(4000))
    projects = "".join(f"p{number},c{number}\n" for number in range(4000))
    files = [
        str(write("projects.csv", "project_name,client_name\n" + projects)),
        str(write("clients.csv", "client_name\n" + clients)),
    ]
    pid = world.ok("status")["pid"]
    world.ok("import", *files, "--package", "time_tracking", "--no-wait")
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    [job] = world.wait_jobs(1)
    assert (job["status"], job["commit"], len(world.log())) == ("completed", 1, 1)
    assert {item["dataset"]: item["changes"]["inserted"] for item in job["items"]} == {
        "clients": 4000,
        "projects": 4000,
    }
    assert world.ok("rows", "projects", "--limit", "1")["total"] == 4000


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_exported_package_comes_back_without_changes(
    world: World, tmp_path: Path, kind: str
) -> None:
    """One file a dataset and a datapackage.json; what is edited in a sheet is the only change."""
    world.ok("init", "--sample")
    asked = ("--package", "time_tracking")
    world.ok("import", str(hours(world)), *asked, "--source", "toggl")
    folder = tmp_path / "out"
    done = world.ok("export", *asked, "--to", str(folder), "--format", kind)
    assert (done["file"], done["rows"]["written"], done["package"]) == (
        str(folder),
        17,
        "time_tracking",
    )
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    resources = {each["name"]: each for each in described["resources"]}
    assert list(resources) == ["clients", "projects", "tasks", "time_entries"]
    for each in resources.values():
        assert (folder / each["path"]).is_file()
    assert resources["tasks"]["schema"]["primaryKey"] == ["project_name", "task_name"]
    assert [
        key["reference"]["resource"] for key in resources["tasks"]["schema"]["foreignKeys"]
    ] == [
        "projects",
        "",
    ]
    back = world.ok("import", str(folder), *asked)
    assert (back["commit"], back["changes"]["unchanged"]) == (None, 17)
    assert all("is an export of commit 1" in item["notices"][0] for item in back["items"])
    sheet = folder / f"projects.{kind}"
    text = sheet.read_text(encoding="utf-8")
    sheet.write_text(text.replace("110.5", "111.5"), encoding="utf-8")
    edited = world.ok("import", str(folder), *asked)
    assert (edited["commit"], edited["changes"]["updated"]) == (2, 1)
    world.ok("undo", "1", "--dry-run")


def test_datasets_of_a_package_that_hold_nothing_have_no_file(world: World) -> None:
    """Unless none holds anything: a file without rows can't come back."""
    world.ok("init", "--sample")
    done = world.ok("export", "--package", "time_tracking")
    folder = Path(done["file"])
    assert (folder.parent, done["rows"]["written"]) == (world.home.exports, 0)
    assert (folder / "clients.csv").read_text(encoding="utf-8").startswith("client_name")
    world.ok("import", str(hours(world) / "clients.csv"), "--package", "time_tracking")
    again = ("export", "--package", "time_tracking", "--to", str(folder))
    world.ok(*again)
    (folder / "clients.csv").write_text("client_name\nMine\n", encoding="utf-8")
    refused = world.run(*again)
    assert (refused.code, refused.document["error"]["code"]) == (2, "target-exists")
    world.ok(*again, "--overwrite")
    assert sorted(path.name for path in folder.glob("*.csv")) == ["clients.csv"]
    assert world.ok("import", str(folder), "--package", "time_tracking")["commit"] is None
    wrong = world.run("export", "leads", "--package", "time_tracking")
    assert wrong.code == 2
    assert world.run("export", "--package", "time").document["error"]["code"] == "unknown-package"


def test_a_folder_goes_in_again_beside_its_own_rejects(world: World, tmp_path: Path) -> None:
    """ERR-13: what was rejected of a folder is left out of it, unless it is named itself."""
    folder = tmp_path / "hours"
    folder.mkdir()
    text = "client_name,currency\nAcme,EUR\nUmbrella,euros\n"
    (folder / "clients.csv").write_text(text, encoding="utf-8")
    asked = ("--package", "time_tracking", "--source", "toggl")
    first = world.ok("import", str(folder), *asked)
    rejects = Path(first["items"][0]["rejects_file"])
    assert rejects == folder / "clients.rejects.csv"
    (folder / "clients.csv").write_text(text.replace("Acme,EUR", "Acme,USD"), encoding="utf-8")
    again = world.ok("import", str(folder), *asked)
    assert (again["changes"]["updated"], len(again["items"])) == (1, 1)
    assert [notice.split(":")[0] for notice in again["notices"]] == [
        "clients.rejects.csv is left out"
    ]
    third = world.ok("import", str(folder), *asked)
    assert len(third["notices"]) == 2
    rejects.write_text(rejects.read_text().replace("euros", "EUR"), encoding="utf-8")
    mended = world.ok("import", str(rejects), *asked)
    assert (mended["changes"]["inserted"], mended["notices"]) == (1, [])
    (folder / "clients.csv").unlink()
    (folder / "clients.rejects-2.csv").unlink()
    assert world.ok("import", str(folder), *asked)["items"][0]["file"] == str(rejects)


def test_the_error_of_a_package_names_the_file(world: World, write: Write) -> None:
    clients = write("clients.csv", "client_name\nAcme\n")
    broken = write("projects.csv", "")
    broken.write_bytes(b"%PDF-1.7\x00\x01\x02 no table\n")
    failed = world.run("import", str(clients), str(broken), "--package", "time_tracking")
    assert failed.code == 1
    assert failed.document["error"]["title"].startswith("projects.csv")
    missing = str(clients.with_name("tasks.csv"))
    failed = world.run("import", str(clients), missing, "--package", "time_tracking")
    assert (failed.code, failed.document["error"]["code"]) == (1, "file-not-found")
    assert missing in failed.document["error"]["title"]


def test_a_discarded_plan_has_no_changes(world: World, write: Write) -> None:
    clients = write("clients.csv", "client_name\nAcme\n")
    job = world.ok("import", str(clients), "--package", "time_tracking", "--hold")
    gone = world.ok("jobs", "discard", str(job["job"]))
    none = dict.fromkeys(("inserted", "updated", "deleted", "unchanged", "skipped", "conflicts"), 0)
    assert (gone["status"], gone["changes"], gone["items"][0]["changes"]) == (
        "cancelled",
        none,
        none,
    )


def test_an_exported_package_comes_back_as_one_archive(world: World, tmp_path: Path) -> None:
    """The folder that `export --package` writes, zipped: one job and one commit (IMF-13)."""
    world.ok("init", "--sample")
    asked = ("--package", "time_tracking", "--source", "toggl")
    world.ok("import", str(hours(world)), *asked)
    folder = tmp_path / "out" / "hours"
    folder.parent.mkdir()
    world.ok("export", "--package", "time_tracking", "--to", str(folder))
    archive = shutil.make_archive(str(tmp_path / "hours"), "zip", folder.parent)
    same = world.ok("import", archive, *asked)
    changes = same["changes"]
    assert (changes["unchanged"], changes["inserted"], changes["updated"]) == (17, 0, 0)
    assert (len(same["items"]), same["notices"]) == (4, [])
    clients = folder / "clients.csv"
    header, *rows = clients.read_text(encoding="utf-8").splitlines()
    zeta = "Zeta" + "," * header.count(",")
    clients.write_text("\n".join([header, *rows, zeta, ""]), encoding="utf-8")
    archive = shutil.make_archive(str(tmp_path / "hours-2"), "zip", folder.parent)
    job = world.ok("import", archive, "--package", "time_tracking", "--source", "laptop")
    assert [item["inside"] for item in job["items"]] == [
        f"hours/{name}.csv" for name in ("clients", "projects", "tasks", "time_entries")
    ]
    assert (job["changes"]["inserted"], job["changes"]["updated"]) == (1, 0)
    assert {item["commit"] for item in job["items"]} <= {None, job["commit"]}


def test_a_package_is_exported_as_one_archive(world: World, tmp_path: Path) -> None:
    """EXF-25, EXF-27: `--to NAME.zip`, or `--zip`; an inbox of the package takes it again."""
    world.ok("init", "--sample")
    world.ok("import", str(hours(world)), "--package", "time_tracking", "--source", "toggl")
    archive = tmp_path / "hours.zip"
    done = world.ok("export", "--package", "time_tracking", "--to", str(archive))
    assert (done["file"], done["file_name"], done["zip"]) == (str(archive), "hours.zip", True)
    assert done["file_size"] == archive.stat().st_size
    assert sum(done["included"].values()) == done["rows"]["written"] == 17
    other = tmp_path / "mine.zip"
    other.write_bytes(b"mine")
    assert world.run("export", "--package", "time_tracking", "--to", str(other)).code == 2
    named = world.ok("export", "--package", "time_tracking", "--zip")
    assert named["file_name"] == f"time_tracking-{named['job']}.zip"
    world.ok("inboxes", "add", "back", "--package", "time_tracking", "--source", "toggl")
    for path in (sidecar(archive), archive):
        path.rename(world.home.inboxes / "back" / path.name)
    job = world.wait_jobs(4)[0]
    assert (job["commit"], job["changes"]["unchanged"]) == (None, 17)


def test_a_helpdesk_s_document_goes_in_as_one_job(world: World, tmp_path: Path) -> None:
    """IMF-12, DUP-12: one file, one commit, counts per type, skipped when it comes again, undone as one."""
    ada = {"email": "ada@example.org", "firstName": "Ada", "lastName": "Byron"}
    note = {"id": "n1", "content": "Called", "isInternal": True, "author": ada}
    ticket = {"id": "t1", "title": "Fire", "customFields": {}, "createdBy": ada, "notes": [note]}
    data = {"users": [{"id": "u1", **ada}], "tickets": [ticket], "customFields": []}
    path = tmp_path / "company_export_7.json"
    path.write_text(json.dumps({"exportInfo": {}, "data": data}), encoding="utf-8")
    job = world.ok("import", str(path), "--package", "helpdesk", "--source", "desk")
    assert {
        (item["dataset"], item["inside"], item["changes"]["inserted"]) for item in job["items"]
    } == {
        ("users", "data.users", 1),
        ("tickets", "data.tickets", 1),
        ("ticket_notes", "data.tickets[].notes", 1),
        ("custom_fields", "data.customFields", 0),
    }
    assert {item["job"] for item in job["items"]} == {1}
    [row] = world.ok("rows", "ticket_notes")["rows"]
    assert (row["ticketId"], row["authorEmail"]) == ("t1", "ada@example.org")
    data["tickets"][0]["title"] = "Flood"
    path.write_text(json.dumps({"exportInfo": {}, "data": data}), encoding="utf-8")
    again = world.ok("import", str(path), "--package", "helpdesk", "--source", "desk")
    assert (again["changes"]["skipped"], again["changes"]["updated"]) == (3, 0)
    assert world.ok("rows", "tickets")["rows"][0]["title"] == "Fire"
    world.ok("undo", "1")
    assert {item["rows"] for item in world.ok("datasets")["items"]} == {0}
