"""What the transforms of a mapping make of cells (MAP-01..03)."""

from __future__ import annotations

import pytest

from dataport.core.errors import InputError
from dataport.engine.catalog.mappings import MappingFile


def mapping(*fields, **words):
    """A mapping of the dataset `things`."""
    return MappingFile.model_validate({"name": "m", "dataset": "things", "fields": fields, **words})


def one(read, make, rule, cells, **field):
    """The values of the field `x` that `rule` makes of the cells of a column `C`."""
    dataset = make({"name": "id"}, {"name": "x", **field})
    lines = "".join(
        f'{at},"{cell.replace(chr(34), chr(34) * 2)}"\n' for at, cell in enumerate(cells)
    )
    asked = mapping({"field": "id", "column": "N"}, {"field": "x", "column": "C", **rule})
    staged = read(f"N,C\n{lines}", dataset, mapping=asked)
    assert staged.rejects() == []
    return [value for (value,) in staged.rows("x")]


NUMBER = {"type": "number", "precision": 12, "scale": 4}


@pytest.mark.parametrize(
    ("rule", "field", "cells", "expected"),
    [
        ({}, {}, ["a", ""], ["a", None]),
        ({"missing": ["-", "none"]}, {}, ["-", "a", "none"], [None, "a", None]),
        ({"default": "d"}, {}, ["", "a"], ["d", "a"]),
        ({"split": ", "}, {"type": "list"}, ["a, b;c", ""], [["a", "b;c"], None]),
        ({"split": " ::: ", "part": 1}, {}, ["a ::: b", "c"], ["a", "c"]),
        ({"split": "/", "part": -1}, {}, ["a/b/c"], ["c"]),
        ({"path": "owner.mails[0]"}, {}, ['{"owner": {"mails": ["x@y"]}}', "no"], ["x@y", None]),
        ({"pattern": r"\[(\d+)\]"}, {}, ["a [12]", "none"], ["12", None]),
        ({"pattern": "<[^>]+>", "replace": ""}, {}, ["<p>a</p>"], ["a"]),
        ({"pattern": r"(?:^|\s)@(\S+)", "every": True}, {"type": "list"}, ["a @b x@y @c"], [["b", "c"]]),
        ({"values": {"Open": "new", "Shut": ""}}, {}, ["OPEN", "shut", "else"], ["new", None, "else"]),
        ({"values": {"1": "a"}, "unknown": "empty"}, {}, ["1", "2"], ["a", None]),
        ({"decimal": ","}, NUMBER, ["1.234,5", "7"], ["1234.5000", "7.0000"]),
        ({"decimal": "."}, NUMBER, ["1,234.5"], ["1234.5000"]),
        ({"unit": "hours"}, NUMBER, ["1:30:00", "0:20:30", "26:15", "1.5", "-0:30"],
         ["1.5000", "0.3417", "26.2500", "1.5000", "-0.5000"]),
        ({"unit": "seconds"}, NUMBER, ["5400", "01:00:00"], ["1.5000", "1.0000"]),
        ({"unit": "minutes", "to": "days"}, NUMBER, ["720"], ["0.5000"]),
        ({"unit": "minutes"}, {"type": "duration"}, ["90", "1:30:00"], ["5400000000"] * 2),
        ({"order": "dmy"}, {"type": "date"}, ["3/4/2026", "2026-04-03"], ["2026-04-03"] * 2),
        ({"order": "mdy"}, {"type": "datetime"}, ["3/4/2026 09:30"], ["2026-03-04 09:30:00"]),
        ({"format": ["%B %d, %Y", "%Y/%m/%d"]}, {"type": "date"}, ["May 2, 2023", "2026/05/26"],
         ["2023-05-02", "2026-05-26"]),
        ({"format": "%m/%d/%Y %I:%M %p"}, {"type": "datetime"}, ["04/08/2026 1:52 PM"],
         ["2026-04-08 13:52:00"]),
    ],
)  # fmt: skip
def test_transforms_of_one_column(read, make, rule, field, cells, expected):
    found = one(read, make, rule, cells, **field)
    assert [each if isinstance(each, list) or each is None else str(each) for each in found] == [
        each if isinstance(each, list) or each is None else str(each) for each in expected
    ]


def test_several_columns_give_the_first_value_or_all_of_them_joined(read, make):
    dataset = make({"name": "id"}, {"name": "phone"}, {"name": "name"})
    asked = mapping(
        {"field": "id", "column": "Nr"},
        {"field": "phone", "columns": ["Mobile", "Work", "Fax"]},
        {"field": "name", "columns": ["First", "Last"], "join": " "},
    )
    text = "Nr,First,Last,Work,Mobile\n1,Ada,Lovelace,1,\n2,,Bo,2,3\n3,,,4,\n"
    staged = read(text, dataset, mapping=asked)
    assert staged.result.mapping == {"id": "Nr", "phone": "Mobile", "name": "First"}
    expected = [("1", "Ada Lovelace"), ("3", "Bo"), ("4", None)]
    assert staged.rows("phone, name") == expected


def test_rows_that_are_left_out_are_counted_and_told(read, make):
    """The accounts balance: read = valid + rejected + duplicate + skipped."""
    asked = mapping(
        {"field": "id", "column": "Id"},
        skip=[{"column": "Kind", "values": ["note", ""]}, {"column": "Id", "pattern": "^Grand"}],
    )
    text = "Kind,Id\nTask,1\nNOTE,\n,,\nTask,Grand totals\nTask,1\n"
    staged = read(text.replace(",,\n", ",\n"), make({"name": "id"}), mapping=asked)
    rows = staged.result.rows
    assert (rows.read, rows.valid, rows.duplicate, rows.skipped) == (5, 1, 1, 3)
    assert "2 rows left out by the mapping, for what is in 'Kind'." in staged.result.notices
    assert "1 row left out by the mapping, for what is in 'Id'." in staged.result.notices


def test_a_value_that_the_table_does_not_know_is_rejected_with_the_files_own_cell(read, make):
    asked = mapping(
        {"field": "id", "column": "Id"},
        {"field": "x", "column": "State", "values": {"Open": "new"}, "unknown": "reject"},
    )
    staged = read("Id,State\n1,Open\n2,Ajar\n", make({"name": "id"}, {"name": "x"}), mapping=asked)
    [(line, code, value, message)] = staged.rejects("_line, code, value, message")
    assert (line, code, value) == (3, "constraint-error.enum", "Ajar")
    assert message == "'Ajar' is not in the mapping's table; it knows Open."


def test_the_reject_file_of_a_mapping_has_the_files_columns_and_comes_back(read, make, tmp_path):
    """ERR-13: fixed in the file's own words, and dropped back in."""
    dataset = make({"name": "id"}, {"name": "at", "type": "datetime"})
    asked = mapping(
        {"field": "id", "column": "Nr"},
        {"field": "at", "columns": ["Day", "Hour"], "join": " "},
    )
    staged = read("Nr,Day,Hour\n1,2026-01-02,09:00\n2,soon,09:00\n", dataset, mapping=asked)
    text = (staged.directory / "rejects.csv").read_text()
    assert text.splitlines()[0] == "line,row,field,code,message,value,Nr,Day,Hour"
    again = read(text.replace("2,soon", "2,2026-01-03"), dataset, mapping=asked)
    assert again.result.is_reject_file
    assert [(str(key), str(at)) for key, at in again.rows('id, "at"')] == [
        ("2", "2026-01-03 09:00:00")
    ]


def test_a_header_below_a_preamble_is_found_by_the_names_that_tell_it(read, make):
    """TickTick writes three records above its header, one of several lines."""
    text = '"Date: 2026-01-01"\r\n\r\n"Status: \n0 Normal\n1 Done"\r\n"taskId";"Title"\r\n"7";"a;b"\r\n'
    asked = mapping(
        {"field": "id", "column": "taskId"},
        {"field": "x", "column": "Title"},
        detect=["taskId", "Title"],
    )
    staged = read(text, make({"name": "id"}, {"name": "x"}), mapping=asked)
    assert staged.rows("id, x, _line") == [("7", "a;b", 7)]
    assert staged.result.rows.read == 1


def test_what_the_file_lacks_is_not_stated_and_what_must_be_there_is_asked_for(read, make):
    required = {"name": "x", "constraints": {"required": True}}
    dataset = make({"name": "id"}, required, {"name": "y"})
    rules = [
        {"field": "id", "column": "Id"},
        {"field": "x", "column": "X"},
        {"field": "y", "column": "Y"},
    ]
    staged = read("Id,X,Z\n1,a,b\n", dataset, mapping=mapping(*rules))
    assert (staged.result.stated, staged.result.ignored) == (["id", "x"], ["Z"])
    with pytest.raises(InputError, match="No column is x"):
        read("Id,Y\n1,a\n", dataset, mapping=mapping(*rules))
    rules[1]["optional"] = True
    assert read("Id,X\n1,\n", dataset, mapping=mapping(*rules)).rows("x") == [(None,)]


def test_other_columns_are_found_by_their_names_where_the_mapping_says_so(read, make):
    dataset = make({"name": "id"}, {"name": "x"}, {"name": "y", "aliases": ["why"]})
    rules = [{"field": "id", "column": "Nr"}, {"field": "x", "column": "Y"}]
    staged = read("Nr,Y,Why\n1,a,b\n", dataset, mapping=mapping(*rules, others="match"))
    assert staged.rows("id, x, y") == [("1", "a", "b")]


def test_a_digest_tells_rows_apart_and_is_the_same_each_time(read, make):
    dataset = make({"name": "id"}, {"name": "x"})
    rules = [{"field": "id", "columns": ["A", "B"], "hash": True}, {"field": "x", "column": "A"}]
    staged = read("A,B\na,b\nab,\n,ab\na,b\n", dataset, mapping=mapping(*rules))
    assert (staged.result.rows.valid, staged.result.rows.duplicate) == (3, 1)
    assert len({key for (key,) in staged.rows("id")}) == 3


def test_other_columns_stand_in_are_chosen_or_are_needed(read, make):
    dataset = make({"name": "id"}, {"name": "x"}, {"name": "y"}, {"name": "z"})
    rules = [
        {"field": "id", "column": "Id"},
        {"field": "x", "columns": ["A", "B"], "join": " ", "otherwise": ["C"]},
        {"field": "y", "column": "A", "choose": {"column": "Way", "take": {"In": "B"}}},
        {"field": "z", "columns": ["A", "B"], "join": "-", "needs": ["C"]},
    ]
    text = "Id,A,B,C,Way\n1,a,b,,out\n2,,,c,in\n3,a,b,c,IN\n"
    staged = read(text, dataset, mapping=mapping(*rules))
    assert staged.rows("x, y, z") == [("a b", "a", None), ("c", None, None), ("a b", "b", "a-b")]


def test_an_instant_is_its_day_in_the_homes_zone(read, make):
    rules = [{"field": "id", "column": "Id"}, {"field": "x", "column": "D", "day": True}]
    dataset = make({"name": "id"}, {"name": "x", "type": "date"})
    text = "Id,D\n1,2026-03-01T23:00:00+0000\n2,2026-03-01\n3,2026-12-24T17:00:00.000Z\n"
    staged = read(text, dataset, mapping=mapping(*rules), timezone="Europe/Berlin")
    assert [str(day) for (day,) in staged.rows("x")] == ["2026-03-02", "2026-03-01", "2026-12-24"]


def test_rows_above_give_sections_and_the_way_down_an_outline(read, make):
    """Also in the reject file, whose rows stand under nothing any more."""
    number = {"name": "n", "type": "integer"}
    dataset = make({"name": "id"}, {"name": "part"}, {"name": "x"}, number)
    rules = [
        {"field": "id", "columns": ["Way", "Text"], "join": "/"},
        {"field": "part", "column": "Way"},
        {"field": "x", "column": "Section"},
        {"field": "n", "column": "N"},
    ]
    task = {"where": "Kind", "values": ["task"]}
    above = [
        {"name": "Way", "column": "Text", "level": "Depth", "join": "/", **task},
        {"name": "Section", "column": "Text", "where": "Kind", "values": ["section"]},
    ]
    skip = [{"column": "Kind", "unless": ["task"]}]
    text = (
        "Kind,Text,Depth,N\ntask,a,1,\ntask,b,2,\nnote,c,,\ntask,d,3,\ntask,e,2,\nsection,S,,\n"
        "task,f,1,\ntask,g,2,no\n"
    )
    asked = mapping(*rules, above=above, skip=skip)
    staged = read(text, dataset, mapping=asked)
    assert staged.rows("id, part, x") == [
        ("a", None, None),
        ("a/b", "a", None),
        ("a/b/d", "a/b", None),
        ("a/e", "a", None),
        ("f", None, "S"),
    ]
    assert staged.result.rows.skipped == 2
    rejects = (staged.directory / "rejects.csv").read_text()
    again = read(rejects.replace(",no,f,S", ",1,f,S"), dataset, mapping=asked)
    assert again.rows("id, part, x, n") == [("f/g", "f", "S", 1)]


def test_rows_of_a_document_lie_under_others_too(read, make):
    """What an object leaves out stays unsaid; nothing above it is said to be nothing."""
    dataset = make({"name": "id"}, {"name": "x"}, {"name": "y"})
    rules = [
        {"field": "id", "column": "Text"},
        {"field": "x", "column": "Section"},
        {"field": "y", "column": "Y"},
    ]
    above = [{"name": "Section", "column": "Text", "where": "Kind", "values": ["section"]}]
    skip = [{"column": "Kind", "unless": ["task"]}]
    text = (
        '[{"Kind": "task", "Text": "a", "Y": "1"}, {"Kind": "section", "Text": "S"},'
        ' {"Kind": "task", "Text": "b"}]'
    )
    staged = read(text, dataset, mapping=mapping(*rules, above=above, skip=skip))
    assert staged.rows("id, x, y, _absent") == [("a", None, "1", None), ("b", "S", None, ["y"])]


def test_ends_and_hours_that_disagree_are_kept_where_the_mapping_says_so(read, time_entries):
    rules = [
        {"field": "project_name", "column": "P"},
        {"field": "start_time", "column": "S"},
        {"field": "end_time", "column": "E"},
        {"field": "duration_hours", "column": "H"},
    ]
    text = "P,S,E,H\na,2026-01-01 09:00,2026-01-01 10:00,3\nb,2026-01-01 09:00,,2\n"
    found = {}
    for spans in ("check", "make", "ignore"):
        staged = read(text, time_entries, mapping=mapping(*rules, spans=spans))
        found[spans] = [
            (str(end), float(hours)) for end, hours in staged.rows("end_time, duration_hours")
        ]
    made = ("2026-01-01 11:00:00", 2.0)
    assert found["check"] == [made]
    assert found["make"] == [("2026-01-01 10:00:00", 3.0), made]
    assert found["ignore"] == [("2026-01-01 10:00:00", 3.0), ("None", 2.0)]


def test_an_end_told_by_the_clock_is_moved_by_one_day_at_most(read, time_entries):
    """Nothing is made up for an end that lies days before its start."""
    rules = [
        {"field": "project_name", "column": "P"},
        {"field": "start_time", "column": "S"},
        {"field": "end_time", "column": "E"},
    ]
    text = (
        "P,S,E\na,2026-01-01 22:00,2026-01-01 01:00\nb,2026-01-05 10:00,2026-01-01 11:00\n"
        "c,9999-12-31 23:00,9999-12-31 01:00\n"
    )
    staged = read(text, time_entries, mapping=mapping(*rules, spans="next-day"))
    assert [str(end) for (end,) in staged.rows("end_time")] == ["2026-01-02 01:00:00"]
    assert staged.rejects() == [(3, "row-constraint"), (4, "row-constraint")]


def test_a_value_may_come_from_the_files_name(read, make):
    dataset = make({"name": "id"}, {"name": "x"})
    rules = [{"field": "id", "column": "Id"}, {"field": "x", "column": "{file}"}]
    asked = mapping(*rules, file=r"^(.+?)(?: \[[^\]]*\])?\.csv$")
    assert read("Id\n1\n", dataset, "Goals [6Jf8].csv", mapping=asked).rows("x") == [("Goals",)]
    again = read("Id\n1\n", dataset, "Goals [6Jf8].rejects-2.csv", mapping=asked)
    assert again.rows("x") == [("Goals",)]


def test_json_objects_are_mapped_too_and_absent_names_stay_absent(read, make):
    dataset = make({"name": "id"}, {"name": "x"}, {"name": "y"})
    rules = [
        {"field": "id", "column": "id"},
        {"field": "x", "columns": ["a", "b"]},
        {"field": "y", "column": "who", "path": "name"},
    ]
    text = '[{"id": 1, "b": "B", "who": {"name": "Ada"}}, {"id": 2, "a": "A"}, {"id": 3}]'
    staged = read(text, dataset, "f.json", mapping=mapping(*rules))
    assert staged.rows("id, x, y, _absent") == [
        ("1", "B", "Ada", None),
        ("2", "A", None, ["y"]),
        ("3", None, None, ["x", "y"]),
    ]
