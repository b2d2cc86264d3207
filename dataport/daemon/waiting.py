"""Counts of what waits for a person, kept in memory so that asking never waits for the store."""

from __future__ import annotations

import threading
from pathlib import Path

from dataport.core.words import JobStatus
from dataport.engine.engine import Engine

REMEMBERED_JOBS = 500
"""Newest jobs whose reject files are looked for after a start."""


class WaitingCounts:
    """Open conflicts, and rejected rows whose file still lies where it was put."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._conflicts = 0
        self._reject_files: dict[str, int] = {
            part.rejects_file: (part.rows or {}).get("rejected", 0)
            for job in engine.jobs.newest(limit=REMEMBERED_JOBS)
            for part in job.members
            if part.rejects_file and job.status is not JobStatus.CANCELLED
        }

    def refresh(self) -> None:
        """Count the open conflicts again."""
        self._conflicts = self._engine.decisions.count_open()

    def note_rejects(self, path: str, rows: int) -> None:
        """A file with so many rejected rows was written."""
        with self._lock:
            self._reject_files[path] = rows

    def counts(self) -> dict[str, int]:
        """`conflicts` and `rejects`; a reject file that was taken away waits no more."""
        with self._lock:
            self._reject_files = {
                path: rows for path, rows in self._reject_files.items() if Path(path).exists()
            }
            rejects = sum(self._reject_files.values())
        return {"conflicts": self._conflicts, "rejects": rejects}
