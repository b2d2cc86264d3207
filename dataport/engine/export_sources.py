"""The name under which an export that comes back edited speaks: `export:JOB`.

A file that is compared with the store as of a commit speaks as `export:@COMMIT`. Each export is a
source of its own. What a person made of one sheet is compared with what that
sheet said, and asks nothing of the conflicts of another, nor of the source the rows came from.
"""

from __future__ import annotations

import re

from dataport.core.errors import UsageError

EXPORT = "export"
"""How policies and ranks name all of them at once."""

_NAME = re.compile(r"export:@?\d+")


def export_source(job: int) -> str:
    """The source of the files that the export `job` wrote."""
    return f"{EXPORT}:{job}"


def as_of_source(commit: int) -> str:
    """The source of a file that is compared with the store as of a commit."""
    return f"{EXPORT}:@{commit}"


def is_export(source: str | None) -> bool:
    """Whether a source is an export of this home, or a file that is taken for one."""
    return source is not None and _NAME.fullmatch(source) is not None


def check_source(source: str | None) -> None:
    """Raise UsageError `reserved-source` for a name that only exports have."""
    if is_export(source):
        raise UsageError(
            "reserved-source",
            f"{source!r} is the name of an export, not of a source.",
            hint="Leave --source out: an export that comes back is recognised.",
        )
