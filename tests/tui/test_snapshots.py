"""The screens as plain text, with data that is hard on them."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.fakes.daemon import FakeDaemon
from tests.tui.conftest import assert_snapshot, opened, press, screen_lines

SIZES = [(80, 24), (120, 40), (200, 60)]
VIEWS = {
    "overview": (),
    "jobs": ("2", "j"),
    "job-failed": ("2", "G", "k", "k", "enter"),
    "rejects": ("2", "j", "j", "j", "j", "x"),
    "review": ("3", "j", "j", "j"),
    "review-approve": ("3", "a"),
    "conflicts": ("4", "j"),
    "conflict-row": ("4", "j", "j", "j", "j"),
    "conflict-all": ("4", "S"),
    "help": ("4", "question_mark"),
}


@pytest.fixture(autouse=True)
def same_home_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header names the home; its path differs with every run."""
    monkeypatch.setattr(
        "dataport.tui.screens.base.Section.home_text", property(lambda _self: "/home/ana/port")
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
async def test_a_full_home(daemon: FakeDaemon, view: str, size: tuple[int, int]) -> None:
    async with opened(daemon.home, size) as pilot:
        await press(pilot, *VIEWS[view])
        assert all(cell_len(line) <= size[0] for line in screen_lines(pilot))
        await assert_snapshot(pilot, f"{view}-{size[0]}x{size[1]}")


@pytest.mark.parametrize(
    ("view", "key"), [("overview", "1"), ("jobs", "2"), ("review", "3"), ("conflicts", "4")]
)
async def test_an_empty_home(empty_daemon: FakeDaemon, view: str, key: str) -> None:
    async with opened(empty_daemon.home, (80, 24)) as pilot:
        await press(pilot, key)
        await assert_snapshot(pilot, f"empty-{view}-80x24")


@pytest.mark.parametrize("size", [(59, 24), (80, 17), (20, 5)])
async def test_a_terminal_that_is_too_small_says_so(
    daemon: FakeDaemon, size: tuple[int, int]
) -> None:
    async with opened(daemon.home, size) as pilot:
        assert "too small" in " ".join(" ".join(screen_lines(pilot)).split())
        await pilot.resize_terminal(60, 18)
        await press(pilot, "2", "1")
        assert "too small" not in " ".join(screen_lines(pilot))
        if size == (59, 24):
            await assert_snapshot(pilot, "overview-60x18")


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
@pytest.mark.parametrize("size", [(60, 18), (80, 24)])
async def test_the_footer_is_whole(daemon: FakeDaemon, key: str, size: tuple[int, int]) -> None:
    async with opened(daemon.home, size) as pilot:
        await press(pilot, key)
        last = screen_lines(pilot)[-1]
        assert last.endswith("? Help")
        assert "…" not in last


async def test_no_color_is_honoured_and_nothing_is_told_by_colour_alone(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        await press(pilot, "2", "j")
        with_colour = screen_lines(pilot)
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(daemon.home, (80, 24)) as pilot:
        await press(pilot, "2", "j")
        assert screen_lines(pilot) == with_colour
        screen = pilot.app.screen
        for strip in screen._compositor.render_strips():
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    if colour is not None and colour.triplet is not None:
                        assert len(set(colour.triplet)) == 1
