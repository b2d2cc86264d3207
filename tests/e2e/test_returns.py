"""The spreadsheet round trip, as a person with a terminal and an inbox does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dataport.engine.exporting.records import sidecar
from tests.e2e.conftest import World

FIRST = "lead_id,name,email\nL1,Ann,ann@example.org\nL2,Bob,bob@example.org\n"


def test_an_edited_export_comes_back_through_an_inbox(
    world: World, write: Callable[[str, str], Path], inbox: Path, tmp_path: Path
) -> None:
    """Design section 8: what changed in the store meanwhile is not taken back.

    The record beside the sheet goes where the sheet goes, and is no file to import.
    """
    world.send(write("leads.csv", FIRST))
    sheet = tmp_path / "sheet.csv"
    world.ok("export", "leads", "--to", str(sheet), "--fields", "lead_id,name,email")
    world.ok("edit", "leads", "L1", "email=new@example.org")
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("Ann", "Anna"), encoding="utf-8")
    sidecar(sheet).rename(inbox / sidecar(sheet).name)
    sheet.rename(inbox / sheet.name)
    job = world.wait_jobs(3)[0]
    assert (job["source"], job["changes"]["updated"]) == ("export:2", 1)
    assert "export of commit 1, edited" in job["notices"][0]
    assert [world.rows()[0][name] for name in ("name", "email")] == ["Anna", "new@example.org"]
    done = sorted(path.name for path in (inbox / ".done").iterdir())
    assert done == ["sheet.csv", "sheet.csv.dataport.json"]
    again = world.send(inbox / ".done" / "sheet.csv", "--base", "none")
    assert (again["source"], again["notices"]) == ("crm", [])


def test_a_file_is_compared_with_the_store_as_of_a_commit(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """`import --base COMMIT`: edits made since survive, and a commit that is not there is named."""
    world.send(write("leads.csv", FIRST))
    world.ok("edit", "leads", "L1", "email=new@example.org")
    sheet = write("list.csv", FIRST.replace("Ann,", "Anna,"))
    job = world.send(sheet, "--base", "1")
    assert (job["source"], job["changes"]["updated"]) == ("export:@1", 1)
    assert [world.rows()[0][name] for name in ("name", "email")] == ["Anna", "new@example.org"]
    refused = world.run("import", str(sheet), "--dataset", "leads", "--base", "99")
    assert refused.document["error"]["code"] == "unknown-commit"


def test_a_workbook_is_known_under_any_name(
    world: World, write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """The format follows from --to; the mark in the file is all that tells what it is."""
    world.send(write("leads.csv", FIRST))
    sheet = tmp_path / "sheet.xlsx"
    done = world.ok("export", "leads", "--to", str(sheet), "--fields", "lead_id,name,email")
    assert (done["file"], done["rows"]) == (str(sheet), {"written": 2})
    sidecar(sheet).unlink()
    world.ok("edit", "leads", "L1", "email=new@example.org")
    job = world.send(sheet.rename(tmp_path / "from my desk.xlsx"))
    assert (job["source"], job["commit"]) == ("export:2", None)
    assert "export of commit 1, as it was written" in job["notices"][0]
    assert world.rows()[0]["email"] == "new@example.org"
    refused = world.run("export", "leads", "--format", "pdf")
    assert (refused.code, "pdf" in refused.document["error"]["title"]) == (2, True)
