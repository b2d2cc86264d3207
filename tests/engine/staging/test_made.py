"""Values that a row does not state and that follow from others."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dataport.core.paths import CHECKOUT_CONFIG
from dataport.engine.catalog.load import load_dataset

HEADER = "project_name,client_name,start_time,end_time,duration_hours\n"


@pytest.fixture(scope="module")
def entries():
    return load_dataset(CHECKOUT_CONFIG / "datasets" / "time_entries.toml")


def test_the_seed_s_own_example_is_read_as_it_stands(read, entries):
    """VAL-12, VAL-17, VAL-18, VAL-19, L10."""
    staged = read(
        "project_name,client_name,task_name,start_time,end_time,duration_hours,notes,tags,billable\n"
        "Website Redesign,Acme Corp,Design,2024-01-15 09:00:00,2024-01-15 12:00:00,3.0,"
        "Homepage mockups,design;ui,true\n"
        "Website Redesign,Acme Corp,Development,2024-01-15T14:00:00,2024-01-15T17:30:00,3.5,"
        "Implemented header,dev;frontend,true\n",
        entries,
    )
    assert staged.rows("client_name, duration_hours, tags, billable") == [
        ("Acme Corp", Decimal("3.0000"), ["design", "ui"], True),
        ("Acme Corp", Decimal("3.5000"), ["dev", "frontend"], True),
    ]


def test_a_missing_client_is_the_project(read, entries):
    """VAL-16, with and without a column of that name."""
    rows = "P,,2024-01-15 09:00:00,,\nP,Acme,2024-01-16 09:00:00,,\n"
    assert read(HEADER + rows, entries).rows("client_name") == [("P",), ("Acme",)]
    staged = read("project_name,start_time\nP,2024-01-15 09:00:00\n", entries)
    assert staged.rows("client_name") == [("P",)]


def test_the_end_or_the_hours_are_made_of_the_other(read, entries):
    """V-03: the missing one is computed, and neither means no duration."""
    rows = (
        "P,,2024-01-15 09:00:00,2024-01-15 12:15:00,\n"
        "P,,2024-01-16 09:00:00,,26.5\n"
        "P,,2024-01-17 09:00:00,,\n"
        "P,,2024-01-18 09:00:00,2024-01-18 09:20:00,0.33\n"
    )
    staged = read(HEADER + rows, entries)
    assert staged.rejects() == []
    assert staged.rows("CAST(end_time AS VARCHAR), duration_hours") == [
        ("2024-01-15 12:15:00", Decimal("3.2500")),
        ("2024-01-17 11:30:00", Decimal("26.5000")),
        (None, None),
        ("2024-01-18 09:20:00", Decimal("0.3300")),
    ]


def test_a_file_without_one_of_the_columns_still_states_it(read, entries):
    """V-03."""
    staged = read(
        "project_name,start_time,end_time\nP,2024-01-15 09:00,2024-01-15 10:30\n", entries
    )
    assert staged.rows("duration_hours") == [(Decimal("1.5000"),)]
    text = '[{"project_name": "P", "start_time": "2024-01-15 09:00", "duration_hours": 2},'
    text += ' {"project_name": "P", "start_time": "2024-01-16 09:00"}]'
    staged = read(text, entries, "a.json")
    assert staged.rows("CAST(end_time AS VARCHAR), _absent") == [
        ("2024-01-15 11:00:00", None),
        (None, ["duration_hours"]),
    ]


def test_what_disagrees_says_what_to_do(read, entries):
    """V-03, VAL-23: a validation error that names the way out."""
    rows = "P,,2024-01-15 09:00:00,2024-01-15 12:00:00,4\nP,,2024-01-16 09:00:00,2024-01-16 08:00:00,\n"
    staged = read(HEADER + rows, entries)
    assert staged.rejects("_line, field, code") == [
        (2, "duration_hours", "row-constraint"),
        (3, "end_time", "row-constraint"),
        (3, "duration_hours", "constraint-error.minimum"),
    ]
    (apart,), *_ = staged.rejects("message")
    assert "leave end_time or duration_hours empty" in apart


def test_a_number_tells_its_area_code(read, phone_numbers):
    """V-38; a column of that name, as an export has one, is no news."""
    staged = read("phone_number,area_code\n(555) 123-4567,999\n", phone_numbers)
    assert staged.rows("phone_number, area_code") == [("15551234567", "555")]
    assert staged.result.ignored == []
