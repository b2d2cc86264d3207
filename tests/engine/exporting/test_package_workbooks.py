"""A package as one workbook, a sheet a dataset (L7)."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine

from dataport.core.paths import Home
from dataport.engine.exporting.records import sidecar
from tests.engine.importing.shop import Shop, open_shop

GOALS: dict[str, Any] = {
    "goals": [
        {
            "id": "g1",
            "userId": "me",
            "title": "Run 10 km",
            "description": "Before\nsummer",
            "module": {"id": "fitness", "name": "Fitness"},
            "priority": "high",
            "difficulty": "medium",
            "isCompleted": False,
            "targetDate": "2026-06-30",
            "createdAt": "2026-01-15T09:00:00Z",
            "progress": [
                {"id": "p1", "value": 2.5, "maxValue": 10, "recordedAt": "2026-02-01T18:00:00.250Z"}
            ],
            "subGoals": [
                {
                    "id": "g2",
                    "title": "=Run 5 km",
                    "isCompleted": True,
                    "createdAt": "2026-01-16T09:00:00Z",
                    "tags": ["a;b", "c"],
                }
            ],
        }
    ],
    "achievements": [{"id": "a1", "title": "First", "earnedAt": "2026-02-14T07:30:00Z"}],
    "settings": [{"key": "theme", "value": " dark "}],
}
DATASETS = ("modules", "goals", "progress", "achievements", "settings")
SHOWN = {
    "Goals": {
        "ID": 20,
        "Title": 30,
        "Description": 50,
        "Module": 15,
        "Priority": 10,
        "Difficulty": 10,
        "Status": 10,
        "Target Date": 15,
        "Created At": 20,
    },
    "Progress": {
        "Goal Title": 30,
        "Progress Value": 15,
        "Max Value": 15,
        "Notes": 40,
        "Recorded At": 20,
    },
}


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    with open_shop(home) as shop:
        shop.send(shop.write("goals.json", json.dumps(GOALS)), package="goals")
        yield shop


def texts(path: Path) -> dict[str, list[list[str]]]:
    with calamine.CalamineWorkbook.from_path(str(path)) as book:
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return {name: [list(map(str, row)) for row in rows] for name, rows in sheets.items()}


def columns(path: Path, number: int) -> list[tuple[float, bool]]:
    """Width and whether it is hidden, of each column of the sheet with this number."""
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
    return [
        (float(width), "hidden" in rest)
        for width, rest in re.findall(r'<col [^>]*width="([\d.]+)"([^>]*)/>', sheet)
    ]


def test_the_goals_are_shown_as_their_app_shows_them(shop: Shop) -> None:
    """EXF-08, EXF-13 to EXF-20: columns, widths, words and order; no sheet without a row."""
    path = shop.take(package="goals", format="xlsx")
    assert path.name == "goals-2.xlsx"
    sheets = texts(path)
    assert list(sheets) == ["modules", "Goals", "Progress", "achievements", "settings"]
    for number, (name, shown) in enumerate(SHOWN.items(), start=2):
        assert sheets[name][0][: len(shown)] == list(shown)
        widths = columns(path, number)
        assert [int(width) for width, _ in widths[: len(shown)]] == list(shown.values())
        assert [hidden for _, hidden in widths] == [
            at >= len(shown) for at in range(len(sheets[name][0]))
        ]
    newest, oldest = (row[:9] for row in sheets["Goals"][1:])
    assert newest == ["g2", "=Run 5 km", "", "", "", "", "Completed", "", "2026-01-16T09:00:00Z"]
    assert oldest[6:] == ["Active", "2026-06-30", "2026-01-15T09:00:00Z"]
    assert sheets["Progress"][1][:5] == [
        "Run 10 km",
        "2.5",
        "10.0",
        "",
        "2026-02-01T18:00:00.250000Z",
    ]


def test_a_workbook_of_a_package_comes_back(shop: Shop, tmp_path: Path) -> None:
    """Into an empty home with all that it held, and into its own without a change."""
    path = shop.take(package="goals", format="xlsx", to=str(tmp_path / "all"))
    assert path == tmp_path / "all.xlsx"
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        other.send(path, package="goals")
        for name in DATASETS:
            assert other.rows(name) == shop.rows(name), name
    sidecar(path).unlink()
    job = shop.send(path, package="goals", base=None)
    assert job.commit is None
    assert {part.source for part in job.members} == {"export:2"}
    assert {part.dataset: part.inside for part in job.members}["progress"] == "Progress"


def test_a_sheet_alone_is_known_by_its_name(shop: Shop, tmp_path: Path) -> None:
    """Though the file has the name of the package, which is that of another dataset too."""
    path = shop.take(package="goals", format="xlsx", where="1 = 0", to=str(tmp_path))
    assert list(texts(path)) == ["modules"]
    before = shop.rows("progress")
    for name in ("goals", "modules", "achievements", "settings"):
        with shop.engine.store.writing() as cursor:
            cursor.execute(f"DELETE FROM store.rows.{name}")
    path = shop.take(package="goals", format="xlsx", to=str(tmp_path))
    assert list(texts(path)) == ["Progress"]
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        other.send(path, package="goals")
        assert other.rows("progress") == before


def test_one_sheet_of_several_is_that_of_the_dataset(shop: Shop) -> None:
    path = shop.take(package="goals", format="xlsx")
    assert (shop.send(path, "progress").rows or {})["read"] == 1


def test_a_package_without_sheets_of_its_own_is_plain_tables(shop: Shop) -> None:
    folder = Path("config/samples/time-tracking").absolute()
    shop.send(folder, package="time_tracking")
    path = shop.take(package="time_tracking", format="xlsx")
    assert list(texts(path)) == ["clients", "projects", "tasks", "time_entries"]
    job = shop.send(path, package="time_tracking")
    changes = job.changes or {}
    assert {name: changes[name] for name in changes if changes[name]} == {"unchanged": 17}
