"""XLSX and ODS: the values that cells show, with the numbers of their rows (IMF-12)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io

import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.look import LookRequest
from dataport.engine.staging.looking import look_into
from dataport.engine.staging.request import StageLimits
from dataport.engine.staging.worker import connect
from tests.engine.staging.packing import zipped
from tests.engine.staging.sheets import ods, xlsx

MAKERS = {"xlsx": xlsx, "ods": ods}


@pytest.fixture(params=MAKERS)
def kind(request):
    return request.param


@pytest.fixture
def read(read):
    """As everywhere, but for a name that says nothing."""
    return lambda content, dataset, name="file", **words: read(content, dataset, name, **words)


@pytest.fixture
def things(make):
    return make(
        {"name": "id", "type": "integer"},
        {"name": "name"},
        {"name": "on", "type": "date"},
        {"name": "at", "type": "datetime"},
        {"name": "took", "type": "duration"},
        {"name": "paid", "type": "boolean"},
        {"name": "price", "type": "number", "scale": 2},
    )


HEADER = ["id", "name", "on", "at", "took", "paid", "price"]
MOMENT = dt.datetime.fromisoformat("2026-03-29 02:30:59")
ROWS = [
    [1, "Ann", dt.date(2026, 1, 2), MOMENT, dt.timedelta(hours=27, minutes=30), True, 12.5],
    [2.0, "=SUM(A1)", dt.date(1999, 12, 31), dt.date(2026, 1, 2), dt.timedelta(0), False, 1e7],
    [3, "line 1\nline 2", None, None, None, None, 0.1],
]


def refused(read, content, dataset, name="file", **words) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, dataset, name, **words)
    return caught.value


def test_cells_are_taken_for_what_they_show(read, things, kind) -> None:
    """Dates, times, durations over 24 h, booleans, whole numbers; formula text stays as it is."""
    staged = read(MAKERS[kind]({"Sheet1": [HEADER, *ROWS]}), things, f"file.{kind}")
    assert staged.rejects() == []
    hour = 3_600_000_000
    assert staged.rows('_line, id, name, "on", "at", took, paid, price::DOUBLE') == [
        (2, 1, "Ann", dt.date(2026, 1, 2), MOMENT, 27 * hour + hour // 2, True, 12.5),
        (
            3,
            2,
            "=SUM(A1)",
            dt.date(1999, 12, 31),
            dt.datetime.fromisoformat("2026-01-02"),
            0,
            False,
            1e7,
        ),
        (4, 3, "line 1\nline 2", None, None, None, None, 0.1),
    ]
    assert (staged.result.format, staged.result.has_header) == (kind, True)
    content = (staged.directory.parent / f"file.{kind}").read_bytes()
    assert staged.result.sha256 == hashlib.sha256(content).hexdigest()


def test_rows_keep_their_numbers_below_titles_and_beside_empty_rows(read, things, kind) -> None:
    """Lines of rows and of rejects are those of the sheet."""
    rows = [
        [None],
        [None, "Things of March"],
        [None],
        [None, "exported", dt.date(2026, 4, 1)],
        [None, "id", "name", None, "on"],
        [None],
        [None, 1, "Ann", None, dt.date(2026, 1, 2)],
        [None],
        [None, "x", "Bob", None, None],
        [None, 3, "Cid", None, "soon"],
        [None, 4, "Dan"],
    ]
    rows = [[*row, *[None] * (5 - len(row))] for row in rows]
    staged = read(MAKERS[kind]({"Sheet1": rows}), things, f"file.{kind}")
    assert staged.rows("_record, _line, id, name") == [(1, 7, 1, "Ann"), (4, 11, 4, "Dan")]
    assert staged.rejects("_record, _line, field, code, value") == [
        (2, 9, "id", "type-error.integer", "x"),
        (3, 10, "on", "type-error.date", "soon"),
    ]
    counts = staged.result.rows
    assert (counts.read, counts.valid, counts.rejected) == (4, 2, 2)


def test_rejects_of_a_sheet_can_be_mended_and_read_again(read, things, kind) -> None:
    rows = [HEADER[:3], [1, "Ann", "bad"], [2, 'say "hi", Bob', "2026-02-30"]]
    staged = read(MAKERS[kind]({"Sheet1": rows}), things, f"file.{kind}")
    text = (staged.directory / "rejects.csv").read_text(encoding="utf-8")
    assert [row["row"] for row in csv.DictReader(io.StringIO(text))] == ["1", "2"]
    mended = text.replace(",bad", ",2026-01-01").replace("2026-02-30", "2026-02-28")
    back = read(mended, things, "file.rejects.csv")
    assert back.rows("id, name") == [(1, "Ann"), (2, 'say "hi", Bob')]


def test_a_sheet_is_chosen_by_name_where_several_hold_data(read, things, kind) -> None:
    sheets = {
        "Intro": [],
        "Open": [HEADER[:2], [1, "Ann"]],
        "Done & gone": [HEADER[:2], [2, "Bob"]],
    }
    content = MAKERS[kind](sheets)
    assert read(content, things, inside="Done & gone").rows("name") == [("Bob",)]
    error = refused(read, content, things)
    assert (error.code, error.detail) == ("several-tables", "They are 'Open', 'Done & gone'.")
    assert (
        refused(read, content, things, inside="Shut").hint == "It holds: Intro, Open, Done & gone."
    )
    alone = MAKERS[kind]({"Intro": [], "Open": sheets["Open"]})
    assert read(alone, things).rows("name") == [("Ann",)]
    packed = zipped({"a.csv": "id\n1\n", f"b.{kind}": content})
    assert read(packed, things, inside=f"b.{kind}::Open").rows("name") == [("Ann",)]


def test_a_hidden_sheet_is_read_only_when_it_is_named(read, things) -> None:
    sheets = {"Open": [HEADER[:2], [1, "Ann"]], "Old": [HEADER[:2], [2, "Bob"]]}
    content = xlsx(sheets, hidden=["Old"])
    assert read(content, things).rows("name") == [("Ann",)]
    assert read(content, things, inside="Old").rows("name") == [("Bob",)]


def test_cells_of_formulas_that_failed_are_rejected_and_not_taken_for_empty(read, things) -> None:
    rows = [
        HEADER[:2],
        [1, ("=B9", "#N/A")],
        [("=1/0", "#DIV/0!"), "Bob"],
        [3, ("=1+1", 2)],
        [4, ("=A1", "#REF!")],
    ]
    staged = read(xlsx({"Sheet1": rows}), things)
    assert staged.rows("id, name") == [(3, "2")]
    assert staged.rejects("_line, field, code, message") == [
        (2, "name", "error-cell", "The cell shows the error #N/A of a formula; mend it in the spreadsheet."),
        (3, "id", "error-cell", "The cell shows the error #DIV/0! of a formula; mend it in the spreadsheet."),
        (5, "name", "error-cell", "The cell shows the error #REF! of a formula; mend it in the spreadsheet."),
    ]  # fmt: skip


def test_columns_beyond_the_header_are_told_and_left_out(read, things) -> None:
    rows = [HEADER[:2], [1, "Ann"], [2, "Bob", None, "sum: 2"]]
    staged = read(xlsx({"Sheet1": rows}), things)
    assert staged.rows("id") == [(1,), (2,)]
    assert staged.result.ignored == ["column_3", "column_4"]


def test_a_sheet_without_a_header_goes_by_position(read, phone_numbers) -> None:
    staged = read(xlsx({"Sheet1": [["+1 650 253 0000"], ["+1 650 253 0001"]]}), phone_numbers)
    assert staged.result.has_header is False
    assert staged.rows("_line") == [(1,), (2,)]


def test_large_numbers_have_the_digits_that_the_sheet_kept(read, make) -> None:
    things = make({"name": "id"}, {"name": "n"})
    rows = [["id", "n"], ["0012", 4915112345678], ["1", 1.5e16], ["2", -2.0], ["3", 0.1 + 0.2]]
    staged = read(xlsx({"Sheet1": rows}), things)
    assert staged.rows("id, n") == [
        ("0012", "4915112345678"),
        ("1", "15000000000000000"),
        ("2", "-2"),
        ("3", "0.3"),
    ]


@pytest.mark.parametrize("inside", [[], [[]], [HEADER]], ids=["nothing", "empty", "header"])
def test_a_workbook_without_rows_is_refused(read, things, kind, inside) -> None:
    assert refused(read, MAKERS[kind]({"Sheet1": inside}), things).code == "no-rows"


def test_broken_and_hostile_workbooks_are_refused(read, things) -> None:
    """SEC-05: parts that expand too far, too many parts, wide sheets, damage."""
    good = xlsx({"Sheet1": [HEADER[:2], [1, "x" * 30_000]]})
    assert (
        refused(read, good, things, limits=StageLimits(expanded=20_000)).code == "expands-too-much"
    )
    assert refused(read, good, things, limits=StageLimits(members=3)).code == "source-error"
    assert refused(read, good, things, limits=StageLimits(columns=1)).code == "too-many-columns"
    assert refused(read, good[:-9], things).code == "compression-error"
    assert refused(read, good, things, "file.csv").code == "format-error"
    assert refused(read, good, things, format="ods").code == "format-error"
    broken = zipped({"[Content_Types].xml": "<x", "xl/workbook.xml": "<workbook"})
    assert refused(read, broken, things).code == "source-error"


def test_a_look_lists_the_sheets_that_hold_anything(tmp_path, kind) -> None:
    path = tmp_path / f"book.{kind}"
    rows = [["Title", None], ["id", "name"], *([at, f"n{at}"] for at in range(99))]
    path.write_bytes(MAKERS[kind]({"A": rows, "B": [], "C": [["x", "y"], [1.5, True]]}))
    (tmp_path / "look").mkdir()
    with connect(tmp_path / "look", 2**30, 1) as connection:
        look = look_into(connection, LookRequest(path, tmp_path / "look"), lambda *_: None)
    assert [(table.inside, table.format, table.columns) for table in look.tables] == [
        ("A", kind, ["id", "name"]),
        ("C", kind, ["x", "y"]),
    ]
    assert (len(look.tables[0].rows), look.tables[0].rows[0]) == (50, ["0", "n0"])
    assert look.tables[1].rows == [["1.5", "true"]]
