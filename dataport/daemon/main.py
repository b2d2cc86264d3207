"""Hosts one daemon from start to end."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from pathlib import Path

from dataport.core.errors import DataportError, StoreError, UsageError
from dataport.core.files import write_whole
from dataport.core.paths import Home
from dataport.daemon import logs
from dataport.daemon.app import create_app
from dataport.daemon.configuration import Configuration
from dataport.daemon.events import EventBroker
from dataport.daemon.lifecycle import (
    InstanceLock,
    Lifecycle,
    write_startup_error,
)
from dataport.daemon.server import SocketServer, bind_socket
from dataport.daemon.services import Build, Services, build_services

_LOGGER = logging.getLogger(__name__)


def run_daemon(home: Home, foreground: bool = False, build: Build = build_services) -> int:
    """Host the daemon of `home` until it is asked to stop; the exit code.

    Raises UsageError `no-home`, StateError `daemon-already-running`, ConfigError, StoreError and
    whatever else keeps a part from starting; a client that started this process reads the same
    error from HOME/run/startup-error.json.
    """
    os.umask(0o077)
    if not home.exists:
        raise UsageError(
            "no-home",
            f"There is no Dataport home at {home.root}.",
            hint=f"Make one with `dataport --home {home.root} init`.",
        )
    home.create()
    with InstanceLock(home.daemon_lock):
        logs.set_up(home, foreground=foreground)
        services = _start(home, build)
        try:
            _serve(services)
        finally:
            services.engine.close()
            _LOGGER.info("The daemon has ended.")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command line of `python -m dataport.daemon`; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dataport.daemon")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--foreground", action="store_true", help="log to stderr too")
    options = parser.parse_args(arguments)
    try:
        return run_daemon(Home.at(options.home), options.foreground)
    except DataportError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _start(home: Home, build: Build) -> Services:
    """Everything but the socket, so that whoever connects finds a daemon that works."""
    try:
        events = EventBroker()
        configuration = Configuration(home, events)
        logs.set_level(configuration.settings.daemon.log_level)
        configuration.on_change(lambda settings: logs.set_level(settings.daemon.log_level))
        services = build(home, configuration, events, Lifecycle())
        try:
            services.start()
        except BaseException:
            services.engine.close()
            raise
    except DataportError as error:
        _LOGGER.error("The daemon can't start. %s", error)
        write_startup_error(home, error)
        raise
    except Exception as error:
        _LOGGER.exception("The daemon can't start.")
        explained = StoreError(
            "daemon-failed",
            f"The daemon of {home.root} could not start.",
            f"{type(error).__name__}: {error}",
            f"The particulars are in {home.logs / 'daemon.log'}.",
        )
        write_startup_error(home, explained)
        raise explained from error
    home.startup_error.unlink(missing_ok=True)
    return services


def _serve(services: Services) -> None:
    path = services.home.socket
    listener = bind_socket(path)
    try:
        write_whole(services.home.socket_pointer, f"{path}\n".encode())
        _answer(services, listener)
    finally:
        listener.close()
        # Safe to unlink: we hold the instance lock.
        path.unlink(missing_ok=True)
        services.home.socket_pointer.unlink(missing_ok=True)


def _answer(services: Services, listener: socket.socket) -> None:
    server = SocketServer(create_app(services), services.lifecycle)
    drainer = threading.Thread(target=_drain, args=(services, server), name="drain", daemon=True)
    drainer.start()
    services.lifecycle.ready()
    _LOGGER.info("Ready: process %d, home %s.", os.getpid(), services.home.root)
    try:
        server.run(sockets=[listener])
    finally:
        # However the server ended, nothing may still work on the engine when it is closed.
        services.lifecycle.drain()
        drainer.join()


def _drain(services: Services, server: SocketServer) -> None:
    """Wait for the end, then let work end while the API still tells about it."""
    services.lifecycle.wait_for_drain()
    _LOGGER.info("The daemon stops.")
    services.events.publish("daemon", {"state": str(services.lifecycle.state)})
    try:
        services.stop()
    except Exception:
        _LOGGER.exception("Not everything could be stopped.")
    finally:
        services.events.close()
        server.should_exit = True
