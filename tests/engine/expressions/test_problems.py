"""A wrong filter says what is wrong, points at it, and says what to write."""

from __future__ import annotations

import pytest

from dataport.core.errors import UsageError
from tests.engine.expressions.conftest import Pick


def refused(pick: Pick, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        pick(text)
    assert caught.value.code == "wrong-expression"
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("text", "at", "reason"),
    [
        ("scor > 1", "scor", "There is no field 'scor'; did you mean 'score'?"),
        ("name = 'é' AND scor > 1", "scor", "There is no field 'scor'"),
        ("x.score > 1", "x.score", "There is no field 'x.score'; did you mean 'score'?"),
        ('name = "Zoë"', '"Zoë"', "There is no field 'Zoë'"),
        ("lowe(name) = 'x'", "lowe", "The function 'lowe' is not allowed; did you mean 'lower'?"),
        ("score > 1 AND getenv('HOME') = 'x'", "getenv", "The function 'getenv' is not allowed"),
        ("x.lower(name) = 'x'", "x.lower", "Write 'lower' without a schema before it."),
        ("score > 'abc'", "'abc'", "'abc' is no whole number; use digits only, as in 42."),
        ("score IN (1, '1_0')", "'1_0'", "'1_0' is no whole number"),
        ("name > 5", "5", "'name' (text) can't be compared with a number."),
        ("score = name", "name", "'score' (a number) can't be compared with 'name' (text)."),
        ("is_vip = 1", "1", "'is_vip' (true or false) can't be compared with a number."),
        ("seen = 'soon'", "'soon'", "Invalid date format 'soon'"),
        ("seen BETWEEN '2026-01-01' AND '2026-13-01'", "'2026-13", "Invalid date format"),
        ("seen IN ('2026-01-31')", "'2026", "A moment is not one of several days."),
        ("seen > to_days(1)", "to_days", "'seen' (a date and time) can't be compared with a span"),
        ("tags = 'vip'", "'vip'", "'tags' (a list) can't be compared with the text 'vip'."),
        ("status = 'wno'", "'wno'", "'status' has no value 'wno'; did you mean 'won'?"),
        ("status <> 'zzz'", "'zzz'", "'status' has no value 'zzz'; it has: new, won, Lost."),
        ("score", "score", "'score' (a number) is not a condition."),
        ("score AND is_vip", "score", "'score' (a number) is not a condition."),
        ("NOT name", "name", "'name' (text) is not a condition."),
        ("is_vip OR lower(score) = 'x'", "lower", "No function matches"),
        ("coalesce(score, 'abc') = 1", "score", "Could not convert string 'abc' to INT64."),
        ("regexp_matches(name, '(')", "regexp", "Missing )"),
        ("score > 1e400", "1e400", "The number is too large."),
        ("name LIKE email", "email", "The pattern must be a text in quotes."),
        ("score >", "", "It ends where something is still missing."),
        ("score > 1)", ")", "This bracket closes nothing."),
        ("(score > 1", "", "A bracket is not closed."),
        ("score > 1; SELECT 1", ";", "Syntax error."),
        ("name = 'x", "'x", "Unterminated quoted string."),
        ("name = '\ud800'", "\ud800", "This is no character of a text."),
        ("name = 'a\0b'", "\0", "This is no character of a text."),
        ("score::UUID = 1", "::UUID", "A cast to UUID is not allowed."),
    ],
)
def test_an_error_points_at_its_place(pick: Pick, text: str, at: str, reason: str) -> None:
    """The character is counted from 1; below stands the expression with a caret under it."""
    place = text.index(at) if at else len(text)
    said, shown, caret = refused(pick, text).detail.split("\n")
    assert said.startswith(reason.rstrip("."))
    assert said.endswith(f" At character {place + 1}:")
    assert caret == " " * (place + 2) + "^"
    assert len(shown) == len(text) + 2


def test_the_place_in_several_lines_and_in_a_long_one(pick: Pick) -> None:
    lines = refused(pick, "score > 1\n  AND scor > 2\n  OR score > 3").detail.split("\n")
    assert lines[0].endswith("At line 2, character 7:")
    assert lines[1:] == ["    AND scor > 2", "        ^"]
    long = " OR ".join(["score > 1"] * 40)
    _, shown, caret = refused(pick, f"{long} OR scor = 1 OR {long}").detail.split("\n")
    assert len(shown) < 70
    assert shown[len(caret) - 1 :].startswith("scor = 1")
    assert shown.strip().startswith("…")
    assert shown.endswith("…")


def test_the_caret_stands_right_below_wide_and_combining_characters(pick: Pick) -> None:
    _, _, caret = refused(pick, "name = '日本' AND scor = 1").detail.split("\n")
    assert caret.index("^") == 2 + len("name = '....' AND ")
    _, _, caret = refused(pick, "name = 'e\u0301' AND scor = 1").detail.split("\n")
    assert caret.index("^") == 2 + len("name = '.' AND ")


def test_hints_say_what_to_write(pick: Pick) -> None:
    assert "Fields: id, name, email" in refused(pick, "scor > 1").hint
    assert "name = '5'" in refused(pick, "name = 5").hint
    assert "list_contains(" in refused(pick, "tags = 'vip'").hint
    assert "TRY_CAST" in refused(pick, "CAST(name AS INTEGER) > 1").hint
    assert 'Write it in double quotes: "order".' in refused(pick, "order > 1").hint
    assert refused(pick, "  ").detail == "It is empty."
    assert "?." not in str(refused(pick, "lowe(name) = 'x'"))


def test_an_error_keeps_a_long_filter_short(pick: Pick) -> None:
    title = refused(pick, "scor = 1 OR " * 500 + "true").title
    assert len(title) < 120


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "NOT " * 4_000 + "true",
        "1+" * 5_000 + "1 = 1",
        "true AND " * 2_000 + "true",
        "lower(" * 500 + "name" + ")" * 500 + " = 'x'",
        "CASE WHEN is_vip THEN " * 200 + "true" + " END" * 200,
        "score IN (" + "1," * 4_000 + "1)",
        "score IN (" + "1," * 500_000 + "1)",
        "name = '" + "x" * 1_000_000 + "'",
        "lpad(name, 2000000000, 'x') = 'x'",
        "lpad(name, score, 'x') = 'x'",
        "replace(replace(name, '', 'xxxxxxxx'), 'x', 'xxxxxxxx') = 'x'",
        "replace(name, 'a', name) = 'x'",
        "concat(" + ",".join(["name"] * 500) + ") = 'x'",
        "||".join(["name"] * 50) + " = 'x'",
        "len(list_value(" + ",".join(["tags"] * 500) + ")) = 1",
        "repeat(name, 1000000000) = 'x'",
        "len(range(1000000000)) = 1",
        "list_contains(generate_series(1, 1000000000), 1)",
        "regexp_matches(name, '((a{1000}){1000}){1000}')",
        "regexp_matches(name, '" + "a?" * 1_000 + "')",
    ],
)
def test_what_could_take_without_end_is_refused(pick: Pick, text: str) -> None:
    refused(pick, text)


def test_a_pattern_of_many_wildcards_takes_one_pass(pick: Pick) -> None:
    """DuckDB's own LIKE takes minutes for these."""
    value = "a" * 300
    for operator in ("LIKE", "ILIKE"):
        for pattern in ("%_%_%_%_%_%_%_%b", "%a%a%a%a%a%a%a%b%a_"):
            assert pick(f"'{value}' {operator} '{pattern}'") == ""
            assert pick(f"'{value}' NOT {operator} '{pattern}'") == "abcd"
