"""Cells to typed values: strict casts, phones, e-mails, missing values, constraints."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest

from dataport.core.errors import InputError

T, F = True, False


def one(read, make, field, cells, **words):
    """The values of one field next to a key, and the rejected lines with their codes."""
    rows = "".join(
        f'{at}|"{cell.replace(chr(34), chr(34) * 2)}"\n' for at, cell in enumerate(cells)
    )
    dataset = make({"name": "id"}, {"name": "value", **field}, **words.pop("dataset", {}))
    staged = read("id|value\n" + rows, dataset, **words)
    return [value for (value,) in staged.rows("value")], staged.rejects("_line, code")


@pytest.mark.parametrize(
    ("field", "good", "values", "bad"),
    [
        (
            {"type": "integer"},
            ["7", " -12 ", "+3", "007", "9223372036854775807", "", "NULL"],
            [7, -12, 3, 7, 9223372036854775807, None, None],
            ["4.7", "1_0", "1e3", "0x1f", "abc", "9223372036854775808", "1,00"],
        ),
        (
            {"type": "number"},
            ["1.5", "-2", ".5", "1e3", "2."],
            [1.5, -2.0, 0.5, 1000.0, 2.0],
            ["1,5", "1_0", "nan", "inf", "1e999", "0x1", "--1"],
        ),
        (
            {"type": "number", "scale": 2, "precision": 6},
            ["1.5", "2", "3.140", "-9999.99"],
            [Decimal("1.50"), Decimal("2.00"), Decimal("3.14"), Decimal("-9999.99")],
            ["1.005", "10000", "1e2"],
        ),
        (
            {"type": "boolean"},
            ["true", "FALSE", "Yes", "no", "1", "0", "Ja", "nein", "on", "off", "OUI", "Não", "x"],
            [T, F, T, F, T, F, T, F, T, F, T, F, T],
            ["2", "maybe"],
        ),
        (
            {"type": "date", "formats": ["%d.%m.%Y"]},
            ["2026-02-28", "28.02.2026", "2026-02-28 00:00:00"],
            [date(2026, 2, 28)] * 3,
            ["2026-02-30", "02/28/26/1", "20260208", "2026-02-28 10:00:00"],
        ),
        (
            {"type": "time"},
            ["09:30", "23:59:59.5", "9:30", "09:30 PM", "12 am"],
            [time(9, 30), time(23, 59, 59, 500_000), time(9, 30), time(21, 30), time(0)],
            ["25:00", "9", "13:00 pm", "1:60"],
        ),
        (
            {"type": "duration"},
            ["1:30:00", "-0:00:01.5", "PT1H30M", "P1DT0.25S", "P2W", "1.5", "1h 30m", "30:15:00"],
            [5_400_000_000, -1_500_000, 5_400_000_000, 86_400_250_000, 1_209_600_000_000,
             5_400_000_000, 5_400_000_000, 108_900_000_000],
            ["1.5x", "h", "P1M", "P", "PT", "1:60:00", "90 parsecs"],
        ),
        (
            {"type": "list"},
            ["design; ui", ";a;;", '["x","y z"]', ""],
            [["design", "ui"], ["a"], ["x", "y z"], None],
            [],
        ),
        (
            {"type": "object"},
            ['{"a": 1, "b": [1, 2]}', "[ ]"],
            ['{"a":1,"b":[1,2]}', "[]"],
            ["x", "5", '{"a"'],
        ),
        ({"type": "any"}, ["5", "x y", '{"a": 1}'], ["5", '"x y"', '{"a":1}'], []),
        ({"format": "email"}, ["a.b+c@x-y.io"], ["a.b+c@x-y.io"], ["a@b", "john..doe@x.org", "@x.de"]),
        ({"format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000"], None, ["123e4567"]),
        ({"format": "uri"}, ["https://example.org/x"], None, ["example.org", "http:// x"]),
    ],
)  # fmt: skip
def test_types_are_strict(read, make, field, good, values, bad):
    """VAL-17, VAL-18; design 16, strict casts."""
    words = {"dataset": {"missingValues": ["", "NULL"]}}
    found, rejects = one(read, make, field, good + bad, **words)
    assert found == (good if values is None else values)
    first = 2 + len(good)
    assert [line for line, _ in rejects] == list(range(first, first + len(bad)))
    kind = field.get("format") and "format-error." + field["format"]
    assert {code for _, code in rejects} <= {kind or "type-error." + field.get("type", "string")}


def test_instants_become_utc(read, make):
    """V-04, VAL-13, VAL-14."""
    cells = [
        "2026-07-01 10:00:00",
        "2026-07-01T10:00",
        "2026-01-01",
        "2026-07-01T10:00:00Z",
        "2026-07-01 10:00:00.250+05:30",
        "2026-07-01T10:00:00 -02",
        "1.7.2026 10:00",
    ]
    field = {"type": "datetime", "formats": ["%d.%m.%Y %H:%M"]}
    found, rejects = one(read, make, field, cells, timezone="Europe/Berlin")
    assert rejects == []
    assert [str(moment) for moment in found] == [
        "2026-07-01 08:00:00",
        "2026-07-01 08:00:00",
        "2025-12-31 23:00:00",
        "2026-07-01 10:00:00",
        "2026-07-01 04:30:00.250000",
        "2026-07-01 12:00:00",
        "2026-07-01 08:00:00",
    ]


def test_wrong_times_say_invalid_date_format(read, make):
    """VAL-15, VAL-23."""
    dataset = make({"name": "id"}, {"name": "at", "type": "datetime"})
    staged = read("id,at\n1,01/02/2026\n2,2026-13-01 00:00:00\n3,2026-01-01 25:00:00\n", dataset)
    messages = [message for (message,) in staged.rejects("message")]
    assert len(messages) == 3
    for message in messages:
        assert message.startswith("Invalid date format")
        assert "YYYY-MM-DD HH:MM:SS" in message


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("(555) 123-4567", "15551234567"),
        ("555-123-4567", "15551234567"),
        ("5551234567", "15551234567"),
        ("15551234567", "15551234567"),
        ("+1 555.123.4567", "15551234567"),
        ("2122345678.0", "12122345678"),
        ("555-123-4567 x12", "15551234567"),
        ("12345", None),
        ("25551234567", None),
        ("2.12235E+09", None),
        ("1-800-FLOWERS", None),
        ("5551234567 5551234568", None),
    ],
)
def test_phone_numbers_of_eleven_digits(read, phone_numbers, cell, number):
    """VAL-01 to VAL-06, V-13, X-19."""
    staged = read(f"phone_number\n{cell}\n", phone_numbers)
    assert staged.rows("phone_number") == ([(number,)] if number else [])
    if number is None:
        assert staged.rejects() == [(2, "format-error.phone")]
        assert staged.result.null_keys == 1


@pytest.mark.parametrize(
    ("cell", "region", "number"),
    [
        ("(555) 123-4567", "US", "+15551234567"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("030 901820", "DE", "+4930901820"),
        ("(202) 555-0134 ext. 5", "US", "+12025550134"),
        ("2122345678.0", "US", "+12122345678"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("12345", "US", None),
        ("555-1234", "US", None),
        ("2.12235E+09", "US", None),
    ],
)
def test_phone_numbers_of_the_world(read, leads, cell, region, number):
    """X-19, V-13."""
    staged = read(f"lead_id,phone\n1,{cell}\n", leads, region=region)
    assert staged.rows("phone") == ([(number,)] if number else [])


def test_extensions_are_told(read, leads):
    staged = read("lead_id,phone\n1,202-555-0134 x12\n2,202-555-0134 x12\n", leads)
    assert "Extensions were cut from 2 phone numbers." in staged.result.notices


def test_verbatim_numbers_are_left_alone(read, make):
    """X-19."""
    dataset = make(
        {"name": "id"}, {"name": "tel", "format": "phone", "phone": {"style": "verbatim"}}
    )
    assert read("id,tel\n1,+1234567890\n2,x\n", dataset).rows("tel") == [("+1234567890",), ("x",)]


def test_text_is_composed_trimmed_and_otherwise_verbatim(read, make):
    dataset = make(
        {"name": "id"},
        {"name": "plain", "normalise": []},
        {"name": "neat", "normalise": ["trim", "squeeze", "lower"]},
    )
    staged = read("id;plain;neat\n 1\t; Zoe\u0308 ;\u00a0 A  b\u3000C \n", dataset)
    assert staged.rows("id, plain, neat") == [("1", " Zoë ", "a b c")]


def test_empty_cells_say_null_empty_or_nothing(read, make):
    dataset = make(
        {"name": "id"},
        {"name": "a"},
        {"name": "b", "empty": "empty"},
        {"name": "c", "empty": "absent"},
        {"name": "d", "missingValues": ["-"], "default": "x"},
    )
    staged = read('id,a,b,c,d\n1,,,,\n2,v,v,v,v\n3,"","","",-\n', dataset)
    assert staged.rows("a, b, c, d, _absent") == [
        (None, "", None, "x", ["c"]),
        ("v", "v", "v", "v", None),
        (None, "", None, "x", ["c"]),
    ]
    assert staged.result.partial == ["c"]


@pytest.mark.parametrize(
    ("constraints", "cell", "code"),
    [
        ({"required": True}, "", "required"),
        ({"minLength": 3}, "ab", "minLength"),
        ({"maxLength": 3}, "abcd", "maxLength"),
        ({"pattern": "[A-Z]+"}, "abc", "pattern"),
        ({"enum": ["new", "old"]}, "nwe", "enum"),
    ],
)
def test_constraints_of_text(read, make, constraints, cell, code):
    """VAL-07, ERR-03."""
    _, rejects = one(read, make, {"constraints": constraints}, [cell])
    assert rejects == [(2, f"constraint-error.{code}")]


def test_constraints_of_numbers_and_days(read, make):
    dataset = make(
        {"name": "id"},
        {"name": "n", "type": "integer", "constraints": {"minimum": 0, "maximum": 100}},
        {"name": "d", "type": "date", "constraints": {"minimum": "2026-01-01"}},
    )
    staged = read("id,n,d\n1,-1,2026-01-01\n2,101,2025-12-31\n3,100,\n", dataset)
    assert staged.rejects("_line, field, code") == [
        (2, "n", "constraint-error.minimum"),
        (3, "n", "constraint-error.maximum"),
        (3, "d", "constraint-error.minimum"),
    ]
    assert staged.result.rows.rejected == 2


def test_messages_name_the_nearest_allowed_word(read, leads):
    """VAL-23, ERR-13."""
    staged = read("lead_id,status\n1,nwe\n2,zzzzzzzz\n", leads)
    (near,), (far,) = staged.rejects("message")
    assert near.endswith("Did you mean new?")
    assert "use one of new, contacted" in far
    assert "mean" not in far


def test_unique_values_and_their_first_row(read, make):
    dataset = make({"name": "id"}, {"name": "u", "constraints": {"unique": True}})
    staged = read("id,u\n1,a\n2,a\n3,\n4,\n5,b\n", dataset)
    assert staged.rejects("_line, field, code, raw") == [
        (3, "u", "constraint-error.unique", ["2", "a"])
    ]
    assert staged.result.rows.valid == 4


def test_a_pattern_that_the_engine_can_not_run_is_an_error(read, make):
    dataset = make({"name": "id", "constraints": {"pattern": "(?=a)b"}})
    with pytest.raises(InputError):
        read("id\n1\n", dataset)


def test_escaped_characters_are_composed_like_any_others(read, make):
    """Design 14: text is NFC, in lists and objects too."""
    dataset = make(
        {"name": "id"}, {"name": "tags", "type": "list"}, {"name": "more", "type": "object"}
    )
    cells = '1,"[""e\\u0301\\r"", ""\\t""]","{""k"": ""e\\u0301""}"\n'
    staged = read(f"id,tags,more\n{cells}", dataset)
    assert staged.rows("tags, more") == [(["é"], '{"k":"é"}')]
