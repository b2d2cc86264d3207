"""Public CSV torture cases, where they lie beside the checkout."""

from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path

import pytest

from dataport.core.errors import InputError

SUITES = Path(__file__).resolve().parents[4] / "shared" / "suites"

if not SUITES.is_dir():
    pytest.skip(f"the public suites are not at {SUITES}", allow_module_level=True)

SPECTRUM = sorted((SUITES / "csv-spectrum" / "csvs").glob("*.csv"))
DATA = sorted((SUITES / "csv-test-data" / "csv").glob("*.csv"))


def as_text(read, make, path):
    """Every cell of a file with a header, as text."""
    encoding = "utf-8" if not path.stem.startswith("location") else "cp1252"
    with path.open(newline="", encoding=encoding, errors="replace") as file:
        header = next(csv.reader(file), ["none"])
    fields = [
        {"name": f"f{at}", "title": label, "normalise": [], "empty": "empty"}
        for at, label in enumerate(header)
    ]
    dataset = make(*fields, missingValues=[], primaryKey=["f0"], match=[["f0"]], duplicates="first")
    staged = read(path.read_bytes(), dataset)
    names = [column[len("f") :] for column in staged.result.stated]
    labels = [header[int(at)] for at in names]
    return staged, [
        dict(zip(labels, row, strict=True)) for row in staged.rows(", ".join(staged.result.stated))
    ]


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
def test_csv_spectrum(read, make, path):
    staged, rows = as_text(read, make, path)
    assert staged.rejects() == []
    expected = json.loads(
        (path.parent.parent / "json" / f"{path.stem}.json").read_bytes().decode("utf-8", "replace")
    )
    if path.stem == "location_coordinates":
        assert [row["Cities"] for row in rows] == ["Modesto"]
        assert "36'37.8\"N" in rows[0]["Location Coordinates"]
    else:
        assert rows == expected


@pytest.mark.parametrize(
    "path", [path for path in DATA if path.stem.startswith("bad-")], ids=lambda path: path.stem
)
def test_bad_files_are_refused_or_their_rows_rejected(read, make, path):
    with contextlib.suppress(InputError):
        staged, _ = as_text(read, make, path)
        # A quote inside an unquoted value, as in 12" tv, is taken as it is.
        assert staged.rejects() or path.stem in ("bad-unescaped-quote", "bad-header-wrong-header")
