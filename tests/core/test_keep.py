from __future__ import annotations

from datetime import timedelta

import pytest

from dataport.core.keep import Keep, parse_keep


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("all", Keep()),
        (" All ", Keep()),
        ("500 commits", Keep(commits=500)),
        ("1 commit", Keep(commits=1)),
        ("0commits", Keep(commits=0)),
        ("90 days", Keep(span=timedelta(days=90))),
        ("36 Hours", Keep(span=timedelta(hours=36))),
        ("2 weeks", Keep(span=timedelta(days=14))),
        ("3 months", Keep(span=timedelta(days=90))),
        ("1 year", Keep(span=timedelta(days=365))),
    ],
)
def test_how_much_is_kept(text: str, keep: Keep) -> None:
    assert parse_keep(text) == keep


@pytest.mark.parametrize("text", ["", "some", "90", "-1 days", "1.5 days", "9999999 days"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 'all'"):
        parse_keep(text)
