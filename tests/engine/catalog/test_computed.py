"""Values made of others: what a definition may say of them, found wrong when it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataport.core.errors import ConfigError
from dataport.engine.catalog.load import check_file, load_dataset

HEAD = """
name = "calls"
primaryKey = ["number"]
[[fields]]
name = "number"
[[fields]]
name = "begin"
type = "datetime"
[[fields]]
name = "end"
type = "datetime"
[[fields]]
name = "hours"
type = "number"
"""
FIELD = '[[fields]]\nname = "x"\n'
SPAN = '[[spans]]\nstart = "begin"\nend = "end"\nhours = '


def written(folder: Path, text: str) -> Path:
    path = folder / "calls.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIELD + 'defaultFrom = "nunber"', "no field is called 'nunber'"),
        (FIELD + 'defaultFrom = "hours"', "can't take the value of 'hours'"),
        (FIELD + 'defaultFrom = "number"\ndefault = "1"', "more than one of"),
        (FIELD + 'part = { of = "begin", length = 3 }', "can only be a part of the key: number"),
        (FIELD + 'part = { of = "nmber", length = 3 }', "no field is called 'nmber'"),
        (FIELD + 'part = { of = "number", lenght = 3 }', "'fields[4].part.lenght'"),
        (FIELD + 'type = "integer"\npart = { of = "number", length = 3 }', "must both be strings"),
        (FIELD + 'counts = { resource = "calls", fields = ["number"] }', "must be 'integer'"),
        (
            FIELD + 'constraints = { required = true }\npart = { of = "number", length = 1 }',
            "neither required nor part of the key",
        ),
        (
            FIELD + 'type = "date"\nconstraints = { minimum = "31.12.2026" }',
            "is bounded by '31.12.2026', which is no date; write it like 2026-01-31",
        ),
        (SPAN + '"ours"', "no field is called 'ours'"),
        (SPAN + '"number"', "a span needs a datetime, a datetime and a number"),
    ],
)
def test_what_can_not_be_computed_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_dataset(written(tmp_path, HEAD + text))
    assert said in f"{caught.value.title} {caught.value.detail}"


@pytest.mark.parametrize(
    ("resource", "field", "hint"),
    [("call", "number", "'calls'"), ("calls", "nmber", "'number'"), ("calls", "hours", "type")],
)
def test_what_is_counted_must_be_there(
    tmp_path: Path, resource: str, field: str, hint: str
) -> None:
    count = f'type = "integer"\ncounts = {{ resource = "{resource}", fields = ["{field}"] }}'
    path = written(tmp_path, HEAD + FIELD + count)
    with pytest.raises(ConfigError) as caught:
        check_file(path, [tmp_path])
    assert "'fields[4].counts'" in caught.value.title
    assert hint in caught.value.hint
