"""Fixtures of the TUI tests: homes behind a fake daemon, and the screen as plain text."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from dataport.core.paths import Home
from dataport.tui.app import DataportApp
from dataport.tui.link import default_factory
from tests.fakes.daemon import FakeDaemon, Script, fake_daemon
from tests.fakes.documents import full_script

SNAPSHOTS = Path(__file__).parent / "snapshots"
HOME_WORD = "/home/ana/port"
PATIENCE_S = 10.0

Opener = Callable[..., AbstractAsyncContextManager[Pilot[None]]]


@pytest.fixture(autouse=True)
def fixed_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """UTC, no colour switches from outside, sockets of its own."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def script() -> Script:
    return full_script()


@pytest.fixture
def daemon(tmp_path: Path, script: Script) -> Iterator[FakeDaemon]:
    with fake_daemon(tmp_path / "home", script) as running:
        yield running


@pytest.fixture
def empty_daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    with fake_daemon(tmp_path / "home", Script()) as running:
        yield running


def app_on(home: Home) -> DataportApp:
    """The app with real clients, none of which starts a daemon."""
    factory = default_factory(home)
    return DataportApp(home, lambda _start: factory(False))


@asynccontextmanager
async def opened(
    home: Home, size: tuple[int, int] = (120, 40), *, is_up: bool = True
) -> AsyncIterator[Pilot[None]]:
    """The app on `home` once it has found, or missed, its daemon."""
    app = app_on(home)
    async with app.run_test(size=size, notifications=True) as pilot:
        state = "ready" if is_up else "gone"
        await until(pilot, lambda: app.link.state == state)
        if is_up:
            await until(pilot, lambda: app.status is not None)
        await settle(pilot)
        yield pilot


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app work until `condition` holds; the test's time limit ends a vain wait."""
    while not condition():
        await pilot.pause(0.01)


async def settle(pilot: Pilot[None]) -> None:
    """Let requests under way come back and be shown."""
    quiet = 0
    while quiet < 3:
        is_busy = any(not w.is_finished for w in pilot.app.workers if w.group != "link")
        quiet = 0 if is_busy else quiet + 1
        await pilot.pause(0.004)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other, as a person who looks in between."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def screen_lines(pilot: Pilot[None]) -> list[str]:
    """The screen as a person sees it, line by line, without colours."""
    screen = pilot.app.screen
    strips = screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


def screen_text(pilot: Pilot[None]) -> str:
    return "\n".join(screen_lines(pilot)) + "\n"


async def assert_snapshot(pilot: Pilot[None], name: str) -> None:
    """Compare the screen with `snapshots/NAME.txt`; DATAPORT_SNAPSHOTS=write makes it anew."""
    app = pilot.app
    assert isinstance(app, DataportApp)
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("DATAPORT_SNAPSHOTS") == "write":
        path.write_text(screen_text(pilot), encoding="utf-8")
    assert path.is_file(), f"no snapshot {path.name}; set DATAPORT_SNAPSHOTS=write to make it"
    expected = path.read_text(encoding="utf-8")
    # What the daemon tells arrives in pieces, on a busy machine after the keys are settled.
    deadline = time.monotonic() + PATIENCE_S
    while screen_text(pilot) != expected and time.monotonic() < deadline:
        await pilot.pause(0.02)
    assert screen_text(pilot) == expected
