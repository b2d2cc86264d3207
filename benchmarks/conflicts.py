"""How long it takes to settle thousands of conflicts at once, asked as a user would.

Two sources disagree about the company of 10,000 of 100,000 leads. The time is that of the
request, and once of the whole command.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.harness import command, row, running_daemon
from dataport.client.api import Client

ROWS = 100_000
CONFLICTS = 10_000
GOAL_S = 1.0
TAKES = ("theirs", "base", "ours")

_COMPANIES = """
copy (select 'L-' || i as lead_id, 'Name ' || i as name,
    case when i < $others then 'Nordwind GmbH' else 'Nordwind' end || ' ' || i as company
    from range($rows) as numbers(i))
to $path (format csv, header)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="leads in the store")
    parser.add_argument("--conflicts", type=int, default=CONFLICTS, help="leads in conflict")
    parser.add_argument("--directory", type=Path, default=Path(".bench"), help="where files lie")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.directory.resolve()) as directory:
        measure(Path(directory), arguments.rows, arguments.conflicts)


def measure(directory: Path, rows: int, conflicts: int) -> None:
    """Make the conflicts in a fresh home in `directory`, then settle and reopen them."""
    print(f"\n{rows:,} leads, {conflicts:,} of them in conflict\n")
    crm = write_companies(directory / "crm.csv", rows, 0)
    fair = write_companies(directory / "fair.csv", rows, conflicts)
    with running_daemon(directory / "home") as client:
        for path in (crm, fair):
            words = ("import", str(path), "--dataset", "leads", "--source", path.stem)
            command(client.home, *words)
        for take in TAKES:
            report_resolve(client, take, conflicts)
            report_undo(client, conflicts)
        began = time.perf_counter()
        command(client.home, "conflicts", "resolve", "--all", "--take", "theirs")
        row("the same as a command, take theirs", f"{time.perf_counter() - began:.2f} s")


def write_companies(path: Path, rows: int, others: int) -> Path:
    """A CSV of `rows` leads with id, name and company; the first `others` have another company."""
    with duckdb.connect() as connection:
        connection.execute(_COMPANIES, {"path": str(path), "rows": rows, "others": others})
    return path


def report_resolve(client: Client, take: str, conflicts: int) -> None:
    """Settle every open conflict in one request."""
    began = time.perf_counter()
    resolved = client.post("/v1/conflicts/resolve", {"take": take})["resolved"]
    seconds = time.perf_counter() - began
    if resolved != conflicts:
        raise SystemExit(f"{resolved:,} conflicts were resolved, not {conflicts:,}")
    goal = f" (goal {GOAL_S})" if conflicts == CONFLICTS else ""
    row(f"{resolved:,} conflicts resolved, take {take}", f"{seconds:.2f} s{goal}")


def report_undo(client: Client, conflicts: int) -> None:
    """Take the resolution back in one request."""
    began = time.perf_counter()
    reopened = client.post("/v1/conflicts/undo", {})["reopened"]
    seconds = time.perf_counter() - began
    if reopened != conflicts:
        raise SystemExit(f"{reopened:,} conflicts are open again, not {conflicts:,}")
    row("  taken back", f"{seconds:.2f} s")


if __name__ == "__main__":
    main()
