"""Numbers, times and values as they are shown."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from dataport.tui import formatting
from dataport.tui.difference import differing
from dataport.tui.widgets.columns import GAP, Column, share_width


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (9.96, "10 s"),
        (59.7, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3725, "1 h 02 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(999, "999"), (12_340, "12k"), (3_200_000, "3M")])
def test_compact_counts(number: int, text: str) -> None:
    assert formatting.compact(number) == text


@pytest.mark.parametrize("fraction", [-1, 0, 0.01, 0.5, 0.999, 1, 7])
@pytest.mark.parametrize("width", [0, 1, 8, 30])
def test_a_bar_is_as_wide_as_asked(fraction: float, width: int) -> None:
    assert cell_len(formatting.bar(fraction, width)) == width


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "∅"),
        ("", ""),
        ("[bold]x[/]", "[bold]x[/]"),
        ("مريم", "مريم"),
        ("a\nb\tc", "a↵b⇥c"),
        ("\x1b[31mred", "␛[31mred"),
        ("abc\u202edef", "abc‹U+202E›def"),
        (["a", "é"], '["a", "é"]'),
        (1.50, "1.5"),
        (True, "true"),
    ],
)
def test_values_are_verbatim_and_harmless(value: object, text: str) -> None:
    assert formatting.value_text(value) == text


@pytest.mark.parametrize("text", ["", "abc", "東京都千代田区", "👩‍🚀 Ana", "a" * 50])
@pytest.mark.parametrize("width", [1, 5, 12])
def test_fit_fills_its_cells_exactly(text: str, width: int) -> None:
    assert cell_len(formatting.fit(text, width)) == width
    assert cell_len(formatting.shorten(text, width)) <= width


@pytest.mark.parametrize(
    ("typed", "sample", "value"),
    [
        ("12", "text", "12"),
        ("12", 7, 12),
        ("", 7, None),
        ('["a"]', ["b"], ["a"]),
        ("false", True, False),
        ("null", {"a": 1}, None),
    ],
)
def test_what_is_typed_becomes_a_value_of_the_field(
    typed: str, sample: object, value: object
) -> None:
    assert formatting.parse_edit(typed, sample) == value


@pytest.mark.parametrize(
    ("typed", "sample", "says"),
    [("{", {"a": 1}, "not JSON"), ('"x"', 7, "holds a number"), ("1", ["a"], "holds a list")],
)
def test_what_does_not_fit_the_field_is_explained(typed: str, sample: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        formatting.parse_edit(typed, sample)


@pytest.mark.parametrize(
    ("text", "other", "marked"),
    [
        ("same", "same", []),
        ("+46 8 123 99 67", "+46 8 123 45 67", ["99"]),
        ("abc", "abcd", []),
        ("abcd", "abc", ["d"]),
        ("Acme 株式会社", "Acme 有限会社", ["株式"]),
        ("cafe\u0301s", "cafes", ["e\u0301"]),
        ("alpha", "", ["alpha"]),
        ("completely", "unlikethis", ["completely"]),
    ],
)
def test_the_part_that_differs(text: str, other: str, marked: list[str]) -> None:
    assert [text[first:last] for first, last in differing(text, other)] == marked


def test_long_texts_are_compared_by_their_ends() -> None:
    text, other = "a" * 5000 + "X" + "b" * 5000, "a" * 5000 + "YY" + "b" * 5000
    assert differing(text, other) == [(5000, 5001)]


COLUMNS = (Column("a", 4), Column("b", 8, grow=1), Column("c", 9, drop=2), Column("d", 6, drop=1))


@pytest.mark.parametrize("width", range(14, 120))
def test_columns_share_the_width_and_never_exceed_it(width: int) -> None:
    shown = share_width(COLUMNS, width)
    assert sum(cells for _, cells in shown) + GAP * (len(shown) - 1) <= width
    assert [index for index, _ in shown][:2] == [0, 1]


def test_the_least_important_column_goes_first() -> None:
    assert [index for index, _ in share_width(COLUMNS, 26)] == [0, 1, 3]


def test_a_plan_in_words_says_what_was_left_out() -> None:
    counts = {"insert": 3, "update": 0, "excluded": 1}
    assert formatting.plan_sentence(counts) == "3 inserts, 1 row left out"
