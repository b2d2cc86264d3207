"""Jobs and review: looking, deciding, following along."""

from __future__ import annotations

from dataport.core.errors import InputError
from dataport.tui.modals import ErrorModal
from tests.fakes.daemon import FakeDaemon
from tests.fakes.documents import rejects, running_job
from tests.tui.conftest import opened, press, screen_text, settle, until


async def test_progress_follows_events(daemon: FakeDaemon) -> None:
    """JOB-10"""
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "j")
        assert "45,000 of 100,000" in screen_text(pilot)
        progress = running_job(7, 99_000)["progress"]
        daemon.script.change_job(7, progress=progress)
        await until(pilot, lambda: "99,000 of 100,000" in screen_text(pilot))
        assert "21,500 rows/s" in screen_text(pilot)
        daemon.script.change_job(7, status="completed", progress=None)
        await until(pilot, lambda: "✓ completed" in screen_text(pilot).splitlines()[4])


async def test_a_new_job_appears_by_itself_and_the_cursor_stays(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "j")
        daemon.script.jobs.append(running_job(9))
        daemon.script.emit("job", {"job": daemon.script.jobs[-1]})
        await until(pilot, lambda: "Jobs (9)" in screen_text(pilot))
        assert "─ Job 7 ─" in screen_text(pilot)


async def test_the_filter_counts_live(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "slash", *"phone")
        assert "Jobs (1 of 8)" in screen_text(pilot)
        await press(pilot, "z")
        assert "Jobs (0 of 8)" in screen_text(pilot)
        assert "Esc clears the filter" in screen_text(pilot)
        await press(pilot, "escape")
        assert "Jobs (8)" in screen_text(pilot)


async def test_cancel_asks_first(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "j", "c")
        assert "Cancel job 7?" in screen_text(pilot)
        await press(pilot, "n")
        assert daemon.script.requests == []
        await press(pilot, "c", "y")
        assert daemon.script.requests == [("POST", "/v1/jobs/7/cancel", None)]
        await until(pilot, lambda: "⊘ cancelled" in screen_text(pilot))


async def test_retry_runs_a_failed_job_again(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "G", "k", "k")
        assert "The file is not text." in screen_text(pilot)
        assert "[red]this is not markup[/red]" in screen_text(pilot)
        await press(pilot, "r")
        assert daemon.script.requests == [("POST", "/v1/jobs/3/retry", None)]


async def test_a_command_that_does_not_apply_says_why(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "G", "a")
        assert "does not wait for approval" in screen_text(pilot)
        assert daemon.script.requests == []


async def test_approve_names_every_count(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "3", "a")
        text = " ".join(screen_text(pilot).replace("│", " ").split())
        assert "1 insert, 2 updates, 1 delete, 7 unchanged rows, 1 skipped row, 1" in text
        await press(pilot, "enter")
        assert daemon.script.requests == [("POST", "/v1/jobs/5/approve", None)]
        await until(pilot, lambda: "Job 6 ◆ waiting" in screen_text(pilot))


async def test_an_error_is_shown_whole_and_can_be_copied(daemon: FakeDaemon) -> None:
    daemon.script.refuse["/v1/jobs/5/approve"] = InputError(
        "base-moved", "The plan is [b]stale[/b].", "東京\nline two", "Plan again."
    )
    async with opened(daemon.home) as pilot:
        await press(pilot, "3", "a", "y")
        assert isinstance(pilot.app.screen, ErrorModal)
        for part in ("The plan is [b]stale[/b].", "東京", "line two", "Plan again.", "base-moved"):
            assert part in screen_text(pilot)
        await press(pilot, "y")
        assert "The plan is [b]stale[/b]." in pilot.app.clipboard
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ErrorModal)


async def test_a_plan_is_read_in_windows(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "3", "n")
        assert "Rows 1–200 of 505" in screen_text(pilot)
        await press(pilot, "G", "j")
        assert "Rows 201–400 of 505" in screen_text(pilot)
        await press(pilot, "G", "pagedown")
        assert "Rows 401–505 of 505" in screen_text(pilot)
        await press(pilot, "G", "j")
        assert "Rows 401–505 of 505" in screen_text(pilot)
        await press(pilot, "g", "k")
        assert "Rows 201–400 of 505" in screen_text(pilot)
        assert "M-00394" in screen_text(pilot), "the cursor enters the window from its end"


async def test_a_plan_is_filtered_by_kind_and_field(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "3", "u")
        assert "[Update 2]" in screen_text(pilot)
        assert "of 2 " in screen_text(pilot)
        await press(pilot, "right")
        assert "[Delete 1]" in screen_text(pilot)
        await press(pilot, "e")
        assert "[All]" in screen_text(pilot)
        await press(pilot, "f", "j", "j", "j", "enter")
        assert "field name" in screen_text(pilot)
        assert "of 2, field" in screen_text(pilot)


async def test_rows_of_a_plan_are_found_and_left_out(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "3", "j", "space")
        assert "left out" in screen_text(pilot)
        assert [row["key"] for row in daemon.script.plans[5] if row.get("excluded")] == ["L-2002"]
        await press(pilot, "o")
        assert "[Left out 1]" in screen_text(pilot)
        assert "of 1 " in screen_text(pilot)
        await press(pilot, "space")
        assert "No row of this kind." in screen_text(pilot)
        await press(pilot, "o", "slash", *"l-3", "enter")
        assert "of 1, key with l-3" in screen_text(pilot)
        assert "L-3003" in screen_text(pilot)


async def test_a_plan_of_a_package_names_datasets(daemon: FakeDaemon) -> None:
    """Rows of each are shown alone; one that is left out is named with its dataset (issue 3)."""
    items = [{"dataset": name, "notices": [f"{name} said so"]} for name in ("clients", "projects")]
    daemon.script.change_job(5, dataset=None, package="time_tracking", items=items)
    for number, row in enumerate(daemon.script.plans[5]):
        row |= {"dataset": items[number % 2]["dataset"], "key": f"K-{number // 2}"}
    async with opened(daemon.home) as pilot:
        await press(pilot, "3")
        assert "time_tracking" in screen_text(pilot)
        assert "K-0  clients" in screen_text(pilot)
        assert "K-0  projects" in screen_text(pilot)
        await press(pilot, "t", "j", "j", "enter")
        assert "of 2, only projects" in screen_text(pilot)
        await press(pilot, "space")
        left_out = [row for row in daemon.script.plans[5] if row.get("excluded")]
        assert [(row["dataset"], row["key"]) for row in left_out] == [("projects", "K-0")]


async def test_p_opens_the_plan_of_the_job_under_the_cursor(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "j", "j", "p")
        assert "Job 6 ◆ waiting" in screen_text(pilot)
        await press(pilot, "2", "G", "p")
        assert "This job has no plan" in screen_text(pilot)
        await press(pilot, "1", "3")
        assert "Job 5 ◆ waiting" in screen_text(pilot)


async def test_rejects_are_read_in_windows(daemon: FakeDaemon) -> None:
    daemon.script.rejects[4] = rejects(250)
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "j", "j", "j", "j", "x")
        assert "1–200 of 250" in screen_text(pilot)
        assert "constraint-error" in screen_text(pilot)
        await press(pilot, "G", "j")
        assert "201–250 of 250" in screen_text(pilot)
        await press(pilot, "escape")
        await settle(pilot)
        assert "Jobs (8)" in screen_text(pilot)


async def test_a_reject_of_one_of_several_tables_names_it(daemon: FakeDaemon) -> None:
    daemon.script.rejects[4] = [{**rejects(1)[0], "inside": "feb.csv"}]
    async with opened(daemon.home) as pilot:
        await press(pilot, "2", "j", "j", "j", "j", "x")
        assert "Line 14 of feb.csv, email:" in screen_text(pilot)


async def test_the_mouse_works_everywhere(daemon: FakeDaemon) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        await pilot.click(offset=(16, 0))
        await settle(pilot)
        assert "[2 Jobs" in screen_text(pilot)
        await pilot.click("#jobs", offset=(10, 4))
        await settle(pilot)
        assert "─ Job 5 ─" in screen_text(pilot)
        await pilot.click("#footer", offset=(3, 0))
        await settle(pilot)
        assert "Job 5 ◆ waiting" in screen_text(pilot)
        await pilot.click("#kinds", offset=(9, 0))
        await settle(pilot)
        assert "[Insert 1]" in screen_text(pilot)
