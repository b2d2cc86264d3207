"""What a worker process does: it reads one untrusted file.

It speaks JSON lines on standard output: `{"phase", "processed", "total"}`, at the end
`{"done": true}`, or `{"error": {...}}` where it failed. stage.json, written last, is the proof of success.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from dataport.core.errors import DataportError, InputError
from dataport.core.files import write_whole
from dataport.engine.sql import literal
from dataport.engine.staging import limits
from dataport.engine.staging.look import LOOK_FILE, LOOK_REQUEST_FILE, LookRequest
from dataport.engine.staging.request import PARTS, STAGE_FILE, StageRequest, StageResult

if TYPE_CHECKING:
    import duckdb

REPORT_EVERY = 0.1
"""Seconds between two progress lines of one phase."""


class Reporter:
    """Writes progress lines, not more often than anybody can read."""

    def __init__(self) -> None:
        self._phase = ""
        self._at = 0.0

    def __call__(self, phase: str, processed: int, total: int | None) -> None:
        moment = time.monotonic()
        if phase == self._phase and moment - self._at < REPORT_EVERY and processed != total:
            return
        self._phase, self._at = phase, moment
        self._say({"phase": phase, "processed": processed, "total": total})

    def error(self, error: DataportError) -> None:
        self._say({"error": error.as_dict()})

    def failure(self, trace: str) -> None:
        """Something that should not happen, for whoever reads the log."""
        self._say({"failure": trace})

    def done(self) -> None:
        """Everything is written; what is left concerns nobody."""
        self._say({"done": True})

    def _say(self, document: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


def _give_up(reporter: Reporter) -> None:
    reporter.error(out_of_memory())
    os._exit(1)


def work(path: Path) -> int:
    """Read the file that the request at `path` names: its name says what is wanted."""
    reporter = Reporter()
    directory = path.parent
    os.chdir(directory)
    os.environ.update(HOME=str(directory), TMPDIR=str(directory))
    try:
        text = path.read_text(encoding="utf-8")
        if path.name == LOOK_REQUEST_FILE:
            _look(LookRequest.from_json(text), reporter)
        else:
            _stage(StageRequest.from_json(text), reporter)
    except DataportError as error:
        reporter.error(error)
        return 1
    except MemoryError:
        reporter.error(out_of_memory())
        return 1
    except OSError as error:
        reporter.error(_no_space(error))
        return 1
    except Exception:  # noqa: BLE001 - the parent must learn of anything that happens here
        reporter.failure(traceback.format_exc())
        return 1
    finally:
        shutil.rmtree(directory / PARTS, ignore_errors=True)
    return 0


def connect(directory: Path, limit: int, threads: int) -> duckdb.DuckDBPyConnection:
    """An empty database in memory, bounded and without a way out of `directory`.

    `limit` is what the whole process may use, in bytes.
    """
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": str(threads),
            "memory_limit": limits.share(limit),
            "temp_directory": str(directory / PARTS / "spill"),
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_directories = [{literal(str(directory) + '/')}]")
    connection.execute("SET enable_external_access = false")
    return connection


def _bound(request: StageRequest | LookRequest, reporter: Reporter) -> None:
    limits.apply(request.limits.memory, request.limits.seconds, request.threads)
    limits.watch_memory(request.limits.memory, lambda: _give_up(reporter))


def _look(request: LookRequest, reporter: Reporter) -> None:
    from dataport.engine.staging.looking import look_into

    _bound(request, reporter)
    with connect(request.directory, request.limits.memory, request.threads) as connection:
        look = look_into(connection, request, reporter)
    write_whole(request.directory / LOOK_FILE, look.to_json())
    reporter.done()


def _stage(request: StageRequest, reporter: Reporter) -> None:
    _bound(request, reporter)
    with connect(request.directory, request.limits.memory, request.threads) as connection:
        import duckdb

        from dataport.engine.staging.stager import stage_file

        try:
            result = stage_file(connection, request, reporter)
            write_stage(request.directory, result)
            reporter.done()
        except duckdb.OutOfMemoryException as error:
            raise out_of_memory() from error
        except duckdb.Error as error:
            raise InputError(
                "staging-failed",
                "The file could not be checked.",
                str(error).splitlines()[0],
                "Report the file; a pattern of the dataset may be the cause, too.",
            ) from error


def write_stage(directory: Path, result: StageResult) -> None:
    """Write stage.json so that its presence means that everything else is complete.

    That holds until the machine itself stops: waiting for the disk here would cost as much as
    reading the file again then. See `StageResult.boot`.
    """
    write_whole(directory / STAGE_FILE, result.to_json())


def _no_space(error: OSError) -> InputError:
    return InputError(
        "worker-io",
        "The file could not be copied or its result not written.",
        f"{error.strerror or error}.",
        "Check the free space of the disk that holds the home.",
    )


def out_of_memory() -> InputError:
    """The error of a file that needs more memory than its worker may have."""
    return InputError(
        "worker-memory",
        "Reading the file needs more memory than allowed.",
        hint="Split the file, or raise limits.worker_memory in the configuration.",
    )
