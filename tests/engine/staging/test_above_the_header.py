"""Titles, notes and blank lines above the header of a file that no mapping is for (V-14, IMF-03)."""

from __future__ import annotations

import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.look import LookRequest
from dataport.engine.staging.process import look
from dataport.engine.staging.request import StageLimits
from tests.engine.staging.sheets import xlsx

HEADER = "lead_id,name,email\n"
ROWS = "1,Ann,a@b.co\n2,Bo,b@b.co\n"
FOUND = [("1", "Ann"), ("2", "Bo")]


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Report of leads\nMade on 2026-11-01\n\n", 5),
        ("Report of leads\n\n\n", 5),
        ("\n\nReport\n", 5),
        ("Report of leads, all of them, by Ann, in Berlin\n\n", 4),
        ("Report,,\nMade on,2026-11-01,\n,,\n", 5),
        ("Status,all\nOwner,Ann\nPeriod,2026-10\n\n", 6),
        ('"Report of leads\nand of nothing else"\n\n', 5),
        ('"Report of leads\n\n', 4),
        ("Report of the 24\" screens; and 'more'\n\n", 4),
        ("Report\x0bof\x85leads\u2028of November\n\n", 4),
        ("Notes\n\n", 4),
        ("Company,Acme GmbH\nName,Ann\n\n", 5),
    ],
    ids=str,
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_stands_above_the_header_is_no_data(read, leads, above, line, end) -> None:
    staged = read((above + HEADER + ROWS).replace("\n", end), leads)
    assert staged.rows("lead_id, name") == FOUND
    assert staged.rows("_record, _line") == [(1, line), (2, line + 1)]
    assert (staged.result.has_header, staged.result.rows.read) == (True, 2)
    assert staged.rejects() == []
    assert f"The table begins in line {line - 1}" in " ".join(staged.result.notices)


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_that_of_the_rows_not_of_the_titles(read, leads, delimiter) -> None:
    above = "Report; all leads, by name | of Ann\n\n"
    staged = read(above + (HEADER + ROWS).replace(",", delimiter), leads)
    assert staged.result.delimiter == delimiter
    assert staged.rows("lead_id, name, _line") == [("1", "Ann", 4), ("2", "Bo", 5)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le"])
def test_in_any_encoding(read, leads, encoding) -> None:
    text = "Bericht über Leads\n\n" + HEADER + ROWS
    staged = read(text.replace("\n", "\r\n").encode(encoding), leads)
    assert staged.rows("lead_id, name, _line") == [("1", "Ann", 4), ("2", "Bo", 5)]


def test_lines_that_end_with_a_carriage_return_alone(read, leads) -> None:
    staged = read(("Report\n\n" + HEADER + ROWS).replace("\n", "\r"), leads)
    assert staged.rows("lead_id, _line") == [("1", 4), ("2", 5)]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "^"])
@pytest.mark.parametrize("above", ["", "Report of leads\n\n"])
def test_a_first_line_may_say_what_the_delimiter_is(read, leads, delimiter, above) -> None:
    """Excel writes and reads it."""
    text = f"sep={delimiter}\n{above}" + (HEADER + ROWS).replace(",", delimiter)
    staged = read(text, leads)
    assert staged.result.delimiter == delimiter
    assert staged.rows("lead_id, name") == FOUND
    assert [line for (line,) in staged.rows("_line")] == [3 + 2 * bool(above), 4 + 2 * bool(above)]


def test_a_list_without_a_header_may_have_a_title(read, phone_numbers) -> None:
    staged = read("Numbers of spring\n\n(555) 123-4567,AT&T\n5551234568,Verizon\n", phone_numbers)
    assert not staged.result.has_header
    assert staged.rows("_record, _line, phone_number, carrier") == [
        (1, 3, "15551234567", "AT&T"),
        (2, 4, "15551234568", "Verizon"),
    ]


def test_a_row_of_values_is_never_taken_for_a_title(read, phone_numbers) -> None:
    text = "5551234567\n5551234568,AT&T,mobile\nphone_number,carrier,type\n5551234569,X,mobile\n"
    staged = read(text, phone_numbers)
    assert staged.result.rows.read == 4
    assert 1 in [line for (line,) in staged.rows("_line")] + [at for at, _ in staged.rejects()]


def test_a_header_stays_the_header_where_rows_name_fields_too(read, leads) -> None:
    staged = read("lead_id,channel,second\n1,phone,email\n2,name,company\n", leads)
    assert staged.rows("lead_id, _line") == [("1", 2), ("2", 3)]


def test_rejects_name_their_lines_and_a_broken_title_is_none(read, leads) -> None:
    text = 'Report "of" leads\n"open\n\n' + HEADER + '1,Ann,a@b.co\n2,"x\ny",none\n3,Cy\n'
    staged = read(text, leads)
    assert staged.rows("lead_id, _line") == [("1", 5)]
    assert staged.rejects() == [(6, "format-error.email"), (8, "missing-cell")]


def test_the_error_shows_what_was_taken_for_the_header(read, leads) -> None:
    text = "Report of leads\n\nKunde;Ort;Land\nAnn;Bonn;DE\n"
    with pytest.raises(InputError) as caught:
        read(text, leads)
    assert caught.value.code == "missing-label"
    assert "'Kunde', 'Ort', 'Land'" in caught.value.detail
    assert "Line 3 was taken for the header" in caught.value.detail
    assert "--header-line" in caught.value.hint


WIDE = "lead_id,name,email,Ort,Land\n8,Cy,c@b.co,Bonn,DE\n\nlead_id,name,email\n" + ROWS


def test_the_header_is_where_a_person_says(read, leads) -> None:
    staged = read(WIDE, leads, header_line=4)
    assert staged.rows("lead_id, name, _line") == [("1", "Ann", 5), ("2", "Bo", 6)]
    for line in (3, 99):
        with pytest.raises(InputError) as caught:
            read(WIDE, leads, header_line=line)
        assert caught.value.code == "no-such-header"


def test_a_line_that_was_said_to_be_the_header_is_it_in_a_list_too(read, phone_numbers) -> None:
    staged = read("5551234567\n5551234568\n5551234569\n", phone_numbers, header_line=1,
                  columns={"phone_number": "5551234567"}, name="a.txt")  # fmt: skip
    assert staged.result.rows.read == 2


def test_a_sheet_says_and_is_told_the_same(read, leads) -> None:
    rows = [["Report"], [], ["Kunde", "Ort"], ["lead_id", "name"], ["1", "Ann"]]
    content = xlsx({"Leads": rows})
    staged = read(content, leads, "a.xlsx")
    assert staged.rows("lead_id, name, _line") == [("1", "Ann", 5)]
    with pytest.raises(InputError, match="No column is") as caught:
        read(content, leads, "a.xlsx", header_line=3)
    assert "Line 3 was taken for the header" in caught.value.detail
    with pytest.raises(InputError) as caught:
        read(content, leads, "a.xlsx", header_line=2)
    assert caught.value.code == "no-such-header"


def test_a_look_finds_the_header_too(tmp_path) -> None:
    source = tmp_path / "file.csv"
    source.write_text("Report, of leads\n\nKunde;Ort;Land\nAnn;Bonn;DE\n", encoding="utf-8")
    [table] = look(LookRequest(source, tmp_path / "look", limits=StageLimits())).tables
    assert (table.columns, table.rows) == (["Kunde", "Ort", "Land"], [["Ann", "Bonn", "DE"]])
    [table] = look(LookRequest(source, tmp_path / "look", header_line=4)).tables
    assert table.columns == ["Ann", "Bonn", "DE"]
