"""The settings file as people wrote it, edited with their comments kept."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import tomlkit
from tomlkit.items import AoT

from dataport.core.errors import ConfigError
from dataport.core.files import write_whole
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.core.toml_model import TomlModel, check_model, read_toml


def read_document(home: Home) -> tomlkit.TOMLDocument:
    """The settings of `home` as a document to edit. Raises ConfigError when it is broken."""
    read_toml(home.config_file)
    return tomlkit.parse(home.config_file.read_text(encoding="utf-8"))


@contextmanager
def editing(home: Home, name: str) -> Iterator[AoT]:
    """The `[[name]]` tables, to be changed inside the block and written when it ends.

    Whoever else edits the settings waits meanwhile; an exception leaves the file as it is.
    Raises ConfigError.
    """
    with _locked(home):
        document = read_document(home)
        found = document.get(name)
        items = found if isinstance(found, AoT) else tomlkit.aot()
        yield items
        if items:
            document[name] = items
        else:
            document.pop(name, None)
        _write_document(home, document)


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Be the only one that edits the settings: other threads and processes wait."""
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / "settings.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def as_table(item: TomlModel) -> tomlkit.items.Table:
    """A model as a table that spells what is not at its default."""
    table = tomlkit.table()
    for key, value in item.model_dump(mode="json", exclude_defaults=True).items():
        table.add(key, value)
    return table


def _write_document(home: Home, document: tomlkit.TOMLDocument) -> None:
    """Replace the settings file as a whole, and only by one that is valid.

    Raises ConfigError.
    """
    text = tomlkit.dumps(document)
    check_model(Settings, tomlkit.parse(text).unwrap(), home.config_file)
    try:
        write_whole(home.config_file, text)
    except OSError as error:
        raise ConfigError(
            "config-unwritable", f"{home.config_file} can't be written.", f"{error.strerror}."
        ) from error
