"""The worker as a real process: progress, cancel, time, death, limits."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dataport.core.errors import CancelledError, InputError
from dataport.engine.staging import workers
from dataport.engine.staging.fork_server import MODULE
from dataport.engine.staging.process import stage
from dataport.engine.staging.request import (
    STAGE_FILE,
    StageLimits,
    StageRequest,
    StageResult,
    read_stage,
)


@pytest.fixture
def request_of(tmp_path, leads):
    def made(content, **words):
        source = tmp_path / "leads.csv"
        source.write_text(content, encoding="utf-8")
        return StageRequest(source, tmp_path / "job", leads, **words)

    return made


def many(rows):
    return "lead_id,email,phone\n" + "".join(
        f"{at},u{at}@b.co,+44 20 {at % 9000 + 1000} {at % 8999 + 1000}\n" for at in range(rows)
    )


def test_a_file_is_staged_with_progress(request_of):
    """ERR-05."""
    seen = []
    result = stage(request_of(many(1000)), lambda *progress: seen.append(progress))
    assert result.rows.valid == 1000
    phases = [phase for phase, _, _ in seen]
    assert phases == sorted(phases, key=["read", "check", "write"].index)
    assert ("write", 1000, 1000) in seen
    parts = request_of("").directory / "parts"
    deadline = time.monotonic() + 10
    while parts.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_request_and_result_survive_json(request_of, tmp_path):
    request = request_of("lead_id\n1\n", constants={"source": "x"}, limits=StageLimits(rows=5))
    assert StageRequest.from_json(request.to_json()) == request
    result = stage(request)
    assert StageResult.from_json(result.to_json()) == result
    assert read_stage(request.directory) == result
    assert read_stage(tmp_path / "nowhere") is None


def test_errors_of_the_worker_arrive_whole(request_of):
    with pytest.raises(InputError) as caught:
        stage(request_of("colour\nred\n"))
    assert caught.value.code == "missing-label"
    assert "'colour'" in caught.value.detail
    assert caught.value.hint


def test_a_missing_file_and_a_directory_are_told(request_of, tmp_path):
    request = request_of("x")
    for path, code in ((tmp_path / "none.csv", "file-not-found"), (tmp_path, "not-a-file")):
        with pytest.raises(InputError) as caught:
            stage(StageRequest(path, request.directory, request.dataset))
        assert caught.value.code == code


def test_cancel_kills_the_whole_group(request_of):
    """JOB cancel, design 10."""
    cancel = threading.Event()
    request = request_of(many(200_000))
    pids = []

    def on_progress(phase, processed, total):
        pids.extend(workers_of(os.getpid()))
        cancel.set()

    with pytest.raises(CancelledError):
        stage(request, on_progress, cancel)
    assert pids
    assert not any(is_alive(pid) for pid in pids)
    assert not (request.directory / STAGE_FILE).exists()


def test_the_process_that_workers_are_copies_of_has_one_thread(request_of):
    """A lock that another thread holds would be held for ever in the copy."""
    stage(request_of("lead_id\n1\n"))
    (server,) = children_of(os.getpid())
    assert len(os.listdir(f"/proc/{server}/task")) == 1  # noqa: PTH208


def test_a_worker_has_nothing_open_of_another(request_of, tmp_path):
    held = []

    def on_progress(phase, processed, total):
        folders = [Path(f"/proc/{pid}/fd") for pid in workers_of(os.getpid())]
        held.extend({str(path.readlink()) for path in folder.iterdir()} for folder in folders)

    stage(request_of(many(200_000)), on_progress)
    assert held
    assert not any(name.startswith("socket:") for names in held for name in names)


def test_a_directory_has_one_worker_at_a_time(request_of):
    """One that has delivered still tidies up, and would take away what the next one made."""
    request = request_of(many(200_000))
    request.directory.mkdir()
    path = request.directory / "request.json"
    path.write_text(request.to_json(), encoding="utf-8")
    first = workers.WORKERS.start(path)
    second = workers.WORKERS.start(path)
    with first.stdout, second.stdout:
        assert first.has_ended()
        assert not second.has_ended()
        workers.WORKERS.end(second)


def test_a_lost_fork_server_is_replaced(request_of):
    stage(request_of("lead_id\n1\n"))
    for server in children_of(os.getpid()):
        os.kill(server, signal.SIGKILL)
    assert stage(request_of("lead_id\n1\n2\n")).rows.valid == 2


def test_the_fork_server_ends_when_nobody_needs_it(request_of, monkeypatch):
    monkeypatch.setattr(workers, "IDLE_S", 0.2)
    stage(request_of("lead_id\n1\n"))
    deadline = time.monotonic() + 20
    while children_of(os.getpid()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_time_over_is_an_error(request_of):
    """SEC-05."""
    with pytest.raises(InputError) as caught:
        stage(request_of(many(300_000), limits=StageLimits(seconds=0)))
    assert caught.value.code == "worker-timeout"


def test_a_killed_worker_is_an_error(request_of):
    def on_progress(phase, processed, total):
        for pid in workers_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(InputError) as caught:
        stage(request_of(many(200_000)), on_progress)
    assert caught.value.code == "worker-died"
    assert "SIGKILL" in caught.value.detail


def test_a_worker_sees_no_secrets(request_of, monkeypatch):
    monkeypatch.setenv("DATAPORT_SECRET", "hunter2")
    seen = []

    def on_progress(phase, processed, total):
        for pid in workers_of(os.getpid()):
            with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
                seen.append(file.read())

    stage(request_of(many(200_000)), on_progress)
    assert seen
    assert not any(b"hunter2" in environment for environment in seen)


def test_a_worker_dies_with_its_parent(request_of):
    request = request_of(many(400_000))
    request.directory.mkdir()
    path = request.directory / "copy.json"
    path.write_text(request.to_json(), encoding="utf-8")
    code = (
        "import sys, pathlib; from dataport.engine.staging.process import stage;"
        "from dataport.engine.staging.request import StageRequest;"
        "r = StageRequest.from_json(pathlib.Path(sys.argv[1]).read_text());"
        "stage(r, lambda *progress: print(*progress, flush=True))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        pids = workers_of(parent.pid)
        parent.kill()
    assert pids
    deadline = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in pids)


def test_a_changing_file_is_refused(request_of):
    request = request_of(many(200_000))

    def on_progress(phase, processed, total):
        with request.source_path.open("a", encoding="utf-8") as file:
            file.write("x")

    with pytest.raises(InputError) as caught:
        stage(request, on_progress)
    assert caught.value.code == "file-changed"


def test_the_worker_needs_no_front_end():
    code = "import dataport.engine.staging.worker, sys, json; print(json.dumps(list(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert not {"duckdb", "pyarrow", "phonenumbers", "textual", "fastapi"} & set(json.loads(out))


def workers_of(parent):
    """What the fork server of `parent` forked."""
    return [worker for server in children_of(parent) for worker in children_of(server)]


def children_of(parent):
    found = []
    for task in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208
        path = f"/proc/{parent}/task/{task}/children"
        # A thread may end while one looks.
        with contextlib.suppress(FileNotFoundError), open(path) as file:  # noqa: PTH123
            found += [int(pid) for pid in file.read().split()]
    return [pid for pid in found if is_alive(pid)]


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


def is_alive(pid):
    return MODULE.encode() in command(pid)
