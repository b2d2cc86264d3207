"""Counts of what waits for a person, kept in memory so that asking never waits for the store."""

from __future__ import annotations

import threading
from pathlib import Path

from dataport.core.words import JobStatus
from dataport.engine.engine import Engine

REMEMBERED_JOBS = 500
"""Newest jobs whose reject files are looked for after a start."""


class WaitingCounts:
    """Open conflicts, unsettled mappings, and reject files that still lie where they were put."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._conflicts = 0
        self._reject_files: set[str] = {
            job.rejects_file
            for job in engine.jobs.newest(limit=REMEMBERED_JOBS)
            if job.rejects_file and job.status is not JobStatus.CANCELLED
        }

    def refresh(self) -> None:
        """Count the open conflicts again."""
        self._conflicts = self._engine.count_open_conflicts()

    def note_rejects(self, path: str) -> None:
        """A reject file was written."""
        with self._lock:
            self._reject_files.add(path)

    def counts(self) -> dict[str, int]:
        """`conflicts`, `mappings`, `rejects`; a reject file that was taken away waits no more."""
        with self._lock:
            self._reject_files = {path for path in self._reject_files if Path(path).exists()}
            rejects = len(self._reject_files)
        return {"conflicts": self._conflicts, "mappings": 0, "rejects": rejects}
