"""Nested JSON documents of packages: one file, one job, one commit (L8, L12, IMF-07, IMF-12)."""

from __future__ import annotations

import gzip
import json
import zipfile
from typing import Any

import pytest

from dataport.core.errors import InputError, UsageError
from dataport.core.words import Origin
from dataport.engine.jobs import Job
from tests.engine.importing.shop import Shop

ADA = {"email": "ada@example.org", "firstName": "Ada", "lastName": "Byron"}
BOB = {"email": "bob@example.org", "firstName": "Bob", "lastName": "Ross"}
AT = "2025-11-04T15:30:00Z"


def user(person: dict[str, str], number: str) -> dict[str, Any]:
    return {
        "id": number,
        **person,
        "phone": "+1234567890",
        "role": "user",
        "companyRole": "member",
        "isActive": True,
        "emailVerified": False,
        "preferences": {"theme": "dark"},
        "createdAt": AT,
        "updatedAt": AT,
    }


HELPDESK: dict[str, Any] = {
    "exportInfo": {
        "exportId": "export_123_456",
        "companyName": "Example",
        "options": {"includeUsers": True},
    },
    "data": {
        "users": [user(ADA, "u1"), user(BOB, "u2")],
        "tickets": [
            {
                "id": "t1",
                "title": 'Printer {on "fire"}]',
                "description": "Smoke\nand more",
                "status": "open",
                "priority": "high",
                "category": "technical",
                "customFields": {"severity": "High", "list": [1, 2]},
                "createdBy": ADA,
                "assignedTo": None,
                "notes": [
                    {"id": "n1", "content": "Called", "isInternal": True, "author": BOB, "createdAt": AT},
                    {"id": "n2", "content": "Out", "isInternal": False, "author": ADA, "createdAt": AT},
                ],
                "createdAt": AT,
                "updatedAt": AT,
                "resolvedAt": None,
            },
            {
                "id": "t2",
                "title": "Nothing",
                "status": "open",
                "customFields": {},
                "createdBy": {"email": "eve@example.org", "firstName": "Eve", "lastName": "Gone"},
                "assignedTo": BOB,
                "notes": [],
                "createdAt": AT,
                "updatedAt": AT,
                "resolvedAt": AT,
            },
        ],
        "customFields": [
            {
                "id": "f1",
                "name": "Severity",
                "fieldType": "picklist",
                "options": ["Low", "Medium", "High; very", "Critical"],
                "isRequired": False,
                "isActive": True,
                "displayOrder": 1,
                "createdAt": AT,
            }
        ],
        "attachments": [
            {
                "id": "a1",
                "ticketId": "t1",
                "fileName": "printer.jpg",
                "fileSize": 204800,
                "fileType": "image/jpeg",
                "filePath": "/uploads/printer.jpg",
                "uploadedBy": ADA,
                "uploadedAt": AT,
            }
        ],
    },
}  # fmt: skip


ROWS = {"users": 2, "tickets": 2, "ticket_notes": 2, "custom_fields": 1, "attachments": 1}
"""Of HELPDESK, by dataset."""


def inserted(job: Job) -> dict[str | None, int]:
    return {part.dataset: (part.changes or {})["inserted"] for part in job.members}


def test_a_helpdesk_s_document_is_one_commit(shop: Shop) -> None:
    """IMF-12, CON-03, CON-04, CON-05, REC-21 to REC-26, V-40; undone as one."""
    path = shop.write("export.json", json.dumps(HELPDESK, indent=2))
    job = shop.send(path, package="helpdesk")
    assert inserted(job) == ROWS
    assert {part.dataset: part.inside for part in job.members} == {
        "users": "data.users",
        "tickets": "data.tickets",
        "ticket_notes": "data.tickets[].notes",
        "custom_fields": "data.customFields",
        "attachments": "data.attachments",
    }
    assert {part.commit for part in job.members} == {1}
    first, second = shop.rows("tickets", sort=("id",))
    assert (first["createdByEmail"], first["createdByFirstName"]) == ("ada@example.org", "Ada")
    assert (first["assignedToEmail"], first["resolvedAt"]) == (None, None)
    assert first["customFields"] == {"severity": "High", "list": [1, 2]}
    assert (second["createdByEmail"], second["createdByLastName"]) == ("eve@example.org", "Gone")
    notes = shop.rows("ticket_notes", sort=("id",))
    assert [(n["id"], n["ticketId"], n["authorEmail"]) for n in notes] == [
        ("n1", "t1", "bob@example.org"),
        ("n2", "t1", "ada@example.org"),
    ]
    [field] = shop.rows("custom_fields")
    assert field["options"] == ["Low", "Medium", "High; very", "Critical"]
    notices = [notice for part in job.members for notice in part.notices]
    assert [notice for notice in notices if "left out" in notice] == []
    assert any("users" in notice for notice in notices)  # eve is unknown, and kept
    shop.engine.timeline.undo(1, shop.engine.author(Origin.CLI))
    assert [shop.rows(name) for name in ("users", "tickets", "ticket_notes")] == [[], [], []]


def test_a_document_that_one_package_knows_is_taken_as_it(shop: Shop) -> None:
    """IMF-12: though nobody named the package; what it says of matches counts, and what is said
    otherwise stands above that."""
    job = shop.send(shop.write("export.json", json.dumps(HELPDESK)))
    assert inserted(job) == ROWS
    assert {part.commit for part in job.members} == {1}
    document = job.document()
    assert (document["package"], document["on_match"]) == ("helpdesk", "skip")
    assert job.notices[0].startswith("The file is taken as the package helpdesk.")
    changed = json.dumps(HELPDESK).replace('"Nothing"', '"Something"')
    again = shop.send(shop.write("export.json", changed))
    assert ((again.changes or {})["skipped"], (again.changes or {})["updated"]) == (8, 0)
    assert {row["title"] for row in shop.rows("tickets")} >= {"Nothing"}
    changed = changed.replace("Something", "Anything")
    merged = shop.send(shop.write("export.json", changed), on_match="overwrite")
    assert ((merged.changes or {})["updated"], merged.document()["on_match"]) == (1, "overwrite")
    assert shop.engine.jobs.get(job.job).package == "helpdesk"


def test_lists_that_no_package_or_several_know_are_placed_by_themselves(shop: Shop) -> None:
    users = {"data": {"users": HELPDESK["data"]["users"], "things": [{"a": 1}]}}
    [part] = shop.send(shop.write("users.json", json.dumps(users))).parts
    assert part.dataset == "users"
    text = (shop.engine.home.packages / "helpdesk.toml").read_text(encoding="utf-8")
    other = text.replace('name = "helpdesk"', 'name = "desk"')
    (shop.engine.home.packages / "desk.toml").write_text(other, encoding="utf-8")
    shop.engine.reload(shop.engine.settings)
    job = shop.send(shop.write("export.json", json.dumps(HELPDESK)), source="again")
    assert (job.package, "ticket_notes" in {part.dataset for part in job.parts}) == (None, False)


def test_rejects_name_the_line_of_their_ticket(shop: Shop) -> None:
    """ERR-01: a nested row is where the item around it begins; the accounts add up."""
    document = json.loads(json.dumps(HELPDESK))
    document["data"]["tickets"][1]["notes"] = [{"content": "no id"}, "text", {"id": "n3"}]
    text = json.dumps(document, indent=1)
    job = shop.send(shop.write("export.json", text), package="helpdesk")
    [notes] = [part for part in job.members if part.dataset == "ticket_notes"]
    assert notes.rows == {"read": 5, "valid": 3, "rejected": 2, "duplicate": 0} | {
        name: 0 for name in notes.rows or {} if name == "skipped"
    }
    items = shop.engine.rejects(job.job, 10, 0, "ticket_notes")["items"]
    before = text[: text.index('"t2"')].splitlines()
    assert {item["line"] for item in items} == {len(before) - 1}
    assert {item["code"] for item in items} == {"constraint-error.required", "not-an-object"}


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_the_document_may_be_packed(shop: Shop, kind: str) -> None:
    """X-13: the ZIP of an export, or the document in it."""
    text = json.dumps(HELPDESK).encode()
    path = shop.folder / f"company_export_123.json.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("company_export_123.json", text)
    job = shop.send(path, package="helpdesk")
    assert len(job.members) == 5
    assert len(shop.rows("ticket_notes")) == 2


def test_a_document_with_goals_and_what_belongs_to_them(shop: Shop) -> None:
    """IMF-07, REC-07, L8: sub-goals refer to their goal, progress to its own; each comes once."""
    progress = {"id": "p1", "value": 2, "maxValue": 10, "notes": None, "recordedAt": AT}
    sub = {"id": "g2", "title": "Run 5 km", "isCompleted": True, "createdAt": AT, "progress": []}
    goal = {
        "id": "g1",
        "userId": "me",
        "title": "Run 10 km",
        "priority": "high",
        "isCompleted": False,
        "targetDate": "2026-06-30T00:00:00.000Z",
        "createdAt": AT,
        "module": {"id": "fitness", "name": "Fitness"},
        "progress": [progress],
        "subGoals": [sub],
    }
    document = {
        "exportInfo": {"exportType": "full", "user": {"id": "me"}},
        "goals": [goal],
        "progress": [{**progress, "goal": {"id": "g1", "title": "Run 10 km"}}],
        "achievements": [{"id": "a1", "userId": "me", "earnedAt": AT}],
        "bibleStudy": [],
        "workProjects": [{"id": "w1", "name": "Relaunch", "goalId": "g1"}],
        "totalRecords": 4,
    }
    job = shop.send(shop.write("goals.json", json.dumps(document)), package="goals")
    assert job.changes is not None
    goals = {row["id"]: row for row in shop.rows("goals")}
    assert (goals["g2"]["parentId"], goals["g1"]["parentId"]) == ("g1", None)
    assert (goals["g1"]["module"], goals["g1"]["moduleId"]) == ("Fitness", "fitness")
    assert goals["g1"]["targetDate"] == "2026-06-30"
    [row] = shop.rows("progress")
    assert (row["goalId"], row["goalTitle"], row["value"]) == ("g1", "Run 10 km", 2)
    again = shop.send(shop.write("goals.json", json.dumps(document, indent=1)), package="goals")
    assert again.commit is None
    assert len(shop.rows("work_projects")) == 1


def test_a_package_comes_back(shop: Shop) -> None:
    """TST-04, FUT-15: what a helpdesk's export holds is what was imported."""
    shop.send(shop.write("export.json", json.dumps(HELPDESK)), package="helpdesk")
    datasets = ("users", "tickets", "ticket_notes", "custom_fields", "attachments")
    before = {name: shop.rows(name) for name in datasets}
    for kind in ("csv", "json"):
        exported = shop.take(package="helpdesk", format=kind)
        job = shop.send(exported, package="helpdesk", on_match="overwrite")
        assert job.commit is None
        assert {name: shop.rows(name) for name in datasets} == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"data": {"users": [{"email": "a@example.org"}', "json-error"),
        ('{"data": {"users": [{"email": "a@example.org" "id": 1}]}}', "json-error"),
        ('{"data": {"users": [], "users": []}}', "duplicate-label"),
    ],
)
def test_a_document_that_is_broken_says_so(shop: Shop, text: str, code: str) -> None:
    """VAL-20: nothing of it is taken."""
    with pytest.raises(InputError) as caught:
        shop.send(shop.write("export.json", text), package="helpdesk")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("character", "said"),
    [
        ("\x00", "A NUL character in item 2"),
        ("\x01", "The control character U+0001 in item 2"),
    ],
)
def test_a_document_that_is_no_text_says_where(shop: Shop, character: str, said: str) -> None:
    text = json.dumps(HELPDESK, indent=1).replace('"Nothing"', f'"No{character}"')
    with pytest.raises(InputError) as caught:
        shop.send(shop.write("export.json", text), package="helpdesk")
    assert caught.value.code == "json-error"
    assert f"{said} of the list data.tickets" in caught.value.detail


def test_a_document_of_something_else_is_refused(shop: Shop) -> None:
    text = json.dumps({"things": [{"a": 1}], "others": [{"b": 1}]})
    with pytest.raises((UsageError, InputError)) as caught:
        shop.send(shop.write("export.json", text), package="helpdesk")
    assert caught.value.code == "not-in-package"


def test_one_list_can_be_named(shop: Shop) -> None:
    path = shop.write("export.json", json.dumps(HELPDESK))
    job = shop.send(path, "users", inside="data.users")
    assert (job.changes or {})["inserted"] == 2
    with pytest.raises(InputError) as caught:
        shop.send(path, "users", inside="data.user")
    assert caught.value.code == "no-such-table"
    assert "data.users" in caught.value.hint
