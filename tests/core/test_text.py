"""Text for people, and text that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataport.core.text import counted, is_text, legible, size


@pytest.mark.parametrize(
    ("number", "said"),
    [(None, "0 rows"), (0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_340, "12,340 rows")],
)
def test_a_count_agrees_with_its_noun(number: int | None, said: str) -> None:
    assert counted(number, "row") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert counted(1, "plan waits", "plans wait") == "1 plan waits"
    assert counted(2, "plan waits", "plans wait") == "2 plans wait"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "1 byte"),
        (1_023, "1,023 bytes"),
        (1_024, "1.0 KB"),
        (2_621_440, "2.5 MB"),
        (5 * 2**40, "5.0 TB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_fits(number: int, said: str) -> None:
    """EXF-27."""
    assert size(number) == said


@given(octets=st.binary(max_size=12))
def test_whatever_bytes_a_name_has_it_can_be_shown(octets: bytes) -> None:
    name = octets.decode("utf-8", "surrogateescape")
    assert is_text(legible(name))
    assert (legible(name) == name) == is_text(name)
