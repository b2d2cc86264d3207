"""Other programs' files, told by their headers: the samples beside the checkout (SRC-01..04).

Every file is imported without being told what it is, gives the expected rows where an expectation
lies beside it, and changes nothing when it comes again under another name.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World, counts

SOURCES = Path(__file__).resolve().parents[3] / "shared" / "sources"

if not SOURCES.is_dir():
    pytest.skip(f"the samples are not at {SOURCES}", allow_module_level=True)


def take(world: World, path: Path, tmp_path: Path, *words: str) -> Any:
    """Import a sample, and then with one more blank line, which must change nothing.

    A copy of it: what an import rejects it lays beside its file.
    """
    copy = tmp_path / path.name
    shutil.copyfile(path, copy)
    job = world.ok("import", str(copy), *words)
    with copy.open("ab") as file:
        file.write(b"\r\n" if b"\r\n" in path.read_bytes() else b"\n")
    second = world.ok("import", str(copy), *words)
    assert (second.get("mapping"), second["commit"]) == (job.get("mapping"), None), second
    assert second["rows"] == job["rows"]
    return job


def test_toggl_classic_gives_exactly_the_expected_rows(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "toggl" / "detailed_classic.csv", tmp_path)
    assert counts(job) == ("toggl_classic", "toggl", 5, 0)
    expected = json.loads((SOURCES / "toggl" / "expected_time_entries.json").read_bytes())
    [wanted] = expected.values()
    found = {row["start_time"]: row for row in clean.ok("rows", "time_entries")["rows"]}
    for row in wanted:
        got = found[row["start_time"]]
        # A list without items is none; a client that is not told is the project (V-03).
        same = {name: got[name] for name in row} | {"tags": got["tags"] or []}
        same["duration_hours"] = float(got["duration_hours"])
        assert same == row


def test_toggl_with_dashes_for_nothing(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "toggl" / "detailed_new.csv", tmp_path)
    assert counts(job) == ("toggl", "toggl", 5, 0)
    found = {row["notes"]: row for row in clean.ok("rows", "time_entries")["rows"]}
    assert float(found["Migration"]["duration_hours"]) == 26.25
    assert found['Review "thing"']["project_name"] is None
    running = found["Running entry"]
    assert (running["end_time"], running["duration_hours"]) == (None, None)
    assert found["Redesign, v2"]["tags"] == ["design", "café"]
    assert found["Redesign, v2"]["start_time"] == "2026-09-07T10:00:00Z"


def test_harvest_has_days_and_hours(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "harvest" / "detailed_en.csv", tmp_path)
    assert counts(job) == ("harvest", "harvest", 3, 0)
    found = sorted(float(row["duration_hours"]) for row in clean.ok("rows", "time_entries")["rows"])
    assert found == [0.25, 1.5, 26.0]
    assert {row["end_time"] for row in clean.ok("rows", "time_entries")["rows"]} == {None}


def test_hubspot_contacts_are_leads(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "hubspot" / "contacts.csv", tmp_path)
    assert counts(job) == ("hubspot", "hubspot", 3, 0)
    found = {row["lead_id"]: row for row in clean.ok("rows", "leads")["rows"]}
    zoe = found["151"]
    assert (zoe["name"], zoe["company"], zoe["score"]) == ("Zoë Åström", "Nordwind, GmbH", 42)
    assert (zoe["status"], zoe["phone"]) == ("proposal", "+12025550134")
    assert (found["152"]["status"], found["153"]["phone"]) == ("new", "+442079460018")
    assert zoe["created_at"] == "2026-03-12T08:14:00Z"


def test_salesforce_leads(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "salesforce" / "Lead.csv", tmp_path)
    assert counts(job) == ("salesforce_leads", "salesforce", 1, 0)
    [row] = clean.ok("rows", "leads")["rows"]
    assert (row["lead_id"], row["name"], row["status"]) == (
        "00Q000000000001AAA",
        "Zoë Åström",
        "new",
    )
    assert (row["created_at"], row["notes"]) == ("2026-03-12T09:14:00Z", 'Says "hi"')


def test_google_contacts(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "google_contacts" / "current.csv", tmp_path)
    assert counts(job) == ("google_contacts", "google", 3, 0)
    found = {row["name"]: row for row in clean.ok("rows", "contacts")["rows"]}
    zoe = found["Zoë Åström"]
    assert (zoe["email"], zoe["phone"]) == ("zoe@example.com", "+12025550134")
    assert (zoe["organisation"], zoe["title"]) == ("Nordwind, GmbH", "Einkauf")
    assert found["Only Company Ltd"]["phone"] == "+442079460019"


def test_outlook_contacts(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "outlook_contacts" / "outlook_com.csv", tmp_path)
    assert counts(job) == ("outlook_contacts", "outlook", 2, 0)
    found = {row["name"]: row for row in clean.ok("rows", "contacts")["rows"]}
    assert found["Zoë Åström"]["notes"] == "line one\nline two"
    assert found["Only Company Ltd"]["phone"] == "+442079460019"


def test_twilio_messages_and_recipients(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "twilio" / "messages_log.csv", tmp_path)
    assert counts(job) == ("twilio", "twilio", 1, 0)
    [row] = clean.ok("rows", "sms_recipients")["rows"]
    assert (row["campaign_id"], row["phone_number"]) == ("2026-03-02", "12025550134")
    assert (row["message"], row["status"]) == ('Yes, "please"\nthanks', "received")
    path = shutil.copy(SOURCES / "twilio" / "sms_recipients.csv", tmp_path)
    words = ("--dataset", "sms_recipients", "--set", "campaign_id=spring")
    job = clean.ok("import", str(path), *words)
    assert (job["rows"]["valid"], job["rows"]["duplicate"], job["rows"]["rejected"]) == (1, 1, 2)


def test_zendesk_tickets(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "zendesk" / "export.csv", tmp_path)
    assert counts(job) == ("zendesk", "zendesk", 1, 0)
    [row] = clean.ok("rows", "tickets")["rows"]
    assert (row["id"], row["title"], row["status"]) == ("1", 'Printer, "3rd floor"', "open")
    assert (row["category"], row["priority"]) == ("Problem", "high")
    assert (row["createdByFirstName"], row["createdByLastName"]) == ("Zoë", "Åström")
    assert (row["createdByEmail"], row["assignedToLastName"]) == ("zoe@example.com", "Müller")


def test_freshdesk_tickets(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "freshdesk" / "export_UNVERIFIED_header.csv", tmp_path)
    assert counts(job) == ("freshdesk", "freshdesk", 1, 0)
    [row] = clean.ok("rows", "tickets")["rows"]
    assert (row["id"], row["status"], row["priority"]) == ("20", "open", "low")
    assert (row["assignedToFirstName"], row["createdByEmail"]) == (None, "zoe@example.com")


PRIORITIES = {
    "urgent(p1)": "urgent",
    "high(p2)": "high",
    "medium(p3)": "medium",
    "none(p4)": "none",
}


def test_todoist_gives_exactly_the_expected_goals(clean: World, tmp_path: Path) -> None:
    """Its comments have no place among goals: they are counted as left out, with the sections."""
    [path] = (SOURCES / "todoist").glob("Goals*.csv")
    job = take(clean, path, tmp_path)
    expected = json.loads((SOURCES / "todoist" / "expected_goals.json").read_bytes())
    assert counts(job) == ("todoist", "todoist", len(expected), 0)
    assert job["rows"]["skipped"] == job["rows"]["read"] - len(expected)
    found = {row["title"]: row for row in clean.ok("rows", "goals")["rows"]}
    titles = {row["id"]: row["title"] for row in found.values()}
    for goal in expected:
        row = found[goal["title"]]
        got = {
            "description": row["description"] or "",
            "module": row["module"],
            "priority": row["priority"],
            "status": "done" if row["isCompleted"] else "open",
            "target_date": row["targetDate"],
            "created_at": row["createdAt"],
            "parent": titles.get(row["parentId"]),
            "labels": row["tags"] or [],
        }
        wanted = {name: value for name, value in goal.items() if name in got}
        if "priority" in wanted:
            wanted["priority"] = PRIORITIES.get(wanted["priority"], "urgent")
        assert {name: got[name] for name in wanted} == wanted, goal["title"]


def test_notion_goals(clean: World, tmp_path: Path) -> None:
    [path] = (SOURCES / "notion").glob("Goals *_all.csv")
    job = take(clean, path, tmp_path)
    assert counts(job) == ("notion_goals", "notion", 2, 1)
    found = {row["title"]: row for row in clean.ok("rows", "goals")["rows"]}
    study, phase = found["Research study"], found["Marketing, phase 1"]
    assert (study["module"], study["priority"], study["isCompleted"]) == ("Goals", "High", False)
    assert (study["targetDate"], study["createdAt"]) == ("2026-05-22", "2026-09-17T11:52:00Z")
    assert (study["tags"], study["userId"]) == (["Research", "UI/UX"], "Ada Müller")
    assert (phase["parentId"], phase["targetDate"]) == (study["id"], "2026-05-26")
    assert (phase["isCompleted"], phase["createdAt"]) == (True, "2026-09-17T11:52:00Z")


@pytest.mark.parametrize("version", ["2022-06-28", "2025-09-03", "2026-03-11"])
def test_notion_s_pages_by_the_api(clean: World, tmp_path: Path, version: str) -> None:
    """Whatever version answered, page by page: the goals that the export has, too."""
    for number in (1, 2):
        path = SOURCES / "notion" / f"api_{version}_query_page{number}.json"
        # A source of its own: what one said before, and somebody deleted, stays deleted.
        job = take(clean, path, tmp_path, "--source", version)
        assert counts(job) == ("notion_api", version, 1, 0)
    found = {row["title"]: row for row in clean.ok("rows", "goals")["rows"]}
    study, phase = found["Research study"], found["Marketing, phase 1"]
    assert (study["priority"], study["isCompleted"], study["tags"]) == (
        "High",
        False,
        ["Research", "UI/UX"],
    )
    assert (study["targetDate"], study["userId"]) == ("2026-05-22", "Ada Müller")
    assert study["description"] == 'Line one\nline "two"'
    assert (phase["parentId"], phase["isCompleted"]) == (study["id"], True)


def test_a_notion_export_packed_twice(clean: World, tmp_path: Path) -> None:
    [path] = (SOURCES / "notion").glob("*.zip")
    [job] = clean.ok("import", str(shutil.copy(path, tmp_path)))["items"]
    assert counts(job) == ("notion_goals", "notion", 2, 1)
    assert job["inside"].endswith("_all.csv")


def test_a_todoist_backup_is_one_import(clean: World, tmp_path: Path) -> None:
    path = shutil.copy(SOURCES / "todoist" / "backup_2026-11-01.zip", tmp_path)
    [job] = clean.ok("import", str(path), "--source", "backup")["items"]
    assert (job["mapping"], job["source"], len(job["tables"])) == ("todoist", "backup", 2)
    modules = {row["module"] for row in clean.ok("rows", "goals")["rows"]}
    assert modules == {"Goals", "Goals / Zdrowie i ćwiczenia"}
    [project] = (SOURCES / "todoist").glob("Goals*.csv")
    alone = clean.ok("import", str(shutil.copy(project, tmp_path)), "--source", "backup")
    assert (alone["commit"], alone["rows"]["valid"]) == (None, job["rows"]["valid"])


def test_a_trello_board_is_its_lists_and_cards(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "trello" / "board.json", tmp_path)
    modules, goals = job["items"]
    assert counts(modules) == ("trello_lists", "trello", 3, 0)
    assert (*counts(goals), goals["rows"]["skipped"]) == ("trello", "trello", 5, 0, 1)
    found = {row["title"]: row for row in clean.ok("rows", "goals")["rows"]}
    names = {row["id"]: row["name"] for row in clean.ok("rows", "modules")["rows"]}
    run = found["Run 10 km"]
    assert (names[run["moduleId"]], run["isCompleted"]) == ("Erledigt", True)
    book = found["Write the book"]
    assert (book["targetDate"], found["One"]["parentId"]) == ("2026-12-24", book["id"])
    assert (found["One"]["isCompleted"], found["Two"]["isCompleted"]) == (True, False)


def test_cards_of_both_versions_are_contacts(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "vcard" / "contacts_v3.vcf", tmp_path)
    assert counts(job) == ("vcard", "vcard", 2, 0)
    job = take(clean, SOURCES / "vcard" / "contacts_v4.vcf", tmp_path)
    assert counts(job) == ("vcard", "vcard", 1, 0)
    found = {row["name"]: row for row in clean.ok("rows", "contacts")["rows"]}
    zoe, taro = found["Dr. Zoë Åström"], found["山田 太郎"]
    assert (zoe["organisation"], zoe["title"]) == ("Nordwind, GmbH", "Head of ; everything")
    assert (taro["phone"], taro["updatedAt"]) == ("+81300000000", "2026-03-02T08:00:00Z")


def test_microsoft_to_do(clean: World, tmp_path: Path) -> None:
    job = take(clean, SOURCES / "ms_todo" / "tasks.json", tmp_path)
    assert counts(job) == ("ms_todo", "ms-todo", 4, 0)
    found = {row["title"]: row for row in clean.ok("rows", "goals")["rows"]}
    book = found["Write the book"]
    assert (book["targetDate"], book["isCompleted"], book["priority"]) == (
        "2026-12-24",
        False,
        "high",
    )
    assert (book["tags"], book["createdAt"]) == (["Red category"], "2026-03-02T08:00:00Z")
    assert found["Биатлон"]["isCompleted"] is True
    assert found["Chapter one"]["parentId"] == book["id"]


@pytest.mark.parametrize(
    ("name", "mapping", "source", "valid"),
    [
        ("toggl/api_v9_me_time_entries.json", "toggl_api", "toggl", 4),
        ("toggl/reports_v3_search_page1.json", "toggl_reports", "toggl", 2),
        ("harvest/api_v2_time_entries_page1.json", "harvest_api", "harvest", 2),
        ("freshdesk/api_v2_tickets.json", "freshdesk_api", "freshdesk", 1),
        ("todoist/api_v1_tasks_page1.json", "todoist_api", "todoist", 2),
        ("todoist/api_v1_tasks_page2.json", "todoist_api", "todoist", 1),
        ("todoist/api_v1_projects.json", "todoist_projects", "todoist", 1),
    ],
)
def test_pages_of_apis(
    clean: World, tmp_path: Path, name: str, mapping: str, source: str, valid: int
) -> None:
    assert counts(take(clean, SOURCES / name, tmp_path)) == (mapping, source, valid, 0)


def test_zendesk_s_pages_and_its_export_with_comments(clean: World, tmp_path: Path) -> None:
    page = take(clean, SOURCES / "zendesk" / "api_tickets_page1.json", tmp_path)
    assert [counts(part)[::2] for part in page["items"]] == [
        ("zendesk_users", 2),
        ("zendesk_api", 1),
    ]
    export = take(clean, SOURCES / "zendesk" / "export_full.ndjson", tmp_path)
    assert [counts(part)[::2] for part in export["items"]] == [
        ("zendesk_api", 2),
        ("zendesk_comments", 1),
    ]
    [note] = clean.ok("rows", "ticket_notes")["rows"]
    assert (note["ticketId"], note["content"]) == ("1", "On it.\nTomorrow.")
