"""The command table: one declaration for keys, footer, palette and help."""

from __future__ import annotations

import pytest

from dataport.tui.app import DataportApp
from dataport.tui.commands import (
    COMMANDS,
    FOOTER_KEYS,
    SECTIONS,
    Facts,
    bindings_of,
    commands_of,
    footer_of,
    footer_width,
)
from dataport.tui.state import Conflict, Job
from tests.fakes.documents import all_conflicts, failed_job, job, running_job

JOBS = [
    None,
    Job.of(job(1)),
    Job.of(job(2, "waiting", rows={"read": 5, "rejected": 2})),
    Job.of(failed_job(3)),
    Job.of(running_job(4)),
]
CONFLICTS = [None, *(Conflict.of(document) for document in all_conflicts())]
ALL_FACTS = [
    Facts(is_connected=up, job=one, conflict=conflict, has_rows=rows, waiting=2, can_go_back=rows)
    for up in (True, False)
    for one in JOBS
    for conflict in CONFLICTS
    for rows in (True, False)
]


@pytest.mark.parametrize("section", SECTIONS)
def test_no_key_means_two_things_on_one_screen(section: str) -> None:
    keys = [binding.key for binding in bindings_of(section)]  # type: ignore[union-attr]
    assert len(keys) == len(set(keys))


def test_keys_are_ones_that_arrive_in_every_terminal() -> None:
    plain = {"question_mark", "slash", "colon", "enter", "escape", "space", "left", "right"}
    for command in COMMANDS:
        for key in (command.key, *command.more_keys):
            is_letter = len(key) == 1 and key.isalnum()
            assert not key or is_letter or key in plain or key in ("ctrl+p", "ctrl+s")


def test_every_command_has_the_method_that_its_screen_runs() -> None:
    for command in COMMANDS:
        place = command.id.partition(".")[0]
        if place == "go":
            assert command.verb in DataportApp.MODES
        else:
            owner = DataportApp if place == "app" else DataportApp.MODES[place]
            assert hasattr(owner, f"do_{command.verb}"), command.id


@pytest.mark.parametrize("section", SECTIONS)
def test_the_footer_fits_80_columns_and_shows_at_most_six_keys(section: str) -> None:
    for facts in ALL_FACTS:
        footer = footer_of(section, facts, 80)
        assert len(footer) <= FOOTER_KEYS
        assert footer_width(footer) <= 80
        assert footer == footer_of(section, facts, 1000), "80 columns hide a key"
        assert footer[-1].id == "app.help"
        assert all(not command.why_not(facts) for command in footer)


def test_a_command_that_does_not_apply_says_why_in_a_sentence() -> None:
    for section in SECTIONS:
        for command in commands_of(section):
            for facts in ALL_FACTS:
                reason = command.why_not(facts)
                assert reason == "" or (reason[0].isupper() and reason.endswith("."))
