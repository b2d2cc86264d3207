"""JSON in its shapes, and plain lists of values."""

from __future__ import annotations

import json

import pytest

from dataport.core.errors import InputError


def test_an_array_of_objects(read, phone_numbers):
    """IMF-06."""
    text = json.dumps(
        [{"phone_number": "5551234567", "carrier": "A"}, {"phone_number": "12345"}], indent=2
    )
    staged = read(text, phone_numbers, "a.json")
    assert staged.result.format == "json"
    assert staged.rows("_record, _line, phone_number, carrier") == [(1, 2, "15551234567", "A")]
    assert staged.rejects("_record, _line, code, value") == [(2, 6, "format-error.phone", "12345")]


def test_what_an_object_leaves_out_is_not_stated(read, leads):
    text = '[{"lead_id":"1","name":"A","notes":null},\n{"lead_id":"2","notes":"x"}]'
    staged = read(text, leads, "a.json")
    assert staged.rows("name, notes, _absent") == [("A", None, None), (None, "x", ["name"])]
    assert staged.result.partial == ["name"]


def test_strings_may_hold_anything(read, leads):
    tricky = ['a "quoted", \\ [x] {y}', "line\nbreak", "\\", '\\"', "é\u2028x"]
    text = json.dumps([{"lead_id": str(at), "notes": note} for at, note in enumerate(tricky)])
    staged = read(text, leads, "a.json")
    assert [note for (note,) in staged.rows("notes")] == tricky


def test_an_apostrophe_before_a_formula_is_text(read, leads):
    """No spreadsheet shows JSON, so that nothing in it is an escape; in CSV it is one."""
    staged = read('[{"lead_id": "L1", "notes": "\'=1+1"}]', leads, "x.json")
    assert staged.rows("notes") == [("'=1+1",)]
    assert read("lead_id,notes\nL1,'=1+1\n", leads).rows("notes") == [("=1+1",)]


def test_values_of_other_types(read, make):
    dataset = make(
        {"name": "id", "type": "integer"},
        {"name": "yes", "type": "boolean"},
        {"name": "tags", "type": "list"},
        {"name": "o", "type": "object"},
        {"name": "t"},
    )
    text = '[{"id": 1, "yes": true, "tags": ["a", "b"], "o": {"x": [1]}, "t": 4.5}]'
    assert read(text, dataset, "a.json").rows("id, yes, tags, o, t") == [
        (1, True, ["a", "b"], '{"x":[1]}', "4.5")
    ]


def test_an_envelope_with_one_array(read, leads):
    """IMF-15."""
    text = '{"meta": {"n": [1]},\n "data": [\n{"lead_id": "1"},\n{"lead_id": "2"}\n], "more": {}}'
    staged = read(text, leads, "a.json")
    assert staged.rows("_line, _key") == [(3, "1"), (4, "2")]


def test_broken_lines_of_ndjson_are_rejects(read, leads):
    text = '{"lead_id": "1"}\n{"lead_id": "2"\n\n[3]\n{"lead_id": "4"}'
    staged = read(text, leads, "a.ndjson")
    assert staged.result.format == "ndjson"
    assert staged.rows("_line, _key") == [(1, "1"), (5, "4")]
    assert staged.rejects() == [(2, "json-error"), (4, "not-an-object")]


@pytest.mark.parametrize(
    "text",
    [
        '[{"lead_id": "1"},\n {"lead_id": ',
        '[{"lead_id": "1"},\n {"lead_id" "2"}]',
        '[{"lead_id": "1"},\n {"lead_id": "2"}]]',
        '[{"lead_id": "1"},\n {"lead_id": "2"',
    ],
)
def test_a_broken_array_fails_with_line_and_column(read, leads, text):
    """ERR-02."""
    with pytest.raises(InputError) as caught:
        read(text, leads, "a.json")
    assert caught.value.code == "json-error"
    assert "Line 2, column" in caught.value.detail


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty-file"), ("[]", "no-rows"), ("[ \n]", "no-rows")]
)
def test_json_without_rows(read, leads, text, code):
    with pytest.raises(InputError) as caught:
        read(text, leads, "a.json")
    assert caught.value.code == code


def test_many_objects_over_many_blocks(read, leads):
    items = [{"lead_id": str(at), "notes": "x" * (at % 97) + '", \\'} for at in range(60_000)]
    staged = read(json.dumps(items, indent=1), leads, "a.json")
    assert staged.result.rows.valid == 60_000
    assert staged.rows("_line, notes")[-1] == (2 + 4 * 59_999, items[-1]["notes"])


def test_one_value_a_line(read, phone_numbers):
    """IMF-01, IMF-04."""
    staged = read("5551234567\n\n(555) 123-4568\r\n12345", phone_numbers, "a.txt")
    assert staged.result.format == "txt"
    assert staged.rows("_line, phone_number") == [(1, "15551234567"), (3, "15551234568")]
    assert staged.rejects() == [(4, "format-error.phone")]


@pytest.mark.parametrize("separator", [",", "|", ", ", " | "])
def test_values_separated_on_a_line(read, phone_numbers, separator):
    """IMF-05."""
    text = separator.join(["5551234567", "555-123-4568", "5551234569"]) + separator + "\n5551234570"
    staged = read(text, phone_numbers, "a.txt")
    assert staged.rows("_record, _line, phone_number") == [
        (1, 1, "15551234567"),
        (2, 1, "15551234568"),
        (3, 1, "15551234569"),
        (4, 2, "15551234570"),
    ]


def test_a_txt_file_may_be_a_table(read, phone_numbers):
    staged = read("phone_number|carrier\n5551234567|A\n", phone_numbers, "a.txt")
    assert staged.rows("phone_number, carrier") == [("15551234567", "A")]
    staged = read("5551234567|A\n5551234568|B\n", phone_numbers, "a.txt", format="csv")
    assert staged.rows("carrier") == [("A",), ("B",)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"lead_id":"1","name":"A","name":"B"},\n{"lead_id":"2"}]'),
        ("a.ndjson", '{"lead_id":"1","name":"A","n\\u0061me":"B"}\n{"lead_id":"2"}'),
    ],
)
def test_an_object_with_a_name_twice_is_a_reject(read, leads, name, text):
    """It is open which of the values counts."""
    staged = read(text, leads, name)
    assert staged.rejects("_record, _line, code") == [(1, 1, "duplicate-label")]
    assert staged.rows("_line, _key") == [(2, "2")]


@pytest.mark.parametrize(
    "text",
    [
        '{"data": [{"lead_id": "1"}], "data": 5}',
        '{"at": 1, "data": [{"lead_id": "1"}], "at": 2}',
        '{"at": 1, "at": 2, "data": [{"lead_id": "1"}]}',
    ],
)
def test_an_envelope_with_a_name_twice_is_refused(read, leads, text):
    for padding in ("", " " * 300_000):
        with pytest.raises(InputError) as caught:
            read(text.replace("}]", "}" + padding + "]"), leads, "a.json")
        assert caught.value.code == "duplicate-label"


def test_text_has_a_number_as_the_file_wrote_it(read, make):
    dataset = make({"name": "id"}, {"name": "t"}, {"name": "d", "type": "number", "scale": 2})
    text = """[{"id": 1e3, "t": 1.50, "d": 1234567890123456.70},
        {"id": 123456789012345678901234567890, "t": -0, "d": 1.0},
        {"id": "\\"id\\": 1e3, ", "t": [1, {"x": "1.50"}], "d": -5}]"""
    assert read(text, dataset, "a.json").rows("_key, t, d::VARCHAR") == [
        ("1e3", "1.50", "1234567890123456.70"),
        ("123456789012345678901234567890", "-0", "1.00"),
        ('"id": 1e3,', '[1,{"x":"1.50"}]', "-5.00"),
    ]


DEEP = "[" * 100 + "]" * 100


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"x": ' + "[" * 100_000 + "]" * 100_000 + ', "data": [{"lead_id": "1"}]}',
        '[{"lead_id": "1"},\n {"lead_id": "2", "notes": ' + DEEP + "}]",
    ],
)
def test_a_document_nested_too_deeply_is_refused(read, leads, text):
    """SEC-05."""
    with pytest.raises(InputError) as caught:
        read(text, leads, "a.json")
    assert caught.value.code == "nested-too-deep"
    assert "limits.nesting" in caught.value.hint


def test_lines_nested_too_deeply_are_rejects(read, leads):
    """SEC-05: brackets in strings, and lines that are no JSON, don't count for other lines."""
    lines = [
        '{"lead_id": "1", "notes": ' + DEEP[1:-1] + "}",
        '{"lead_id": "2", "notes": ' + DEEP + "}",
        '{"lead_id": "3, "notes": ' + "[" * 150,
        '{"lead_id": "4", "notes": "' + "[" * 150 + '"}',
        "]" * 150,
        '{"lead_id": "5", "notes": ' + DEEP[1:-1] + "}",
        '{"lead_id": "6", "notes": ' + DEEP + "}",
    ]
    staged = read("\n".join(lines), leads, "a.ndjson")
    assert staged.rows("_key") == [("1",), ("4",), ("5",)]
    assert staged.rejects() == [
        (2, "nested-too-deep"),
        (3, "json-error"),
        (5, "json-error"),
        (7, "nested-too-deep"),
    ]


def test_lines_may_end_with_a_carriage_return_alone(read, phone_numbers):
    staged = read(b"2025550101\r2025550102\r\n2025550103\n\r2025550104", phone_numbers, "list.txt")
    assert staged.rows("_line") == [(1,), (2,), (3,), (5,)]


@pytest.mark.parametrize(
    ("name", "line"),
    [("list.txt", b"2025550\x01102"), ("list.ndjson", b'{"phone_number": "2025550\x01102"}')],
)
def test_what_separates_nothing_is_no_separator(read, phone_numbers, name, line):
    """U+0001 is what the reader of lines takes for a delimiter that no line has."""
    good = b"2025550101" if name == "list.txt" else b'{"phone_number": "2025550101"}'
    staged = read(good + b"\n" + line + b"\n", phone_numbers, name)
    assert (len(staged.rows()), staged.rejects()) == (1, [(2, "control-character")])
