"""Inboxes as the settings file spells them, edited with the user's comments kept."""

from __future__ import annotations

from collections.abc import Mapping

import tomlkit
from tomlkit.items import AoT

from dataport.core.errors import ConfigError, NotFoundError, StateError
from dataport.core.paths import PRIVATE_FILE, Home
from dataport.core.settings import Inbox, Settings
from dataport.core.toml_model import check_model, read_toml
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset


def add_inbox(home: Home, datasets: Mapping[str, Dataset], inbox: Inbox) -> None:
    """Write one more inbox to the settings of `home`.

    Raises NotFoundError for an unknown dataset, StateError when the name is taken, ConfigError
    when the settings file is broken already.
    """
    if inbox.dataset is not None:
        find_dataset(datasets, inbox.dataset)
    document = _document(home)
    inboxes = _inboxes(document)
    if any(item.get("name") == inbox.name for item in inboxes):
        raise StateError(
            "inbox-exists",
            f"There is an inbox called {inbox.name!r} already.",
            hint="Choose another name, or remove that one first.",
        )
    table = tomlkit.table()
    for key, value in inbox.model_dump(mode="json", exclude_defaults=True).items():
        table.add(key, value)
    inboxes.append(table)
    document["inboxes"] = inboxes
    _write(home, document)


def remove_inbox(home: Home, name: str) -> None:
    """Take an inbox out of the settings of `home`. Raises NotFoundError."""
    document = _document(home)
    inboxes = _inboxes(document)
    for position, item in enumerate(inboxes):
        if item.get("name") == name:
            del inboxes[position]
            if not inboxes:
                del document["inboxes"]
            _write(home, document)
            return
    names = ", ".join(str(item.get("name")) for item in inboxes) or "none"
    raise NotFoundError(
        "unknown-inbox", f"There is no inbox called {name!r}.", hint=f"Inboxes: {names}."
    )


def _document(home: Home) -> tomlkit.TOMLDocument:
    read_toml(home.config_file)
    return tomlkit.parse(home.config_file.read_text(encoding="utf-8"))


def _inboxes(document: tomlkit.TOMLDocument) -> AoT:
    found = document.get("inboxes")
    return found if isinstance(found, AoT) else tomlkit.aot()


def _write(home: Home, document: tomlkit.TOMLDocument) -> None:
    """Replace the settings file as a whole, and only by one that is valid."""
    text = tomlkit.dumps(document)
    check_model(Settings, tomlkit.parse(text).unwrap(), home.config_file)
    partial = home.config_file.with_suffix(".toml.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.chmod(PRIVATE_FILE)
        partial.replace(home.config_file)
    except OSError as error:
        raise ConfigError(
            "config-unwritable", f"{home.config_file} can't be written.", f"{error.strerror}."
        ) from error
