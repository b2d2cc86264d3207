"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from dataport.core.paths import PRIVATE_FILE


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a file in place as a whole, private to its owner; one that is there is replaced.

    Raises OSError, and leaves what was there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    draft.replace(path)
