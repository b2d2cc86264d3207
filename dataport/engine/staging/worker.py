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
from dataport.engine.sql import literal
from dataport.engine.staging import limits
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
    """Stage the file that the request at `path` names."""
    reporter = Reporter()
    directory = path.parent
    os.chdir(directory)
    os.environ.update(HOME=str(directory), TMPDIR=str(directory))
    try:
        request = StageRequest.from_json(path.read_text(encoding="utf-8"))
        limits.apply(request.limits.memory, request.limits.seconds, request.threads)
        limits.watch_memory(request.limits.memory, lambda: _give_up(reporter))
        _stage(request, reporter)
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


def _stage(request: StageRequest, reporter: Reporter) -> None:
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
    draft = directory / f"{STAGE_FILE}.tmp"
    draft.write_text(result.to_json(), encoding="utf-8")
    draft.replace(directory / STAGE_FILE)


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
