"""What the operating system is told about a worker's limits."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time

SLACK = 2**30
"""Address space beyond the memory limit, for stacks, code and DuckDB's allocator."""

LOOK_S = 0.25
"""Seconds between two looks at the parent."""


def apply(memory: int, seconds: int, threads: int) -> None:
    """Bound this process: memory, processor time, no core dump."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, seconds * max(threads, 1) + 60)
    if sys.platform.startswith("linux"):
        _lower(resource.RLIMIT_DATA, memory + SLACK)


def die_with_parent(parent: int) -> None:
    """End this process when process `parent`, which started it, is gone.

    The system's own signal for this follows the thread that started the process, which may end
    earlier; so the parent is looked at.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))
