"""Inboxes as the settings file spells them, edited with the user's comments kept."""

from __future__ import annotations

from collections.abc import Mapping

from dataport.core.errors import NotFoundError, StateError
from dataport.core.paths import Home
from dataport.core.settings import Inbox
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.mappings import MappingFile, find_mapping
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.packages import Package, find_package
from dataport.engine.settings_file import as_table, editing


def add_inbox(
    home: Home,
    datasets: Mapping[str, Dataset],
    packages: Mapping[str, Package],
    inbox: Inbox,
    mappings: Mapping[str, MappingFile] | None = None,
) -> None:
    """Write one more inbox to the settings of `home`.

    Raises NotFoundError for an unknown dataset, package or mapping, StateError when the name is taken, ConfigError
    when the settings file is broken already.
    """
    if inbox.dataset is not None:
        find_dataset(datasets, inbox.dataset)
    if inbox.package is not None:
        find_package(packages, inbox.package)
    if inbox.mapping is not None:
        find_mapping(mappings or {}, inbox.mapping)
    with editing(home, "inboxes") as inboxes:
        if any(item.get("name") == inbox.name for item in inboxes):
            raise StateError(
                "inbox-exists",
                f"There is an inbox called {inbox.name!r} already.",
                hint="Choose another name, or remove that one first.",
            )
        inboxes.append(as_table(inbox))


def remove_inbox(home: Home, name: str) -> None:
    """Take an inbox out of the settings of `home`. Raises NotFoundError."""
    with editing(home, "inboxes") as inboxes:
        for position, item in enumerate(inboxes):
            if item.get("name") == name:
                del inboxes[position]
                return
        names = ", ".join(str(item.get("name")) for item in inboxes) or "none"
        raise NotFoundError(
            "unknown-inbox", f"There is no inbox called {name!r}.", hint=f"Inboxes: {names}."
        )
