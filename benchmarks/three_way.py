"""What a three-way import costs, beside the same merge in plain DuckDB and beside other tools.

Everything is measured from outside, in one run, on the files of `benchmarks.accounts`: the floor
and the other tools in fresh processes, start-up included; Dataport with its daemon up, from the
request until the job is done. What the floor and Dataport leave behind must be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import psutil

from benchmarks.accounts import DATASET, DEFINITION, TYPES, Accounts, write_accounts
from benchmarks.floor import write_store
from benchmarks.harness import (
    Run,
    Samples,
    command,
    cost,
    mib,
    ratio,
    row,
    run,
    running_daemon,
    sampled,
)
from benchmarks.our_changes import change_store
from benchmarks.peers import measure_peers
from dataport.client.api import Client

ROWS = 1_000_000
SMALL_ROWS = 100_000
PEER_SECONDS = 60.0
SOURCE = "crm"
PATIENCE_S = 900.0
REPEATS = 3


@dataclass(frozen=True)
class Goal:
    """What an import should stay below."""

    seconds: float
    ratio: float
    """To the floor of the same run."""
    mib: int | None = None
    """Peak of the daemon, and of its worker."""


MERGE_GOALS = {ROWS: Goal(4.0, 2.5, 700), SMALL_ROWS: Goal(0.8, 2.2)}
AGAIN_GOALS = {ROWS: Goal(1.5, 1.0)}
"""By the number of rows that they are set for."""


@dataclass(frozen=True)
class Import:
    """One file from the request to the end of its job."""

    changes: dict[str, int]
    seconds: float
    samples: Samples


@dataclass(frozen=True)
class Floor:
    """The merge in plain DuckDB: medians of several runs, and what it leaves behind."""

    seconds: float
    """As DuckDB does it unasked."""
    unfolded: float
    """With its log left as it is."""
    changes: dict[str, int]
    store: Path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="accounts of the large set")
    parser.add_argument("--small-rows", type=int, default=SMALL_ROWS, help="of the small one")
    parser.add_argument("--peers", type=Path, help="directory of the other tools' commands")
    parser.add_argument("--peers-rows", type=int, default=SMALL_ROWS, help="accounts for those")
    parser.add_argument("--peer-seconds", type=float, default=PEER_SECONDS, help="their limit")
    parser.add_argument("--directory", type=Path, default=Path(".bench"), help="where files lie")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.directory.resolve()) as directory:
        measure(Path(directory), arguments.small_rows, repeats=REPEATS)
        if arguments.rows != arguments.small_rows:
            measure(Path(directory), arguments.rows)
        if arguments.peers is not None:
            compare(Path(directory), arguments.peers_rows, arguments.peers, arguments.peer_seconds)


def measure(directory: Path, rows: int, *, repeats: int = 1) -> None:
    """Merge `rows` accounts, in `repeats` fresh homes, and print the medians."""
    own = directory / f"merge-{rows}"
    accounts, floor = prepare(own, rows)
    histories = [through_dataport(own / f"home-{n}", accounts, floor) for n in range(repeats)]
    first, theirs, again = (middle(imports) for imports in zip(*histories, strict=True))
    report("first version", first, floor)
    report("second version, three-way", theirs, floor, MERGE_GOALS.get(rows))
    row("", ", ".join(f"{count:,} {word}" for word, count in theirs.changes.items() if count))
    report("the same rows in another order", again, floor, AGAIN_GOALS.get(rows))
    if repeats > 1:
        seconds = by_command(own / "home-command", accounts)
        row("the second version as a command", f"{seconds:.2f} s")


def prepare(directory: Path, rows: int) -> tuple[Accounts, Floor]:
    """Write the files into the new `directory`, measure the floor and print it."""
    directory.mkdir()
    accounts = write_accounts(directory, rows)
    size = accounts.first.stat().st_size / 1e6
    load = os.getloadavg()[0]
    print(
        f"\n{rows:,} accounts, {size:,.0f} MB, ten columns; {psutil.cpu_count()} cores, load {load:.1f}\n"
    )
    return accounts, measure_floor(directory, accounts)


def measure_floor(directory: Path, accounts: Accounts) -> Floor:
    """Merge the second version into copies of one store, each in a new process, and print it."""
    before, after = directory / "before.duckdb", directory / "after.duckdb"
    write_store(before, accounts)

    def merge(*words: str) -> Run:
        shutil.copyfile(before, after)
        after.with_name(f"{after.name}.wal").unlink(missing_ok=True)
        program = (sys.executable, "-m", "benchmarks.floor", after, accounts.theirs)
        return run((*program, *words), PATIENCE_S)

    def join() -> Run:
        program = (sys.executable, "-m", "benchmarks.two_way", accounts.first, accounts.theirs)
        return run(program, PATIENCE_S)

    compared, left, floor = (
        sorted((work() for _ in range(REPEATS)), key=lambda done: done.seconds)[REPEATS // 2]
        for work in (join, lambda: merge("leave"), merge)
    )
    row(f"plain DuckDB (floor, median of {REPEATS})", cost(floor))
    row("the same, its log left as it is", cost(left), ratio(left.seconds, floor.seconds))
    row("both files compared, nothing else", cost(compared), ratio(compared.seconds, floor.seconds))
    return Floor(floor.seconds, left.seconds, json.loads(floor.output), after)


def through_dataport(directory: Path, accounts: Accounts, floor: Floor) -> list[Import]:
    """The imports of the first version, the second and the second in another order, in a fresh
    home. Ends the run if they leave behind anything else than the floor."""
    with running_daemon(directory, {DATASET: DEFINITION}) as client:
        first = import_file(client, accounts.first)
        change_store(client, accounts)
        theirs = import_file(client, accounts.theirs)
        again = import_file(client, accounts.again)
        check_same(client, directory / "export.csv", theirs, again, floor)
    return [first, theirs, again]


def by_command(directory: Path, accounts: Accounts) -> float:
    """Seconds of importing the second version as a whole command, in a fresh home."""
    with running_daemon(directory, {DATASET: DEFINITION}) as client:
        import_file(client, accounts.first)
        change_store(client, accounts)
        words = ("--dataset", DATASET, "--source", SOURCE, "--mode", "mirror")
        began = time.perf_counter()
        command(client.home, "import", str(accounts.theirs), *words)
        return time.perf_counter() - began


def import_file(client: Client, path: Path, dataset: str = DATASET) -> Import:
    """Import `path` as all that its source has."""
    request = {"path": str(path), "dataset": dataset, "source": SOURCE, "mode": "mirror"}
    with sampled(client) as samples:
        began = time.perf_counter()
        job = client.wait_job(int(client.post("/v1/imports", request)["job"]))
        seconds = time.perf_counter() - began
    if job["status"] != "completed":
        sys.exit(f"job {job['job']} is {job['status']}: {job['error'] or job['message']}")
    return Import(job["changes"], seconds, samples)


def check_same(client: Client, export: Path, theirs: Import, again: Import, floor: Floor) -> None:
    """Compare Dataport's counts and rows with the floor's."""
    counts = {word: theirs.changes[word] for word in floor.changes}
    if counts != floor.changes:
        sys.exit(f"Dataport counts {counts}, plain DuckDB {floor.changes}")
    news = {word: count for word, count in again.changes.items() if count and word != "unchanged"}
    if news:
        sys.exit(f"the same rows in another order were news to Dataport: {news}")
    command(client.home, "export", DATASET, "--format", "csv", "--to", str(export))
    different = differing_rows(floor.store, export)
    if different:
        sys.exit(f"{different:,} rows of Dataport's differ from those of plain DuckDB")


def differing_rows(store: Path, export: Path) -> int:
    """Rows that only one of the floor's store and an export has."""
    exported = f"from read_csv($path, header = true, columns = {TYPES})"
    with duckdb.connect(str(store), read_only=True) as connection:
        found = connection.execute(
            f"""select count(*) from (
                (from ours except all {exported}) union all ({exported} except all from ours))""",
            {"path": str(export)},
        ).fetchone()
    return int(found[0]) if found else 0


def middle(imports: Sequence[Import]) -> Import:
    """The import of median time, with the highest peaks of all."""
    median = sorted(imports, key=lambda found: found.seconds)[len(imports) // 2]
    peaks = replace(
        median.samples,
        daemon_rss=max(found.samples.daemon_rss for found in imports),
        worker_rss=max(found.samples.worker_rss for found in imports),
    )
    return replace(median, samples=peaks)


def report(name: str, found: Import, floor: Floor, goal: Goal | None = None) -> None:
    """Print one import, with what it should stay below."""
    samples = found.samples
    seconds = f"{found.seconds:.2f} s"
    times = ratio(found.seconds, floor.seconds)
    strict = f"; {found.seconds / floor.unfolded:.1f} x with its log left"
    peaks = f"daemon {mib(samples.daemon_rss)}, worker {mib(samples.worker_rss)}"
    if goal is not None:
        seconds, times = f"{seconds} (goal {goal.seconds})", f"{times} (goal {goal.ratio})"
        peaks += f" (goal {goal.mib} each)" if goal.mib else ""
    row(name, f"{seconds}, {samples.cpu_s:.2f} CPU s", times + strict)
    row("  peak memory", peaks)


def compare(directory: Path, rows: int, programs: Path, limit_s: float) -> None:
    """Print what other tools take for the same files."""
    own = directory / "peers"
    accounts, floor = prepare(own, rows)
    measure_peers(accounts, own, programs, floor.seconds, limit_s)


if __name__ == "__main__":
    main()
