"""The reject file, and its way back in."""

from __future__ import annotations

import csv

from dataport.engine.staging.reject_file import write_reject_file

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
    ]
    assert [line[:4] for line in lines[1:]] == [
        ["2", "1", "email", "format-error.email"],
        ["2", "1", "status", "constraint-error.enum"],
        ["4", "3", "", "missing-cell"],
        ["5", "4", "", "unterminated-quote"],
    ]
    assert lines[1][6:] == ["1", "bad", "nwe", "'=1+1"]
    assert target.stat().st_mode & 0o777 == 0o600

    fixed = target.read_text(encoding="utf-8").replace("bad", "b@b.co").replace("nwe", "new")
    again = read(fixed, leads, "fixed.csv")
    assert ("1", "b@b.co", "new") in again.rows("_key, email, status")
    assert again.result.ignored == ["extra"]
    assert again.result.rows.duplicate == 1


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
