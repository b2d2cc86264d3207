"""Cleaning in SQL against the same in plain Python, for any text."""

from __future__ import annotations

import re
import unicodedata

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataport.engine.catalog.model import Field, Normalise
from dataport.engine.staging.clean import clean_sql

CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs", "Cc"]),
    st.sampled_from(
        "aZ é'=+-@ \t\n\r\v\f\u00a0\u0301\u0308\u1100\u1161\u11a8\u212b\u2003\u3000\ufeff"
    ),
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def expected(text: str, *, squeezes: bool) -> str:
    if re.match(r"'+[=+\-@\t\r]", text):
        text = text[1:]
    text = unicodedata.normalize("NFC", text)
    space = r"[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
    text = re.sub(rf"^{space}+|{space}+\Z", "", text)
    return re.sub(rf"{space}+", " ", text) if squeezes else text


@pytest.mark.parametrize("squeezes", [False, True])
@settings(max_examples=1_500, deadline=None)
@given(text=st.text(CHARACTERS, max_size=12))
def test_cleaning_trims_squeezes_and_composes(
    connection: duckdb.DuckDBPyConnection, squeezes: bool, text: str
) -> None:
    """Every fast way gives what the slow one gives."""
    steps = (Normalise.TRIM, Normalise.SQUEEZE) if squeezes else (Normalise.TRIM,)
    sql = clean_sql(Field(name="x", normalise=steps), "c")
    row = connection.execute(f"SELECT {sql} FROM (SELECT ? AS c)", [text]).fetchone()
    assert row == (expected(text, squeezes=squeezes),)
