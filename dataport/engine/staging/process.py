"""Runs a staging worker and watches it: progress, cancel, time and death."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

from dataport.core.errors import CancelledError, InputError
from dataport.engine.staging.request import (
    REQUEST_FILE,
    STAGE_FILE,
    StageRequest,
    StageResult,
    read_stage,
)

Progress = Callable[[str, int, int | None], None]

POLL = 0.05
"""Seconds between two looks at the cancel event."""
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Environment variables a worker sees; no secret is among them."""


def stage(
    request: StageRequest,
    on_progress: Progress = lambda phase, processed, total: None,
    cancel: threading.Event | None = None,
) -> StageResult:
    """Read one file into `request.directory` in a process of its own.

    Blocks until it ends, and must be called from a thread that lives as long. Raises
    InputError when the file can't be taken, the time is over or the worker dies, and
    CancelledError when `cancel` is set.
    """
    directory = request.directory.absolute()
    request = replace(request, directory=directory, source_path=request.source_path.absolute())
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / STAGE_FILE).unlink(missing_ok=True)
    path = directory / REQUEST_FILE
    path.write_text(request.to_json(), encoding="utf-8")
    worker = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "dataport.engine.staging.worker",
            str(path),
            str(os.getpid()),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        env=_environment(request),
        start_new_session=True,
    )
    try:
        error = _watch(worker, request, on_progress, cancel or threading.Event())
    finally:
        _kill(worker)
    if error is not None:
        raise _as_input_error(error)
    result = read_stage(directory)
    if worker.returncode != 0 or result is None:
        raise _died(worker.returncode)
    return result


def _environment(request: StageRequest) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    home = str(request.directory)
    return passed | {"HOME": home, "TMPDIR": home, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}


def _watch(
    worker: subprocess.Popen[bytes],
    request: StageRequest,
    on_progress: Progress,
    cancel: threading.Event,
) -> dict[str, Any] | None:
    """Read the worker's lines until it closes its output; the error it told, if any."""
    deadline = time.monotonic() + request.limits.seconds
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_pump, args=(worker.stdout, lines), daemon=True).start()
    error: dict[str, Any] | None = None
    while line := _next(lines):
        if cancel.is_set():
            raise CancelledError
        if time.monotonic() > deadline:
            raise _too_slow(request.limits.seconds)
        document = json.loads(line)
        if "error" in document:
            error = document["error"]
        elif document:
            on_progress(document["phase"], document["processed"], document["total"])
    worker.wait()
    return error


def _pump(output: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass a worker's lines on, and an empty one at the end."""
    with output:
        for line in output:
            lines.put(line)
    lines.put(b"")


def _next(lines: queue.SimpleQueue[bytes]) -> bytes:
    """The next line; an empty document when it takes long."""
    try:
        return lines.get(timeout=POLL)
    except queue.Empty:
        return b"{}"


def _kill(worker: subprocess.Popen[bytes]) -> None:
    """End the worker and whatever it started; harmless when it has ended."""
    if worker.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _as_input_error(error: dict[str, Any]) -> InputError:
    return InputError(
        str(error["code"]), str(error["title"]), str(error["detail"]), str(error["hint"])
    )


def _too_slow(seconds: int) -> InputError:
    return InputError(
        "worker-timeout",
        "Reading the file took too long and was stopped.",
        f"The limit is {seconds:,} seconds.",
        "Split the file, or raise limits.worker_seconds in the configuration.",
    )


def _died(code: int) -> InputError:
    if code in (-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT):
        detail = f"It was ended by {signal.Signals(-code).name}, most likely for want of memory."
    elif code < 0:
        detail = f"It was ended by {signal.Signals(-code).name}."
    else:
        detail = f"It ended with code {code}."
    return InputError(
        "worker-died",
        "The process that read the file died.",
        detail,
        "Split the file, or raise limits.worker_memory in the configuration.",
    )
