"""Exports as XLSX: real values where they read back, and a mark that knows them again."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine as calamine

from dataport.core.errors import CancelledError, InputError
from dataport.core.paths import Home
from dataport.core.words import JobKind, Origin
from dataport.engine.catalog.model import Dataset
from dataport.engine.exporting import workbook
from dataport.engine.exporting.records import sidecar
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.workbook import write_xlsx
from dataport.engine.requests import ExportRequest
from tests.engine.importing.shop import Shop, open_shop
from tests.engine.staging.sheets import xlsx

LEADS = """lead_id,name,email,score,notes
00123,Ann,ann@example.org,10,=1+1
L2,Bob,bob@example.org,20,#N/A
L3,Cid,cid@example.org,,+49 is a text
"""


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    with open_shop(home) as shop:
        shop.send(shop.write("leads.csv", LEADS), "leads")
        yield shop


def cells(path: Path) -> dict[str, list[list[Any]]]:
    """The rows of each sheet, as a spreadsheet program sees them."""
    with calamine.CalamineWorkbook.from_path(str(path)) as book:
        return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


def save_again(path: Path, edit: Callable[[list[list[Any]]], None]) -> Path:
    """What another program makes of a workbook: parts of its own, and the custom properties."""
    sheets: dict[str, Sequence[Sequence[Any]]] = {}
    for name, rows in cells(path).items():
        edit(rows)
        sheets[name] = [[cell if cell != "" else None for cell in row] for row in rows]
    properties = part(path, "docProps/custom.xml")
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(sheets))) as made,
        zipfile.ZipFile(path, "w") as saved,
    ):
        for member in made.namelist():
            saved.writestr(member, made.read(member))
        saved.writestr("docProps/custom.xml", properties)
    return path


def put(key: str, at: int, value: str) -> Callable[[list[list[Any]]], None]:
    def edit(rows: list[list[Any]]) -> None:
        next(row for row in rows if row[0] == key)[at] = value

    return edit


def test_a_workbook_comes_back_through_another_program(shop: Shop, tmp_path: Path) -> None:
    """Design section 8: without sidecar, under another name, by the property that is in it.

    The sheet's source sent the other rows before, which is neither asked nor moved.
    """
    path = shop.take("leads", format="xlsx", fields=("lead_id", "name", "email", "notes"))
    shop.engine.edit("leads", "L2", {"email": "new@example.org"}, shop.engine.author("cli"))
    sheet = path.rename(tmp_path / "from my desk.xlsx")
    sidecar(path).unlink()
    job = shop.send(save_again(sheet, put("L2", 1, "Bobby")), "leads", base=None)
    assert (job.source, (job.changes or {})["updated"]) == ("export:2", 1)
    assert "export of commit 1, edited" in job.notices[0]
    rows = {row["lead_id"]: row for row in shop.rows("leads")}
    assert [rows["L2"][name] for name in ("name", "email")] == ["Bobby", "new@example.org"]
    assert rows["00123"]["notes"] == "=1+1"
    assert rows["L2"]["notes"] == "#N/A"


def test_a_mark_of_another_home_is_a_file_like_any(shop: Shop, tmp_path: Path) -> None:
    """A mark is believed only where the home has the record that it speaks of."""
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        more = LEADS.replace("L2", "M2").replace("L3", "M3")
        other.send(other.write("leads.csv", more), "leads")
        path = other.take("leads", format="xlsx")
    job = shop.send(path, "leads", base=None)
    assert (job.source, (job.changes or {})["inserted"]) == ("test", 2)


def test_cells_are_what_their_fields_are(shop: Shop) -> None:
    """EXF-16; text stays text, numbers are numbers, and no text is a formula or a link."""
    path = shop.take("leads", format="xlsx", fields=("lead_id", "email", "score", "notes"))
    [(name, rows)] = cells(path).items()
    assert name == "leads"
    assert rows == [
        ["lead_id", "email", "score", "notes"],
        ["00123", "ann@example.org", 10.0, "=1+1"],
        ["L2", "bob@example.org", 20.0, "'#N/A"],
        ["L3", "cid@example.org", "", "+49 is a text"],
    ]
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert 'rgb="FFE0E0E0"' in part(path, "xl/styles.xml")
    assert "<b/>" in part(path, "xl/styles.xml")


FIELDS = (
    {"name": "id"},
    {"name": "whole", "type": "integer"},
    {"name": "real", "type": "number"},
    {"name": "price", "type": "number", "precision": 38, "scale": 6},
    {"name": "yes", "type": "boolean"},
    {"name": "day", "type": "date"},
    {"name": "at", "type": "datetime"},
    {"name": "clock", "type": "time"},
    {"name": "took", "type": "duration"},
    {"name": "text"},
)
PLAIN = (
    "a",
    42,
    0.1,
    "12.5",
    True,
    "2026-01-31",
    "2026-01-31 11:00:00",
    "10:00:00",
    5_400_000_000,
    "x",
)
ODD = (
    "b",
    2**62,
    1 / 3,
    "0.000001",
    False,
    "1850-01-01",
    "2025-10-26 00:30:00",
    "10:00:00.5",
    -1,
    " ",
)


def things() -> Dataset:
    return Dataset.model_validate({"name": "things", "primaryKey": ["id"], "fields": list(FIELDS)})


def written(rows: Sequence[Sequence[Any]], path: Path, timezone: str = "Europe/Berlin") -> Path:
    """Rows of things as a workbook."""
    dataset = things()
    kinds = ", ".join(f'"{field.name}" {field.sql_type}' for field in dataset.fields)
    with duckdb.connect() as cursor:
        cursor.execute(f"CREATE TABLE t (_key VARCHAR, {kinds})")
        marks = ", ".join("?" * (len(dataset.fields) + 1))
        cursor.executemany(f"INSERT INTO t VALUES ({marks})", [[row[0], *row] for row in rows])
        write_xlsx(
            cursor, Table("things", "SELECT * FROM t", dataset.fields, len(rows), timezone), path
        )
    return path


def test_what_a_spreadsheet_would_change_is_text(tmp_path: Path) -> None:
    """Numbers of more than fifteen digits, days before 1900, hours that come twice."""
    [rows] = cells(written([PLAIN, ODD], tmp_path / "things.xlsx")).values()
    assert rows[1] == [
        "a",
        42.0,
        0.1,
        12.5,
        True,
        dt.date(2026, 1, 31),
        dt.datetime.fromisoformat("2026-01-31T12:00"),
        "10:00:00",
        "1:30:00",
        "x",
    ]
    assert rows[2] == [
        "b",
        "4611686018427387904",
        "0.3333333333333333",
        "0.000001",
        False,
        "1850-01-01",
        "2025-10-26T00:30:00Z",
        "10:00:00.5",
        "-0:00:00.000001",
        " ",
    ]


def test_any_text_stays_what_it_is(tmp_path: Path) -> None:
    """Marks of XML, blanks at the edges, control characters, and what looks like a sign for one."""
    texts = [
        "<r>&amp;</r>",
        " a\u00a0",
        "\u2003b\n",
        "c\td\ne",
        "_x000D_",
        "_x0041_x0042_",
        "f\r\x00\x0b\x1f",
        "",
        "'g' \"h\"",
    ]
    [[_, *rows]] = cells(
        written([(str(at), *PLAIN[1:-1], text) for at, text in enumerate(texts)], tmp_path / "x")
    ).values()
    assert [row[-1] for row in rows] == texts


def test_cells_are_found_by_their_names(tmp_path: Path) -> None:
    """Beyond the 26th column, with empty cells between, and more rows than one batch has."""
    fields = [{"name": f"f{at}"} for at in range(60)]
    dataset = Dataset.model_validate({"name": "wide", "primaryKey": ["f0"], "fields": fields})
    path, count = tmp_path / "wide.xlsx", 600
    filled = (0, 25, 26, 51, 52, 59)
    values = ", ".join(
        f"'r' || i || 'c{at}' AS f{at}" if at in filled else f"NULL::VARCHAR AS f{at}"
        for at in range(60)
    )
    query = f"SELECT i::VARCHAR AS _key, {values} FROM range({count}) t(i) ORDER BY -i"
    with duckdb.connect() as cursor:
        assert write_xlsx(cursor, Table("wide", query, dataset.fields, count), path) == count
    [[_, *rows]] = cells(path).values()
    assert rows == [
        [f"r{row}c{at}" if at in filled else "" for at in range(60)]
        for row in reversed(range(count))
    ]
    assert '<dimension ref="A1:BH601"/>' in part(path, "xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_cancelled_export_ends_as_cancelled(shop: Shop, kind: str) -> None:
    """Design section 10: wherever it is interrupted, and nothing is left of it."""
    rows = "".join(f"M{at},Ann,{at}@example.org\n" for at in range(20_000))
    shop.send(shop.write("more.csv", "lead_id,name,email\n" + rows), "leads")
    job = shop.engine.jobs.create(JobKind.EXPORT, ExportRequest(datasets=("leads",), format=kind))
    cursors, has_ended = list[Any](), threading.Event()

    def progress(*_: object) -> None:
        if job.cancel.is_set():
            raise CancelledError

    def cancel() -> None:
        job.cancel.set()
        while not has_ended.wait(0.001):
            with contextlib.suppress(duckdb.Error):
                cursors[-1].interrupt()

    def work_with(cursor: Any) -> None:
        if cursor is None:
            has_ended.set()
        else:
            cursors.append(cursor)
            threading.Timer(0.001, cancel).start()

    with pytest.raises(CancelledError):
        shop.engine.exports.run(job, shop.engine.author(Origin.CLI), progress, work_with)
    assert not shop.engine.home.job_staging(job.job).exists()
    assert list(shop.engine.home.exports.glob("leads-*")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 32_768, "cell-too-long"),
        ("\U0001f600" * 16_384, "cell-too-long"),
        ("a\ufffe", "character-unfit"),
    ],
)
def test_what_no_cell_holds_is_refused(tmp_path: Path, text: str, code: str) -> None:
    """It would be cut short, or be another text; the error names field and record."""
    with pytest.raises(InputError) as caught:
        written([(*PLAIN[:-1], text)], tmp_path / "things.xlsx")
    assert caught.value.code == code
    assert "text of things 'a'" in caught.value.title
    assert "csv" in caught.value.hint
    written([(*PLAIN[:-1], "x" * 32_767)], tmp_path / "things.xlsx")


def test_more_rows_than_a_sheet_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    rows = [(str(at), *PLAIN[1:]) for at in range(3)]
    written(rows[:2], tmp_path / "things.xlsx")
    with pytest.raises(InputError) as caught:
        written(rows, tmp_path / "things.xlsx")
    assert caught.value.code == "too-many-rows"
    assert "--where" in caught.value.hint


def test_sheets_with_one_beginning_of_a_name_are_told_apart(tmp_path: Path) -> None:
    """A name has 31 characters, and no two differ in the case of letters alone."""
    path, field = tmp_path / "names.xlsx", things().fields[0]
    names = ["a_dataset_with_a_very_long_name_one", "A_dataset_with_a_very_long_name_two"]
    with duckdb.connect() as cursor:
        query = f"SELECT 'x' AS _key, NULL::{field.sql_type} AS \"{field.name}\""
        sheets = [workbook.Sheet.of(Table(name, query, [field], 1)) for name in names]
        workbook.write_workbook(cursor, sheets, path)
    with calamine.load_workbook(path) as book:
        assert book.sheet_names == [names[0][:31], names[1][:29] + " 2"]
