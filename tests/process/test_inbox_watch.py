"""A file in an inbox is taken when it is complete: once, in order, whenever it came."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataport.client.api import Client
from dataport.core.paths import Home
from tests.daemon.standin import submitted
from tests.daemon.support import LEADS, QUICK, daemon_process, make_home, until


@dataclass
class Drop:
    """One inbox of a running daemon, and what was taken from it."""

    home: Home
    name: str
    probes: int = 0

    @property
    def path(self) -> Path:
        return self.home.inbox(self.name)

    def taken(self) -> list[str]:
        """Names in the order in which they were taken, without those of probes."""
        return [name for name in self._all() if not name.startswith("probe")]

    def sizes(self) -> dict[str, int]:
        mine = [each for each in submitted(self.home) if each["inbox"] == self.name]
        return {each["name"]: each["size"] for each in mine}

    def probe(self) -> None:
        """Drop one more file and wait until it is taken: whatever was due is taken by then."""
        self.probes += 1
        name = f"probe{self.probes}.csv"
        (self.path / name).write_text("probe\n")
        until(lambda: name in self._all())

    def _all(self) -> list[str]:
        return [each["name"] for each in submitted(self.home) if each["inbox"] == self.name]


def inbox_config(name: str) -> str:
    return f'[[inboxes]]\nname = "{name}"\ndataset = "leads"\nsource = "crm"\n'


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Drop]]:
    """Fresh inboxes of one daemon; every test takes one."""
    names = [f"inbox{number}" for number in range(20)]
    config = QUICK + "".join(inbox_config(name) for name in names)
    home = make_home(tmp_path_factory.mktemp("shared"), config)
    with daemon_process(home):
        until(lambda: all((home.inbox(name) / ".rejects").is_dir() for name in names))
        yield [Drop(home, name) for name in names]


@pytest.fixture
def inbox(shared: list[Drop]) -> Drop:
    return shared.pop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Drop]:
    """An inbox of a daemon of its own, for tests that change the config."""
    home = make_home(tmp_path, QUICK + LEADS)
    with daemon_process(home):
        until((home.inbox("leads") / ".rejects").is_dir)
        yield Drop(home, "leads")


def write_backwards(folder: Path) -> list[str]:
    """Write 50 files of which each is older than the one before; their names, oldest first."""
    written = []
    for number in range(50):
        path = folder / f"{number:02}.csv"
        path.write_text("x\n")
        os.utime(path, (1_700_000_000 - number, 1_700_000_000 - number))
        written.append(path.name)
    return written[::-1]


def test_a_file_is_taken_once(inbox: Drop) -> None:
    """M-02"""
    file = inbox.path / "a.csv"
    file.write_text("id\n1\n")
    until(inbox.taken)
    assert inbox.sizes() == {"a.csv": 5}
    file.read_text()
    file.chmod(0o400)
    inbox.probe()
    Client(inbox.home, start=False).get("/v1/hello")
    inbox.probe()
    assert inbox.taken() == ["a.csv"]


def test_a_file_that_changed_or_came_back_is_taken_again(inbox: Drop) -> None:
    file = inbox.path / "a.csv"
    file.write_text("one\n")
    until(lambda: inbox.taken() == ["a.csv"])
    file.write_text("other\n")
    until(lambda: inbox.taken() == ["a.csv"] * 2)
    away = file.rename(inbox.path / ".done" / "a.csv")
    inbox.probe()
    away.rename(file)
    until(lambda: inbox.taken() == ["a.csv"] * 3)


def test_a_half_written_file_waits_for_its_writer(inbox: Drop) -> None:
    with (inbox.path / "a.csv").open("w") as file:
        for _ in range(3):
            file.write("half\n")
            file.flush()
            inbox.probe()
            assert inbox.taken() == []
    until(inbox.taken)
    assert inbox.sizes()["a.csv"] == 15


def test_a_file_renamed_into_place_is_taken_under_its_name(inbox: Drop) -> None:
    for draft in (".a.csv.swp", "a.csv.part", "A.CSV.TMP", "~a.csv", "a.csv~", "a.crdownload"):
        (inbox.path / draft).write_text("draft\n")
    inbox.probe()
    assert inbox.taken() == []
    (inbox.path / "a.csv.part").rename(inbox.path / "a.csv")
    until(lambda: inbox.taken() == ["a.csv"])


def test_a_file_moved_in_from_elsewhere_is_taken(inbox: Drop, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("whole\n")
    (tmp_path / "a.csv").rename(inbox.path / "a.csv")
    until(lambda: inbox.taken() == ["a.csv"])


def test_many_files_at_once_are_taken_oldest_first(inbox: Drop) -> None:
    wanted = write_backwards(inbox.path)
    until(lambda: len(inbox.taken()) == 50)
    assert inbox.taken() == wanted


def test_what_arrived_while_no_daemon_ran_is_taken_oldest_first(tmp_path: Path) -> None:
    inbox = Drop(make_home(tmp_path, QUICK + LEADS), "leads")
    inbox.path.mkdir()
    wanted = write_backwards(inbox.path)
    with daemon_process(inbox.home):
        until(lambda: len(inbox.taken()) == 50)
    assert inbox.taken() == wanted


def test_an_empty_file_may_still_be_written_and_is_taken_in_the_end(inbox: Drop) -> None:
    (inbox.path / "empty.csv").touch()
    (inbox.path / "late.csv").touch()
    inbox.probe()
    assert inbox.taken() == []
    (inbox.path / "late.csv").write_text("x\n")
    until(lambda: len(inbox.taken()) == 2)
    assert (inbox.sizes()["late.csv"], inbox.sizes()["empty.csv"]) == (2, 0)


def test_a_file_whose_job_is_open_waits(inbox: Drop) -> None:
    busy = inbox.home.run / "busy"
    busy.write_text("busy.csv")
    (inbox.path / "busy.csv").write_text("x\n")
    inbox.probe()
    assert inbox.taken() == []
    busy.unlink()
    until(lambda: inbox.taken() == ["busy.csv"])


def test_a_link_is_noticed_once(inbox: Drop) -> None:
    stream = Client(inbox.home, start=False).events()
    (inbox.path / "link.csv").symlink_to(inbox.home.config_file)
    heard = next(stream).data["notice"]
    stream.close()
    assert heard.startswith("link.csv is a link")
    inbox.probe()
    inbox.probe()
    assert inbox.taken() == []
    assert (inbox.home.logs / "daemon.log").read_text().count("link.csv is a link") == 1


def test_a_folder_is_handed_over_once_whatever_is_put_into_it(inbox: Drop) -> None:
    folder = inbox.path / "folder.csv"
    folder.mkdir()
    until(lambda: inbox.taken() == ["folder.csv"])
    (folder / "inner.csv").write_text("x\n")
    inbox.probe()
    inbox.probe()
    assert inbox.taken() == ["folder.csv"]


def test_an_inbox_that_was_deleted_is_made_again(inbox: Drop) -> None:
    inbox.probe()
    inbox.path.rename(inbox.path.with_name("gone"))
    until((inbox.path / ".done").is_dir)
    inbox.probe()


def test_inboxes_come_and_go_with_the_config(own: Drop) -> None:
    hours = Drop(own.home, "hours")
    own.home.config_file.write_text(QUICK + LEADS + inbox_config("hours"))
    until((hours.path / ".rejects").is_dir)
    assert stat.S_IMODE(hours.path.stat().st_mode) == 0o700
    assert {path.name for path in hours.path.iterdir()} == {".done", ".failed", ".rejects"}
    (hours.path / "h.csv").write_text("x\n")
    until(lambda: hours.taken() == ["h.csv"])
    client = Client(own.home, start=False)
    own.home.config_file.write_text(QUICK + LEADS)
    until(lambda: client.get("/v1/status")["inboxes"] == 1)
    (hours.path / "late.csv").write_text("x\n")
    own.probe()
    assert hours.taken() == ["h.csv"]


def test_a_bad_config_keeps_the_inboxes_and_says_so(own: Drop) -> None:
    client = Client(own.home, start=False)
    own.home.config_file.write_text(QUICK + LEADS + "[[inboxes]]\n")
    until(lambda: client.get("/v1/status")["config_error"])
    assert client.get("/v1/status")["inboxes"] == 1
    own.probe()
    own.home.config_file.write_text(QUICK + LEADS)
    until(lambda: client.get("/v1/status")["config_error"] is None)
