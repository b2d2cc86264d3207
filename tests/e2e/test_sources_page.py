"""The example of docs/sources.md does what the page says, in fewer than 30 lines (issue 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import World
from tests.e2e.test_mappings import define

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"
LISTED = re.compile(r"^\| [^|]+ \| [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def block(kind: str) -> str:
    """The page's first block of a kind."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_example_of_the_page_is_complete(
    world: World, write: Callable[[str, str], Path]
) -> None:
    text = block("toml")
    assert len([line for line in text.splitlines() if line.strip()]) < 30
    define(world, "deskclock", text)
    job = world.ok("import", str(write("worklog.csv", block("csv"))))
    assert (job["mapping"], job["source"]) == ("deskclock", "deskclock")
    assert job["rows"] == {"read": 3, "valid": 2, "rejected": 0, "duplicate": 0, "skipped": 1}
    rows = world.ok("rows", "time_entries", "--sort", "entry_id")["rows"]
    assert [
        (row["entry_id"], row["project_name"], float(row["duration_hours"]), row["billable"])
        for row in rows
    ] == [("17", "Acme", 1.5, True), ("18", "Nordwind", 0.75, False)]
    assert [row["start_time"] for row in rows] == ["2026-04-03T09:15:00Z", "2026-04-13T14:00:00Z"]


def test_the_page_lists_every_mapping_that_ships(world: World) -> None:
    listed = set(re.findall(r"`(\w+)`", " ".join(LISTED.findall(PAGE.read_text(encoding="utf-8")))))
    assert listed >= {item["name"] for item in world.ok("mappings")["items"]}
