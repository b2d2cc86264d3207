"""Files whose dataset only their content tells, through the real command (IMF-11)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import World

Write = Callable[[str, str], Path]


def test_a_file_is_found_to_be_of_a_dataset_by_its_columns(world: World, write: Write) -> None:
    path = write("export.csv", "lead_id,name,email\n1,Ann,ann@example.org\n")
    job = world.ok("import", str(path), "--source", "crm")
    assert (job["dataset"], job["changes"]["inserted"], job["commit"]) == ("leads", 1, 1)
    assert "inside" not in job
    again = world.ok("import", str(path), "--source", "crm")
    assert (again["dataset"], again["commit"]) == ("leads", None)
    assert again["message"].startswith("Already imported")
    shown = world.ok("jobs", "show", str(job["job"]))
    assert (shown["dataset"], shown["status"]) == ("leads", "completed")


def test_a_file_that_could_be_anything_says_what_it_holds(world: World, write: Write) -> None:
    failed = world.run("import", str(write("x.csv", "a,b\n1,2\n")))
    error = failed.document["error"]
    assert (failed.code, error["code"]) == (2, "unknown-target")
    assert error["detail"] == "It has these columns: 'a', 'b'."
    assert "--dataset" in error["hint"]
    missing = world.run("import", str(world.home.root / "none.csv"))
    assert missing.document["error"]["code"] == "file-not-found"


def test_a_retry_looks_again(world: World, write: Write) -> None:
    path = write("x.csv", "a,b\n1,2\n")
    world.run("import", str(path))
    write("x.csv", "lead_id,name,email\n1,Ann,ann@example.org\n")
    world.ok("jobs", "retry", "1")
    [job, _] = world.wait_jobs(2)
    assert (job["dataset"], job["status"], job["changes"]["inserted"]) == ("leads", "completed", 1)


def test_a_held_job_keeps_its_dataset_over_a_restart(world: World, write: Write) -> None:
    path = write("export.csv", "lead_id,name,email\n1,Ann,ann@example.org\n")
    held = world.ok("import", str(path), "--hold")
    assert (held["status"], held["dataset"]) == ("waiting", "leads")
    world.ok("daemon", "restart")
    done = world.ok("jobs", "approve", str(held["job"]))
    assert (done["dataset"], done["changes"]["inserted"]) == ("leads", 1)


def test_a_file_of_a_package_is_known_by_its_columns_where_its_name_says_nothing(
    world: World, write: Write
) -> None:
    path = write("export-7.csv", "client_name,email\nAcme,a@example.org\n")
    job = world.ok("import", str(path), "--package", "time_tracking")
    assert [item["dataset"] for item in job["items"]] == ["clients"]
    assert job["items"][0]["changes"]["inserted"] == 1


def test_a_table_that_is_not_there_is_refused(world: World, write: Write) -> None:
    path = write("export.csv", "lead_id,name,email\n1,Ann,ann@example.org\n")
    failed = world.run("import", str(path), "--dataset", "leads", "--inside", "Sheet2")
    assert failed.document["error"]["code"] == "no-such-table"
    assert world.run("import", str(path), "--inside", "x", "--package", "p").code == 2


def test_a_template_is_printed_or_written_with_its_page(world: World, tmp_path: Path) -> None:
    """ITP-01, ITP-02, API-19."""
    shown = world.ok("datasets", "template", "time_entries")
    assert shown["text"].splitlines()[0].startswith("entry_id,project_name,client_name")
    assert (shown["dataset"], shown["format"]) == ("time_entries", "csv")
    done = world.ok("datasets", "template", "leads", "--to", str(tmp_path / "mine.csv"))
    assert (done["file"], done["page_file"]) == (
        str(tmp_path / "mine.csv"),
        str(tmp_path / "mine.md"),
    )
    assert "# Leads" in (tmp_path / "mine.md").read_text(encoding="utf-8")
    job = world.ok("import", str(tmp_path / "mine.csv"), "--dataset", "leads")
    assert job["changes"]["inserted"] == 1
    form = world.ok("datasets", "template", "leads", "--to", str(tmp_path / "form.xlsx"))
    assert (form["format"], form["file"], "page_file" in form) == (
        "xlsx",
        str(tmp_path / "form.xlsx"),
        False,
    )
    again = world.ok("import", form["file"], "--dataset", "leads")
    assert again["rows"]["valid"] == 1
    assert world.run("datasets", "template", "leads", "--format", "xlsx").code == 2
    refused = world.run("datasets", "template", "leads", "--to", str(tmp_path / "no" / "x.csv"))
    assert refused.document["error"]["code"] == "target-unwritable"
    assert world.run("datasets", "template", "lead").document["error"]["code"] == "unknown-dataset"


def test_tables_of_one_dataset_in_an_inbox_are_one_job(world: World, inbox: Path) -> None:
    """Issue 4: rejects and blame name the table, and the reject file goes in again."""
    header = "lead_id,name,status\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("jan.csv", f"{header}1,Ann,new\n")
        archive.writestr("feb.csv", f"{header}2,Bo,gone\n3,Cy,won\n")
    (inbox / "leads.zip").write_bytes(packed.getvalue())
    [job] = world.wait_jobs(1)
    assert (job["tables"], job["rows"]["valid"], job["commit"]) == (["jan.csv", "feb.csv"], 2, 1)
    [item] = world.ok("jobs", "rejects", str(job["job"]))["items"]
    assert (item["inside"], item["line"]) == ("feb.csv", 2)
    name = next(
        item for item in world.ok("blame", "leads", "3")["items"] if item["field"] == "name"
    )
    assert (name["file"].rpartition("::")[2], name["line"]) == ("feb.csv", 3)
    rejects = Path(job["rejects_file"])
    mended = rejects.read_text(encoding="utf-8").replace("Bo,gone", "Bo,lost")
    (inbox / rejects.name).write_text(mended, encoding="utf-8")
    [second, _] = world.wait_jobs(2)
    assert (second["changes"]["inserted"], len(world.rows())) == (1, 3)
