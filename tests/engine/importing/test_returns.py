"""Exports that come back edited (design section 8: their base is the store as of their commit)."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataport.core.errors import UsageError
from dataport.core.paths import Home
from dataport.core.settings import PolicyRule, Settings
from dataport.core.words import JobKind, Mode, Origin
from dataport.engine.conflicts import ConflictFilter, list_conflicts
from dataport.engine.engine import Engine
from dataport.engine.exporting.records import sidecar
from dataport.engine.jobs import Job
from dataport.engine.requests import ExportRequest, ImportRequest
from dataport.engine.retention import Cut, prune

Row = dict[str, str]
FIRST = """lead_id,name,email,score,tags
L1,Ann,ann@example.org,10,"a,b"
L2,Bob,bob@example.org,20,
L3,Cid,,,
L4,Dee,dee@example.org,40,
"""


class Office:
    """A home whose leads a CRM sent, and a person with a spreadsheet."""

    def __init__(self, home: Home, settings: Settings | None = None) -> None:
        self.engine = Engine.open(home, settings or Settings())
        self.desk = home.root / "desk"
        self.desk.mkdir(exist_ok=True)
        self.author = self.engine.author(Origin.CLI)

    def send(self, path: Path, **asked: Any) -> Job:
        """Import a file of leads, as the daemon would."""
        request = ImportRequest(path=str(path), dataset="leads", **asked)
        request = self.engine.imports.complete(request)
        job = self.engine.jobs.create(JobKind.IMPORT, request)
        self.merge(job, is_approved=False)
        return job

    def merge(self, job: Job, *, is_approved: bool) -> None:
        """Read the job's file, or what was read of it, and merge."""
        imports = self.engine.imports
        target = imports.prepare(job)
        staged = imports.stage(job, target, lambda *_: None)
        if staged is None:
            imports.note_known_file(job, target)
            return
        imports.merge(
            job,
            target,
            staged,
            self.author,
            lambda *_: None,
            is_approved=is_approved,
            on_cursor=lambda _: None,
        )

    def crm(self, text: str, **asked: Any) -> Job:
        path = self.desk / "crm.csv"
        path.write_text(text, encoding="utf-8")
        return self.send(path, source="crm", **asked)

    def export(self, **asked: Any) -> Path:
        """Export leads to the desk; the new file."""
        request = ExportRequest(
            datasets=("leads",), **{"to": str(self.desk / "sheet.csv"), **asked}
        )
        job = self.engine.jobs.create(JobKind.EXPORT, request)
        self.engine.exports.run(job, self.author, lambda *_: None, lambda _: None)
        return Path(job.file or "")

    def edit(self, key: str, **values: Any) -> None:
        self.engine.edit("leads", key, values, self.author)

    def row(self, key: str) -> dict[str, Any]:
        return next(row for row in self.rows() if row["lead_id"] == key)

    def rows(self) -> list[dict[str, Any]]:
        document = json.loads(self.engine.rows(self.engine.selection("leads", sort=("lead_id",))))
        rows: list[dict[str, Any]] = document["rows"]
        return rows

    def keys(self) -> list[str]:
        return [row["lead_id"] for row in self.rows()]

    def conflicts(self) -> list[dict[str, Any]]:
        """The open ones."""
        with self.engine.store.reading() as cursor:
            found = list_conflicts(cursor, self.engine.datasets, ConflictFilter())
        items: list[dict[str, Any]] = found["items"]
        return items


@pytest.fixture
def office(home: Home) -> Iterator[Office]:
    office = Office(home)
    office.crm(FIRST)
    yield office
    office.engine.close()


def change(path: Path, edit: Callable[[list[Row]], list[Row] | None]) -> Path:
    """Save a CSV file again, as a person with a spreadsheet does."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = list(rows[0])
    rows = edit(rows) or rows
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def put(key: str, **values: str) -> Callable[[list[Row]], None]:
    def edit(rows: list[Row]) -> None:
        next(row for row in rows if row["lead_id"] == key).update(values)

    return edit


def test_edits_of_the_sheet_and_of_the_store_both_survive(office: Office) -> None:
    """The store changed other cells meanwhile, of the same row and of another."""
    sheet = office.export()
    office.edit("L1", email="new@example.org")
    office.edit("L2", name="Bobby")
    job = office.send(change(sheet, put("L1", name="Anna")), source="manual")
    assert (job.source, job.commit) == ("export:2", 4)
    assert job.notices == [
        "This file is an export of commit 1, edited: it is compared with the store as of then."
    ]
    assert (job.changes or {})["updated"] == 1
    assert [office.row("L1")[name] for name in ("name", "email")] == ["Anna", "new@example.org"]
    assert office.row("L2")["name"] == "Bobby"
    assert office.conflicts() == []


def test_the_same_cell_is_a_conflict_of_the_export(office: Office) -> None:
    sheet = office.export()
    office.edit("L1", name="Store")
    job = office.send(change(sheet, put("L1", name="Sheet")), source="manual")
    assert (job.changes or {})["conflicts"] == 1
    (item,) = office.conflicts()
    assert [item[side] for side in ("base", "ours", "theirs")] == ["Ann", "Store", "Sheet"]
    assert item["source"] == "export:2"
    assert office.row("L1")["name"] == "Store"


def test_a_decided_conflict_is_not_asked_about_again(office: Office) -> None:
    """The sheet goes on to be edited: what it said before is its base now."""
    sheet = office.export()
    office.edit("L1", name="Store")
    office.send(change(sheet, put("L1", name="Sheet")))
    office.edit("L1", name="Sheet")
    office.edit("L1", name="Store again")
    job = office.send(change(sheet, put("L2", name="Bo")))
    assert (office.row("L1")["name"], office.row("L2")["name"]) == ("Store again", "Bo")
    assert (job.changes or {})["conflicts"] == 0


def test_an_export_that_comes_back_as_it_was_changes_nothing(office: Office) -> None:
    """A12, though the store has changed since: the sheet says nothing about that."""
    sheet = office.export()
    office.edit("L1", name="Later")
    job = office.send(sheet, source="crm")
    assert job.commit is None
    assert job.notices == ["This file is an export of commit 1, as it was written."]
    assert office.row("L1")["name"] == "Later"
    assert "Already imported" in office.send(sheet, source="crm").message


def test_a_json_export_comes_back(office: Office) -> None:
    path = office.export(format="json", to=str(office.desk / "sheet.json"))
    office.edit("L1", email="new@example.org")
    rows = json.loads(path.read_text(encoding="utf-8"))
    rows[0]["name"] = "Anna"
    path.write_text(json.dumps(rows), encoding="utf-8")
    office.send(path)
    assert [office.row("L1")[name] for name in ("name", "email")] == ["Anna", "new@example.org"]


def test_a_row_removed_in_the_sheet_means_nothing_in_merge_mode(office: Office) -> None:
    sheet = office.export()
    office.send(change(sheet, lambda rows: rows[1:]))
    assert office.keys() == ["L1", "L2", "L3", "L4"]


def test_a_mirror_deletes_exported_rows_only(office: Office) -> None:
    """Rows that the filter left out and rows that came later stay, though a CRM sent them all."""
    sheet = office.export(where="score >= 20")
    office.crm(FIRST + "L5,Eve,eve@example.org,50,\n")
    job = office.send(change(sheet, lambda rows: rows[1:]), mode=Mode.MIRROR)
    assert (job.changes or {})["deleted"] == 1
    assert office.keys() == ["L1", "L3", "L4", "L5"]
    # The CRM only repeats itself: the row stays deleted.
    office.crm(FIRST.replace("Dee", "Di"))
    assert (office.keys(), office.row("L4")["name"]) == (["L1", "L3", "L4", "L5"], "Di")


def test_a_mirror_asks_about_a_removed_row_that_was_edited_here(office: Office) -> None:
    sheet = office.export()
    office.edit("L1", name="Later")
    job = office.send(change(sheet, lambda rows: rows[1:]), mode=Mode.MIRROR)
    assert (job.changes or {})["deleted"] == 0
    assert [(item["key"], item["field"]) for item in office.conflicts()] == [("L1", None)]


def test_a_new_row_in_the_sheet_is_inserted(office: Office) -> None:
    sheet = office.export(fields=("lead_id", "name"))
    office.send(change(sheet, lambda rows: [*rows, {"lead_id": "L9", "name": "New"}]))
    assert office.row("L9")["name"] == "New"


def test_only_exported_fields_are_compared(office: Office) -> None:
    """A column that the person added is news: it fills what is empty and contradicts the rest."""
    sheet = office.export(fields=("lead_id", "name"))
    office.edit("L1", email="new@example.org")
    sheet.write_text(
        "lead_id,name,email\nL1,Anna,typed@example.org\nL2,Bob,\nL3,Cid,cid@example.org\nL4,Dee,\n"
    )
    office.send(sheet)
    assert [office.row("L1")[name] for name in ("name", "email")] == ["Anna", "new@example.org"]
    assert office.row("L3")["email"] == "cid@example.org"
    assert office.row("L2")["email"] == "bob@example.org"
    assert [(item["key"], item["field"]) for item in office.conflicts()] == [("L1", "email")]


def test_an_export_of_an_earlier_commit_is_compared_with_that(office: Office) -> None:
    office.edit("L1", name="Later")
    sheet = office.export(as_of="1")
    job = office.send(change(sheet, put("L2", name="Bo")))
    assert (office.row("L1")["name"], office.row("L2")["name"]) == ("Later", "Bo")
    assert "export of commit 1" in job.notices[0]


def test_what_a_source_sent_last_is_not_touched(office: Office) -> None:
    """The CRM's next file meets the person's edit as an edit, not as what the CRM said."""
    sheet = office.export()
    office.send(change(sheet, put("L1", name="Anna")), source="crm")
    assert (office.crm(FIRST).commit, office.row("L1")["name"]) == (None, "Anna")
    office.crm(FIRST.replace("Ann,", "Annie,"))
    (item,) = office.conflicts()
    assert [item[side] for side in ("base", "ours", "theirs")] == ["Ann", "Anna", "Annie"]


def test_a_source_still_decides_about_its_own_rows(office: Office) -> None:
    """A row that an export once touched is no less gone when the CRM drops it."""
    sheet = office.export()
    office.send(change(sheet, put("L1", name="Anna")))
    office.edit("L1", name="Ann")
    office.crm(FIRST.replace("L1,", "L7,"), mode=Mode.MIRROR)
    assert office.keys() == ["L2", "L3", "L4", "L7"]


def test_undoing_a_return_lets_the_sheet_come_back(office: Office) -> None:
    sheet = office.export()
    job = office.send(change(sheet, put("L1", name="Anna")))
    assert job.commit is not None
    office.engine.timeline.undo(job.commit, office.author)
    assert office.row("L1")["name"] == "Ann"
    office.send(sheet)
    assert office.row("L1")["name"] == "Anna"


def test_policies_of_exports_are_those_of_the_source_export(home: Home) -> None:
    rule = PolicyRule(dataset="leads", source="export", field="name", merge="file")
    office = Office(home, Settings(policies=(rule,)))
    office.crm(FIRST)
    sheet = office.export()
    office.edit("L1", name="Store")
    office.send(change(sheet, put("L1", name="Sheet")))
    assert (office.row("L1")["name"], office.conflicts()) == ("Sheet", [])
    office.engine.close()


def test_a_held_return_is_planned_and_applied_against_its_commit(office: Office) -> None:
    """Approved after the store has changed another cell: both survive."""
    sheet = office.export()
    job = office.send(change(sheet, put("L1", name="Anna")), source="manual", hold=True)
    assert (job.status, job.source) == ("waiting", "export:2")
    office.edit("L1", email="new@example.org")
    kept = office.engine.jobs.get(job.job)
    for _ in range(2):
        # The store has moved on since: the first word only makes the plan again.
        office.merge(kept, is_approved=True)
    assert (kept.status, kept.source) == ("completed", "export:2")
    assert [office.row("L1")[name] for name in ("name", "email")] == ["Anna", "new@example.org"]


# -- recognition -------------------------------------------------------------------------------


def test_a_sheet_is_known_by_its_name(office: Office) -> None:
    """As an export names it, also where a spreadsheet or browser has added to that."""
    sheet = office.export(to=None)
    assert sheet.name == "leads-2.csv"
    moved = office.desk / "leads-2 (1).csv"
    shutil.copyfile(change(sheet, put("L1", name="Anna")), moved)
    assert office.send(moved, source="crm").source == "export:2"


def test_a_renamed_sheet_is_known_by_its_columns_and_keys(office: Office) -> None:
    """Of two exports of the same rows it is the one it differs least from."""
    sheet = office.export()
    kept = sheet.rename(office.desk / "from Ann.csv")
    office.edit("L1", name="Later")
    office.export()
    change(kept, put("L2", name="Bo"))
    job = office.send(kept, source="manual")
    assert job.source == "export:2"
    assert (office.row("L1")["name"], office.row("L2")["name"]) == ("Later", "Bo")


def test_the_next_file_of_a_source_is_no_export(office: Office) -> None:
    """Though it has the columns and keys of one, and a file of that name was exported."""
    sheet = office.export()
    again = office.desk / "again.csv"
    shutil.copyfile(sheet, again)
    job = office.send(change(again, put("L1", name="Anna")), source="crm")
    assert (job.source, job.notices) == ("crm", [])


def test_another_file_under_the_name_of_an_export_is_no_export(office: Office) -> None:
    sheet = office.export()
    sheet.write_text("lead_id,name\nX1,Xan\nX2,Xia\nL1,Ann\n")
    assert office.send(sheet, source="crm").source == "crm"


def test_a_sheet_can_be_taken_for_a_file_like_any(office: Office) -> None:
    sheet = office.export()
    office.edit("L1", name="Later")
    job = office.send(change(sheet, put("L1", name="Anna")), source="crm", base="none")
    assert (job.source, job.notices) == ("crm", [])
    assert [item["source"] for item in office.conflicts()] == ["crm"]


def test_a_sheet_whose_commit_was_dropped_is_a_file_like_any(office: Office) -> None:
    sheet = office.export()
    office.edit("L1", name="Later")
    prune(office.engine.store, Cut(before="2"), office.author, "UTC")
    job = office.send(change(sheet, put("L2", name="Bo")), source="manual")
    assert job.source == "manual"
    (notice,) = job.notices
    assert "export of commit 1, but the store as of then is no longer kept" in notice
    assert {item["source"] for item in office.conflicts()} == {"manual"}


def test_an_export_without_the_key_leaves_no_trace(office: Office) -> None:
    """Its rows could not be told again."""
    sheet = office.export(fields=("name", "email"))
    assert not sidecar(sheet).exists()


def test_the_record_beside_the_file_says_what_was_exported(office: Office) -> None:
    sheet = office.export(fields=("lead_id", "name"), where="score >= 20")
    record = json.loads(sidecar(sheet).read_text(encoding="utf-8"))
    assert [record[name] for name in ("export", "dataset", "commit", "rows")] == [2, "leads", 1, 2]
    assert record["fields"] == ["lead_id", "name"]
    assert record["filter"] == {"where": "score >= 20"}


def test_no_source_takes_the_name_of_an_export(office: Office) -> None:
    with pytest.raises(UsageError, match="name of an export"):
        office.send(office.desk / "crm.csv", source="export:2")
