"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a file in place as a whole, private to its owner; one that is there is replaced.

    Raises OSError, and leaves what was there.
    """
    with _replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def copy_whole(source: Path, path: Path) -> None:
    """`write_whole` of what another file holds."""
    with source.open("rb") as given, _replacing(path) as file:
        shutil.copyfileobj(given, file)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A draft beside `path`, private from the start, that takes its place once it is written."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
