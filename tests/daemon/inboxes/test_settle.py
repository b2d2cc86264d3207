from __future__ import annotations

import os
from pathlib import Path

from dataport.daemon.inboxes.settle import (
    Identity,
    Sighting,
    Writers,
    seconds_left,
    unsure_seconds_left,
    writers_of,
)

CHANGED = 1_000_000.0


def sighting(size: int = 5, changed: float = CHANGED, since: float = 100.0) -> Sighting:
    return Sighting(Identity(1, size, int(CHANGED * 1e9)), int(changed * 1e9), since)


def test_a_file_rests_since_its_last_change() -> None:
    assert seconds_left(sighting(), 0.4, 100.0, CHANGED + 0.1) > 0.29
    assert seconds_left(sighting(), 0.4, 100.0, CHANGED + 0.4) <= 0


def test_a_clock_that_runs_behind_does_not_stop_a_file() -> None:
    assert seconds_left(sighting(), 0.4, 100.4, CHANGED - 3600) <= 0


def test_an_empty_file_is_waited_for_longer() -> None:
    assert seconds_left(sighting(size=0), 0.4, 100.0, CHANGED + 1.9) > 0
    assert seconds_left(sighting(size=0), 0.4, 100.0, CHANGED + 2.0) <= 0


def test_where_nobody_tells_who_writes_only_our_own_watch_counts() -> None:
    assert unsure_seconds_left(sighting(), 0.4, 101.9) > 0
    assert unsure_seconds_left(sighting(), 0.4, 102.0) <= 0
    assert unsure_seconds_left(sighting(), 5.0, 104.9) > 0


def test_an_open_writer_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    assert writers_of(path) is Writers.NONE
    with path.open("a"):
        assert writers_of(path) is Writers.SOME
    with path.open():
        assert writers_of(path) is Writers.NONE


def test_what_is_no_file_tells_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path)
    assert writers_of(tmp_path / "pipe") is Writers.UNKNOWN
    assert writers_of(tmp_path / "link") is Writers.UNKNOWN
    assert writers_of(tmp_path / "gone") is Writers.UNKNOWN


def test_times_that_were_set_by_hand_do_not_hide_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("one")
    before = path.stat()
    seen = Sighting(Identity.of(before), before.st_ctime_ns, 0.0)
    assert seen.shows(path.stat())
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not seen.shows(path.stat()) or path.stat().st_ctime_ns == before.st_ctime_ns


def test_a_file_that_was_written_long_before_it_came_is_complete() -> None:
    old = Sighting(Identity(1, 5, int((CHANGED - 60) * 1e9)), int(CHANGED * 1e9), 100.0)
    assert seconds_left(old, 0.4, 100.0, CHANGED) <= 0
    empty = Sighting(Identity(1, 0, int((CHANGED - 60) * 1e9)), int(CHANGED * 1e9), 100.0)
    assert seconds_left(empty, 0.4, 100.0, CHANGED) > 1
