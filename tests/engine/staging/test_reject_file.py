"""The reject file, and its way back in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dataport.engine.staging.reject_file import write_reject_file
from tests.engine.staging.conftest import Staged

TEXT = 'lead_id,email,status,extra\n1,bad,nwe,"=1+1"\n2,a@b.co,new,-5\n3,a@b.co\n4,"x,new,\n2,z@z.zz,new,x\n'


def test_a_fixed_reject_file_comes_back(read, leads, tmp_path):
    """ERR-01, ERR-12, ERR-13."""
    staged = read(TEXT, leads)
    target = tmp_path / "file.rejected.csv"
    assert write_reject_file(staged.directory, staged.result, target)
    with target.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0] == [
        *"line,row,field,code,message,value".split(","),
        *TEXT.split("\n", maxsplit=1)[0].split(","),
        "broken_row",
    ]
    assert [line[:4] for line in lines[1:]] == [
        ["2", "1", "email", "format-error.email"],
        ["2", "1", "status", "constraint-error.enum"],
        ["4", "3", "", "missing-cell"],
        ["5", "4", "", "unterminated-quote"],
    ]
    assert lines[1][6:] == ["1", "bad", "nwe", "'=1+1", ""]
    assert target.stat().st_mode & 0o777 == 0o600

    fixed = target.read_text(encoding="utf-8").replace("bad", "b@b.co").replace("nwe", "new")
    again = read(fixed, leads, "fixed.csv")
    assert ("1", "b@b.co", "new") in again.rows("_key, email, status")
    assert again.result.ignored == ["extra"]
    assert again.result.rows.duplicate == 1


@pytest.mark.parametrize(
    ("name", "text", "cell"),
    [
        ("a.csv", "lead_id,email,notes\n1,bad,'=1\n", "=1"),
        ("a.csv", "lead_id,email,notes\n1,bad,=1\n", "=1"),
        ("a.json", '[{"lead_id": "1", "email": "bad", "notes": "\'=1"}]', "'=1"),
        ("a.json", '[{"lead_id": "1", "email": "bad", "notes": "=1"}]', "=1"),
    ],
)
def test_a_fixed_row_says_what_it_said(read, leads, tmp_path, name, text, cell):
    """However often it is rejected, an escape is neither added to nor lost."""
    target = tmp_path / "a.rejects.csv"
    for _ in range(3):
        staged = read(text, leads, name)
        assert write_reject_file(staged.directory, staged.result, target)
        text, name = target.read_text(encoding="utf-8"), target.name
    fixed = read(text.replace(",bad,", ",a@b.co,"), leads, name)
    assert fixed.rows("notes") == [(cell,)]


def test_nothing_is_written_without_rejects(read, leads, tmp_path):
    staged = read("lead_id\n1\n1\n", leads)
    target = tmp_path / "none.csv"
    assert not write_reject_file(staged.directory, staged.result, target)
    assert not target.exists()


def test_a_reject_file_of_a_reject_file_keeps_the_sources_columns(read, leads, tmp_path):
    staged = read("lead_id,email\n1,bad\n", leads)
    target = tmp_path / "a.csv"
    write_reject_file(staged.directory, staged.result, target)
    first = target.read_text(encoding="utf-8")
    again = read(first, leads, "b.csv")
    write_reject_file(again.directory, again.result, target)
    assert target.read_text(encoding="utf-8") == first


BROKEN = [
    ("missing-cell", "7,a@b.co"),
    ("extra-cell", "7,a@b.co,new,x,y"),
    ("extra-cell", "7,a@b.co,,,,x"),
    ("unterminated-quote", '7,"a@b.co,new,x'),
    ("bad-quote", '7,"a"@b.co,new,x'),
    ("nul-byte", "7,a\0@b.co,new,x"),
]


@pytest.fixture
def rejects(tmp_path: Path) -> Callable[[Staged], str]:
    """The text of the reject file of what was staged."""

    def text(staged: Staged) -> str:
        target = tmp_path / "rejects.csv"
        assert write_reject_file(staged.directory, staged.result, target)
        return target.read_text(encoding="utf-8")

    return text


def edited(text: str, change: Callable[[dict[str, str]], None]) -> str:
    """A CSV after `change` of each of its rows, as a spreadsheet saves it."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, reader.fieldnames or ())
    writer.writeheader()
    for row in reader:
        change(row)
        writer.writerow(row)
    return target.getvalue()


@pytest.mark.parametrize(("code", "line"), BROKEN)
def test_a_broken_row_stays_rejected_until_its_text_is_cleared(read, leads, rejects, code, line):
    """ERR-13: nothing of it goes in by being dropped back, however often."""
    first = rejects(read(f"lead_id,email,status,notes\n1,a@b.co,new,\n{line}\n", leads))
    for _ in range(2):
        again = read(first, leads, "back.csv")
        assert (again.result.rows.valid, again.result.ignored) == (0, [])
        assert again.rejects("code, value") == [(code, line.replace("\0", ""))]
        assert [*csv.reader(io.StringIO(first))][1][6:] == [
            *csv.reader(io.StringIO(rejects(again)))
        ][1][6:]
        first = rejects(again)

    def fix(row: dict[str, str]) -> None:
        row |= {"lead_id": "7", "email": "a@b.co", "status": "new", "notes": "x", "broken_row": ""}

    fixed = read(edited(first, fix), leads, "back.csv")
    assert fixed.rows("_key, email, status, notes") == [("7", "a@b.co", "new", "x")]


def test_json_that_is_no_row_stays_rejected(read, leads, rejects):
    lines = ['{"lead_id": "1", "email": ', "[1]", '{"lead_id": "3", "lead_id": "4"}']
    staged = read("\n".join(['{"lead_id": "0", "email": null}', *lines]), leads, "a.ndjson")
    again = read(rejects(staged), leads, "back.csv")
    assert again.result.rows.valid == 0
    assert again.rejects("code, value") == [
        ("json-error", lines[0].strip()),
        ("not-an-object", lines[1]),
        ("duplicate-label", lines[2]),
    ]


def test_a_last_column_that_a_spreadsheet_left_off_is_empty(read, leads, rejects):
    """Excel drops the last delimiter of rows whose last column is empty for long."""
    text = rejects(read("lead_id,email\n1,bad\n2\n", leads))
    saved = text.replace("1,bad,\n", "1,a@b.co\n")
    assert saved != text
    staged = read(saved, leads, "back.csv")
    assert staged.rows("_key, email") == [("1", "a@b.co")]
    assert staged.rejects("code") == [("missing-cell",)]


def test_a_source_may_have_such_a_column_itself(read, leads, rejects):
    staged = read("lead_id,email,broken_row\n1,bad,x\n", leads)
    first = rejects(staged)
    assert first.split("\n")[0].endswith(",broken_row,broken_row_2")
    again = read(first, leads, "back.csv")
    assert again.rejects("code") == [("format-error.email",)]
    assert again.result.ignored == ["broken_row"]
    assert rejects(again) == first


def test_lines_about_one_row_are_one_row(read, leads, rejects):
    """A row with two errors has two lines; fixing one of them is enough."""
    text = rejects(read("lead_id,email,status\n1,bad,nwe\n2,worse,nwe\n", leads))
    again = read(text, leads, "back.csv")
    assert again.result.rows.rejected == 2
    assert again.result.rows.duplicate == 2
    assert rejects(again).count("\n") == text.count("\n")

    last = text.rindex("2,worse,nwe")
    fixed = text[:last] + text[last:].replace("2,worse,nwe", "2,a@b.co,new")
    staged = read(fixed, leads, "back.csv")
    assert staged.rows("_key, email, status") == [("2", "a@b.co", "new")]
    assert staged.result.rows.rejected == 1


def test_rows_of_other_files_are_not_taken_for_lines_about_one_row(read, leads, rejects):
    texts = [
        rejects(read(f"lead_id,email\n{key},bad\n", leads)).replace(",bad\n", ",a@b.co\n")
        for key in (1, 2)
    ]
    staged = read(texts[0] + texts[1].partition("\n")[2], leads, "back.csv")
    assert staged.rows("_key") == [("1",), ("2",)]


def test_a_value_that_must_be_unique_has_to_change(read, make, rejects):
    """The row that has the value stayed behind, in the store."""
    dataset = make({"name": "id"}, {"name": "badge", "constraints": {"unique": True}})
    text = rejects(read("id,badge\n1,=A\n2,=A\n", dataset))
    assert read(text, dataset, "back.csv").rejects("code") == [("constraint-error.unique",)]
    fixed = read(edited(text, lambda row: row.update(badge="B")), dataset, "back.csv")
    assert fixed.rows("_key, badge") == [("2", "B")]


def test_a_label_with_a_nul_is_written_without_it(read, leads):
    staged = read("lead_id,email,x\0y\n1,none,z\n", leads)
    lines = (staged.directory / "rejects.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("lead_id,email,xy")
    assert len(lines) == 2


ABSENT = [
    {"lead_id": "1", "email": "bad", "name": "Ann"},
    {"lead_id": "2", "email": "bad", "notes": None, "company": ""},
    {"lead_id": "3", "email": "bad", "name": "Cy", "notes": "x", "company": "y"},
]


def mended(row: dict[str, str]) -> None:
    row["email"] = f"{row['lead_id']}@b.co"


def test_what_a_row_did_not_have_stays_absent(read, leads, rejects):
    """ERR-13, merge.md 5.1: null is a statement, and a name that is left out is none."""
    text = rejects(read(json.dumps(ABSENT), leads, "a.json"))
    lines = [line[6:] for line in csv.reader(io.StringIO(text))]
    assert [line[-1] for line in lines] == ["absent_columns", "notes, company", "name", ""]
    for _ in range(2):
        text = rejects(read(text, leads, "back.csv"))
        assert [line[6:] for line in csv.reader(io.StringIO(text))] == lines
    staged = read(edited(text, mended), leads, "back.csv")
    assert staged.rows("_key, name, notes, company, list_sort(_absent)") == [
        ("1", "Ann", None, None, ["company", "notes"]),
        ("2", None, None, None, ["name"]),
        ("3", "Cy", "x", "y", None),
    ]
    assert staged.result.ignored == []


def test_a_cell_that_was_filled_in_is_stated_and_a_name_taken_off_the_list_too(
    read, leads, rejects
):
    text = rejects(read(json.dumps(ABSENT), leads, "a.json"))

    def fill(row: dict[str, str]) -> None:
        mended(row)
        if row["lead_id"] == "1":
            row |= {"notes": "new", "absent_columns": "notes"}

    staged = read(edited(text, fill), leads, "back.csv")
    assert staged.rows("notes, company, _absent")[0] == ("new", None, None)


def test_a_reject_file_from_before_such_lists_is_read_as_it_was(read, leads, rejects):
    text = rejects(read(json.dumps(ABSENT[:2]), leads, "a.json"))
    older = [line[:-1] for line in csv.reader(io.StringIO(text))]
    target = io.StringIO(newline="")
    csv.writer(target).writerows(older)
    staged = read(edited(target.getvalue(), mended), leads, "back.csv")
    assert staged.rows("_key, name") == [("1", "Ann"), ("2", None)]
    assert staged.result.partial == []


def test_lists_that_a_spreadsheet_left_off_are_empty(read, leads, rejects):
    """Excel drops the last delimiters of rows whose last columns are empty for long."""
    lines = [json.dumps(row) for row in ABSENT]
    text = rejects(read("\n".join([*lines, '{"lead_id": ']), leads, "a.ndjson"))
    assert text.split("\n", maxsplit=1)[0].endswith(",absent_columns,broken_row")
    saved = edited(text, mended).replace("x,y,,\r\n", "x,y\r\n")
    assert "x,y\r\n" in saved
    staged = read(saved, leads, "back.csv")
    assert staged.rows("_key, _absent")[2] == ("3", None)
    assert staged.rejects("code") == [("json-error",)]


def test_a_broken_object_states_what_was_put_into_its_columns(read, leads, rejects):
    """What it had cannot be told, so nothing is cleared by what was not put there."""
    broken = '{"lead_id": "2", "name": "Bo"'
    text = rejects(read(json.dumps(ABSENT[2]) + "\n" + broken, leads, "a.ndjson"))

    def fix(row: dict[str, str]) -> None:
        mended(row)
        if row["broken_row"]:
            row |= {"lead_id": "2", "name": "Bo", "email": "b@b.co", "broken_row": ""}

    staged = read(edited(text, fix), leads, "back.csv")
    assert staged.rows("_key, name, list_sort(_absent)") == [
        ("3", "Cy", None),
        ("2", "Bo", ["company", "notes"]),
    ]


@pytest.mark.parametrize(
    "name", ["a, b", 'a "b"', "=a", " a ", "absent_columns", "broken_row", "größe", "a'b"]
)
def test_any_name_can_be_listed(read, make, rejects, name):
    field = {"name": "x", "aliases": [name]}
    dataset = make({"name": "id"}, {"name": "n", "type": "integer"}, {"name": "y"}, field)
    rows = [{"id": 1, "n": "bad"}, {"id": 2, "n": "bad", "y": "", name: "z"}]
    text = rejects(read(json.dumps(rows), dataset, "a.json"))
    staged = read(edited(text, lambda row: row.update(n="1")), dataset, "back.csv")
    assert staged.rows("_key, x, _absent") == [("1", None, ["y", "x"]), ("2", "z", None)]


@pytest.mark.parametrize("name", ["absent_columns", "broken_row"])
def test_a_source_may_have_either_column_itself(read, leads, rejects, name):
    first = rejects(read(f"lead_id,email,{name}\n1,bad,email\n", leads))
    assert first.split("\n")[0].endswith(f",{name},{name}_2")
    staged = read(first.replace(",bad,", ",a@b.co,"), leads, "back.csv")
    assert staged.rows("_key, email") == [("1", "a@b.co")]
    assert staged.result.ignored == [name]
