"""The daemon's log: HOME/logs/daemon.log, rotating, private."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from dataport.core import clock

if TYPE_CHECKING:
    from dataport.core.paths import Home

_BYTES = 5_000_000
_KEPT = 3
_NOISY = ("asyncio", "sse_starlette", "uvicorn", "watchdog")


class _Formatter(logging.Formatter):
    """Times as everywhere else: UTC, ISO 8601."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's own names
        return clock.iso(datetime.fromtimestamp(record.created, UTC)) or ""


def set_up(home: Home, *, foreground: bool) -> None:
    """Send every log line to the home's log file, and to stderr in the foreground."""
    home.logs.mkdir(mode=0o700, exist_ok=True)
    handlers: list[logging.Handler] = [
        RotatingFileHandler(
            home.logs / "daemon.log", maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8"
        )
    ]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def set_level(level: str) -> None:
    """Keep messages of `level` (debug, info, warning, error) and above."""
    logging.getLogger("dataport").setLevel(level.upper())
