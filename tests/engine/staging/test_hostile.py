"""Files that were made to do harm, each read by a real worker under its limits (SEC-05, X-27).

Every outcome is a result or a clear error; which one, is said here.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.look import Look, LookRequest
from dataport.engine.staging.process import look, stage
from dataport.engine.staging.request import StageLimits, StageRequest, StageResult
from tests.engine.staging.packing import zipped
from tests.engine.staging.sheets import xlsx

MEBIBYTE = 2**20

LIMITS = StageLimits(memory=512 * MEBIBYTE, seconds=60)


@pytest.fixture
def things(make):
    return make({"name": "id", "type": "integer"}, {"name": "name"})


@pytest.fixture
def outcome(tmp_path: Path, things):
    """What staging a file, and looking into it, come to: a result or the code of an error."""

    def outcome(path: Path, **words) -> tuple[StageResult | str, Look | str]:
        limits = words.pop("limits", LIMITS)
        found: list = []
        for read, request in (
            (stage, StageRequest(path, tmp_path / "job", things, limits=limits, **words)),
            (look, LookRequest(path, tmp_path / "look", limits=limits)),
        ):
            try:
                found.append(read(request))
            except InputError as error:
                found.append(error.code if error.title and error.hint else "unclear")
        return found[0], found[1]

    return outcome


@pytest.fixture
def put(tmp_path: Path):
    def put(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return put


def test_a_million_columns(outcome, put) -> None:
    path = put("wide.csv", b"a," * 1_000_000 + b"\n1\n")
    assert outcome(path) == ("too-many-columns", "too-many-columns")


def test_a_million_cells_in_one_row_reject_that_row(outcome, put) -> None:
    path = put("wide.csv", b"id,name\n1,Ann\n" + b"2," * 1_000_000 + b"x\n3,Bob\n")
    result, seen = outcome(path)
    assert (result.rows.valid, result.rows.rejected) == (2, 1)
    assert seen.tables[0].columns == ["id", "name"]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("long.csv", b"id,name\n1,Ann\n2,"),
        ("quoted.csv", b'id,name\n1,Ann\n2,"'),
        ("long.txt", b"1\n2\n"),
        ("long.json", b'[{"id": 1}, {"id": 2, "name": "'),
        ("long.ndjson", b'{"id": 1}\n{"id": 2, "name": "'),
    ],
)
def test_one_line_of_two_gigabytes(outcome, tmp_path, name, start) -> None:
    """A sparse file, whose record has no end; nothing of its size is held in memory."""
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(start + b"7" * 300_000)
        file.truncate(LIMITS.file_size)
    result, _ = outcome(path)
    assert result in {"line-too-long", "field-too-long"}
    assert path.stat().st_size == 2048 * MEBIBYTE


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":', b'{"id":1,"a":[{"b":'])
def test_json_nested_without_end(outcome, put, opening) -> None:
    path = put("deep.json", opening * 300_000)
    result, seen = outcome(path)
    assert result in {"nested-too-deep", "json-error", "no-rows", "format-error"}
    assert isinstance(seen, str) or len(seen.tables[0].rows) <= 1


def test_nested_json_in_a_line_rejects_that_line(outcome, put) -> None:
    deep = b'{"id": 2, "name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    path = put("deep.ndjson", b'{"id": 1, "name": "Ann"}\n' + deep + b'{"id": 3}\n')
    result, _ = outcome(path)
    assert (result.rows.valid, result.rows.rejected) == (2, 1)


def test_nuls_and_control_characters(outcome, put) -> None:
    rows = b"".join(b"%d,n%d\n" % (at, at) for at in range(5, 300))
    path = put("nul.csv", b"id,name\n1,A\0B\n2,B\x01\n3,\x1b[31m\n" + rows)
    result, _ = outcome(path)
    assert (result.rows.read, result.rows.rejected) == (298, 1)
    assert outcome(put("zeros.csv", bytes(MEBIBYTE)))[0] == "empty-file"


@pytest.mark.parametrize("kind", ["zip", "gzip", "zstd", "xlsx"])
def test_bombs_of_each_kind(outcome, put, kind) -> None:
    data = b"id,name\n" + b"0" * (200 * MEBIBYTE)
    content = {
        "zip": lambda: zipped({"a.csv": data}),
        "gzip": lambda: gzip.compress(data),
        "zstd": lambda: pa.compress(data, "zstd", asbytes=True),
        "xlsx": lambda: zipped(
            {"[Content_Types].xml": "", "xl/workbook.xml": "", "xl/worksheets/sheet1.xml": data}
        ),
    }[kind]()
    assert len(content) < MEBIBYTE
    path = put("bomb", content)
    assert outcome(path) == ("expands-too-much", "expands-too-much")


def test_an_xml_bomb_is_never_expanded(outcome, put) -> None:
    entities = "".join(
        f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' if at else '<!ENTITY l0 "lol">'
        for at in range(12)
    )
    text = f"<!DOCTYPE r [{entities}]><r><t><id>&l11;</id></t></r>"
    assert outcome(put("lol.xml", text.encode())) == ("unsafe-xml", "unsafe-xml")
    wide = "<r>" + "<t><id>1</id></t>" * 5 + "<t>" + "<a>" * 300_000
    assert outcome(put("deep.xml", wide.encode()))[0] == "nested-too-deep"


def test_a_few_bytes_of_parquet_that_stand_for_gigabytes(outcome, put) -> None:
    target = io.BytesIO()
    text = pa.array(["x" * 50_000]).dictionary_encode()
    rows = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), text.dictionary)
    pq.write_table(pa.table({"id": pa.array(range(200_000)), "name": rows}), target)
    limits = StageLimits(memory=LIMITS.memory, expanded=100 * MEBIBYTE)
    result, _ = outcome(put("bomb.parquet", target.getvalue()), limits=limits)
    assert result in {"expands-too-much", "worker-memory"}


def test_one_long_string_in_every_cell_of_a_sheet(outcome, put) -> None:
    rows = [["id", "name"], *([at, "x" * 32_000] for at in range(5_000))]
    path = put("bomb.xlsx", xlsx({"Sheet1": rows}))
    assert path.stat().st_size < MEBIBYTE
    limits = StageLimits(memory=LIMITS.memory, expanded=50 * MEBIBYTE)
    assert outcome(path, limits=limits)[0] in {"expands-too-much", "worker-memory"}


def test_names_that_would_fill_the_memory_of_those_who_only_look(outcome, put) -> None:
    names = ",".join(f"n{at}" + "x" * 120 for at in range(1_900))
    path = put("names.zip", zipped({f"{at}.csv": f"{names}\n1\n" for at in range(100)}))
    assert outcome(path) == ("several-tables", "too-many-tables")
    path = put("many.zip", zipped({f"{at}.csv": "id\n1\n" for at in range(600)}))
    assert outcome(path)[1] == "too-many-tables"
    long = json.dumps([{"id": 1, "x" * 2 * MEBIBYTE: 1}])
    assert outcome(put("long.json", long.encode()))[0] == "too-many-columns"


def test_a_worker_that_needs_too_much_memory_ends_alone(outcome, put) -> None:
    rows = [["id", "name"], *([at, f"{at}" * 50] for at in range(40_000))]
    path = put("large.xlsx", xlsx({"Sheet1": rows}))
    limits = StageLimits(memory=1)
    result, _ = outcome(path, limits=limits)
    assert isinstance(result, StageResult) or result == "worker-memory"
