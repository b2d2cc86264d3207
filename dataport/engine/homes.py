"""Making a home: its directories, the shipped definitions, and samples on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataport.core.errors import StateError
from dataport.core.files import write_whole
from dataport.core.paths import PRIVATE_DIRECTORY, Home, shipped_config
from dataport.core.settings import Inbox, load_settings
from dataport.engine.catalog.load import load_datasets
from dataport.engine.inboxes import add_inbox

SAMPLE_INBOX = "sample-leads"
"""The inbox that samples can be dropped into: dataset leads, source crm."""

_DEFINITIONS = ("datasets", "packages", "mappings")


def samples(home: Home) -> Path:
    """Where the sample files of a home lie."""
    return home.root / "samples"


def create_home(home: Home, sample: bool = False) -> list[Path]:
    """Make `home`, or what is missing of it; the files that were made.

    Existing files stay as they are. With `sample`, sample files and an inbox for them are added.
    Raises StateError if the home can't be written, ConfigError if its files are broken.
    """
    try:
        home.create()
        made = [path for path in _copies(home, sample) if path is not None]
        if sample and _add_sample_inbox(home):
            made.append(home.inbox(SAMPLE_INBOX))
    except OSError as error:
        raise StateError(
            "home-not-writable",
            f"The home {home.root} can't be made.",
            f"{error.strerror or error}: {error.filename or home.root}.",
            "Name another directory with --home, or mend its owner and mode.",
        ) from error
    return made


def _copies(home: Home, sample: bool) -> Iterator[Path | None]:
    shipped = shipped_config()
    yield _copy(shipped / home.config_file.name, home.config_file)
    for kind in _DEFINITIONS:
        for path in sorted((shipped / kind).glob("*.toml")):
            yield _copy(path, home.config / kind / path.name)
    if sample:
        samples(home).mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        for path in sorted((shipped / "samples").rglob("*")):
            target = samples(home) / path.relative_to(shipped / "samples")
            if path.is_dir():
                target.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
            else:
                yield _copy(path, target)


def _copy(origin: Path, target: Path) -> Path | None:
    """The copy, private to its owner; None if there is a file already."""
    if target.exists():
        return None
    write_whole(target, origin.read_bytes())
    return target


def _add_sample_inbox(home: Home) -> bool:
    """Whether the inbox had to be added."""
    home.inbox(SAMPLE_INBOX).mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    if any(inbox.name == SAMPLE_INBOX for inbox in load_settings(home.config_file).inboxes):
        return False
    inbox = Inbox(name=SAMPLE_INBOX, dataset="leads", source="crm")
    add_inbox(home, load_datasets([home.datasets]), {}, inbox)
    return True
