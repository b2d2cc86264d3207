"""The terminal UI on the real daemon: what the fake one promises holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from dataport.tui.app import DataportApp
from tests.e2e.conftest import World

FIRST = "lead_id,name,status\nL1,Ann,new\nL2,Bob,new\n"
SECOND = FIRST.replace("Ann,new", "Ann,won").replace("Bob,new", "Bob,lost")


async def until(pilot: Pilot[int], what: Callable[[], bool]) -> None:
    """Let the app run until something is so."""
    for _ in range(400):
        if what():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come about in time")


async def test_conflicts_are_settled_and_taken_back(
    world: World, write: Callable[[str, str], Path]
) -> None:
    """M-18: a choice of each kind, and undo, by keys alone."""
    world.send(write("1.csv", FIRST))
    world.ok("edit", "leads", "L1", "status=contacted")
    world.ok("edit", "leads", "L2", "status=qualified")
    world.send(write("2.csv", SECOND))

    def open_conflicts() -> int:
        return len(world.ok("conflicts", "list")["items"])

    app = DataportApp(world.home)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await pilot.pause(1.0)
        await pilot.press("f")
        await until(pilot, lambda: open_conflicts() == 1)
        await pilot.press("s")
        await until(pilot, lambda: open_conflicts() == 0)
        await pilot.press("z")
        await until(pilot, lambda: open_conflicts() == 1)
        assert app.is_running
    assert [row["status"] for row in world.rows()] == ["won", "qualified"]


async def test_a_held_plan_is_approved(world: World, write: Callable[[str, str], Path]) -> None:
    world.send(write("1.csv", FIRST))
    job = world.send(write("2.csv", SECOND), "--hold")["job"]
    app = DataportApp(world.home)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await pilot.pause(1.0)
        await pilot.press("a")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: world.ok("jobs", "show", str(job))["status"] == "completed")
        assert app.is_running
    assert [row["status"] for row in world.rows()] == ["won", "lost"]
