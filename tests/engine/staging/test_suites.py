"""Public CSV torture cases, one by one, where they lie beside the checkout.

What a case must give stands beside it in its suite; where Dataport does otherwise, the table here
says what and why.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dataport.core.errors import InputError
from tests.engine.staging.conftest import Read, Staged

SUITES = Path(__file__).resolve().parents[4] / "shared" / "suites"

if not SUITES.is_dir():
    pytest.skip(f"the public suites are not at {SUITES}", allow_module_level=True)

SPECTRUM, DATA = SUITES / "csv-spectrum", SUITES / "csv-test-data"

SPECTRUM_CASES = """
    comma_in_quotes empty empty_crlf escaped_quotes json location_coordinates newlines newlines_crlf
    quotes_and_newlines simple simple_crlf utf8
""".split()

DATA_CASES = """
    empty-field header-simple leading-space one-column quotes-empty quotes-with-comma
    quotes-with-escaped-quote quotes-with-newline quotes-with-space simple-crlf simple-lf
    trailing-newline-one-field trailing-newline trailing-space utf8
""".split()

REFUSED = {
    # The suite reads these as rows of one empty cell; a blank line is no record here, as in
    # every spreadsheet, and a file without records is worth a word.
    "all-empty": "empty-file",
    "empty-one-column": "no-rows",
    "header-no-rows": "no-rows",
    # Of zero bytes, in spite of its name.
    "bad-header-no-header": "empty-file",
    # A header alone; that its names are wrong is what mapping is for.
    "bad-header-wrong-header": "no-rows",
}

REJECTED = {
    "bad-header-less-fields": [(2, "missing-cell")],
    "bad-header-more-fields": [(2, "extra-cell")],
    "bad-missing-quote": [(2, "unterminated-quote")],
    "bad-quotes-with-unescaped-quote": [(2, "bad-quote")],
}

TAKEN = {
    # A quote inside a value without quotes, as in 12" tv, can only be meant as it stands.
    "bad-unescaped-quote": [["1", 'This "quotes" must be escaped', "3"]],
}

ReadCase = Callable[[Path], tuple[list[str], Staged]]


@pytest.fixture
def case(read: Read, make: Callable[..., object]) -> ReadCase:
    """Stage a file into a dataset of its own columns, every cell as it is."""

    def staged(path: Path) -> tuple[list[str], Staged]:
        text = path.read_bytes().decode("utf-8", "replace")
        header = next(csv.reader(io.StringIO(text)), []) or ["none"]
        fields = [
            {"name": f"f{at}", "title": label, "normalise": [], "empty": "empty"}
            for at, label in enumerate(header)
        ]
        dataset = make(*fields, missingValues=[], match=[["f0"]])
        return header, read(path.read_bytes(), dataset)

    return staged


def cells(staged: Staged) -> list[list[str]]:
    return [list(row) for row in staged.rows(", ".join(staged.result.stated))]


def test_every_case_of_the_suites_is_in_a_table() -> None:
    assert {path.stem for path in (SPECTRUM / "csvs").glob("*.csv")} == {*SPECTRUM_CASES}
    tables = (DATA_CASES, REFUSED, REJECTED, TAKEN)
    assert sorted(path.stem for path in (DATA / "csv").glob("*.csv")) == sorted(
        name for table in tables for name in table
    )


@pytest.mark.parametrize("name", SPECTRUM_CASES)
def test_csv_spectrum(case: ReadCase, name: str) -> None:
    header, staged = case(SPECTRUM / "csvs" / f"{name}.csv")
    assert staged.rejects() == []
    rows = [dict(zip(header, row, strict=True)) for row in cells(staged)]
    if name == "location_coordinates":
        # The expectation beside it is that of another file.
        assert [row["Cities"] for row in rows] == ["Modesto"]
        assert "36'37.8\"N" in rows[0]["Location Coordinates"]
    else:
        document = (SPECTRUM / "json" / f"{name}.json").read_bytes()
        assert rows == json.loads(document)


@pytest.mark.parametrize("name", DATA_CASES)
def test_csv_test_data(case: ReadCase, name: str) -> None:
    header, staged = case(DATA / "csv" / f"{name}.csv")
    assert staged.rejects() == []
    expected = json.loads((DATA / "json" / f"{name}.json").read_bytes())
    rows = [header, *cells(staged)]
    if isinstance(expected[0], dict):
        rows = [dict(zip(header, row, strict=True)) for row in rows[1:]]
    assert rows == expected


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_files_without_records_are_refused(case: ReadCase, name: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        case(DATA / "csv" / f"{name}.csv")
    assert (caught.value.code, bool(caught.value.hint)) == (code, True)


@pytest.mark.parametrize(("name", "rejects"), REJECTED.items())
def test_bad_rows_are_rejected_with_their_line(
    case: ReadCase, name: str, rejects: list[tuple[int, str]]
) -> None:
    _, staged = case(DATA / "csv" / f"{name}.csv")
    assert (cells(staged), staged.rejects()) == ([], rejects)


@pytest.mark.parametrize(("name", "rows"), TAKEN.items())
def test_what_can_only_be_meant_one_way_is_taken(
    case: ReadCase, name: str, rows: list[list[str]]
) -> None:
    _, staged = case(DATA / "csv" / f"{name}.csv")
    assert (cells(staged), staged.rejects()) == (rows, [])
