"""What the operating system is told about a worker's limits."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

SLACK = 2**29
"""Resident bytes beyond the memory limit: what allocators keep for later, code, stacks."""

MOST_DATA = 4
"""Address space for data, in memory limits: allocators map far more than they use, so that this
only ends what grows faster than anybody looks."""

RESERVED = 400 * 2**20
"""Bytes of a worker's memory that are not DuckDB's."""

LEAST_MEMORY = 128 * 2**20
"""Bytes that DuckDB has at least."""

LOOK_S = 0.25
"""Seconds between two looks at the parent."""

WEIGH_S = 0.05
"""Seconds between two looks at what this process holds."""


def apply(memory: int, seconds: int, threads: int) -> None:
    """Bound this process: memory, processor time, no core dump."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, seconds * max(threads, 1) + 60)
    if sys.platform.startswith("linux"):
        _lower(resource.RLIMIT_DATA, MOST_DATA * (memory + SLACK))


def share(memory: int, taken: int = 0) -> str:
    """DuckDB's part of a worker's `memory`, of which arrays of ours take `taken` bytes; as the
    value of its setting."""
    return f"{max(LEAST_MEMORY, memory - RESERVED - taken)}B"


def watch_memory(memory: int, on_excess: Callable[[], object]) -> None:
    """Call `on_excess`, from a thread, once this process holds more than `memory` and slack.

    Only Linux tells a process what it holds at the moment; elsewhere nothing is watched.
    """
    if sys.platform.startswith("linux"):
        threading.Thread(target=_weigh, args=(memory + SLACK, on_excess), daemon=True).start()


def _weigh(most: int, on_excess: Callable[[], object]) -> None:
    with Path("/proc/self/statm").open("rb", buffering=0) as statm:
        while True:
            statm.seek(0)
            # Pages of files that are read in place are the system's, to take back at will.
            _, resident, shared, *_ = map(int, statm.read().split())
            if (resident - shared) * resource.getpagesize() > most:
                on_excess()
                return
            time.sleep(WEIGH_S)


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
