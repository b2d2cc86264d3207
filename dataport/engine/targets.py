"""What an import is asked to do, once its words are checked and its defaults filled in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from dataport.core.errors import NotFoundError, UsageError
from dataport.core.words import Mode, OnMatch
from dataport.engine.catalog.model import Dataset
from dataport.engine.requests import ImportRequest

FORMATS = ("csv", "txt", "json")


@dataclass(frozen=True)
class Target:
    """What a request means once inbox, settings and defaults are applied."""

    dataset: Dataset
    source: str
    mode: Mode
    on_match: OnMatch
    is_held: bool
    is_strict: bool

    def signature(self) -> str:
        """Tells apart imports of one file that would not do the same."""
        parts = [self.mode, self.on_match, self.dataset.model_dump_json(by_alias=True)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def check_words(request: ImportRequest) -> None:
    """Refuse what can't be done before anything is read (EXF-10's rule, for the way in)."""
    if request.format is not None and request.format not in FORMATS:
        raise UsageError(
            "unknown-format",
            f"Unsupported import format: {request.format!r}.",
            hint=f"Valid: {', '.join(FORMATS)}; or leave it out, and the content decides.",
        )
    if request.mapping is not None:
        raise NotFoundError(
            "unknown-mapping",
            f"There is no mapping called {request.mapping!r}.",
            hint="Leave it out: columns are found by name, title and alias.",
        )
