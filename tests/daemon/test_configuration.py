from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.core.errors import ConfigError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.daemon.configuration import Configuration
from dataport.daemon.events import EventBroker
from dataport.daemon.inboxes.observer import FolderEvents
from tests.daemon.support import QUICK, make_home, until

BAD = "[wach]\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def folder_events() -> Iterator[FolderEvents]:
    watching = FolderEvents()
    watching.start()
    yield watching
    watching.stop()


def test_a_bad_file_keeps_the_last_good_settings(home: Home) -> None:
    configuration = Configuration(home, EventBroker())
    good = configuration.settings
    home.config_file.write_text(BAD)
    assert not configuration.reload()
    assert configuration.settings is good
    assert configuration.error is not None
    assert "wach" in configuration.error.title
    assert "watch" in configuration.error.hint
    home.config_file.write_text(QUICK)
    assert configuration.reload()
    assert configuration.error is None


def test_a_daemon_that_finds_a_bad_file_starts_with_the_last_good_one(home: Home) -> None:
    Configuration(home, EventBroker())
    home.config_file.write_text(BAD)
    configuration = Configuration(home, EventBroker())
    assert configuration.settings.watch.settle_seconds == 0.1
    assert configuration.error is not None
    assert configuration.error.code == "unknown-key"


def test_a_bad_file_and_nothing_good_is_an_error(home: Home) -> None:
    home.config_file.write_text(BAD)
    with pytest.raises(ConfigError, match="wach"):
        Configuration(home, EventBroker())


def test_changes_are_noticed_and_put_in_force(home: Home, folder_events: FolderEvents) -> None:
    configuration = Configuration(home, EventBroker())
    told: list[Settings] = []
    configuration.on_change(told.append)
    configuration.watch(folder_events)
    home.config_file.write_text('timezone = "Europe/Berlin"\n' + QUICK)
    until(lambda: told)
    assert configuration.settings.timezone == "Europe/Berlin"
    assert told[-1] is configuration.settings
    configuration.stop()


def test_a_file_saved_by_renaming_is_noticed(home: Home, folder_events: FolderEvents) -> None:
    configuration = Configuration(home, EventBroker())
    configuration.watch(folder_events)
    draft = home.config / "dataport.toml.new"
    draft.write_text(BAD)
    draft.rename(home.config_file)
    until(lambda: configuration.error)
    configuration.stop()


def test_definitions_count_as_configuration(home: Home, folder_events: FolderEvents) -> None:
    configuration = Configuration(home, EventBroker())

    def refuse(_: Settings) -> None:
        if (home.datasets / "bad.toml").exists():
            raise ConfigError("unknown-key", "bad.toml is bad.")

    configuration.on_change(refuse)
    configuration.watch(folder_events)
    (home.datasets / "bad.toml").write_text("x = 1\n")
    until(lambda: configuration.error)
    assert configuration.error is not None
    assert configuration.error.title == "bad.toml is bad."
    (home.datasets / "bad.toml").unlink()
    until(lambda: configuration.error is None)
    configuration.stop()


async def test_subscribers_are_told(home: Home) -> None:
    broker = EventBroker()
    configuration = Configuration(home, broker)
    subscription = broker.subscribe()
    configuration.reload()
    async for event in subscription:
        assert (event.kind, event.data) == ("config", '{"error":null}')
        break
