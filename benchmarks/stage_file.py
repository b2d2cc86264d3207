"""Reads one file of leads into clean rows and rejects, and nothing else.

`python -m benchmarks.stage_file FILE DIRECTORY` leaves them in DIRECTORY and prints the counts as
JSON. It does in this process what a worker does in its own, within a worker's usual limits.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from dataport.core.paths import CHECKOUT_CONFIG
from dataport.engine.catalog.load import load_dataset
from dataport.engine.catalog.model import Dataset
from dataport.engine.staging import limits
from dataport.engine.staging.request import StageRequest
from dataport.engine.staging.stager import stage_file
from dataport.engine.staging.worker import connect


def load_leads() -> Dataset:
    """The shipped definition of leads."""
    return load_dataset(CHECKOUT_CONFIG / "datasets" / "leads.toml")


def main(file: Path, directory: Path) -> None:
    """Stage `file` and print what was found."""
    request = StageRequest(file, directory, load_leads())
    directory.mkdir()
    limits.apply(request.limits.memory, request.limits.seconds, request.threads)
    with connect(directory, request.limits.memory, request.threads) as connection:
        result = stage_file(connection, request, lambda phase, processed, total: None)
    print(json.dumps(asdict(result.rows)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
