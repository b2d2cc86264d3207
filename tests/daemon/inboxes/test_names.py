from __future__ import annotations

from pathlib import Path

import pytest

from dataport.daemon.inboxes import names
from dataport.daemon.inboxes.names import free_name, move_into


def test_a_free_name_is_kept(tmp_path: Path) -> None:
    assert free_name(tmp_path, "leads.csv") == tmp_path / "leads.csv"


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("leads.csv", "leads-2.csv"),
        ("leads.csv.gz", "leads-2.csv.gz"),
        ("report.2026.01.csv", "report.2026.01-2.csv"),
        ("README", "README-2"),
        ("Zoë 名簿.json", "Zoë 名簿-2.json"),
    ],
)
def test_a_taken_name_gets_a_number(tmp_path: Path, name: str, second: str) -> None:
    (tmp_path / name).touch()
    assert free_name(tmp_path, name).name == second


def test_a_name_at_the_systems_limit_is_cut(tmp_path: Path) -> None:
    name = "é" * 125 + ".csv"
    (tmp_path / name).touch()
    second = free_name(tmp_path, name)
    second.touch()
    assert second.name == "é" * 124 + "-2.csv"


def test_a_dangling_link_takes_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")
    assert free_name(tmp_path, "a.csv").name == "a-2.csv"


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def has_links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems with hard links and those without, which take the same way on this one."""
    if not request.param:
        monkeypatch.setattr(names, "_move", names._move_onto_placeholder)


@pytest.mark.usefixtures("has_links")
def test_moving_overwrites_nothing(tmp_path: Path) -> None:
    done = tmp_path / ".done"
    done.mkdir()
    (done / "a.csv").write_text("first")
    (tmp_path / "a.csv").write_text("second")
    moved = move_into(tmp_path / "a.csv", done)
    assert moved == done / "a-2.csv"
    assert moved.read_text() == "second"
    assert (done / "a.csv").read_text() == "first"
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.usefixtures("has_links")
def test_what_cannot_be_moved_stays(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("only")
    with pytest.raises(OSError, match="No such file"):
        move_into(tmp_path / "a.csv", tmp_path / "nowhere")
    assert (tmp_path / "a.csv").read_text() == "only"


@pytest.mark.usefixtures("has_links")
def test_what_is_not_there_leaves_nothing_behind(tmp_path: Path) -> None:
    done = tmp_path / ".done"
    done.mkdir()
    with pytest.raises(FileNotFoundError):
        move_into(tmp_path / "gone.csv", done)
    assert list(done.iterdir()) == []
