"""What ten million rows cost beside one million: time per row, and memory that stays bounded.

Each size is imported as a whole, then its next version, in which 2 % of the rows changed. The
daemon and its worker have their usual limits of 1 GiB each. The aims: together they stay below
3 GiB, and a row takes at most one and a half times as long as it does among a million.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import mib, row, running_daemon
from benchmarks.leads import ROWS, write_changed_leads, write_leads
from benchmarks.three_way import Import, import_file

TIMES = 10
"""How many times the small set the large one is."""


@dataclass(frozen=True)
class Pair:
    """The two imports of one size."""

    rows: int
    first: Import
    second: Import


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="leads of the small set")
    parser.add_argument("--times", type=int, default=TIMES, help="how many such the large one has")
    parser.add_argument("--directory", type=Path, default=Path(".bench"), help="where files lie")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.directory.resolve()) as directory:
        measure(Path(directory), arguments.rows, arguments.times)


def measure(directory: Path, rows: int, times: int) -> None:
    """Import both sizes, each in a fresh home in `directory`, and print them side by side."""
    small, large = (import_both(directory / f"{size}", size) for size in (rows, rows * times))
    for name, one, ten in (
        ("first version", small.first, large.first),
        ("second version, 2 % changed", small.second, large.second),
    ):
        print(f"\n{name}\n")
        report(small.rows, one)
        report(large.rows, ten)
        seconds, cpu = (
            ten.seconds / one.seconds / times,
            ten.samples.cpu_s / one.samples.cpu_s / times,
        )
        row(
            "a row among many, to one among few",
            f"{seconds:.2f} x seconds, {cpu:.2f} x CPU seconds",
        )


def import_both(directory: Path, rows: int) -> Pair:
    """Import `rows` leads and what becomes of them."""
    directory.mkdir()
    with running_daemon(directory / "home") as client:

        def send(write: Callable[[Path, int], Path]) -> Import:
            path = write(directory / "leads.csv", rows)
            found = import_file(client, path, dataset="leads")
            path.unlink()
            return found

        return Pair(rows, send(write_leads), send(write_changed_leads))


def report(rows: int, found: Import) -> None:
    """Print what one import took."""
    samples = found.samples
    row(
        f"{rows:,} rows",
        f"{found.seconds:.1f} s, {samples.cpu_s:.1f} CPU s,"
        f" {found.seconds / rows * 1e6:.1f} s per million",
    )
    both = f"{mib(samples.both_rss)} together at most"
    row(
        "  peak memory", f"daemon {mib(samples.daemon_rss)}, worker {mib(samples.worker_rss)}", both
    )


if __name__ == "__main__":
    main()
