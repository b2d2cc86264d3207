"""One load of dlt into DuckDB, for the environment of the peers: Dataport does not depend on dlt.

`python dlt_merge.py DIRECTORY FILE STRATEGY` merges a CSV into the table `accounts` of
DIRECTORY/dlt.duckdb, by dlt's merge strategy of that name (`upsert` or `delete-insert`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import dlt
from pyarrow import csv


def main(directory: Path, file: Path, strategy: str) -> None:
    """Read `file` into Arrow, dlt's fastest way in, and let dlt do the rest."""
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(directory / "pipelines"),
        destination=dlt.destinations.duckdb(str(directory / "dlt.duckdb")),
        dataset_name="bench",
    )
    pipeline.run(
        csv.read_csv(file),
        table_name="accounts",
        primary_key="account_id",
        write_disposition={"disposition": "merge", "strategy": strategy},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
