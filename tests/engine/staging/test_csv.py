"""CSV files as they come: delimiters, headers, encodings, line ends, broken quotes."""

from __future__ import annotations

import duckdb
import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.dialect import Dialect
from dataport.engine.staging.readers.csv_reader import Care, read_csv
from dataport.engine.staging.request import StageLimits, StageRequest
from dataport.engine.staging.source import SourceFile
from dataport.engine.staging.text import Encoding

HEADER = "lead_id,email,notes\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read, leads, delimiter):
    """V-36."""
    text = "lead_id,email,notes\n1,a@b.co,x\n2,c@d.co,y\n".replace(",", delimiter)
    staged = read(text, leads)
    assert staged.result.delimiter == delimiter
    assert staged.rows("_key, email, notes") == [("1", "a@b.co", "x"), ("2", "c@d.co", "y")]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("lead_id,name\n1,Zoë Å\n".encode(), "utf-8"),
        ("lead_id,name\n1,Zoë Å\n".encode("utf-8-sig"), "utf-8"),
        ("lead_id,name\n1,Zoë Å\n".encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + "lead_id,name\n1,Zoë Å\n".encode("utf-16-be"), "utf-16-be"),
        ("lead_id,name\n1,Zoë Å\n".encode("utf-16-le"), "utf-16-le"),
        ("lead_id,name\n1,Zoë Å\n".encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_are_told_from_the_content(read, leads, content, encoding):
    """V-36."""
    staged = read(content, leads)
    assert staged.rows("name") == [("Zoë Å",)]
    assert staged.result.encoding == encoding


def test_a_file_that_is_not_utf8_says_where(read, leads):
    staged = read(b"lead_id,name\n1,Ann\n2,Zo\xeb\n", leads)
    assert any("line 3" in notice and "cp1252" in notice for notice in staged.result.notices)


def test_one_bad_byte_does_not_spoil_a_utf8_file(read, leads):
    staged = read("lead_id,name\n1,Zoë\n2,Åsa\n3,".encode() + b"B\xffd\n4,Bo\n", leads)
    assert staged.rows("name") == [("Zoë",), ("Åsa",), ("Bo",)]
    assert staged.rejects() == [(4, "encoding-error")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_quoted_newlines(read, leads, end):
    rows = ["lead_id,email,notes", f'1,a@b.co,"two{end}lines"', "2,bad,x", "3,c@d.co,y"]
    staged = read(end.join(rows) + end, leads)
    assert staged.rows("_record, _line, _key") == [(1, 2, "1"), (3, 5, "3")]
    assert staged.rejects() == [(4, "format-error.email")]


def test_mixed_line_ends(read, leads):
    staged = read(HEADER + '1,a@b.co,x\r\n2,a@b.co,"y\r\nz"\n3,a@b.co,w\r4,a@b.co,v', leads)
    assert staged.rows("_line, notes") == [(2, "x"), (3, "y\r\nz"), (5, "w"), (6, "v")]
    assert any("mixed" in notice for notice in staged.result.notices)


def test_blank_lines_are_no_records(read, leads):
    staged = read("\n" + HEADER + "\n1,a@b.co,x\r\n\r\n\n2,bad,y\n\n", leads)
    assert staged.result.rows.read == 2
    assert staged.rejects() == [(7, "format-error.email")]


def test_rows_with_the_wrong_number_of_cells_are_named(read, leads):
    """ERR-01, ERR-02."""
    staged = read(HEADER + '1,a@b.co\n2,a@b.co,"x\ny"\n3,a@b.co,x,z\n4,a@b.co,x,\n5,,\n', leads)
    assert staged.rejects() == [(2, "missing-cell"), (5, "extra-cell")]
    assert staged.rows("_key, _line") == [("2", 3), ("4", 6), ("5", 7)]
    assert staged.result.null_keys == 2


def test_broken_quotes_cost_their_line_only(read, leads):
    text = (
        HEADER + '1,a@b.co,x\n2,"open,x\n3,a@b.co,"y, ""z"""\n4,a@b.co,"a "b" c"\n5,a@b.co,12" tv\n'
    )
    staged = read(text, leads)
    assert staged.rejects() == [(3, "unterminated-quote"), (5, "bad-quote")]
    assert staged.rows("_key, notes") == [("1", "x"), ("3", 'y, "z"'), ("5", '12" tv')]
    assert staged.result.quarantined == 2


def test_nul_bytes_cost_their_row_only(read, leads):
    staged = read(HEADER + "1,a@b.co,x\n2,a@b.co,y\0z\n3,a@b.co,w\n", leads)
    assert staged.rejects() == [(3, "nul-byte")]
    assert staged.result.rows.valid == 2


def test_a_value_that_an_export_defused_is_itself_again(read, leads):
    staged = read(HEADER + "1,,'=1+1\n2,,''@x\n3,,'tis\n4,,'+5\n", leads)
    assert [notes for (notes,) in staged.rows("notes")] == ["=1+1", "'@x", "'tis", "+5"]


def test_a_phone_list_needs_no_header(read, phone_numbers):
    """IMF-03, V-14."""
    staged = read("(555) 123-4567,AT&T\n5551234568,Verizon\n", phone_numbers)
    assert not staged.result.has_header
    assert staged.rows("_line, phone_number, carrier") == [
        (1, "15551234567", "AT&T"),
        (2, "15551234568", "Verizon"),
    ]


def test_a_first_row_without_a_phone_number_is_a_header(read, phone_numbers):
    """IMF-03, V-14."""
    staged = read("Mobile;Netz\n5551234567;X\n", phone_numbers)
    assert staged.result.has_header
    assert staged.result.ignored == ["Netz"]
    with pytest.raises(InputError, match="phone_number") as caught:
        read("Telefon,Netz\n5551234567,X\n", phone_numbers)
    assert caught.value.code == "missing-label"
    assert "'Telefon'" in caught.value.detail


def test_three_unterminated_quotes_in_many_rows_cost_three_lines(read, leads):
    rows = [f"{at},u{at}@b.co,note {at}" for at in range(1, 60_001)]
    for at in (20_000, 40_000, 60_000):
        rows[at - 1] = f'{at},"open quote,x'
    staged = read(HEADER + "\n".join(rows) + "\n", leads)
    assert staged.result.rows.valid == 59_997
    assert staged.rejects() == [(at + 1, "unterminated-quote") for at in (20_000, 40_000, 60_000)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_two_line_addresses_give_no_phantom_rows(read, leads, end):
    rows = [f'{at},,"12 Main St{end}Springfield, IL, 62701"' for at in range(1, 100_001)]
    staged = read(HEADER + end.join(rows), leads)
    assert staged.result.rows.valid == staged.result.rows.read == 100_000
    assert staged.rows("_record, _line")[-1] == (100_000, 200_000)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.csv", "empty-file"),
        (b"\xef\xbb\xbf\n\n", "a.csv", "empty-file"),
        (b"lead_id,email\n", "a.csv", "no-rows"),
        (b"PK\x03\x04" + b"xl/workbook.xml", "a.csv", "format-error"),
        (b"PAR1....", "a.csv", "format-error"),
        (b"%PDF-1.7", "a.csv", "format-error"),
        (b"\x1f\x8b\x08\0", "a.csv.gz", "compression-error"),
        (bytes(range(256)) * 20, "a.csv", "format-error"),
        (b"<html><body>", "a.csv", "format-error"),
        (b"lead_id,email\n1,a@b.co\n", "a.json", "format-error"),
        (b"colour,size\nred,1\n", "a.csv", "missing-label"),
        (b"lead_id,Lead ID\n1,2\n", "a.csv", "duplicate-label"),
        (b"lead_id,email,email\n1,a@b.co,a@b.co\n", "a.csv", "duplicate-label"),
    ],
)
def test_files_that_can_not_be_taken_say_why(read, leads, content, name, code):
    """VAL-09, VAL-21, VAL-23."""
    with pytest.raises(InputError) as caught:
        read(content, leads, name)
    assert caught.value.code == code
    assert caught.value.hint


def test_limits_are_kept(read, leads):
    text = HEADER + "1,,x\n2,,y\n"
    for limits, code in (
        (StageLimits(file_size=10), "file-too-large"),
        (StageLimits(rows=1), "too-many-rows"),
        (StageLimits(columns=2), "too-many-columns"),
    ):
        with pytest.raises(InputError) as caught:
            read(text, leads, limits=limits)
        assert caught.value.code == code


def test_a_long_value_is_rejected_or_let_pass_by_the_limit(read, leads):
    text = HEADER + "1,," + "x" * 3_000_000 + "\n2,,y\n"
    assert read(text, leads).result.rows.valid == 2
    staged = read(text, leads, limits=StageLimits(field_size=1_000_000))
    assert staged.rejects() == [(2, "field-too-long")]


def test_unmapped_columns_are_left_out_with_a_notice(read, leads):
    staged = read("lead_id,shoe size,E-mail Address\n1,44,a@b.co\n", leads)
    assert staged.result.mapping == {"lead_id": "lead_id", "email": "E-mail Address"}
    assert staged.result.ignored == ["shoe size"]
    assert any("'shoe size'" in notice for notice in staged.result.notices)


def test_a_forced_mapping_and_constants_stand_above_names(read, leads):
    staged = read(
        "No,email,second\n7,a@b.co,c@d.co\n",
        leads,
        columns={"lead_id": "No", "email": "second"},
        constants={"source": "fair"},
    )
    assert staged.rows("_key, email, source") == [("7", "c@d.co", "fair")]
    assert staged.result.ignored == ["email"]
    assert "source" in staged.result.stated


@pytest.mark.parametrize("care", list(Care))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_degree_of_care_reads_the_same_rows(leads, tmp_path, care, end):
    rows = [
        "lead_id,notes",
        "1,x",
        '2,"a ""b""',
        'c"',
        "3,",
        "",
        '4,"open',
        '5,12" tv',
        '"6","é;"',
        '7,"y",,,',
        ",,,",
        "",
    ]
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(rows).encode())
    request = StageRequest(path, tmp_path, leads)
    dialect = Dialect(",", True, ("lead_id", "notes"))
    with SourceFile(path, 1000, lambda *progress: None) as source, duckdb.connect() as connection:
        reading = read_csv(source, request, dialect, Encoding("utf-8"), care)
        found = connection.execute(reading.sql).fetchall()
    expected = [("1", "x"), ("2", f'a "b"{end}c'), ("3", ""), ("5", '12" tv'), ("6", "é;")]
    expected += [("7", "y"), ("", "")]
    assert [(key or "", notes or "") for key, notes in found] == expected
    assert reading.spool.lines.tolist() == [2, 3, 5, 8, 9, 10, 11]
    assert [(cut.line, cut.code) for cut in reading.spool.cuts] == [(7, "unterminated-quote")]


@pytest.mark.parametrize("shift", range(3))
def test_an_error_about_a_long_record_may_cut_it_within_a_character(read, leads, shift):
    """DuckDB quotes what it can't read; the message is no text then, and the file is all the same."""
    wide = "x" * shift + "硸" * 9_000
    staged = read(f"lead_id,email,notes\n1,a@b.co,ok\n2,{wide}\n3,c@d.co,ok\n", leads)
    assert (len(staged.rows()), staged.rejects()) == (2, [(3, "missing-cell")])
