"""Files are there as a whole, private, or as they were before."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataport.core.files import copy_whole, write_whole


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("before")
    path.chmod(0o644)
    write_whole(path, "é")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == ("é".encode(), 0o600)
    copy_whole(path, tmp_path / "b.toml")
    assert (tmp_path / "b.toml").read_bytes() == "é".encode()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.toml", "b.toml"]


def test_what_can_not_be_written_leaves_what_was_there_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    with pytest.raises(FileNotFoundError):
        copy_whole(tmp_path / "missing", path)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.toml"]
