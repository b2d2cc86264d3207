"""A scripted daemon: the API's documents over a real Unix socket, without an engine."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket as sockets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from dataport.core.errors import DataportError, NotFoundError, StateError
from dataport.core.paths import Home

Document = dict[str, Any]


@dataclass
class Script:
    """What the fake answers with; tests change it while it runs."""

    jobs: list[Document] = field(default_factory=list)
    plans: dict[int, list[Document]] = field(default_factory=dict)
    rejects: dict[int, list[Document]] = field(default_factory=dict)
    conflicts: list[Document] = field(default_factory=list)
    inboxes: list[Document] = field(default_factory=list)
    config_error: Document | None = None
    state: str = "ready"
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    """Every POST: method, path, body."""
    refuse: dict[str, DataportError] = field(default_factory=dict)
    """Errors by path, raised instead of an answer."""
    resolutions: list[list[Document]] = field(default_factory=list)
    events: list[tuple[str, Document]] = field(default_factory=list)

    def job(self, number: int) -> Document:
        for job in self.jobs:
            if job["job"] == number:
                return job
        raise NotFoundError("unknown-job", f"There is no job {number}.")

    def emit(self, kind: str, data: Document) -> None:
        """Send an event to everyone who listens."""
        self.events.append((kind, data))

    def change_job(self, number: int, **values: Any) -> Document:
        """Change a job and tell of it."""
        job = self.job(number)
        job.update(values)
        self.emit("job", {"job": job})
        return job

    def open_conflicts(self, **filters: Any) -> list[Document]:
        return [
            conflict
            for conflict in self.conflicts
            if conflict["status"] == "open"
            and all(value is None or conflict[name] == value for name, value in filters.items())
        ]


def make_app(script: Script, home: Home) -> FastAPI:
    """The routes of the contract over `script`."""
    app = FastAPI()

    @app.exception_handler(DataportError)
    async def failed(_request: Request, error: DataportError) -> JSONResponse:
        return JSONResponse({"success": False, "error": error.as_dict()}, error.http_status)

    @app.middleware("http")
    async def scripted_refusals(request: Request, call_next: Callable[..., Any]) -> Any:
        if request.method == "POST":
            body = await request.body()
            script.requests.append(
                (request.method, request.url.path, json.loads(body) if body else None)
            )
        if error := script.refuse.get(request.url.path):
            return await failed(request, error)
        return await call_next(request)

    _add_daemon(app, script, home)
    _add_jobs(app, script)
    _add_conflicts(app, script)
    return app


def _ok(data: Any, status: int = 200) -> JSONResponse:
    return JSONResponse({"success": True, "data": data}, status)


def _add_daemon(app: FastAPI, script: Script, home: Home) -> None:
    @app.get("/v1/hello")
    async def hello() -> JSONResponse:
        return _ok(
            {
                "protocol": 1,
                "version": "0.1.0",
                "instance": "fake",
                "state": script.state,
                "home": str(home.root),
                "pid": 4711,
            }
        )

    @app.get("/v1/status")
    async def status() -> JSONResponse:
        waiting = {
            "approvals": sum(job["status"] == "waiting" for job in script.jobs),
            "conflicts": len(script.open_conflicts()),
            "mappings": 0,
            "rejects": sum(len(rejects) for rejects in script.rejects.values()),
        }
        running = [job for job in script.jobs if job["status"] == "processing"]
        return _ok(
            {
                "pid": 4711,
                "version": "0.1.0",
                "state": script.state,
                "home": str(home.root),
                "waiting": waiting,
                "running": running,
                "next": [],
                "inboxes": len(script.inboxes),
                "config_error": script.config_error,
            }
        )

    @app.get("/v1/inboxes")
    async def inboxes() -> JSONResponse:
        return _ok({"items": script.inboxes})

    @app.post("/v1/inboxes/rescan")
    async def rescan() -> JSONResponse:
        return _ok({"queued": 2})

    @app.get("/v1/events")
    async def events(since: int | None = None) -> StreamingResponse:
        return StreamingResponse(_stream(script, since), media_type="text/event-stream")


async def _stream(script: Script, since: int | None) -> AsyncIterator[str]:
    place = len(script.events) if since is None else since
    yield ": hello\n\n"
    while True:
        for number, (kind, data) in enumerate(script.events[place:], place + 1):
            yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
            place = number
        await asyncio.sleep(0.03)


def _add_jobs(app: FastAPI, script: Script) -> None:
    @app.get("/v1/jobs")
    async def jobs(status: str | None = None, limit: int = 100) -> JSONResponse:
        found = [job for job in script.jobs if status in (None, job["status"])]
        return _ok({"items": sorted(found, key=lambda job: -job["job"])[:limit]})

    @app.get("/v1/jobs/{number}")
    async def job(number: int) -> JSONResponse:
        return _ok(script.job(number))

    @app.post("/v1/jobs/{number}/{verb}")
    async def ask(number: int, verb: str) -> JSONResponse:
        became = {
            "cancel": "cancelled",
            "retry": "pending",
            "approve": "completed",
            "discard": "cancelled",
        }
        return _ok(script.change_job(number, status=became[verb], error=None))

    @app.get("/v1/plans/{number}")
    async def plan(
        number: int,
        operation: str = "",
        field: str = "",
        key: str = "",
        dataset: str = "",
        after: int = 0,
        limit: int = 100,
    ) -> JSONResponse:
        if number not in script.plans:
            raise NotFoundError("no-plan", f"Job {number} has no plan.")
        rows = script.plans[number]
        counts = {
            name: sum(row["operation"] == name for row in rows)
            for name in ("insert", "update", "delete", "skip")
        }
        counts |= {
            "unchanged": 7,
            "conflicts": sum(len(row["conflicts"]) for row in rows),
            "excluded": sum(bool(row.get("excluded")) for row in rows),
        }
        found = [row for row in rows if _is_kind(row, operation) and _has_field(row, field)]
        found = [row for row in found if key.lower() in row["key"].lower()]
        found = [row for row in found if dataset in ("", row.get("dataset"))]
        window = found[after : after + limit]
        has_more = after + limit < len(found)
        return _ok(
            {
                "job": number,
                "dataset": script.job(number)["dataset"],
                "counts": counts,
                "total": len(found),
                "next": str(after + limit) if has_more else None,
                "items": window,
            }
        )

    @app.patch("/v1/plans/{number}")
    async def choose(number: int, request: Request) -> JSONResponse:
        body = await request.json()
        for row in script.plans[number]:
            if row.get("dataset") == body.get("dataset") and row["key"] in (
                *body.get("exclude", ()),
                *body.get("include", ()),
            ):
                row["excluded"] = row["key"] in body.get("exclude", ())
        return _ok({"job": number})

    @app.get("/v1/rejects/{number}")
    async def rejects(number: int, limit: int = 100, offset: int = 0) -> JSONResponse:
        found = script.rejects.get(number, [])
        items = found[offset : offset + limit]
        return _ok({"job": number, "total": len(found), "items": items})


def _is_kind(row: Document, operation: str) -> bool:
    if operation == "conflict":
        return bool(row["conflicts"])
    if operation == "excluded":
        return bool(row.get("excluded"))
    return operation in ("", row["operation"])


def _has_field(row: Document, field: str) -> bool:
    return not field or field in row["changed"]


def _check_shown(body: Document, conflict: Document) -> None:
    for name, side in (("shown", "ours"), ("shown_theirs", "theirs")):
        if name in body and body[name] != conflict[side]:
            raise StateError("conflict-moved", "A value has changed meanwhile.")


def _add_conflicts(app: FastAPI, script: Script) -> None:
    @app.get("/v1/conflicts")
    async def conflicts(
        dataset: str | None = None,
        field: str | None = None,
        source: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> JSONResponse:
        found = script.open_conflicts(dataset=dataset, field=field, source=source)
        return _ok({"total": len(found), "items": found[offset : offset + limit]})

    @app.post("/v1/conflicts/resolve")
    async def resolve_all(request: Request) -> JSONResponse:
        body = await request.json()
        body.pop("take")
        found = script.open_conflicts(**body)
        for conflict in found:
            conflict["status"] = "resolved"
        script.resolutions.append(found)
        return _ok({"resolved": len(found), "commit": 9})

    @app.post("/v1/conflicts/undo")
    async def undo() -> JSONResponse:
        if not script.resolutions:
            raise StateError("nothing-to-undo", "No resolution is left to take back.")
        reopened = script.resolutions.pop()
        for conflict in reopened:
            conflict["status"] = "open"
        return _ok({"commit": 10, "reopened": len(reopened)})

    @app.post("/v1/conflicts/{number}/resolve")
    async def resolve(number: int, request: Request) -> JSONResponse:
        body = await request.json()
        for conflict in script.open_conflicts(id=number):
            _check_shown(body, conflict)
            conflict["status"] = "resolved"
            script.resolutions.append([conflict])
            script.emit("conflicts", {"open": len(script.open_conflicts())})
            return _ok({"resolved": 1, "commit": 8})
        raise StateError("conflict-settled", f"Conflict {number} is not open.")


class FakeDaemon:
    """Serves a script on the socket of a home; may be killed and started again."""

    def __init__(self, home: Home, script: Script | None = None) -> None:
        self.home = home
        self.script = script or Script()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: sockets.socket | None = None

    def start(self) -> None:
        """Listen; returns once requests are answered."""
        self.home.create()
        path = self.home.socket
        path.unlink(missing_ok=True)
        self._socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(64)
        config = uvicorn.Config(
            make_app(self.script, self.home),
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=0,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection and be gone."""
        if self._server is None or self._thread is None or self._socket is None:
            return
        self.home.socket.unlink(missing_ok=True)
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()
        self._server = None


@contextmanager
def fake_daemon(root: Path, script: Script | None = None) -> Iterator[FakeDaemon]:
    """A running fake on a home at `root`."""
    daemon = FakeDaemon(Home.at(root), script)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(root, ignore_errors=True)
