"""Every key of every screen: with nothing, with everything, and with the daemon gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from dataport.core.paths import Home
from dataport.tui.app import DataportApp
from dataport.tui.commands import SECTIONS, commands_of
from dataport.tui.modals import ErrorModal
from dataport.tui.screens.base import Section
from tests.fakes.daemon import FakeDaemon
from tests.tui.conftest import opened, press, screen_text

LIST_KEYS = ("j", "k", "g", "G", "up", "down", "home", "end", "pageup", "pagedown", "tab")
SIZES = [(80, 24), (120, 40), (200, 60)]


def keys_of(section: str) -> list[str]:
    """The section's own keys; those that leave it come in tests of their own."""
    own = [c for c in commands_of(section) if not c.id.startswith(("go.", "app.quit"))]
    keys = [key for command in own for key in (command.key, *command.more_keys) if key]
    return [*LIST_KEYS, *keys]


async def press_all(home: Home, section: str, size: tuple[int, int], *, is_up: bool) -> None:
    async with opened(home, size, is_up=is_up) as pilot:
        app = pilot.app
        assert isinstance(app, DataportApp)
        number = str([*SECTIONS].index(section) + 1)
        for key in keys_of(section):
            if app.shown is None or app.shown.section != section:
                await press(pilot, number)
            await press(pilot, key)
            assert not isinstance(app.screen, ErrorModal), f"{key}: {screen_text(pilot)}"
            while not isinstance(app.screen, Section) or isinstance(app.focused, Input):
                await press(pilot, "escape")
        assert app.return_code is None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("section", SECTIONS)
async def test_every_key_in_a_full_home(
    daemon: FakeDaemon, section: str, size: tuple[int, int]
) -> None:
    await press_all(daemon.home, section, size, is_up=True)


@pytest.mark.parametrize("section", SECTIONS)
async def test_every_key_in_an_empty_home(empty_daemon: FakeDaemon, section: str) -> None:
    empty_daemon.script.resolutions.append([])
    await press_all(empty_daemon.home, section, (80, 24), is_up=True)


@pytest.mark.parametrize("section", SECTIONS)
async def test_every_key_without_a_daemon(tmp_path: Path, section: str) -> None:
    home = Home.at(tmp_path / "home")
    home.create()
    await press_all(home, section, (80, 24), is_up=False)


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
async def test_number_keys_open_sections_from_everywhere(daemon: FakeDaemon, key: str) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        for start in ("1", "2", "3", "4"):
            await press(pilot, start, key)
            screen = pilot.app.screen
            assert isinstance(screen, Section)
            assert screen.section == list(SECTIONS)[int(key) - 1]


@pytest.mark.parametrize("section", ["1", "2", "3", "4"])
async def test_q_leaves(daemon: FakeDaemon, section: str) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        await press(pilot, section)
        await pilot.press("q")
        await pilot.pause()
        assert not pilot.app.is_running or pilot.app._exit
