"""Runs a staging worker and watches it: progress, cancel, time and death."""

from __future__ import annotations

import json
import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TypeVar

from dataport.core.errors import CancelledError, InputError
from dataport.core.text import counted
from dataport.engine.staging.look import (
    LOOK_FILE,
    LOOK_REQUEST_FILE,
    Look,
    LookRequest,
    read_look,
)
from dataport.engine.staging.request import (
    REQUEST_FILE,
    STAGE_FILE,
    StageRequest,
    StageResult,
    read_stage,
)
from dataport.engine.staging.workers import WORKERS, Worker

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int | None], None]

RequestT = TypeVar("RequestT", StageRequest, LookRequest)
ResultT = TypeVar("ResultT", StageResult, Look)

POLL = 0.05
"""Seconds between two looks at the cancel event."""
REAP_S = 30.0
"""Seconds a worker that has delivered may take to end."""


def stage(
    request: StageRequest,
    on_progress: Progress = lambda phase, processed, total: None,
    cancel: threading.Event | None = None,
) -> StageResult:
    """Read one file into `request.directory` in a process of its own.

    Blocks until the result is complete. Raises
    InputError when the file can't be taken, the time is over or the worker dies, and
    CancelledError when `cancel` is set.
    """
    return _run(request, (REQUEST_FILE, STAGE_FILE), read_stage, on_progress, cancel)


def look(
    request: LookRequest,
    on_progress: Progress = lambda phase, processed, total: None,
    cancel: threading.Event | None = None,
) -> Look:
    """See which tables a file holds, in a process of its own. Blocks and raises as `stage` does."""
    return _run(request, (LOOK_REQUEST_FILE, LOOK_FILE), read_look, on_progress, cancel)


def _run(
    request: RequestT,
    names: tuple[str, str],
    read: Callable[[Path], ResultT | None],
    on_progress: Progress,
    cancel: threading.Event | None,
) -> ResultT:
    """Have a worker do what is asked; `names` are those of the request's and the result's file."""
    directory = request.directory.absolute()
    request = replace(request, directory=directory, source_path=request.source_path.absolute())
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / names[1]).unlink(missing_ok=True)
    path = directory / names[0]
    path.write_text(request.to_json(), encoding="utf-8")
    worker = WORKERS.start(path)
    is_done = False
    try:
        error = _watch(worker, request.limits.seconds, on_progress, cancel or threading.Event())
        result = read(directory)
        is_done = error is None and result is not None
    finally:
        # A worker that is done still has memory to give back: nobody waits for that.
        if is_done:
            threading.Thread(target=_reap, args=(worker,), daemon=True).start()
        else:
            WORKERS.end(worker)
    if error is not None:
        raise _as_input_error(error)
    if result is None:
        raise _died(worker.wait())
    return result


def _reap(worker: Worker) -> None:
    worker.has_ended(REAP_S)
    WORKERS.end(worker)


def _watch(
    worker: Worker,
    seconds: int,
    on_progress: Progress,
    cancel: threading.Event,
) -> dict[str, Any] | None:
    """Read the worker's lines until it is done or dead; the error it told, if any."""
    deadline = time.monotonic() + seconds
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_pump, args=(worker.stdout, lines), daemon=True).start()
    error: dict[str, Any] | None = None
    while line := _next(lines):
        if cancel.is_set():
            raise CancelledError
        if time.monotonic() > deadline:
            raise _too_slow(seconds)
        document = json.loads(line)
        if "done" in document:
            return None
        if "error" in document:
            error = document["error"]
        elif "failure" in document:
            log.error("A worker failed: %s", document["failure"])
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


def _as_input_error(error: dict[str, Any]) -> InputError:
    return InputError(
        str(error["code"]), str(error["title"]), str(error["detail"]), str(error["hint"])
    )


def _too_slow(seconds: int) -> InputError:
    return InputError(
        "worker-timeout",
        "Reading the file took too long and was stopped.",
        f"The limit is {counted(seconds, 'second')}.",
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
