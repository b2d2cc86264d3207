"""The daemon comes and goes; the app stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dataport.core.paths import Home
from dataport.tui.app import DataportApp
from tests.fakes.daemon import FakeDaemon
from tests.tui.conftest import opened, press, screen_text, settle, until


def link_state(app: object) -> str:
    assert isinstance(app, DataportApp)
    return app.link.state


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
async def test_a_daemon_that_dies_is_a_banner_and_comes_back(daemon: FakeDaemon, key: str) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        await press(pilot, key)
        before = screen_text(pilot)
        daemon.stop()
        await until(pilot, lambda: link_state(pilot.app) == "gone")
        await settle(pilot)
        text = screen_text(pilot)
        assert "✗ No daemon." in text
        assert "press R" in text
        assert "✗ gone" in text
        assert before.splitlines()[3][:40] in text, "what was known stays on screen"
        daemon.start()
        await press(pilot, "R")
        await until(pilot, lambda: link_state(pilot.app) == "ready")
        await until(pilot, lambda: "✗ No daemon." not in screen_text(pilot))


async def test_it_reconnects_without_a_key(daemon: FakeDaemon) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        daemon.stop()
        await until(pilot, lambda: link_state(pilot.app) == "gone")
        daemon.start()
        await until(pilot, lambda: link_state(pilot.app) == "ready")


async def test_a_broken_configuration_is_a_banner(daemon: FakeDaemon) -> None:
    async with opened(daemon.home, (80, 24)) as pilot:
        assert "Configuration" not in screen_text(pilot)
        daemon.script.config_error = {
            "code": "unknown-key",
            "title": "dataport.toml: unknown key [watch] setle.",
            "detail": "",
            "hint": "Did you mean settle_seconds?",
        }
        daemon.script.emit("config", {})
        await until(pilot, lambda: "unknown key [watch] setle." in screen_text(pilot))
        assert "Did you mean settle_seconds?" in " ".join(screen_text(pilot).split())


async def test_the_first_frame_needs_no_daemon(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    app = DataportApp(home, lambda _start: pytest.fail("asked before the first frame"))
    app.keep_link = lambda: None  # type: ignore[method-assign,assignment,return-value]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        text = screen_text(pilot)
        assert "[1 Overview]" in text
        assert "◌ connecting" in text
        assert "Loading…" in text


def test_the_app_imports_no_engine_and_no_server() -> None:
    code = (
        "import sys, dataport.tui.app\n"
        "banned = {'duckdb', 'pyarrow', 'numpy', 'fastapi', 'uvicorn', 'httpx', 'pydantic',"
        " 'dataport.engine', 'dataport.daemon', 'textual.widgets._text_area'}\n"
        "print(sorted(banned & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
