"""What looking into the past costs, and what keeping it costs, in a store with many commits.

One import of leads, then files that each change another 2 % of them. Times are those of a request
to the daemon, and once of the whole command; the size is that of the store with its log folded in.
The aims: `blame` and `history` of one record in 100 ms, the first page of rows in 150 ms, ten
updates in less than twice the size of the first import.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import command, mib, row, running_daemon
from benchmarks.leads import ROWS, write_leads, write_update
from dataport.client.api import Client
from dataport.core.paths import Home

COMMITS = 50
UPDATES_MEASURED = 10
"""Updates after which the size of the store is looked at."""
ASKED = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="leads in the store")
    parser.add_argument("--commits", type=int, default=COMMITS, help="commits, the first included")
    parser.add_argument("--directory", type=Path, default=Path(".bench"), help="where files lie")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.directory.resolve()) as directory:
        measure(Path(directory), arguments.rows, arguments.commits)


def measure(directory: Path, rows: int, commits: int) -> None:
    """Make the commits in a fresh home in `directory`, then ask about them."""
    print(f"\n{rows:,} leads, {commits} commits that each change 2 % of them\n")
    with running_daemon(directory / "home") as client:
        send(client, write_leads(directory / "leads.csv", rows))
        first = folded_size(client.home)
        row("store after the first import", mib(first))
        for number in range(1, commits):
            send(client, write_update(directory / "update.csv", number, rows))
            if number == UPDATES_MEASURED:
                size = folded_size(client.home)
                row(f"  after {number} updates", mib(size), f"{size / first:.2f} x the first")
        size = folded_size(client.home)
        row(f"  after all {commits - 1} updates", mib(size), f"{size / first:.2f} x the first")
        report_requests(client, rows, commits)


def send(client: Client, path: Path) -> None:
    """Import a file of leads and remove it."""
    command(client.home, "import", str(path), "--dataset", "leads", "--source", "crm")
    path.unlink()


def folded_size(home: Home) -> int:
    """Bytes of the store, once a daemon that ends has folded the log into it."""
    command(home, "daemon", "stop")
    size = home.store.stat().st_size
    command(home, "daemon", "start")
    return size


def report_requests(client: Client, rows: int, commits: int) -> None:
    """Ask about records all over the store, and about one commit after the other."""

    def ask_record(what: str) -> Callable[[int], Any]:
        return lambda number: client.get(f"/v1/records/leads/{key(number, rows)}/{what}")

    def ask_rows(**query: Any) -> Callable[[int], Any]:
        return lambda _: client.get("/v1/datasets/leads/rows", limit=50, **query)

    def ask_diff(**query: Any) -> Callable[[int], Any]:
        return lambda number: client.get("/v1/diff", **between(number, commits), **query)

    report("blame of one record", ask_record("blame"))
    report("history of one record", ask_record("history"))
    report("first page of rows", ask_rows())
    report("  as of the commit in the middle", ask_rows(as_of=str(commits // 2)))
    report("diff of one commit, 100 rows of it", ask_diff())
    report("  the same again: its counts are known", ask_diff())
    began = time.perf_counter()
    command(client.home, "blame", "leads", key(0, rows))
    row("blame as a command", f"{(time.perf_counter() - began) * 1e3:.0f} ms")


def key(number: int, rows: int) -> str:
    """The key of some lead; those with even numbers are in no file twice."""
    return f"L-{(number * 7919 + 1) % (rows // 2) * 2}"


def between(number: int, commits: int) -> dict[str, str]:
    """A commit, and the one before it."""
    after = commits - number % (commits - 1)
    return {"from": str(after - 1), "to": str(after)}


def report(name: str, ask: Callable[[int], Any]) -> None:
    """Print the median and the longest time of some requests; one before them is not counted."""
    times = []
    for number in range(ASKED + 1):
        began = time.perf_counter()
        ask(number)
        times.append((time.perf_counter() - began) * 1e3)
    row(name, f"median {statistics.median(times[1:]):.0f} ms, max {max(times[1:]):.0f} ms")


if __name__ == "__main__":
    main()
