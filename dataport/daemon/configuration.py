"""The settings in force: read from config/dataport.toml, read again whenever it changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.core.errors import ConfigError, DataportError
from dataport.core.files import write_whole
from dataport.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from dataport.core.paths import Home
    from dataport.daemon.events import EventBroker
    from dataport.daemon.inboxes.observer import FolderEvents

_LOGGER = logging.getLogger(__name__)

_DEBOUNCE_S = 0.15
"""An editor saves in several steps; the file is read once they are over."""

OnChange = Callable[[Settings], None]
"""Puts settings and definitions in force. A DataportError it raises is shown as the config's."""

_Stamp = dict[Path, tuple[int, int, int]]


class Configuration:
    """Holds the settings of a home; a bad file keeps the last good ones and says so.

    Raises ConfigError when made if the file is bad and no good one was ever read.
    """

    def __init__(self, home: Home, events: EventBroker) -> None:
        self._home = home
        self._events = events
        self._last_good = home.run / "last-good.toml"
        self._callbacks: list[OnChange] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._timer_lock = threading.Lock()
        self._is_stopped = False
        self._stamp = self._look()
        self.error: DataportError | None = None
        """Why the files on disk are not in force; None while they are."""
        self._settings = self._first()

    @property
    def settings(self) -> Settings:
        """The settings in force; never blocks."""
        return self._settings

    def on_change(self, callback: OnChange) -> None:
        """Call `callback` after every reload, whichever file below config/ changed."""
        self._callbacks.append(callback)

    def reload(self) -> bool:
        """Read the files again now; whether they are good and in force."""
        with self._lock:
            self._stamp = self._look()
            before = self.error
            self.error = self._put_in_force()
            if self.error is None:
                _LOGGER.info("The configuration was read again.")
            elif before is None or before.as_dict() != self.error.as_dict():
                _LOGGER.error("The configuration stays as it was. %s", self.error)
            error = self.error
        self._events.publish("config", {"error": error.as_dict() if error else None})
        return error is None

    def watch(self, folder_events: FolderEvents) -> None:
        """Reload whenever a file below config/ changes."""
        folder_events.watch(self._home.config, self._hint, recursive=True)
        # What changed between the first reading and the first event.
        self._hint()

    def stop(self) -> None:
        """Reload no more."""
        with self._timer_lock:
            self._is_stopped = True
            if self._timer is not None:
                self._timer.cancel()

    def _first(self) -> Settings:
        try:
            settings = load_settings(self._home.config_file)
        except ConfigError as error:
            try:
                settings = load_settings(self._last_good)
            except ConfigError:
                raise error from None
            self.error = error
            _LOGGER.error("The last good configuration is used instead. %s", error)
        else:
            self._keep()
        return settings

    def _put_in_force(self) -> DataportError | None:
        try:
            self._settings = load_settings(self._home.config_file)
        except ConfigError as error:
            return error
        self._keep()
        failed: DataportError | None = None
        for callback in self._callbacks:
            try:
                callback(self._settings)
            except DataportError as error:
                failed = failed or error
        return failed

    def _keep(self) -> None:
        try:
            write_whole(self._last_good, self._home.config_file.read_bytes())
        except OSError as error:
            _LOGGER.warning("The good configuration could not be kept: %s.", error)

    def _hint(self) -> None:
        if self._look() == self._stamp:
            return
        with self._timer_lock:
            if self._is_stopped:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(_DEBOUNCE_S, self._reload_if_changed)
            self._timer.daemon = True
            self._timer.start()

    def _reload_if_changed(self) -> None:
        if self._look() != self._stamp:
            self.reload()

    def _look(self) -> _Stamp:
        stamp: _Stamp = {}
        for path in self._home.config.rglob("*.toml"):
            try:
                status = path.stat()
            except OSError:
                continue
            stamp[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return stamp
