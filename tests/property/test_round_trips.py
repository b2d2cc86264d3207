"""What goes out comes back: rows of every shipped dataset, through every format that can be read.

TST-04, PRF-05. Rows are staged, written as an export writes them, and staged again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataport.core.paths import shipped_config
from dataport.engine.catalog.load import load_datasets
from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.exporting.table import Table
from dataport.engine.exporting.writers import WRITE_ONLY, WRITERS
from dataport.engine.staging.request import StageRequest, StageResult
from dataport.engine.staging.stager import stage_file
from dataport.engine.staging.worker import connect

DATASETS = load_datasets([shipped_config() / "datasets"])

LETTERS = st.one_of(
    # What is no character at all is refused by XML and XLSX: see test_texts.py and test_workbooks.py.
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    st.sampled_from(list("\n\r\t'\"`,;|\\=+-@{}[]:#%<>&\u00e9e\u0301\u200f\u2028\U0001f600")),
)
ESCAPES = st.sampled_from(["'=1", "''+1", "'-", "'@", "'#N/A", "''#REF!", "=1", "#N/A"])
TEXT = st.text(LETTERS, max_size=30) | ESCAPES
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "email": st.from_regex(
        r"[a-z0-9]{1,8}(\.[a-z]{1,5})?@[a-z]{1,9}\.(org|example)", fullmatch=True
    ),
    "phone": st.integers(0, 9_999_999).map(lambda number: f"+1202{number:07}"),
}


def values(field: Field) -> st.SearchStrategy[Any]:
    """Values of a field, as JSON has them."""
    limits = field.constraints
    if limits.enum:
        return st.sampled_from(limits.enum)
    if field.format in SPECIAL:
        return SPECIAL[str(field.format)]
    most = limits.max_length or 30
    by_type: dict[FieldType, st.SearchStrategy[Any]] = {
        FieldType.STRING: TEXT.map(lambda text: text[: min(most, 30) // 2]),
        FieldType.INTEGER: st.integers(
            int(limits.minimum) if limits.minimum is not None else -(2**63),
            int(limits.maximum) if limits.maximum is not None else 2**63 - 1,
        ),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.DATE: st.dates().map(str),
        FieldType.DATETIME: st.datetimes().map(lambda moment: moment.isoformat()),
        FieldType.LIST: st.lists(TEXT, max_size=4).map(json.dumps),
        FieldType.OBJECT: st.dictionaries(TEXT, JSON, max_size=3) | st.lists(JSON, max_size=3),
        FieldType.ANY: JSON,
    }
    if field.type is FieldType.NUMBER:
        low = float(limits.minimum) if limits.minimum is not None else None
        if field.scale is None:
            return st.floats(min_value=low, allow_nan=False, allow_infinity=False)
        return st.decimals(low, limits.maximum or 10**6, places=field.scale).map(str)
    return by_type[field.type]


def rows(dataset: Dataset) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows that state some of the fields; most of them pass every check."""
    fields = [field for field in dataset.fields if not field.is_computed]
    spans = {name for span in dataset.spans for name in (span.end, span.hours)}
    needed = {
        field.name: values(field)
        for field in fields
        if field.constraints.required or field.name in dataset.primary_key
    }
    others = {
        field.name: st.none() | values(field)
        for field in fields
        if field.name not in needed and field.name not in spans
    }
    row = st.builds(
        lambda a, b: a | b, st.fixed_dictionaries(needed), st.fixed_dictionaries(others)
    )
    return st.lists(row, min_size=1, max_size=8)


WAYS = {name: WRITERS[name] for name in WRITERS if name not in WRITE_ONLY}
ZONE = "Europe/Berlin"


def staged(
    source: Path, folder: Path, dataset: Dataset
) -> tuple[StageResult, list[dict[str, Any]]]:
    """What a file comes to, its rows by key."""
    folder.mkdir()
    request = StageRequest(source, folder, dataset, timezone=ZONE)
    with connect(folder, request.limits.memory, 2) as connection:
        result = stage_file(connection, request, lambda *_: None)
    names = [name for name in dataset.field_names if name in result.stated]
    query = f"SELECT {', '.join(map(quoted, names))} FROM '{folder}/staged.parquet' ORDER BY ALL"
    found = duckdb.sql(query)
    return result, [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def quoted(name: str) -> str:
    return f'"{name}"'


@pytest.mark.parametrize("name", DATASETS)
@settings(max_examples=4, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_rows_come_back_as_they_went(name: str, data: st.DataObject) -> None:
    round_trip(name, WAYS, data)


@pytest.mark.soak
@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("name", DATASETS)
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_many_rows_come_back_as_they_went(name: str, kind: str, data: st.DataObject) -> None:
    round_trip(name, [kind], data)


def round_trip(name: str, kinds: Iterable[str], data: st.DataObject) -> None:
    """Stage rows, write what was accepted in each way, and stage that: it is the same."""
    dataset = DATASETS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        given_rows = data.draw(rows(dataset))
        first = folder / "first.json"
        first.write_text(json.dumps(given_rows), encoding="utf-8")
        result, before = staged(first, folder / "a", dataset)
        if not before:
            return
        fields = [dataset.field(field) for field in result.stated]
        query = f"SELECT * FROM '{folder}/a/staged.parquet'"
        for kind in kinds:
            second = folder / f"second.{kind}"
            with duckdb.connect() as cursor:
                WAYS[kind](cursor, Table(name, query, fields, len(before), ZONE), second)
            back, after = staged(second, folder / kind, dataset)
            assert (kind, back.rows.rejected, back.rows.duplicate) == (kind, 0, 0)
            assert (kind, after) == (kind, before)
