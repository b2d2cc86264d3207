"""The least that comparing two files could take: a full join in plain DuckDB, and counts.

`python -m benchmarks.two_way FIRST SECOND` prints the counts as JSON. Types are given, nothing is
written. Beside the merge of `benchmarks.floor` it tells how much of that is not comparing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from benchmarks.accounts import KEY
from benchmarks.floor import FIELDS, read_sql


def compare(first: Path, second: Path) -> dict[str, int]:
    """How many accounts only one of the files has, and how many differ."""
    differs = " or ".join(f"a.{name} is distinct from b.{name}" for name in FIELDS)
    found = duckdb.execute(
        f"""
        select count(*) filter (a.{KEY} is null) as inserted,
            count(*) filter (b.{KEY} is null) as deleted,
            count(*) filter (a.{KEY} = b.{KEY} and ({differs})) as updated
        from {read_sql("$first")} a full join {read_sql("$second")} b on a.{KEY} = b.{KEY}
        """,
        {"first": str(first), "second": str(second)},
    )
    names = [column[0] for column in found.description or ()]
    return dict(zip(names, found.fetchone() or (), strict=True))


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]), Path(sys.argv[2]))))
