"""A home is one private directory, and its socket fits wherever the home lies."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dataport.core.errors import StateError
from dataport.core.paths import Home, default_home, runtime_directory, shipped_config

SOCKET_PATH_LIMIT = 107


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_shipped_config_is_found() -> None:
    assert (shipped_config() / "dataport.toml").is_file()
    assert (shipped_config() / "datasets" / "leads.toml").is_file()


def test_dataport_home_names_the_default_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAPORT_HOME", str(tmp_path / "here"))
    assert default_home() == tmp_path / "here"
    assert Home.at().root == tmp_path / "here"
    monkeypatch.setenv("DATAPORT_HOME", "")
    assert default_home().name == "dataport"


def test_a_named_home_stands_above_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAPORT_HOME", str(tmp_path / "other"))
    assert Home.at(tmp_path / "named").root == tmp_path / "named"


def test_one_directory_is_one_home_however_it_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    spellings: list[Path | str] = ["home", "./home", "home/../home", "link", "~/home"]
    spellings.append(tmp_path / "home")
    assert {Home.at(spelling) for spelling in spellings} == {Home(tmp_path / "home")}
    assert len({Home.at(spelling).socket for spelling in spellings}) == 1


def test_a_new_home_is_private_to_its_owner(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "deep" / "home")
    assert not home.exists
    home.create()
    assert all(directory.is_dir() for directory in home.directories)
    assert {mode(directory) for directory in home.directories} == {0o700}
    home.config_file.write_text("", encoding="utf-8")
    assert home.exists


def test_creating_a_home_again_closes_it_and_keeps_its_files(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    home.create()
    home.config_file.write_text("region = 'DE'", encoding="utf-8")
    home.root.chmod(0o755)
    home.create()
    assert mode(home.root) == 0o700
    assert home.config_file.read_text(encoding="utf-8") == "region = 'DE'"


def test_everything_of_a_home_lies_below_it(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    places = [*home.directories, home.store, home.daemon_lock, home.startup_lock]
    places += [home.socket_pointer, home.inbox("crm"), home.job_staging(7)]
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert home.job_staging(7).name == "000007"


def test_the_socket_fits_however_deep_the_home_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    deep = Home.at(tmp_path.joinpath(*["a long directory name"] * 20))
    assert len(str(deep.root)) > SOCKET_PATH_LIMIT
    assert len(str(deep.socket).encode()) <= SOCKET_PATH_LIMIT
    assert deep.socket != Home.at(tmp_path).socket


def test_the_runtime_directory_is_made_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "dataport").mkdir(mode=0o777)
    assert runtime_directory() == tmp_path / "dataport"
    assert mode(tmp_path / "dataport") == 0o700


def test_a_runtime_directory_that_leads_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dataport").symlink_to("elsewhere")
    with pytest.raises(StateError, match="does not belong to you") as caught:
        runtime_directory()
    assert caught.value.code == "runtime-directory-not-private"
