"""Settings are one typed model; a mistake in the file is explained in the file's own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataport.core.errors import ConfigError
from dataport.core.settings import Settings, load_settings, parse_size
from dataport.core.words import Mode, OnMatch


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "dataport.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")) == Settings()


def test_every_part_of_a_file_is_read(tmp_path: Path) -> None:
    settings = load_settings(
        written(
            tmp_path,
            """
            timezone = "Europe/Berlin"
            region = "DE"
            source_ranks = ["crm", "toggl"]
            [limits]
            file_size = "10 MiB"
            [daemon]
            workers = 4
            [watch]
            settle_seconds = 1
            [[inboxes]]
            name = "crm-leads"
            dataset = "leads"
            source = "crm"
            mode = "mirror"
            on_match = "fill"
            hold = true
            """,
        )
    )
    assert settings.timezone == "Europe/Berlin"
    assert settings.source_ranks == ("crm", "toggl")
    assert parse_size(settings.limits.file_size) == 10 * 2**20
    assert settings.daemon.workers == 4
    (inbox,) = settings.inboxes
    assert (inbox.mode, inbox.on_match, inbox.hold) == (Mode.MIRROR, OnMatch.FILL, True)


INBOX = '[[inboxes]]\nname = "a"\ndataset = "leads"\nsource = "crm"\n'


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('timezon = "UTC"', "unknown-key", ["'timezon'", "Did you mean 'timezone'?"]),
        ("[daemon]\nworker = 2", "unknown-key", ["'daemon.worker'", "'workers'"]),
        (INBOX + "holds = true", "unknown-key", ["'inboxes[0].holds'", "'hold'"]),
        ('timezone = "Mars/Olympus"', "wrong-value", ["'timezone'", "'Europe/Berlin'"]),
        ('timezone = "/etc/passwd"', "wrong-value", ["'timezone'"]),
        ('region = "Germany"', "wrong-value", ["'region'"]),
        ('[limits]\nfile_size = "big"', "wrong-value", ["'limits.file_size'", "'2 GiB'"]),
        ("[limits]\nrows = 0", "wrong-value", ["'limits.rows'", "greater than 0"]),
        ("[daemon]\nworkers = 65", "wrong-value", ["'daemon.workers'", "64"]),
        ('[daemon]\nlog_level = "warn"', "wrong-value", ["Did you mean 'warning'?"]),
        ("[watch]\nsettle_seconds = 0", "wrong-value", ["'watch.settle_seconds'", "0.05"]),
        (INBOX + 'mode = "mirorr"', "wrong-value", ["'inboxes[0].mode'", "'mirror'"]),
        (INBOX + 'on_match = "over"', "wrong-value", ["'inboxes[0].on_match'", "overwrite"]),
        (INBOX + 'package = "crm"', "wrong-value", ["either 'dataset' or 'package'"]),
        (INBOX + INBOX, "wrong-value", ["two inboxes are called 'a'"]),
        ('[[inboxes]]\nname = "a"\nsource = "b"', "wrong-value", ["'dataset' or 'package'"]),
        ('[[inboxes]]\nname = "a"\ndataset = "leads"', "missing-key", ["'inboxes[0].source'"]),
        ('[[inboxes]]\nname = "../up"\ndataset = "l"\nsource = "b"', "wrong-value", ["can't name"]),
        ("inboxes = 3", "wrong-value", ["'inboxes'"]),
    ],
)
def test_a_mistake_names_file_key_and_way_out(
    tmp_path: Path, text: str, code: str, words: list[str]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert caught.value.code == code
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "-a", "_a", "a b", "a.b", "ä", "a" * 65, "a\n"]
)
def test_a_name_that_could_leave_the_inbox_folder_is_refused(tmp_path: Path, name: str) -> None:
    escaped = name.replace("\n", "\\n")
    text = f'[[inboxes]]\nname = "{escaped}"\ndataset = "leads"\nsource = "crm"\n'
    with pytest.raises(ConfigError, match=r"'inboxes\[0\]\.name'"):
        load_settings(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0 B", 0),
        ("1KiB", 1024),
        ("1 kB", 1000),
        ("2 GiB", 2 * 2**30),
        (" 1.5 mib ", 3 * 2**19),
        ("3 GB", 3 * 10**9),
    ],
)
def test_sizes_are_read_in_both_kinds_of_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "10", "GiB", "-1 MiB", "1 TiB", "1 iB", "1,5 MiB", "1e3 B"])
def test_what_is_no_size_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit"):
        parse_size(text)


@given(number=st.integers(0, 2**50), unit=st.sampled_from(["B", "KiB", "MiB", "GiB"]))
def test_whole_sizes_are_exact(number: int, unit: str) -> None:
    power = ["B", "KiB", "MiB", "GiB"].index(unit)
    assert parse_size(f"{number} {unit}") == number * 1024**power
