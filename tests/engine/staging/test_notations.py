"""Numbers and days in other notations than ours, decided over the whole column."""

from __future__ import annotations

from datetime import date

import pytest

from dataport.engine.staging.deciding import MANY

Q = "it can be two days"


def column(read, make, field, cells, **words):
    """Values of a column, and the lines and messages of those that were rejected."""
    rows = "".join(f'{at}|"{cell}"\n' for at, cell in enumerate(cells))
    staged = read("id|value\n" + rows, make({"name": "id"}, {"name": "value", **field}), **words)
    values = [value for (value,) in staged.rows("CAST(value AS VARCHAR)")]
    return values, staged.rejects("_line, message"), staged.result.notices


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2", "1.234,5", "1.234"], [1.5, 2, 1234.5, 1234]),
        (["1,234.5", "2,000", "3.25"], [1234.5, 2000, 3.25]),
        (["1 234,5", "7,25", "1\u202f000"], [1234.5, 7.25, 1000]),
        (["1'234.50", "0.5"], [1234.5, 0.5]),
        (["-1.234.567", "5"], [-1234567, 5]),
        (["0,125", "1,250"], [0.125, 1.25]),
        (["1,234,567", "1,234"], [1234567, 1234]),
    ],
)
def test_a_column_tells_what_its_commas_and_dots_mean(read, make, cells, values):
    found, rejects, notices = column(read, make, {"type": "number"}, cells)
    assert rejects == []
    assert [float(value) for value in found] == values
    assert len(notices) == 1


def test_a_column_that_can_not_tell_is_asked_about(read, make):
    """`1,234` alone may be a thousand and more, or one and a bit."""
    found, rejects, _ = column(read, make, {"type": "number"}, ["1,234", "5"])
    assert found == ["5.0"]
    [(_, message)] = rejects
    assert "decimalChar" in message
    stated = {"type": "number", "decimalChar": ","}
    assert column(read, make, stated, ["1,234", "1.000"])[0] == ["1.234", "1000.0"]


def test_a_column_of_both_kinds_keeps_its_errors(read, make):
    found, rejects, _ = column(read, make, {"type": "number"}, ["1,5", "1.5"])
    assert (found, len(rejects)) == (["1.5"], 1)


def test_whole_numbers_may_have_thousands(read, make):
    for cells in (["1,000", "12"], ["1.000", "12"], ["1 000", "12"]):
        assert column(read, make, {"type": "integer"}, cells)[0] == ["1000", "12"]


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["13/02/2026", "01/02/2026"], ["2026-02-13", "2026-02-01"]),
        (["02/13/2026", "01/02/2026"], ["2026-02-13", "2026-01-02"]),
        (["01.02.2026", "2026-03-04"], ["2026-02-01", "2026-03-04"]),
        (["3-Mar-26", "March 4, 2026", "Thu, 5 Mar 2026"], ["2026-03-03", "2026-03-04", "2026-03-05"]),
        (["3. März 2026", "1er mai 2026", "5 de junio de 2026"], ["2026-03-03", "2026-05-01", "2026-06-05"]),
        (["2026/3/4", "2026.3.5", "2026-3-6"], ["2026-03-04", "2026-03-05", "2026-03-06"]),
        (["13/02/69", "13/02/68"], ["1969-02-13", "2068-02-13"]),
        (["13/02/2026 00:00", "14/2/2026 12:00 AM"], ["2026-02-13", "2026-02-14"]),
    ],
)  # fmt: skip
def test_days_in_many_notations(read, make, cells, days):
    found, rejects, _ = column(read, make, {"type": "date"}, cells)
    assert (found, rejects) == (days, [])


def test_an_order_that_nothing_tells_is_asked_about(read, make):
    """VAL-15, VAL-23: it is not guessed; the definition, or the import, can say it."""
    cells = ["01/02/2026", "2026-03-04", "nonsense"]
    found, rejects, _ = column(read, make, {"type": "date"}, cells)
    assert found == ["2026-03-04"]
    (_, asked), (_, wrong) = rejects
    assert asked.startswith("Invalid date format '01/02/2026': it can be two days")
    assert "--date-order" in asked
    assert Q not in wrong
    stated = {"type": "date", "dateOrder": "mdy"}
    assert column(read, make, stated, cells)[0] == ["2026-01-02", "2026-03-04"]
    said = column(read, make, {"type": "date"}, cells, date_order="dmy")[0]
    assert said == ["2026-02-01", "2026-03-04"]


def test_a_column_of_both_orders_is_asked_about(read, make):
    _, rejects, _ = column(read, make, {"type": "date"}, ["13/02/2026", "02/13/2026"])
    assert all("both orders" in message for _, message in rejects)
    assert len(rejects) == 2


def test_a_long_column_is_decided_by_its_last_value_too(read, make):
    """What is foreseen from the first rows is what the whole column says."""
    cells = ["01/02/2026 9:05 PM"] * MANY
    kind = {"type": "datetime"}
    for last, first in (
        ("12/31/2026", "2026-01-02 21:05:00"),
        ("31/12/2026", "2026-02-01 21:05:00"),
    ):
        found, rejects, notices = column(read, make, kind, [*cells, last])
        assert (found[0], found[-1], rejects) == (first, "2026-12-31 00:00:00", [])
        assert len(notices) == 1


def test_a_rare_notation_of_a_long_column_is_found_late(read, make):
    cells = ["2026-01-02"] * MANY + ["31/12/2026"]
    found, rejects, _ = column(read, make, {"type": "date"}, cells)
    assert (found[0], found[-1], rejects) == ("2026-01-02", "2026-12-31", [])


def test_days_that_are_none_in_any_notation_decide_nothing(read, make):
    cells = ["31.02.2026", "2026-13-01", "2026-03-04"]
    found, rejects, notices = column(read, make, {"type": "date"}, cells)
    assert (found, notices) == (["2026-03-04"], [])
    assert all("use YYYY-MM-DD" in message for _, message in rejects)


def test_the_dots_of_a_clock_tell_nothing_about_the_day(read, make):
    found, rejects, _ = column(read, make, {"type": "datetime"}, ["03/04/2026 10.30.15"])
    assert (found, len(rejects)) == ([], 1)
    assert Q in rejects[0][1]


def test_usual_days_are_read_as_the_patterns_read_them(read, make):
    """A second blank is left to the patterns, which take any clock."""
    days = ["31.12.2026", "1/2/2026", "29-2-2028", "30.2.2026", "1.1.0001", "0.1.2026"]
    clocks = [
        "0:00",
        "09:05",
        "23:59:59",
        "24:00",
        "9:05 PM",
        "12:00 am",
        "12:30:15 PM",
        "13:00 PM",
    ]
    pairs = [(f"{day} {clock}", f"{day}  {clock}") for day in days for clock in clocks]
    kind = {"type": "datetime", "dateOrder": "dmy"}
    usual, other = (column(read, make, kind, [pair[at] for pair in pairs]) for at in (0, 1))
    assert usual[0] == other[0]
    assert [line for line, _ in usual[1]] == [line for line, _ in other[1]]
    assert len(usual[0]) == 4 * 7


def test_clocks_of_twelve_hours_and_zones(read, make):
    cells = [
        "3/13/2026 2:05 PM",
        "3/13/2026 12:00 am",
        "3/13/2026 14:05:06 +02:00",
        "13 Mar 2026 9:30",
    ]
    found, rejects, notices = column(read, make, {"type": "datetime"}, cells)
    assert rejects == []
    assert found == [
        "2026-03-13 14:05:00",
        "2026-03-13 00:00:00",
        "2026-03-13 12:05:06",
        "2026-03-13 09:30:00",
    ]
    assert notices == ["value is read with the month before the day."]


def test_times_that_a_clock_change_leaves_out_or_repeats(read, make):
    """Design 14: an hour that does not exist counts on; of one that comes twice the first is meant."""
    cells = ["2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-10-25 03:30:00"]
    found, rejects, _ = column(read, make, {"type": "datetime"}, cells, timezone="Europe/Berlin")
    assert rejects == []
    assert found[0] == "2026-03-29 01:30:00"
    assert found[1] in ("2026-10-25 00:30:00", "2026-10-25 01:30:00")
    assert found[2] == "2026-10-25 02:30:00"


def test_bounds_may_be_exclusive_and_of_days(read, make):
    dataset = make(
        {"name": "id"},
        {"name": "n", "type": "number", "constraints": {"exclusiveMinimum": 0, "exclusiveMaximum": 1}},
        {"name": "d", "type": "date", "constraints": {"maximum": "2026-12-31", "exclusiveMinimum": "2025-12-31"}},
        {"name": "t", "type": "time", "constraints": {"minimum": "08:00"}},
        {"name": "l", "type": "list", "constraints": {"minLength": 2, "maxLength": 3}},
    )  # fmt: skip
    staged = read(
        "id,n,d,t,l\n1,0,2025-12-31,07:59,a\n2,1,2027-01-01,08:00,a;b;c;d\n3,0.5,2026-01-01,,a;b\n",
        dataset,
    )
    assert staged.rejects("_line, field, code") == [
        (2, "n", "constraint-error.exclusiveMinimum"),
        (2, "d", "constraint-error.exclusiveMinimum"),
        (2, "t", "constraint-error.minimum"),
        (2, "l", "constraint-error.minLength"),
        (3, "n", "constraint-error.exclusiveMaximum"),
        (3, "d", "constraint-error.maximum"),
        (3, "l", "constraint-error.maxLength"),
    ]
    assert staged.rows("CAST(d AS VARCHAR)") == [(str(date(2026, 1, 1)),)]
