"""Makes docs/conflicts.svg from the running terminal UI: `make screenshots`."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from dataport.core.paths import Home
from dataport.tui.app import DataportApp
from demo import __main__ as story

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZE = (110, 30)
SETTLE_S = 1.5


async def photograph(home: Home, target: Path) -> None:
    """Open the conflicts of `home` and save what is on the screen."""
    app = DataportApp(home)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("4")
        await pilot.pause(SETTLE_S)
        await pilot.press("j", "j")
        await pilot.pause(SETTLE_S)
        app.save_screenshot(target.name, str(target.parent))


def main() -> None:
    """Bring a home to the point where conflicts wait, and photograph it."""
    os.environ["TZ"] = "UTC"
    # A place that reads the same on every machine: it is in the picture.
    story.HOME = Path(tempfile.gettempdir()) / "dataport-demo"
    story.fresh_home()
    story.first_file()
    story.a_person_edits()
    story.newer_file()
    story.another_source()
    asyncio.run(photograph(Home.at(story.HOME), DOCS / "conflicts.svg"))
    story.run("daemon", "stop", quiet=True)


if __name__ == "__main__":
    main()
