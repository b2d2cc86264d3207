"""Conflicts: one look, one key, the next."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.core.errors import DataportError
from dataport.tui.modals import ErrorModal
from tests.fakes.daemon import FakeDaemon
from tests.fakes.documents import conflict
from tests.tui.conftest import opened, press, screen_text, settle, until

SHOWN = {"shown": "+46 8 123 99 67", "shown_theirs": "+46 70 123 45 67"}


def choices(daemon: FakeDaemon) -> list[tuple[str, Any]]:
    return [(path.removeprefix("/v1/conflicts/"), body) for _, path, body in daemon.script.requests]


async def test_each_side_has_a_key_and_the_next_conflict_follows(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "s", "f", "b")
        assert [(path, body["take"]) for path, body in choices(daemon)] == [
            ("1/resolve", "ours"),
            ("2/resolve", "theirs"),
            ("3/resolve", "base"),
        ]
        assert "3 of 6 settled" in screen_text(pilot)
        assert "leads · L-0004 · tags" in screen_text(pilot)


async def test_every_choice_carries_the_values_that_were_shown(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "f")
        assert choices(daemon) == [
            ("1/resolve", {"take": "theirs", **SHOWN}),
        ]


@pytest.mark.parametrize("side", ["ours", "theirs"])
async def test_a_value_that_changed_meanwhile_is_shown_again(daemon: FakeDaemon, side: str) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4")
        daemon.script.conflicts[0][side] = "+46 8 000 00 00"
        await press(pilot, "s")
        assert "Changed meanwhile" in screen_text(pilot)
        assert "0 of 6 settled" in screen_text(pilot)
        assert "+46 8 000 00 00" in screen_text(pilot)
        assert "leads · L-0001 · phone" in screen_text(pilot)
        await press(pilot, "s")
        assert "1 of 6 settled" in screen_text(pilot)


async def test_a_choice_that_failed_comes_back(daemon: FakeDaemon) -> None:
    daemon.script.refuse["/v1/conflicts/1/resolve"] = DataportError("disk-full", "No space left.")
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "s")
        assert isinstance(pilot.app.screen, ErrorModal)
        await press(pilot, "escape")
        assert "leads · L-0001 · phone" in screen_text(pilot)
        assert "0 of 6 settled" in screen_text(pilot)


async def test_an_edited_value(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "e", "end", "1", "2", "enter")
        assert choices(daemon) == [
            ("1/resolve", {"value": "+46 8 123 99 6712", **SHOWN}),
        ]


async def test_an_edited_list_is_json_and_is_checked(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "j", "j", "j", "e", "x", "ctrl+s")
        assert "This is not JSON" in screen_text(pilot)
        await press(pilot, "backspace", "ctrl+s")
        assert choices(daemon) == [
            (
                "4/resolve",
                {"value": ["a", "vip"], "shown": ["a", "vip"], "shown_theirs": ["a", "cold"]},
            ),
        ]


async def test_skip_leaves_it_open(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "space", "n")
        assert "leads · L-0003 · name" in screen_text(pilot)
        assert choices(daemon) == []


async def test_undo_brings_the_last_one_back(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "s", "s", "z")
        assert "1 of 6 settled" in screen_text(pilot)
        assert "4 Conflicts (5)" in screen_text(pilot), "the header counts the same"
        await until(pilot, lambda: "leads · L-0002 · company" in screen_text(pilot))


async def test_all_like_this_shows_the_number_first(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "F")
        assert "Take the File's value for 2 conflicts?" in screen_text(pilot)
        assert "leads · phone · from crm" in screen_text(pilot)
        await press(pilot, "escape")
        assert choices(daemon) == []
        await press(pilot, "F", "y")
        assert choices(daemon) == [
            ("resolve", {"take": "theirs", "dataset": "leads", "field": "phone", "source": "crm"})
        ]
        assert "2 of 6 settled" in screen_text(pilot)
        await press(pilot, "z")
        assert "0 of 6 settled" in screen_text(pilot)


async def test_whole_rows_show_what_differs_first(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "j", "j", "j", "j")
        text = screen_text(pilot)
        assert "left out of the File" in text
        assert text.index("Lund") < text.index("lead_id")
        await press(pilot, "S")
        assert "one at a time" in screen_text(pilot)


async def test_the_last_one_says_done(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        await press(pilot, "4", "s", "f", "b", "s", "f", "s")
        assert "✓ Done, nothing is left" in screen_text(pilot)
        assert "✓ No conflicts" in screen_text(pilot)
        assert "6 settled; z takes the newest back" in screen_text(pilot)


async def test_a_hundred_are_cleared_with_a_hundred_keys(daemon: FakeDaemon) -> None:
    daemon.script.conflicts = [conflict(number) for number in range(1, 341)]
    async with opened(daemon.home) as pilot:
        await press(pilot, "4")
        for number in range(100):
            await pilot.press("sf"[number % 2])
        await settle(pilot)
        await until(pilot, lambda: len(daemon.script.requests) == 100)
        assert "100 of 340 settled" in screen_text(pilot)
        order = [int(path.split("/")[0]) for path, _ in choices(daemon)]
        assert order == list(range(1, 101))


async def test_words_on_screen_are_store_and_file(daemon: FakeDaemon) -> None:
    async with opened(daemon.home) as pilot:
        for view in ((), ("question_mark",), ("escape", "S")):
            await press(pilot, "4", *view)
            words = screen_text(pilot).lower()
            assert "ours" not in words
            assert "theirs" not in words
            assert "store" in words


async def test_rows_of_one_key_stand_side_by_side(daemon: FakeDaemon) -> None:
    rows = [{"lead_id": "L1", "name": "Anna"}, {"lead_id": "L1", "name": "Anne"}]
    theirs = {"count": 2, "lines": [2, 4], "rows": rows}
    ours = {"lead_id": "L1", "name": "Ann"}
    values = {"field": None, "kind": "dup_key", "base": None, "ours": ours, "theirs": theirs}
    daemon.script.conflicts = [conflict(1, **values)]
    async with opened(daemon.home) as pilot:
        await press(pilot, "4")
        assert "lines 2, 4" in screen_text(pilot)
        assert '["Anna", "Anne"]' in screen_text(pilot)


async def test_a_row_that_would_break_a_rule_says_which_and_can_be_mended(
    daemon: FakeDaemon,
) -> None:
    """merge.md 5.3: with all violations; what the merge made of the row is there to be edited."""
    ours, merged = {"lead_id": "L1", "phone": "1"}, {"lead_id": "L1", "phone": "2"}
    broken = [
        {"field": "phone", "code": "constraint-error.unique", "message": "phone must be unique."},
        {"field": "score", "code": "constraint-error.maximum", "message": "'16' is too much."},
    ]
    values = {"field": None, "kind": "invalid merge", "base": ours, "ours": ours, "theirs": merged}
    daemon.script.conflicts = [conflict(1, **values, merged=merged, violations=broken)]
    async with opened(daemon.home) as pilot:
        await press(pilot, "4")
        text = screen_text(pilot)
        assert "The merged row would break a rule" in text
        assert "✗ phone must be unique." in text
        assert "✗ '16' is too much." in text
        assert "b Last sent" not in text
        await press(pilot, "e")
        assert '"phone": "2"' in screen_text(pilot)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: choices(daemon))
        [(_, body)] = choices(daemon)
        assert body["value"] == merged
