"""What a worker may use: the process is ended, with a reason, before it harms the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dataport.engine.staging import limits

GREEDY = """
import sys, time
from dataport.engine.staging import limits
limits.watch_memory(int(sys.argv[1]), lambda: print("too much", flush=True) or sys.exit())
held = b"x" * int(sys.argv[2])
time.sleep(0.5)
"""


def greedy(memory: int, held: int) -> str:
    """What is said while a process that may use `memory` bytes holds `held`."""
    command = [sys.executable, "-c", GREEDY, str(memory), str(held)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
def test_a_process_that_holds_more_than_its_memory_is_told_so() -> None:
    memory = 2**27
    assert greedy(memory, memory + limits.SLACK + 2**26) == "too much\n"
    assert greedy(memory, memory) == ""


def test_duckdb_gets_what_our_own_arrays_leave() -> None:
    gib = 2**30
    assert limits.share(gib) == f"{gib - limits.RESERVED}B"
    assert limits.share(gib, 2**28) == f"{gib - limits.RESERVED - 2**28}B"
    assert limits.share(1) == f"{limits.LEAST_MEMORY}B"
