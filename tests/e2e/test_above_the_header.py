"""Files with titles above their header, through the command (V-14)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import World

REPORT = "Report of leads\nMade on 2026-11-01\n\n"
ROWS = "lead_id,name,email\n1,Ann,a@b.co\n2,Bo,none\n"


def test_titles_are_no_data_and_lines_are_those_of_the_file(
    world: World, write: Callable[[str, str], Path]
) -> None:
    job = world.send(write("leads.csv", REPORT + ROWS))
    assert job["rows"] == {"read": 2, "valid": 1, "rejected": 1, "duplicate": 0}
    assert [row["name"] for row in world.rows()] == ["Ann"]
    assert world.ok("blame", "leads", "1")["items"][0]["line"] == 5
    [reject] = world.ok("jobs", "rejects", str(job["job"]))["items"]
    assert (reject["line"], reject["row"]) == (6, 2)
    assert world.ok("import", str(write("again.csv", "\n" + REPORT + ROWS)))["dataset"] == "leads"


def test_who_is_told_the_wrong_header_says_the_right_one(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """The line that was taken is shown, and another can be named."""
    path = write("leads.csv", "lead_id,email,Ort\n9,c@b.co,Bonn\n" + ROWS)
    failed = world.run("import", str(write("none.csv", "Report\n\nKunde;Ort\nAnn;Bonn\n")),
                       "--dataset", "leads", "--strict")  # fmt: skip
    assert failed.code != 0
    shown = str(failed.document)
    assert "Line 3 was taken for the header" in shown or "waiting" in shown, shown
    world.send(path, "--header-line", "3")
    assert [(row["lead_id"], row["name"]) for row in world.rows()] == [("1", "Ann")]
