from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Request
from starlette.responses import Response

from dataport.client.api import AsyncClient, Client
from dataport.core.errors import InputError, NoDaemonError, NotFoundError, UsageError
from dataport.core.paths import Home
from dataport.core.words import Origin
from dataport.daemon.answers import answer
from dataport.daemon.context import OriginDep, ServicesDep
from dataport.daemon.services import Services
from tests.daemon.support import make_home, served, until

router = APIRouter(prefix="/v1")


@router.api_route("/echo", methods=["GET", "POST", "PATCH", "DELETE"])
async def echo(request: Request, origin: OriginDep) -> Response:
    body = await request.body()
    return answer(
        {
            "method": request.method,
            "query": dict(request.query_params),
            "body": body.decode(),
            "origin": str(origin),
        }
    )


@router.get("/refused")
async def refused() -> Response:
    raise InputError("empty-file", "a.csv is empty.", "It has 0 bytes.", "Send the file again.")


@router.get("/slow")
async def slow(services: ServicesDep) -> Response:
    services.events.publish("slow", {})
    await asyncio.sleep(1)
    return answer(None)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


@pytest.fixture
def services(home: Home) -> Iterator[Services]:
    with served(home, router) as running:
        yield running


@pytest.fixture
def client(home: Home, services: Services) -> Iterator[Client]:
    with Client(home, start=False, origin=Origin.CLI) as opened:
        yield opened


def test_every_method_arrives_with_its_body_and_origin(client: Client) -> None:
    """M-17"""
    got = client.get("/v1/echo", a="x", b=None)
    assert got == {"method": "GET", "query": {"a": "x"}, "body": "", "origin": "cli"}
    assert client.post("/v1/echo", {"é": 1})["body"] == '{"\\u00e9": 1}'
    assert client.patch("/v1/echo", [1])["method"] == "PATCH"
    assert client.delete("/v1/echo", all=True)["query"] == {"all": "true"}


def test_the_daemons_error_is_raised_with_all_its_parts(client: Client) -> None:
    with pytest.raises(InputError) as caught:
        client.get("/v1/refused")
    assert caught.value.as_dict() == {
        "code": "empty-file",
        "title": "a.csv is empty.",
        "detail": "It has 0 bytes.",
        "hint": "Send the file again.",
    }


def test_no_daemon_and_none_allowed(home: Home) -> None:
    with pytest.raises(NoDaemonError) as caught:
        Client(home, start=False).get("/v1/status")
    assert caught.value.code == "no-daemon"
    assert caught.value.exit_code == 4


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Client(Home.at(tmp_path / "nowhere")).get("/v1/status")
    assert caught.value.code == "no-home"
    assert "init" in caught.value.hint


def test_something_else_on_the_socket_is_not_taken_for_a_daemon(home: Home) -> None:
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
        "print('listening', flush=True)\n"
        "c = s.accept()[0]; c.recv(9999); c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n<html>')\n"
    )
    path = str(home.socket)
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(NoDaemonError) as caught:
            Client(home, start=False).get("/v1/status")
    home.socket.unlink()
    assert caught.value.code == "not-dataport"


def test_events_are_live_once_the_call_returns(client: Client, services: Services) -> None:
    """JOB-07"""
    stream = client.events()
    first = services.events.publish("job", {"n": 1})
    event = next(stream)
    assert (event.id, event.kind, event.data) == (first, "job", {"n": 1})
    stream.close()
    assert list(stream) == []


def test_events_resume_behind_an_id(client: Client, services: Services) -> None:
    """JOB-07"""
    ids = [services.events.publish("job", {"n": n}) for n in range(3)]
    stream = client.events(since=ids[0])
    assert [next(stream).id, next(stream).id] == ids[1:]
    stream.close()


def test_a_job_is_followed_to_its_end(client: Client, services: Services) -> None:
    """JOB-08, JOB-14"""
    jobs = services.queue.documents
    jobs[4] = {"job": 4, "status": "processing"}
    steps: list[str] = []

    def report(document: dict[str, Any]) -> None:
        steps.append(document["status"] + document.get("phase", ""))
        if len(steps) == 1:
            services.events.publish("job", {"job": {"job": 5, "status": "completed"}})
            for change in ({"phase": "plan"}, {"phase": "", "status": "completed"}):
                services.events.publish("job", {"job": {**jobs[4], **change}})

    done = client.wait_job(4, report)
    assert done["status"] == "completed"
    assert steps == ["processing", "processingplan", "completed"]


def test_a_job_at_rest_is_not_waited_for(client: Client, services: Services) -> None:
    jobs = services.queue.documents
    jobs[4] = {"job": 4, "status": "waiting"}
    assert client.wait_job(4) == jobs[4]


def test_waiting_for_a_job_that_is_not_there_says_so(client: Client) -> None:
    with pytest.raises(NotFoundError, match="no job 9"):
        client.wait_job(9)


def test_a_job_is_found_again_after_its_stream_broke_off(
    client: Client, services: Services
) -> None:
    jobs = services.queue.documents
    jobs[4] = {"job": 4, "status": "processing"}
    steps: list[str] = []

    def report(document: dict[str, Any]) -> None:
        steps.append(document["status"])
        jobs[4] = {"job": 4, "status": "failed"}
        services.events.close()

    assert client.wait_job(4, report)["status"] == "failed"
    assert steps[0] == "processing"


async def test_the_asynchronous_client_does_the_same(home: Home, services: Services) -> None:
    async with AsyncClient(home, start=False) as client:
        assert (await client.post("/v1/echo", {}))["origin"] == "tui"
        with pytest.raises(InputError):
            await client.get("/v1/refused")
        jobs = services.queue.documents
        jobs[4] = {"job": 4, "status": "completed"}
        assert await client.wait_job(4) == jobs[4]


async def test_asynchronous_events_end_with_the_daemons_stream(
    home: Home, services: Services
) -> None:
    """JOB-07"""
    start = services.events.last_id
    services.events.publish("job", {"n": 1})
    kinds = []
    async with AsyncClient(home, start=False) as client:
        async for event in client.events(since=start):
            kinds.append(event.kind)
            services.events.close()
    assert kinds == ["job"]


async def test_leaving_asynchronous_events_leaves_no_thread(home: Home, services: Services) -> None:
    start = services.events.last_id
    services.events.publish("job", {"n": 1})
    client = AsyncClient(home, start=False)
    events = client.events(since=start)
    assert (await anext(events)).kind == "job"
    await events.aclose()  # type: ignore[attr-defined]
    await asyncio.to_thread(until, lambda: "events" not in {t.name for t in threading.enumerate()})


async def test_closing_the_client_ends_a_request_under_way(home: Home, services: Services) -> None:
    client = AsyncClient(home, start=False)
    stream = Client(home, start=False).events()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_code_of(client.get("/v1/slow")))
        assert (await asyncio.to_thread(next, stream)).kind == "slow"
        await client.close()
        assert await task == "daemon-lost"
    stream.close()


async def _code_of(request: Any) -> str:
    with pytest.raises(NoDaemonError) as caught:
        await request
    return caught.value.code
