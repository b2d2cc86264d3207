"""Errors that people read: what happened, why, and what to do.

DataportError
+-- UsageError         the request itself is wrong (exit 2, HTTP 400)
|   +-- ConfigError    a TOML file is wrong; names file, key and nearest valid word
+-- NotFoundError      no such job, dataset, record, commit (exit 1, HTTP 404)
+-- StateError         right request, wrong moment (exit 1, HTTP 409)
+-- InputError         a file can't be taken as it is (exit 1, HTTP 422)
|   +-- RejectedError  a strict import met rows that can't be taken (exit 3)
+-- StoreError         the store can't be opened or is not ours to open (exit 1, HTTP 500)
+-- CancelledError     somebody cancelled the work (exit 130, HTTP 409)
+-- NoDaemonError      no daemon and none allowed (exit 4, HTTP 503)
"""

from __future__ import annotations

from typing import Any, ClassVar


class DataportError(Exception):
    """An error with a machine code and three parts for a person.

    `code` is a stable kebab-case word, `title` says what happened, `detail` gives the
    particulars and `hint` says what to do about it. The class alone decides how the command line
    exits (design section 12), also where the error ended a job of the daemon.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title)
        self.code = code
        self.title = title
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.detail, self.hint) if part)

    def as_dict(self) -> dict[str, str]:
        """The `error` object of the API and of `--json`."""
        return {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "hint": self.hint,
        }

    def tell_of(self, name: str) -> None:
        """Name the file or table that it is about, unless the title does."""
        if name not in self.title:
            self.title = f"{name}: {self.title}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.title, self.detail, self.hint)


class UsageError(DataportError):
    """The request itself is wrong."""

    exit_code = 2
    http_status = 400


class ConfigError(UsageError):
    """A configuration or definition file is wrong."""


class NotFoundError(DataportError):
    """What was asked for does not exist."""

    http_status = 404


class StateError(DataportError):
    """The request is right, but not in the present state."""

    http_status = 409


class InputError(DataportError):
    """A file can't be taken as it is; nothing of it was merged."""

    http_status = 422


class RejectedError(InputError):
    """An import was to take all rows of a file or none, and some can't be taken."""

    exit_code = 3


class StoreError(DataportError):
    """The store can't be opened or read."""


class CancelledError(DataportError):
    """The work was cancelled."""

    exit_code = 130
    http_status = 409

    def __init__(
        self, code: str = "cancelled", title: str = "Cancelled.", detail: str = "", hint: str = ""
    ) -> None:
        super().__init__(code, title, detail, hint)


class NoDaemonError(DataportError):
    """No daemon is running and none may be, or could be, started."""

    exit_code = 4
    http_status = 503


_BY_STATUS: dict[int, type[DataportError]] = {
    kind.http_status: kind for kind in (UsageError, NotFoundError, StateError, InputError)
}


def error_from_dict(document: dict[str, Any], status: int = 500) -> DataportError:
    """The error that an `error` object of the API stands for."""
    kind = _BY_STATUS.get(status, DataportError)
    if document.get("code") == "cancelled":
        kind = CancelledError
    return kind(
        str(document.get("code", "unknown")),
        str(document.get("title", "The daemon reported an error.")),
        str(document.get("detail", "")),
        str(document.get("hint", "")),
    )
