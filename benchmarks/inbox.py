"""`make bench`: what an import through the inbox costs, beside plain DuckDB on the same file.

Everything is measured from outside, in one run: the floor in a process of its own, the import
from the rename into the inbox until the API calls the job completed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import (
    Samples,
    command,
    cpu_seconds,
    mib,
    resident,
    row,
    running_daemon,
    sampled,
)
from benchmarks.leads import ROWS, write_changed_leads, write_leads
from dataport.client.api import Client

INBOX = "bench"
WATCH_S = 0.01
PATIENCE_S = 900.0
SMALL_FILES = 20
SMALL_ROWS = 100
TIDY_S = 10.0
"""After the last job; the store is tidied up when nothing was asked for some seconds."""
IDLE_S = 20.0

_FLOOR = """
import sys, time, duckdb
connection = duckdb.connect()
began = time.perf_counter()
connection.execute(
    "CREATE TABLE leads AS SELECT * FROM read_csv($path, all_varchar=true)", {"path": sys.argv[1]})
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Import:
    """One file on its way from inbox to commit."""

    job: dict[str, Any]
    seconds: float
    samples: Samples


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the large file")
    parser.add_argument("--directory", type=Path, default=Path(".bench"), help="where files lie")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.directory.resolve()) as directory:
        measure(Path(directory), arguments.rows)


def measure(directory: Path, rows: int) -> None:
    """Make the files and a fresh home in `directory`, then run every measurement."""
    first = write_leads(directory / "leads.csv", rows)
    second = write_changed_leads(directory / "leads-changed.csv", rows)
    size = first.stat().st_size / 1e6
    print(f"{rows:,} leads, {size:,.0f} MB, nine columns; {psutil.cpu_count()} cores\n")
    floor = statistics.median(floor_seconds(first) for _ in range(3))
    row("plain DuckDB, all text (floor, median of 3)", f"{floor:.2f} s")
    with running_daemon(directory / "home") as client:
        command(client.home, "inboxes", "add", INBOX, "--dataset", "leads", "--source", "crm")
        report_import("first version", import_file(client, first), floor)
        report_import("second version, 2 % changed", import_file(client, second), floor)
        report_small_files(client, directory)
        report_idle(client)


def floor_seconds(path: Path) -> float:
    """Seconds of reading `path` as text into an in-memory database, in a new process."""
    command = [sys.executable, "-c", _FLOOR, str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def import_file(client: Client, path: Path) -> Import:
    """Rename `path` into the inbox and watch its job until the commit."""
    target = client.home.inbox(INBOX) / path.name
    with sampled(client, asks=True) as samples:
        job, seconds = until_committed(client, lambda: path.rename(target))
    return Import(job, seconds, samples)


def until_committed(client: Client, drop: Callable[[], object]) -> tuple[dict[str, Any], float]:
    """The job that `drop` leads to, and seconds from the end of `drop` to its commit."""
    known = max((job["job"] for job in client.get("/v1/jobs", limit=1)["items"]), default=0)
    drop()
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_S:
        jobs = client.get("/v1/jobs", limit=1)["items"]
        seconds = time.perf_counter() - began
        if jobs and jobs[0]["job"] > known and jobs[0]["status"] not in ("pending", "processing"):
            if jobs[0]["status"] != "completed":
                sys.exit(f"job {jobs[0]['job']} is {jobs[0]['status']}: {jobs[0]['error']}")
            return jobs[0], seconds
        time.sleep(WATCH_S)
    sys.exit(f"no commit within {PATIENCE_S:.0f} s")


def report_import(name: str, found: Import, floor: float) -> None:
    """Print one large import."""
    status = found.samples.status_s
    changes = ", ".join(
        f"{count:,} {word}" for word, count in found.job["changes"].items() if count
    )
    row(name, f"{found.seconds:.2f} s", f"{found.seconds / floor:.1f} x floor")
    row("", changes)
    row(
        "  GET /v1/status meanwhile",
        f"median {statistics.median(status) * 1e3:.1f} ms, max {max(status) * 1e3:.1f} ms",
        f"{len(status)} requests",
    )
    row(
        "  peak memory",
        f"daemon {mib(found.samples.daemon_rss)}, workers {mib(found.samples.worker_rss)}",
    )


def report_small_files(client: Client, directory: Path) -> None:
    """Print how long 100-row files take from their close in the inbox to the commit."""
    seconds = []
    for number in range(SMALL_FILES):
        name = f"small-{number}.csv"
        content = write_leads(directory / name, SMALL_ROWS, 10**7 + number * 1000).read_bytes()
        target = client.home.inbox(INBOX) / name
        seconds.append(until_committed(client, lambda: target.write_bytes(content))[1])  # noqa: B023 - called at once
    row(
        f"{SMALL_ROWS}-row file, close to commit",
        f"median {statistics.median(seconds):.2f} s, max {max(seconds):.2f} s",
        f"{SMALL_FILES} files",
    )


def report_idle(client: Client) -> None:
    """Print what the daemon takes while nothing happens, once it has tidied up its store."""
    daemon = psutil.Process(client.get("/v1/status")["pid"])
    time.sleep(TIDY_S)
    before = cpu_seconds(daemon)
    time.sleep(IDLE_S)
    busy = cpu_seconds(daemon) - before
    row(
        f"idle daemon over {IDLE_S:.0f} s",
        f"{busy / IDLE_S:.2%} CPU, {mib(resident(daemon))}",
    )


if __name__ == "__main__":
    main()
