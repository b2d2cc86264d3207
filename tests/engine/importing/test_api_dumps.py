"""What other programs' APIs give, dropped in as JSON: known by path and names of its lists (issue 4)."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import pytest

from dataport.engine.jobs import Job
from tests.engine.importing.shop import Shop

AT = "2026-03-02T08:00:00Z"


def take(shop: Shop, document: Any, *, lines: bool = False, **asked: Any) -> Job:
    """Import a document that nobody said anything about, and again, which changes nothing."""

    def write(indent: int | None) -> str:
        if lines:
            gap = "" if indent is None else "\n"
            return "".join(json.dumps(item, ensure_ascii=False) + "\n" + gap for item in document)
        return json.dumps(document, indent=indent, ensure_ascii=False)

    end = "ndjson" if lines else "json"
    job = shop.send(shop.write(f"dump.{end}", write(None)), source=None, **asked)
    again = shop.send(shop.write(f"dump.{end}", write(1)), source=None, **asked)
    assert (again.commit, [part.mapped_by for part in again.members]) == (
        None,
        [part.mapped_by for part in job.members],
    )
    return job


def by(shop: Shop, dataset: str, field: str) -> dict[Any, dict[str, Any]]:
    return {row[field]: row for row in shop.rows(dataset)}


TASK = {
    "@odata.etag": "x",
    "importance": "high",
    "isReminderOn": False,
    "status": "inProgress",
    "title": "Write the book",
    "createdDateTime": "2026-03-02T08:00:00.1234567Z",
    "categories": ["Red"],
    "id": "T1",
    "body": {"content": "Outline", "contentType": "text"},
    "dueDateTime": {"dateTime": "2026-12-23T23:00:00.0000000", "timeZone": "UTC"},
    "checklistItems": [
        {"displayName": "Chapter one", "createdDateTime": AT, "isChecked": True, "id": "c1"},
        {"displayName": "Chapter two", "createdDateTime": AT, "isChecked": False, "id": "c2"},
    ],
}
PLAIN = {**TASK, "id": "T2", "title": "Rest", "status": "completed", "checklistItems": []}


@pytest.mark.parametrize("dataset", [None, "goals"])
def test_steps_of_a_task_are_parts_of_it(shop: Shop, dataset: str | None) -> None:
    """Microsoft To Do: in the same commit, with the task as what they are part of."""
    job = take(shop, {"@odata.context": "x", "value": [TASK, PLAIN]}, dataset=dataset)
    [part] = job.members
    assert (part.mapped_by, part.inside, part.rows["valid"]) == ("ms_todo", "value", 4)
    found = {
        row["id"]: (row["title"], row["parentId"], row["isCompleted"]) for row in shop.rows("goals")
    }
    assert found == {
        "T1": ("Write the book", None, False),
        "T2": ("Rest", None, True),
        "c1": ("Chapter one", "T1", True),
        "c2": ("Chapter two", "T1", False),
    }
    assert by(shop, "goals", "id")["c1"]["createdAt"] == AT


def test_pages_in_an_archive_are_one(shop: Shop) -> None:
    """Each with its list and what lies in it; the lines are those of each page."""
    path = shop.folder / "todo.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("page1.json", json.dumps({"value": [TASK]}))
        archive.writestr("page2.json", json.dumps({"value": [PLAIN]}, indent=1))
    [part] = shop.send(path, source=None).members
    assert part.tables == ["page1.json::value", "page2.json::value"]
    assert (part.source, part.rows["valid"]) == ("ms-todo", 4)
    [title] = [x for x in shop.engine.timeline.blame("goals", "T2") if x["field"] == "title"]
    assert (title["file"], title["line"]) == (f"{path}::page2.json::value", 3)


CARD = {
    "idBoard": "b",
    "idList": "l1",
    "idShort": 1,
    "closed": False,
    "dueComplete": False,
    "desc": "",
}


def test_checklists_of_a_board_are_parts_of_their_cards(shop: Shop) -> None:
    """Trello: those of archived cards are left out with them."""
    item = {"pos": 1, "due": None, "idMember": None}
    document = {
        "id": "b",
        "name": "Goals",
        "lists": [{"id": "l1", "name": "To do", "closed": False, "pos": 1, "idBoard": "b"}],
        "cards": [
            {**CARD, "id": "k1", "name": "Write", "due": "2026-12-24T17:00:00.000Z", "labels": []},
            {**CARD, "id": "k2", "name": "Old", "closed": True, "due": None, "labels": []},
        ],
        "checklists": [
            {"id": "x1", "name": "Chapters", "idBoard": "b", "idCard": "k1", "checkItems": [
                {**item, "id": "i1", "name": "One", "state": "complete"},
                {**item, "id": "i2", "name": "Two", "state": "incomplete"},
            ]},
            {"id": "x2", "name": "Gone", "idBoard": "b", "idCard": "k2", "checkItems": [
                {**item, "id": "i3", "name": "Three", "state": "incomplete"},
            ]},
        ],
    }  # fmt: skip
    job = take(shop, document)
    modules, goals = job.members
    assert (modules.mapped_by, goals.mapped_by) == ("trello_lists", "trello")
    assert (goals.rows["valid"], goals.rows["skipped"], goals.commit) == (3, 2, modules.commit)
    found = by(shop, "goals", "title")
    assert [found[name]["parentId"] for name in ("Write", "One", "Two")] == [None, "k1", "k1"]
    assert (found["One"]["isCompleted"], found["Two"]["isCompleted"]) == (True, False)
    assert not any("left out: neither" in notice for notice in job.notices)


def entry(number: int, **values: Any) -> dict[str, Any]:
    """As Toggl gives it."""
    return {
        "id": number,
        "workspace_id": 1,
        "project_id": 4,
        "billable": True,
        "start": "2026-03-02T08:00:00+00:00",
        "stop": "2026-03-02T09:30:00+00:00",
        "duration": 5400,
        "description": "Draft",
        "tags": ["design", "café"],
        "duronly": True,
        "server_deleted_at": None,
        **values,
    }


def test_toggl_s_time_entries(shop: Shop) -> None:
    """SRC: running ones have no end, deleted ones are left out; names come with meta=true."""
    entries = [
        entry(71, project_name="Website", client_name="Nordwind"),
        entry(72, stop=None, duration=-1772780400, start="2026-03-06T07:00:00+00:00"),
        entry(73, server_deleted_at="2026-03-02T02:24:56+00:00"),
    ]
    [part] = take(shop, entries).members
    assert (part.mapped_by, part.source, part.rows["skipped"]) == ("toggl_api", "toggl", 1)
    found = by(shop, "time_entries", "entry_id")
    first, running = found["71"], found["72"]
    assert (first["project_name"], first["client_name"], float(first["duration_hours"])) == (
        "Website",
        "Nordwind",
        1.5,
    )
    assert (first["tags"], first["billable"], first["end_time"]) == (
        ["design", "café"],
        True,
        "2026-03-02T09:30:00Z",
    )
    assert (running["end_time"], running["duration_hours"], running["project_name"]) == (None,) * 3


def test_toggl_s_report_has_entries_in_groups(shop: Shop) -> None:
    group = {
        "user_id": 9,
        "username": "Ada",
        "project_id": 4,
        "billable": True,
        "description": "First",
        "tag_ids": [5],
        "hourly_rate_in_cents": 8000,
        "row_number": 1,
        "project_name": "Website",
        "tag_names": ["design"],
        "time_entries": [
            {"id": 71, "seconds": 5400, "start": "2026-03-02T09:00:00+01:00", "stop": "2026-03-02T10:30:00+01:00"},
            {"id": 72, "seconds": 600, "start": "2026-03-03T09:00:00+01:00", "stop": "2026-03-03T09:10:00+01:00"},
        ],
    }  # fmt: skip
    [part] = take(shop, [group]).members
    assert (part.mapped_by, part.inside) == ("toggl_reports", "[].time_entries")
    found = by(shop, "time_entries", "entry_id")
    assert found["71"]["start_time"] == "2026-03-02T08:00:00Z"
    assert {row["notes"] for row in found.values()} == {"First"}
    assert (found["72"]["project_name"], found["72"]["tags"]) == ("Website", ["design"])


def test_harvest_s_time_entries(shop: Shop) -> None:
    one = {
        "id": 636,
        "spent_date": "2026-04-01",
        "user": {"id": 1, "name": "Ada"},
        "client": {"id": 5, "name": "Nordwind GmbH"},
        "project": {"id": 14, "name": "Website", "code": "N"},
        "task": {"id": 8, "name": "Design"},
        "hours": 2.0,
        "notes": "CSS",
        "is_running": False,
        "started_time": "3:00pm",
        "ended_time": "5:00pm",
        "billable": True,
    }
    whole = {**one, "id": 637, "hours": 26.5, "started_time": None, "ended_time": None}
    late = {**one, "id": 638, "hours": 3.0, "started_time": "22:30", "ended_time": "1:30"}
    document = {"time_entries": [one, whole, late], "page": 1, "links": {}}
    [part] = take(shop, document).members
    assert (part.mapped_by, part.source, part.rows["valid"]) == ("harvest_api", "harvest", 3)
    found = by(shop, "time_entries", "entry_id")
    assert (found["636"]["start_time"], found["636"]["end_time"]) == (
        "2026-04-01T15:00:00Z",
        "2026-04-01T17:00:00Z",
    )
    assert (found["637"]["start_time"], found["637"]["end_time"]) == ("2026-04-01T00:00:00Z", None)
    assert (found["636"]["client_name"], found["636"]["task_name"]) == ("Nordwind GmbH", "Design")
    assert float(found["637"]["duration_hours"]) == 26.5
    assert (found["638"]["start_time"], found["638"]["end_time"]) == (
        "2026-04-01T22:30:00Z",
        "2026-04-02T01:30:00Z",
    )


def ticket(number: int, **values: Any) -> dict[str, Any]:
    """As Zendesk gives it."""
    return {
        "url": "x",
        "id": number,
        "via": {"channel": "email", "source": {"from": {"address": "zoe@example.com", "name": "Zoë Å"}}},
        "created_at": AT,
        "updated_at": AT,
        "type": "problem",
        "subject": "Printer",
        "description": "On fire",
        "priority": None,
        "status": "pending",
        "requester_id": 11,
        "submitter_id": 11,
        "assignee_id": 21,
        "tags": ["printer"],
        **values,
    }  # fmt: skip


ZOE = {"id": 11, "name": "Zoë Å", "email": "zoe@example.com", "role": "end-user"}


def test_a_page_of_zendesk_s_tickets_and_users_is_one_commit(shop: Shop) -> None:
    tickets = [ticket(1), ticket(2, status="deleted")]
    job = take(shop, {"tickets": tickets, "users": [ZOE], "meta": {"has_more": False}})
    users, rows = job.members
    assert (users.mapped_by, rows.mapped_by) == ("zendesk_users", "zendesk_api")
    assert (users.commit, rows.commit, rows.rows["skipped"]) == (1, 1, 1)
    [row] = shop.rows("tickets")
    assert (row["id"], row["status"], row["priority"]) == ("1", "waiting", "normal")
    assert (row["createdByEmail"], row["createdByFirstName"]) == ("zoe@example.com", "Zoë")
    [user] = shop.rows("users")
    assert (user["email"], user["lastName"]) == ("zoe@example.com", "Å")


def test_zendesk_s_export_has_one_ticket_a_line_with_its_comments(shop: Shop) -> None:
    comment = {"id": 71, "type": "Comment", "author_id": 21, "body": "On it.", "created_at": AT}
    lines = [
        ticket(1, requester=ZOE, via={}, comments=[{**comment, "public": False}]),
        ticket(
            2, requester=ZOE, comments=[], assignee={"name": "Ada M", "email": "ada@example.org"}
        ),
    ]
    job = take(shop, lines, lines=True)
    tickets, notes = job.members
    assert (tickets.mapped_by, notes.mapped_by) == ("zendesk_api", "zendesk_comments")
    assert (tickets.commit, notes.commit) == (1, 1)
    [note] = shop.rows("ticket_notes")
    assert (note["ticketId"], note["content"], note["isInternal"]) == ("1", "On it.", True)
    found = by(shop, "tickets", "id")
    assert {row["createdByEmail"] for row in found.values()} == {"zoe@example.com"}
    assert found["2"]["assignedToEmail"] == "ada@example.org"


@pytest.mark.parametrize("is_page", [True, False])
def test_comments_of_tickets_that_are_left_out_are_left_out_with_them(
    shop: Shop, *, is_page: bool
) -> None:
    """Zendesk's deleted tickets: their comments would belong to nothing."""
    comment = {"type": "Comment", "author_id": 21, "body": "On it.", "created_at": AT}
    tickets = [
        ticket(1, requester=ZOE, via={}, comments=[{**comment, "id": 71, "public": True}]),
        ticket(
            2, status="deleted", requester=ZOE, comments=[{**comment, "id": n} for n in (72, 73)]
        ),
    ]
    job = take(shop, {"tickets": tickets, "count": 2} if is_page else tickets, lines=not is_page)
    tickets_part, notes = job.members
    assert (tickets_part.rows["valid"], tickets_part.rows["skipped"]) == (1, 1)
    assert (notes.rows["read"], notes.rows["valid"], notes.rows["skipped"]) == (3, 1, 2)
    assert [row["id"] for row in shop.rows("ticket_notes")] == ["71"]
    assert any("2 rows left out" in notice for notice in notes.notices)


def test_freshdesk_s_tickets(shop: Shop) -> None:
    one = {
        "fr_escalated": False,
        "spam": False,
        "priority": 4,
        "requester_id": 129,
        "requester": {"id": 129, "name": "Zoë Å", "email": "zoe@example.com"},
        "responder_id": None,
        "status": 3,
        "subject": "Printer",
        "id": 20,
        "type": None,
        "due_by": AT,
        "description": "<div>On fire</div>",
        "description_text": "On fire",
        "custom_fields": {"cf_floor": "3rd"},
        "created_at": AT,
        "updated_at": AT,
    }
    [part] = take(shop, [one, {**one, "id": 21, "spam": True}]).members
    assert (part.mapped_by, part.source, part.rows["skipped"]) == ("freshdesk_api", "freshdesk", 1)
    [row] = shop.rows("tickets")
    assert (row["status"], row["priority"], row["description"]) == ("waiting", "urgent", "On fire")
    assert (row["createdByEmail"], row["customFields"]) == ("zoe@example.com", {"cf_floor": "3rd"})


def words(*texts: str) -> list[dict[str, Any]]:
    """Rich text of Notion: a part for each change of its looks."""
    return [{"type": "text", "text": {"content": text}, "plain_text": text} for text in texts]


def page(number: int, name: str, **properties: Any) -> dict[str, Any]:
    """As Notion gives it: each property says what it is."""
    made = {
        label.replace("_", " "): {"id": "x", "type": kind, kind: value}
        for label, (kind, value) in properties.items()
    }
    return {
        "object": "page",
        "id": f"p{number}",
        "created_time": AT,
        "last_edited_time": AT,
        "parent": {"type": "database_id", "database_id": "d"},
        "in_trash": False,
        "properties": {
            **made,
            name: {"id": "title", "type": "title", "title": words("Run", " 10 km")},
        },
        "url": "https://www.notion.so/x",
    }


@pytest.mark.parametrize("shape", ["page", "list", "lines"])
def test_notion_s_pages_are_goals(shop: Shop, shape: str) -> None:
    """The property that names a page is called as people like it; parts of its text are one."""
    late = {"start": "2026-05-01", "end": "2026-05-22T23:30:00.000+00:00", "time_zone": None}
    pages = [
        page(1, "Name", Status=("status", {"name": "In progress"}), Dates=("date", late)),
        page(
            2,
            "Was zu tun ist",
            Status=("select", {"name": "Completed"}),
            Due_date=("date", {"start": "2026-06-01T09:00:00", "time_zone": "Asia/Tokyo"}),
            Area=("multi_select", [{"name": "Sport"}, {"name": "Home"}]),
            Tags=("multi_select", [{"name": "a"}, {"name": "b"}]),
            Description=("rich_text", words("One\n", "two")),
            Assignee=("people", [{"object": "user", "id": "u1"}]),
            Parent_item=("relation", [{"id": "p1"}]),
            Priority=("select", {"name": "High 🔥"}),
        ),
        page(3, "Name", Done=("checkbox", True), Status=("status", {"name": "In progress"})),
        {**page(4, "Name", Done=("checkbox", True)), "in_trash": True},
        page(5, "Name", Mail=("email", "a@b.co")),
    ]
    document = {"object": "list", "results": pages, "has_more": False, "type": "page_or_database"}
    job = take(shop, document if shape == "page" else pages, lines=shape == "lines")
    [part] = job.members
    assert (part.mapped_by, part.source, part.rows["skipped"]) == ("notion_api", "notion", 2)
    found = by(shop, "goals", "id")
    assert {row["title"] for row in found.values()} == {"Run 10 km"}
    done = {key: (row["isCompleted"], row["targetDate"]) for key, row in found.items()}
    assert done == {"p1": (False, "2026-05-22"), "p2": (True, "2026-06-01"), "p3": (True, None)}
    second = found["p2"]
    assert (second["module"], second["tags"]) == ("Sport", ["a", "b"])
    assert (second["description"], second["userId"]) == ("One\ntwo", "u1")
    assert (second["parentId"], second["priority"]) == ("p1", "High")
    assert (second["createdAt"], found["p1"]["description"]) == (AT, None)


def test_todoist_s_tasks_and_projects(shop: Shop) -> None:
    task = {
        "id": "6X",
        "project_id": "6J",
        "parent_id": None,
        "labels": ["work"],
        "deadline": None,
        "checked": False,
        "is_deleted": False,
        "added_at": "2026-01-05T08:25:05.000000Z",
        "due": {"date": "2026-12-01", "string": "1 Dec", "is_recurring": False},
        "priority": 4,
        "content": "Write",
        "description": "",
    }
    due = {"date": "2026-12-02T07:00:00", "timezone": None}
    child = {**task, "id": "6Y", "parent_id": "6X", "content": "Chapter", "priority": 1, "due": due}
    [part] = take(shop, {"results": [task, child], "next_cursor": None}).members
    assert (part.mapped_by, part.rows["valid"]) == ("todoist_api", 2)
    found = by(shop, "goals", "id")
    assert (found["6X"]["priority"], found["6X"]["targetDate"], found["6X"]["tags"]) == (
        "urgent",
        "2026-12-01",
        ["work"],
    )
    assert (found["6Y"]["parentId"], found["6Y"]["priority"]) == ("6X", "none")
    assert found["6Y"]["targetDate"] == "2026-12-02"
    project = {
        "id": "6J",
        "name": "Goals",
        "child_order": 1,
        "is_archived": False,
        "view_style": "list",
    }
    [part] = take(shop, {"results": [project]}).members
    assert (part.mapped_by, shop.rows("modules")[0]["name"]) == ("todoist_projects", "Goals")
