"""A mapping of rows in the items of another one's lists: what that leaves out, they are left out with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.core.errors import ConfigError
from dataport.core.paths import Home
from dataport.engine.definitions import check_mapping_file, read_definitions
from tests.engine.importing.shop import Shop, open_shop

BOARD = """
name = "board"
dataset = "boards"
source = "board"
detect = ["board_id", "state", "owner"]
paths = ["boards"]
columns = { "Kind" = "meta.kind" }
skip = [{ column = "Kind", values = ["template"] }]
fields = [{ field = "id", column = "board_id" }]
"""
TASK = """
name = "board_task"
dataset = "cards"
source = "board"
detect = ["board_id", "state", "owner"]
paths = ["boards[].columns[].cards"]
columns = { "Board" = "^.^.board_id" }
parent = "board"
skip = [{ column = "closed", values = ["true"] }]
fields = [{ field = "id", column = "id" }, { field = "board", column = "Board" }]
"""


FIELDS = 'name = "{}"\nprimaryKey = ["id"]\nfields = [{{ name = "id" }}, {{ name = "board" }}]\n'


def put(home: Home, text: str) -> Path:
    home.mappings.mkdir(parents=True, exist_ok=True)
    home.datasets.mkdir(parents=True, exist_ok=True)
    for name in ("boards", "cards"):
        (home.datasets / f"{name}.toml").write_text(FIELDS.format(name), encoding="utf-8")
    path = home.mappings / f"{text.split(chr(34))[1]}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def board(number: int, kind: str, cards: list[list[dict[str, object]]]) -> dict[str, object]:
    columns = [{"title": "x", "cards": each} for each in cards]
    return {
        "board_id": f"b{number}",
        "state": "open",
        "owner": f"Board {number}",
        "meta": {"kind": kind},
        "columns": columns,
    }


def card(number: int, *, closed: bool = False) -> dict[str, object]:
    return {"id": f"c{number}", "title": f"Card {number}", "closed": closed}


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    put(home, BOARD)
    put(home, TASK)
    with open_shop(home) as shop:
        yield shop


def test_rows_go_with_the_item_two_lists_around_them(shop: Shop) -> None:
    boards = [
        board(1, "real", [[card(1), card(2, closed=True)], [card(3)]]),
        board(2, "template", [[card(4)], [card(5, closed=True)]]),
    ]
    path = shop.write("boards.json", json.dumps({"boards": boards}))
    jobs = {part.dataset: part for part in shop.send(path, source=None).members}
    assert jobs["boards"].rows["skipped"] == 1
    assert jobs["cards"].rows["skipped"] == 3
    assert [(row["id"], row["board"]) for row in shop.rows("cards")] == [("c1", "b1"), ("c3", "b1")]


def test_what_a_home_says_of_the_parent_counts_for_its_children(home: Home) -> None:
    shipped = Path("config/mappings/zendesk_api.toml").read_text(encoding="utf-8")
    put(home, shipped.replace('values = ["deleted"]', 'values = ["deleted", "closed"]'))
    ticket = {"subject": "x", "requester_id": 1, "submitter_id": 1, "assignee_id": None}
    tickets = [
        {**ticket, "id": at, "status": status, "created_at": "2026-03-02T08:00:00Z",
         "requester": {"email": "a@b.co"}, "comments": [{"id": at, "body": "Hm", "public": True}]}
        for at, status in enumerate(["open", "closed", "deleted"])
    ]  # fmt: skip
    with open_shop(home) as shop:
        shop.send(shop.write("t.json", json.dumps({"tickets": tickets})), source=None)
        assert [row["id"] for row in shop.rows("ticket_notes")] == ["0"]


@pytest.mark.parametrize(
    ("parent", "told"),
    [
        (TASK.replace('parent = "board"', 'parent = "bord"'), "'bord'"),
        (TASK.replace("boards[].columns[].cards", "boards"), "have to lie in items"),
        (TASK.replace('parent = "board"', 'parent = "board_task"'), "have to lie in items"),
        (TASK.replace('parent = "board"', 'parent = "trello"'), "have to lie in items"),
    ],
)
def test_a_parent_that_is_none_is_refused(home: Home, parent: str, told: str) -> None:
    put(home, BOARD)
    with pytest.raises(ConfigError) as caught:
        check_mapping_file(home, put(home, parent))
    assert told in caught.value.title
    assert "board_task.toml" in caught.value.title
    with pytest.raises(ConfigError):
        read_definitions(home)


def test_rules_that_ask_for_other_rows_can_not_be_followed(home: Home) -> None:
    put(home, BOARD.replace('values = ["template"]', 'without = "board_id"'))
    with pytest.raises(ConfigError, match="can't follow"):
        check_mapping_file(home, put(home, TASK))
