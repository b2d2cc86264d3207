"""Errors keep their code and their three parts through every door they pass."""

from __future__ import annotations

import copy
import re

import pytest

from dataport.core.errors import (
    CancelledError,
    ConfigError,
    DataportError,
    InputError,
    NoDaemonError,
    NotFoundError,
    RejectedError,
    StateError,
    StoreError,
    UsageError,
    error_from_dict,
)

KINDS = [
    (DataportError, 1, 500),
    (UsageError, 2, 400),
    (ConfigError, 2, 400),
    (NotFoundError, 1, 404),
    (StateError, 1, 409),
    (InputError, 1, 422),
    (RejectedError, 3, 422),
    (StoreError, 1, 500),
    (CancelledError, 130, 409),
    (NoDaemonError, 4, 503),
]


@pytest.mark.parametrize(("kind", "exit_code", "status"), KINDS)
def test_each_kind_has_its_exit_code_and_status(
    kind: type[DataportError], exit_code: int, status: int
) -> None:
    """Exit codes are those of design section 12."""
    assert (kind.exit_code, kind.http_status) == (exit_code, status)


def test_every_kind_is_listed_here_and_in_the_tree() -> None:
    def below(kind: type[DataportError]) -> set[type[DataportError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    import dataport.core.errors as module

    kinds = {kind for kind in below(DataportError) if kind.__module__ == module.__name__}
    assert kinds == {kind for kind, *_ in KINDS}
    drawn = set(re.findall(r"^[ |]*(?:\+-- )?(\w+Error)", module.__doc__ or "", re.MULTILINE))
    assert drawn == {kind.__name__ for kind in kinds}


def test_people_read_title_detail_and_hint_in_one_line() -> None:
    full = InputError("empty-file", "a.csv is empty.", "It has 0 bytes.", "Export it again.")
    assert str(full) == "a.csv is empty. It has 0 bytes. Export it again."
    assert str(InputError("empty-file", "a.csv is empty.")) == "a.csv is empty."


def test_programs_read_four_keys() -> None:
    error = NotFoundError("unknown-job", "There is no job 7.", hint="List them with `jobs`.")
    assert error.as_dict() == {
        "code": "unknown-job",
        "title": "There is no job 7.",
        "detail": "",
        "hint": "List them with `jobs`.",
    }


@pytest.mark.parametrize("kind", [kind for kind, *_ in KINDS])
def test_an_error_survives_being_copied_between_processes(kind: type[DataportError]) -> None:
    error = kind("some-code", "Title.", "Detail.", "Hint.")
    twin = copy.copy(error)
    assert type(twin) is kind
    assert twin.as_dict() == error.as_dict()


@pytest.mark.parametrize("kind", [UsageError, NotFoundError, StateError, InputError])
def test_a_client_raises_what_the_daemon_raised(kind: type[DataportError]) -> None:
    error = kind("some-code", "Title.", "Detail.", "Hint.")
    twin = error_from_dict(error.as_dict(), error.http_status)
    assert type(twin) is kind
    assert twin.as_dict() == error.as_dict()


def test_a_cancelled_job_is_told_apart_from_a_wrong_state() -> None:
    assert type(error_from_dict(CancelledError().as_dict(), 409)) is CancelledError


def test_an_answer_that_says_nothing_is_still_an_error() -> None:
    error = error_from_dict({}, 418)
    assert type(error) is DataportError
    assert error.code == "unknown"
    assert error.title
