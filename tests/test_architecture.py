"""Who may import whom (design section 4), as contracts and as what a process really loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dataport
from dataport.core.errors import NoDaemonError
from dataport.core.paths import Home, shipped_config

CHECKOUT = Path(__file__).resolve().parent.parent

SERVER = {"fastapi", "starlette", "uvicorn", "sse_starlette"}
SCREEN = {"textual", "textual_fastdatatable"}
DATA = {"duckdb", "pyarrow", "numpy"}

DONE_OR_NO_DAEMON = frozenset({0, NoDaemonError.exit_code})

WALK = """
import importlib, pkgutil, sys
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
"""

REPORT = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
"""


def loaded(program: str, exits: frozenset[int] = frozenset({0})) -> set[str]:
    """Names of the modules that a fresh interpreter holds after `program`."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT + program],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
    )
    *said, modules = done.stderr.splitlines()
    assert done.returncode in exits, "\n".join(said)
    return set(json.loads(modules))


def test_the_import_contracts_hold() -> None:
    """The contracts stand in pyproject.toml under [tool.importlinter]."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-logo", "--no-cache"],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        (
            WALK.format(package="dataport.core"),
            DATA | SERVER | SCREEN | {"asyncio", "dataport.engine", "dataport.client"},
        ),
        ("import dataport.client.api", DATA | SERVER | SCREEN | {"dataport.engine"}),
        (
            WALK.format(package="dataport.client"),
            DATA | SERVER | SCREEN | {"dataport.engine", "dataport.daemon"},
        ),
        (
            WALK.format(package="dataport.tui"),
            {"duckdb", "dataport.engine", "dataport.daemon", "dataport.cli"} | SERVER,
        ),
        (
            WALK.format(package="dataport.engine"),
            SERVER | SCREEN | {"httpx", "watchdog", "apscheduler", "click", "dataport.client"},
        ),
        (
            WALK.format(package="dataport.daemon"),
            SCREEN | {"dataport.client", "dataport.tui", "dataport.cli"},
        ),
        ("import dataport.daemon.main, dataport.daemon.app", {"numpy", "pyarrow", "pandas"}),
        ("import dataport.tui.app", {"duckdb", "dataport.engine", "dataport.daemon"} | SERVER),
    ],
    ids=["core", "client.api", "client", "tui", "engine", "daemon", "daemon.app", "tui.app"],
)
def test_a_layer_pulls_in_nothing_it_must_not(program: str, unwanted: set[str]) -> None:
    assert loaded(program) & unwanted == set()


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["status", "--no-start"]])
def test_quick_commands_start_without_heavy_libraries(arguments: list[str], tmp_path: Path) -> None:
    """`dataport --version` and `dataport status` import neither duckdb, textual nor pyarrow."""
    home = Home.at(tmp_path / "home")
    home.create()
    home.config_file.write_text("", encoding="utf-8")
    line = ["--home", str(home.root), *arguments]
    program = f"from dataport.cli.main import run; sys.exit(run({line!r}))"
    found = loaded(program, DONE_OR_NO_DAEMON)
    assert found & (DATA | SERVER | SCREEN | {"dataport.engine"}) == set()


def test_nothing_of_a_wheel_is_copied_by_an_editable_install() -> None:
    """A checkout reads its own config/; a stale copy would stand above it."""
    assert Path(dataport.__file__).parent == CHECKOUT / "dataport"
    assert shipped_config() == CHECKOUT / "config"
