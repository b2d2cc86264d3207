"""What goes wrong while DuckDB reads the records of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import duckdb

from dataport.core.errors import InputError

ReadT = TypeVar("ReadT")
TakenT = TypeVar("TakenT")

_READING_ERRORS = (duckdb.InvalidInputException, InputError, UnicodeDecodeError)


def take_first(ways: Sequence[Callable[[], ReadT]], take: Callable[[ReadT], TakenT]) -> TakenT:
    """What `take` makes of a file by the first way to read it that holds, the quickest first.

    Raises InputError where none does.
    """
    for number, read in enumerate(ways, start=1):
        found = read()
        try:
            return take(found)
        except _READING_ERRORS as error:
            if number == len(ways) or not _is_about_records(error):
                raise _unreadable(error) from error
    raise ValueError("no way to read the file was given")


def _is_about_records(error: Exception) -> bool:
    """Whether a way to read the file did not hold, so that a more careful one may."""
    # DuckDB quotes the record in its message, and may cut it in the middle of a character.
    return (
        isinstance(error, InputError | UnicodeDecodeError)
        or "CSV Error" in str(error)
        or "CSV Parser" in str(error)
    )


def _unreadable(error: Exception) -> InputError:
    """What to tell a person of a file that can't be read or checked."""
    if isinstance(error, InputError):
        return error
    if not _is_about_records(error):
        return InputError(
            "staging-failed",
            "The file could not be checked.",
            str(error).splitlines()[0],
            "Check the patterns of the dataset's fields.",
        )
    return InputError(
        "source-error",
        "The file's records can't be read.",
        str(error).splitlines()[0],
        "Save it again as plain UTF-8 CSV.",
    )
