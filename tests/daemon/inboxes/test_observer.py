from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.daemon.inboxes.observer import FolderEvents
from tests.daemon.support import until


@pytest.fixture
def hints() -> Iterator[FolderEvents]:
    watching = FolderEvents()
    yield watching
    watching.stop()


def test_a_file_gives_a_hint_and_reading_it_gives_none(hints: FolderEvents, tmp_path: Path) -> None:
    (tmp_path / "read").mkdir()
    (tmp_path / "read" / "a").write_text("x")
    (tmp_path / "written").mkdir()
    read, written = threading.Event(), threading.Event()
    hints.start()
    hints.watch(tmp_path / "read", read.set)
    hints.watch(tmp_path / "written", written.set)
    (tmp_path / "read" / "a").read_text()
    (tmp_path / "written" / "a").write_text("x")
    until(written.is_set)
    assert not read.is_set()
    hints.unwatch(tmp_path / "written")
    written.clear()
    (tmp_path / "written" / "a").write_text("y")
    (tmp_path / "read" / "b").write_text("x")
    until(read.is_set)
    assert not written.is_set()
    assert not hints.is_polling


def test_folders_watched_before_the_start_are_watched(hints: FolderEvents, tmp_path: Path) -> None:
    hinted = threading.Event()
    hints.watch(tmp_path, hinted.set)
    hints.start()
    (tmp_path / "a").write_text("x")
    until(hinted.is_set)


def test_without_watches_of_the_system_folders_are_looked_at(
    hints: FolderEvents, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hinted = threading.Event()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        hints.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    hints.watch(tmp_path, hinted.set)
    until(hinted.is_set)
    assert hints.is_polling
    assert "every second" in caplog.text


def test_a_folder_that_is_not_there_is_a_warning(
    hints: FolderEvents, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hints.start()
    hints.watch(tmp_path / "gone", lambda: None)
    assert "can't be watched" in caplog.text
