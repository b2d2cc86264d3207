"""What it costs to read and check a file of each format, beside tools that only check it.

The same leads as CSV, JSON, Parquet and XLSX, each read in a fresh process, start-up included:
decoded, mapped, normalised, checked, de-duplicated, every reject with its line. The CSV is also read
as a daemon that is up has it read, in a worker that has its libraries. frictionless and pandera check
the CSV in processes of their own; what they do not do is told beside them. The aims: ten times as
fast as frictionless, at most twice the time of pandera on polars.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import duckdb
import xlsxwriter

from benchmarks.harness import NoRunError, Run, cost, row, run
from benchmarks.leads import ROWS, write_leads
from benchmarks.stage_file import load_leads
from dataport.engine.staging.process import stage
from dataport.engine.staging.request import StageRequest

SHEET_ROWS = 200_000
PATIENCE_S = 900.0
REPEATS = 3

_CHECK = Path(__file__).with_name("validate_leads.py")
_PEERS = {
    "frictionless": "checks only, row numbers; no clean rows",
    "pandera": "checks a polars frame, row positions; no lines, nothing normalised",
}
_COPY = "COPY (SELECT * FROM read_csv($source, all_varchar = true)) TO '{target}' ({options})"
_OPTIONS = {
    "ndjson": "FORMAT json",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="leads in CSV, JSON and Parquet")
    parser.add_argument("--sheet-rows", type=int, default=SHEET_ROWS, help="leads in the workbook")
    parser.add_argument("--peers", type=Path, help="directory of the other tools' commands")
    parser.add_argument("--directory", type=Path, default=Path(".bench"), help="where files lie")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.directory.resolve()) as directory:
        measure(Path(directory), arguments.rows, arguments.sheet_rows, arguments.peers)


def measure(directory: Path, rows: int, sheet_rows: int, peers: Path | None) -> None:
    """Make the files in `directory`, read each and print what it took."""
    csv = write_leads(directory / "leads.csv", rows)
    few = write_leads(directory / "few.csv", sheet_rows)
    print(f"\n{rows:,} leads, {csv.stat().st_size / 1e6:,.0f} MB; {sheet_rows:,} in the workbook\n")
    own = sorted((staged(csv) for _ in range(REPEATS)), key=lambda done: done.seconds)[REPEATS // 2]
    report("CSV", own, rows)
    in_worker(few)
    warm = median(in_worker(csv) for _ in range(REPEATS))
    row("CSV, in a worker of a daemon", f"{warm:.2f} s", f"{rows / warm:,.0f} rows/s")
    for suffix in _OPTIONS:
        report(suffix, staged(converted(csv, suffix)), rows)
    report("XLSX", staged(workbook(few)), sheet_rows)
    if peers is not None:
        compare(peers, csv, own, warm)


def compare(peers: Path, csv: Path, own: Run, warm: float) -> None:
    """Print what other tools take to check the CSV that took us `own`, and `warm` seconds in use."""
    for name, does in _PEERS.items():
        try:
            done = checked(peers, name, csv)
        except NoRunError as error:
            row(name, str(error), does)
        else:
            times = (
                f"{done.seconds / own.seconds:.1f} x ours, {done.seconds / warm:.1f} x in a worker"
            )
            row(name, cost(done), f"{times}; {does}")


def staged(path: Path) -> Run:
    """Stage a file in a fresh process."""
    target = path.with_suffix(".staged")
    done = run((sys.executable, "-m", "benchmarks.stage_file", path, target), PATIENCE_S)
    shutil.rmtree(target)
    return done


def in_worker(path: Path) -> float:
    """Seconds that a worker takes to stage a file, from the request to the result."""
    target = path.with_suffix(".worker")
    began = time.perf_counter()
    stage(StageRequest(path, target, load_leads()))
    seconds = time.perf_counter() - began
    shutil.rmtree(target)
    return seconds


def checked(peers: Path, name: str, path: Path) -> Run:
    """Check a file with another tool. Raises NoRunError where it is not installed or too slow."""
    python = peers.resolve() / "python"
    if not python.exists():
        raise NoRunError("not installed")
    return run((python, _CHECK, name, path), PATIENCE_S)


def converted(path: Path, suffix: str) -> Path:
    """The rows of a CSV, every value text, in another format."""
    target = path.with_suffix(f".{suffix}")
    with duckdb.connect() as connection:
        sql = _COPY.format(target=target, options=_OPTIONS[suffix])
        connection.execute(sql, {"source": str(path)})
    return target


def workbook(path: Path) -> Path:
    """The rows of a CSV as the only sheet of a workbook."""
    target = path.with_suffix(".xlsx")
    with (
        duckdb.connect() as connection,
        xlsxwriter.Workbook(target, {"constant_memory": True}) as book,
    ):
        sheet = book.add_worksheet("Leads")
        found = connection.execute(
            "FROM read_csv($source, all_varchar = true)", {"source": str(path)}
        )
        sheet.write_row(0, 0, [column[0] for column in found.description or ()])
        at = 0
        while record := found.fetchone():
            at += 1
            sheet.write_row(at, 0, [text or "" for text in record])
    return target


def report(name: str, done: Run, rows: int) -> None:
    """Print a format's line."""
    counts = json.loads(done.output)
    said = f"{rows / done.seconds:,.0f} rows/s; {counts['rejected']:,} rejected"
    row(name, cost(done), said)


if __name__ == "__main__":
    main()
