"""A scripted daemon on a real Unix socket, and a way to run command lines against it."""

from __future__ import annotations

import json
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dataport.cli.main import run
from dataport.core.paths import Home
from dataport.engine.homes import create_home

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request as the daemon got it; the path still has its escapes."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Failure:
    """An error answer."""

    status: int
    error: Json


@dataclass
class FakeDaemon:
    """Answers as a test says and remembers what it was asked."""

    home: Home
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    events: list[tuple[str, Json]] = field(default_factory=list)
    """What `/v1/events` sends before it stays silent."""
    was_followed: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)

    def on(self, method: str, path: str, data: Any) -> None:
        """Answer with `data`: a document, a Failure, or a function of the request."""
        self.answers[method, path] = data

    def fail(self, method: str, path: str, status: int, code: str, title: str) -> None:
        self.on(
            method,
            path,
            Failure(status, {"code": code, "title": title, "detail": "d", "hint": "h"}),
        )

    def answer(self, request: Request) -> Any:
        """What the script says to `request`."""
        found = self.answers.get((request.method, request.path))
        if callable(found):
            found = found(request)
        return found or Failure(404, {"code": "not-scripted", "title": f"{request} ?"})

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests for `path` so far."""
        return [asked for asked in self.requests if (asked.method, asked.path) == (method, path)]

    def body(self, method: str, path: str) -> Any:
        """What the only request for `path` said."""
        (only,) = self.asked(method, path)
        return only.body

    def query(self, path: str) -> dict[str, str]:
        (only,) = self.asked("GET", path)
        return only.query


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def handle_one(self) -> None:
        located = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        query = dict(parse_qsl(located.query, keep_blank_values=True))
        request = Request(self.command, located.path, query, body)
        self.server.fake.requests.append(request)
        if located.path == "/v1/events":
            self._stream(self.server.fake)
        else:
            self._send(self.server.fake.answer(request))

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815 - http.server's names

    def _send(self, found: Any) -> None:
        if isinstance(found, Failure):
            status, document = found.status, {"success": False, "error": found.error}
        else:
            status, document = 200, {"success": True, "data": found}
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, fake: FakeDaemon) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for number, (kind, data) in enumerate(fake.events, 1):
            text = f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
            self.wfile.write(text.encode())
        self.wfile.flush()
        fake.was_followed.set()
        fake.is_over.wait()

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: Any) -> None:
        """Nothing: tests look at `requests`."""


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, fake: FakeDaemon) -> None:
        self.fake = fake
        super().__init__(str(fake.home.socket), _Handler)

    def handle_error(self, *_: Any) -> None:
        """A client that leaves in the middle is what some tests are about."""


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Stdout as the one JSON document it has to be."""
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory with a short path: sockets live there."""
    directory = Path(tempfile.mkdtemp(prefix="dp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("DATAPORT_HOME", raising=False)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.at(tmp_path / "home")
    create_home(made)
    return made


@pytest.fixture
def daemon(home: Home) -> Iterator[FakeDaemon]:
    fake = FakeDaemon(home)
    fake.on("GET", "/v1/hello", {**IDENTITY, "home": str(home.root), "protocol": 1})
    server = _Server(fake)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield fake
    fake.is_over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cli(home: Home, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command line on the test's home, in this process."""

    def call(*words: str) -> Result:
        code = run(["--home", str(home.root), *words])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return call


@pytest.fixture
def spawn(home: Home) -> Cli:
    """Runs a command line as a process of its own."""

    def call(*words: str, **options: Any) -> Result:
        done = subprocess.run(
            [*COMMAND, "--home", str(home.root), *words],
            capture_output=True,
            check=False,
            encoding="utf-8",
            **options,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return call


COMMAND = (sys.executable, "-c", "from dataport.cli.main import main; main()")

IDENTITY = {"pid": 4711, "version": "0.1.0", "state": "ready", "instance": "i"}


def job_document(**changed: Any) -> Json:
    """A finished import as the API describes it; `changed` keys differ."""
    return {
        "job": 7,
        "kind": "import",
        "status": "completed",
        "dataset": "leads",
        "source": "crm",
        "file": "/data/leads.csv",
        "inbox": None,
        "origin": "cli",
        "rows": {"read": 1000, "valid": 970, "rejected": 20, "duplicate": 10},
        "changes": {
            "inserted": 900,
            "updated": 50,
            "deleted": 0,
            "unchanged": 20,
            "skipped": 0,
            "conflicts": 2,
        },
        "commit": 12,
        "rejects_file": "/data/leads.rejects.csv",
        "elapsed_s": 0.25,
        "created": "2026-11-21T08:00:00.000Z",
        "started": "2026-11-21T08:00:00.010Z",
        "finished": "2026-11-21T08:00:00.260Z",
        "mode": "merge",
        "on_match": "merge",
        "hold": False,
        "dry_run": False,
        "phase": "done",
        "progress": None,
        "message": "",
        "notices": [],
        "error": None,
        "exit_code": {"failed": 1, "cancelled": 130}.get(changed.get("status", ""), 0),
        **changed,
    }


@pytest.fixture
def make_job() -> Callable[..., Json]:
    return job_document


@pytest.fixture
def script_import(daemon: FakeDaemon) -> Callable[..., Json]:
    """Makes the daemon take an import that ends as `changed` says; the job's document."""

    def script(**changed: Any) -> Json:
        job = job_document(**changed)
        daemon.on("POST", "/v1/imports", {"job": job["job"]})
        daemon.on("GET", f"/v1/jobs/{job['job']}", job)
        return job

    return script
