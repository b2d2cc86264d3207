"""Looking into files that nobody has said anything about, in real workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataport.core.errors import CancelledError, InputError
from dataport.engine.staging.look import Look, LookRequest
from dataport.engine.staging.process import look
from dataport.engine.staging.request import StageLimits


@pytest.fixture
def see(tmp_path: Path):
    def see(content: str | bytes, name: str = "file.csv", **words) -> Look:
        source = tmp_path / name
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        return look(LookRequest(source, tmp_path / "look", **words))

    return see


def test_a_csv_is_one_table_with_its_header_and_first_rows(see) -> None:
    rows = "".join(f'{at};"Ann; {at}"\r\n' for at in range(80))
    [table] = see(f"id;name\r\n{rows}").tables
    assert (table.inside, table.format, table.has_header) == (None, "csv", True)
    assert table.columns == ["id", "name"]
    assert (len(table.rows), table.rows[49]) == (50, ["49", "Ann; 49"])


def test_without_a_header_columns_are_numbered_and_rows_filled_up(see) -> None:
    [table] = see("+4930901820,ann@example.org\n+4930901821\n").tables
    assert (table.has_header, table.columns) == (False, ["column_1", "column_2"])
    assert table.rows == [["+4930901820", "ann@example.org"], ["+4930901821", None]]


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ('[{"id": 1, "name": "Ann"}, {"id": 2, "tags": ["a"]}]', "file.json", "json"),
        ('{"page": 1, "items": [{"id": 1, "name": "Ann"}, {"id": 2, "tags": ["a"]}]}', "x", "json"),
        ('{"id": 1, "name": "Ann"}\n{"id": 2, "tags": ["a"]}\n', "file.ndjson", "ndjson"),
    ],
)
def test_json_has_the_names_of_its_objects(see, text: str, name: str, kind: str) -> None:
    [table] = see(text, name).tables
    assert (table.format, table.columns) == (kind, ["id", "name", "tags"])
    assert table.rows == [["1", "Ann", None], ["2", None, '["a"]']]


def test_a_head_that_is_cut_off_shows_whole_rows_only_and_long_cells_cut_short(see) -> None:
    [table] = see("id,text\n" + ("1," + "x" * 100_000 + "\n") * 5).tables
    assert [len(row[1] or "") for row in table.rows] == [500, 500]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"%PDF-1.7 " + b"x" * 99, "format-error"),
        (b"<html><body>no</body></html>", "format-error"),
        (b",".join(b"c%d" % at for at in range(9)), "too-many-columns"),
        (json.dumps([{f"c{at}": at for at in range(9)}]).encode(), "too-many-columns"),
        (b"[]", "no-rows"),
    ],
)
def test_what_is_no_table_is_refused(see, content: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        see(content, limits=StageLimits(columns=8))
    assert caught.value.code == code


def test_a_look_can_be_called_off(tmp_path: Path) -> None:
    import threading

    source = tmp_path / "file.csv"
    source.write_text("a,b\n1,2\n", encoding="utf-8")
    called_off = threading.Event()
    called_off.set()
    with pytest.raises(CancelledError):
        look(LookRequest(source, tmp_path / "look"), cancel=called_off)
