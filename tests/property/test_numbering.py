"""The table of number lengths against the package it stands in for (X-19)."""

from __future__ import annotations

import re

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st

from dataport.engine.staging.numbering import NATIONAL_LENGTHS, international_pattern

PATTERN = re.compile(international_pattern())
TEXTS = st.builds(
    "+{}{}".format, st.sampled_from(sorted(NATIONAL_LENGTHS)), st.from_regex(r"\A[0-9]{3,14}\Z")
)


def canonical(text: str) -> str | None:
    """What the package makes of `text`."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@settings(max_examples=3_000, deadline=None)
@given(TEXTS)
def test_what_the_table_takes_the_package_takes_unchanged(text: str) -> None:
    if PATTERN.fullmatch(text):
        assert canonical(text) == text


def test_every_length_of_every_code_is_one_the_package_knows() -> None:
    for code, lengths in NATIONAL_LENGTHS.items():
        for length in lengths:
            for first in "123456789":
                text = f"+{code}{first}{'2' * (length - 1)}"
                assert PATTERN.fullmatch(text)
                assert canonical(text) == text, text
