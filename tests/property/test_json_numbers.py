"""However a JSON object is put, its values' texts are those between its colons and commas."""

from __future__ import annotations

import json

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from dataport.engine.staging.readers.json_numbers import cells_sql

numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
strings = st.text(st.sampled_from('a1e5.0-:,"\\[]{} \n'), max_size=20)
blanks = st.sampled_from(["", " ", "  ", "\t"])
values = st.one_of(
    numbers.map(lambda text: (text, text)),
    strings.map(lambda text: (json.dumps(text), text)),
    strings.map(lambda text: (json.dumps([text, 1]), json.dumps([text, 1], separators=(",", ":")))),
    st.sampled_from([("true", "true"), ("null", None), ("false", "false")]),
)


@given(st.dictionaries(strings.filter(bool), values, min_size=1, max_size=6), blanks)
def test_values_have_the_text_of_the_file(
    members: dict[str, tuple[str, str | None]], blank: str
) -> None:
    item = ",".join(
        f"{blank}{json.dumps(name)}{blank}:{blank}{text}{blank}"
        for name, (text, _) in members.items()
    )
    row = duckdb.execute(
        f"SELECT {cells_sql('item', tuple(members))} FROM (SELECT ? AS item)", [f"{{{item}}}"]
    ).fetchone()
    assert row is not None
    assert row[0] == [expected for _, expected in members.values()]
