"""Packages as one JSON document, in the layout that their file tells (L8, L12)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataport.core.paths import Home
from dataport.engine.exporting.records import sidecar
from tests.engine.exporting.test_package_workbooks import GOALS
from tests.engine.importing.shop import Shop, open_shop
from tests.engine.importing.test_documents import HELPDESK

HELPDESK_DATASETS = ("users", "tickets", "ticket_notes", "custom_fields", "attachments", "contacts")
GOAL_DATASETS = ("modules", "goals", "progress", "achievements", "settings")


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def rows(shop: Shop, names: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    return {name: shop.rows(name) for name in names}


def test_a_helpdesk_is_exported_as_it_was_imported(shop: Shop) -> None:
    """EXF-24, EXF-26, L12: people are objects, notes lie in their tickets, the header tells the rest."""
    shop.send(shop.write("export.json", json.dumps(HELPDESK)), package="helpdesk")
    path = shop.take(package="helpdesk", format="json")
    assert path.name == "helpdesk-2.json"
    found = document(path)
    header, data = found["exportInfo"], found["data"]
    assert (header["exportId"], header["exportType"], header["commit"]) == ("export_2", "full", 1)
    assert header["options"]["includeCustomFields"] is True
    assert list(data) == ["users", "tickets", "customFields", "attachments", "contacts"]
    assert found["totalRecords"] == 8
    given = HELPDESK["data"]
    tickets = {ticket["id"]: ticket for ticket in data["tickets"]}
    first = given["tickets"][0]
    assert {name: tickets["t1"][name] for name in first if name != "notes"} == {
        name: first[name] for name in first if name != "notes"
    }
    assert {note["id"]: note for note in tickets["t1"]["notes"]} == {
        note["id"]: note for note in first["notes"]
    }
    assert tickets["t2"]["notes"] == []
    assert data["attachments"] == given["attachments"]
    assert data["customFields"] == given["customFields"]
    assert '\n  "data": {\n    "users": [\n      {\n        "id": ' in path.read_text()


def test_a_helpdesk_comes_back(shop: Shop, tmp_path: Path) -> None:
    """TST-04: also a note whose ticket is not there, and as the export that it is."""
    shop.send(shop.write("export.json", json.dumps(HELPDESK)), package="helpdesk")
    note = {"id": "n9", "ticketId": "gone", "content": "?", "createdAt": "2026-01-01T00:00:00Z"}
    shop.send(shop.write("notes.json", json.dumps([note])), "ticket_notes")
    path = shop.take(package="helpdesk", format="json")
    assert [each["ticketId"] for each in document(path)["data"]["ticketNotes"]] == ["gone"]
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        other.send(path, package="helpdesk")
        assert rows(other, HELPDESK_DATASETS) == rows(shop, HELPDESK_DATASETS)
    for case in ("beside", "named"):
        job = shop.send(path, package="helpdesk", base=None, on_match="merge")
        sources = {part.dataset: part.source for part in job.members}
        # Of contacts there are none, so nothing of them could be told again.
        assert sources.pop("contacts") == "test"
        assert (job.commit, set(sources.values())) == (None, {"export:3"}), case
        sidecar(path).unlink(missing_ok=True)


def test_goals_hold_their_parts_and_progress(shop: Shop, tmp_path: Path) -> None:
    """EXF-11, EXF-12, EXF-20, L8, L9: all progress stands in its own list, too; it counts once."""
    shop.send(shop.write("goals.json", json.dumps(GOALS)), package="goals")
    path = shop.take(package="goals", format="json", to=str(tmp_path / "mine.json"))
    found = document(path)
    assert list(found)[:3] == ["exportInfo", "modules", "goals"]
    [goal] = found["goals"]
    assert (goal["module"], goal["moduleId"]) == ({"name": "Fitness"}, "fitness")
    assert [sub["id"] for sub in goal["subGoals"]] == ["g2"]
    [progress] = goal["progress"]
    assert (progress["id"], progress["goal"]) == ("p1", {"title": "Run 10 km"})
    assert found["progress"] == [progress]
    assert found["totalRecords"] == sum(map(len, rows(shop, GOAL_DATASETS).values()))
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        other.send(path, package="goals")
        assert rows(other, GOAL_DATASETS) == rows(shop, GOAL_DATASETS)


def test_a_filter_makes_it_selective(shop: Shop) -> None:
    shop.send(shop.write("goals.json", json.dumps(GOALS)), package="goals")
    found = document(shop.take(package="goals", format="json", where="1 = 0"))
    assert (found["exportInfo"]["exportType"], found["totalRecords"]) == ("selective", 0)
    assert (found["goals"], "goalTemplates" in found) == ([], False)


IDS = st.sampled_from("abcdefg")
WORDS = st.sampled_from(["", "x", "Run"])
GOAL_ROWS = st.lists(
    st.tuples(IDS, st.none() | IDS, WORDS), min_size=1, max_size=7, unique_by=lambda row: row[0]
)
PROGRESS_ROWS = st.lists(
    st.tuples(IDS, st.none() | IDS, st.none() | WORDS), max_size=5, unique_by=lambda row: row[0]
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(goals=GOAL_ROWS, progress=PROGRESS_ROWS)
def test_whatever_is_part_of_what_comes_back(
    goals: list[tuple[str, str | None, str]], progress: list[tuple[str, str | None, str | None]]
) -> None:
    """Deep and missing parents, circles, goals of themselves, progress that names another title."""
    at = "2026-01-01T00:00:00Z"
    given_goals = [
        {"id": key, "parentId": parent, "title": title or "?"} for key, parent, title in goals
    ]
    given_progress = [
        {"id": key, "goalId": goal, "goalTitle": title, "recordedAt": at}
        for key, goal, title in progress
    ]
    with tempfile.TemporaryDirectory() as place:
        with open_shop(Home.at(Path(place) / "a" / "home")) as shop:
            shop.send(shop.write("g.json", json.dumps(given_goals)), "goals")
            if given_progress:
                shop.send(shop.write("p.json", json.dumps(given_progress)), "progress")
            before = rows(shop, ("goals", "progress"))
            path = shop.take(package="goals", format="json")
        with open_shop(Home.at(Path(place) / "b" / "home")) as other:
            other.send(path, package="goals")
            assert rows(other, ("goals", "progress")) == before
