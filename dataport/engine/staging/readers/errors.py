"""What goes wrong while DuckDB reads the records of a file."""

from __future__ import annotations

import duckdb

from dataport.core.errors import InputError

READING_ERRORS = (duckdb.InvalidInputException, InputError, UnicodeDecodeError)


def is_about_records(error: Exception) -> bool:
    """Whether a way to read the file did not hold, so that a more careful one may."""
    # DuckDB quotes the record in its message, and may cut it in the middle of a character.
    return (
        isinstance(error, InputError | UnicodeDecodeError)
        or "CSV Error" in str(error)
        or "CSV Parser" in str(error)
    )


def unreadable(error: Exception) -> InputError:
    """What to tell a person of a file that can't be read or checked."""
    if isinstance(error, InputError):
        return error
    if not is_about_records(error):
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
