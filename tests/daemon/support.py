"""Homes, waits and daemons for tests of the shell around the engine."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fastapi import APIRouter

from dataport.client.start import daemon_state
from dataport.core.paths import Home
from dataport.daemon.app import create_app
from dataport.daemon.configuration import Configuration
from dataport.daemon.events import EventBroker
from dataport.daemon.lifecycle import Lifecycle
from dataport.daemon.server import SocketServer, bind_socket
from dataport.daemon.services import Services
from tests.daemon.standin import build

STANDIN = Path(__file__).with_name("standin.py")

QUICK = "[watch]\nsettle_seconds = 0.1\nrescan_seconds = 1\n"

LEADS = '[[inboxes]]\nname = "leads"\ndataset = "leads"\nsource = "crm"\n'


def make_home(root: Path, config: str = QUICK) -> Home:
    home = Home.at(root / "home")
    home.create()
    home.config_file.write_text(config)
    return home


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for `condition`; a test that waits in vain fails."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def daemon_process(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """The stand-in daemon of `home` in a process of its own, ready."""
    with subprocess.Popen(
        [sys.executable, STANDIN, "--home", home.root], stderr=subprocess.PIPE
    ) as process:
        try:
            until(lambda: daemon_state(home) == "ready")
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def served(home: Home, *routers: APIRouter) -> Iterator[Services]:
    """The application of a stand-in daemon, on its real socket, in a thread of this process."""
    events, lifecycle = EventBroker(), Lifecycle()
    services = build(home, Configuration(home, events), events, lifecycle)
    app = create_app(services)
    for router in routers:
        app.include_router(router)
    server = SocketServer(app, lifecycle)
    listener = bind_socket(home.socket)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    lifecycle.ready()
    try:
        until(lambda: server.started)
        yield services
    finally:
        events.close()
        server.should_exit = True
        thread.join()
        listener.close()
        home.socket.unlink(missing_ok=True)
