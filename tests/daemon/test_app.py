from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

import dataport
from dataport.client.api import Client
from dataport.core.errors import DataportError, NotFoundError, StateError, UsageError
from dataport.core.paths import Home
from dataport.daemon.answers import answer
from dataport.daemon.services import Services
from tests.daemon.support import LEADS, QUICK, make_home, served


class Wanted(BaseModel):
    take: int


router = APIRouter(prefix="/v1")


@router.post("/things/{thing}")
async def change(thing: int, body: Wanted) -> Response:
    return answer({"thing": thing, "take": body.take})


@router.get("/broken")
def broken() -> Response:
    raise RuntimeError("secret particulars")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, QUICK + LEADS)


@pytest.fixture
def services(home: Home) -> Iterator[Services]:
    with served(home, router) as running:
        yield running


@pytest.fixture
def client(home: Home, services: Services) -> Client:
    return Client(home, start=False)


def test_hello_says_who_answers(client: Client, home: Home, services: Services) -> None:
    hello = client.get("/v1/hello")
    assert hello == {
        "protocol": 1,
        "version": dataport.__version__,
        "instance": services.instance,
        "state": "ready",
        "home": str(home.root),
        "pid": os.getpid(),
        "last_event": services.events.last_id,
    }


def test_status_tells_what_runs_and_waits(client: Client, home: Home) -> None:
    assert client.get("/v1/status") == {
        "pid": os.getpid(),
        "version": dataport.__version__,
        "state": "ready",
        "home": str(home.root),
        "waiting": {"approvals": 0, "conflicts": 0, "mappings": 0, "rejects": 0},
        "running": [],
        "next": [],
        "inboxes": 1,
        "config_error": None,
    }


def test_a_wrong_field_is_named(client: Client) -> None:
    with pytest.raises(UsageError) as caught:
        client.post("/v1/things/1", {"take": "many"})
    assert caught.value.code == "wrong-request"
    assert "'take' in the body" in caught.value.title


def test_a_wrong_part_of_the_path_is_named(client: Client) -> None:
    with pytest.raises(UsageError, match="'thing' in the path"):
        client.post("/v1/things/one", {"take": 1})


def test_a_missing_body_is_named(client: Client) -> None:
    with pytest.raises(UsageError, match="wrong value: the body"):
        client.post("/v1/things/1")


def test_a_name_that_can_t_be_says_which_can(client: Client) -> None:
    with pytest.raises(UsageError) as caught:
        client.post("/v1/inboxes", {"name": "../x", "dataset": "leads", "source": "crm"})
    assert caught.value.title == (
        "'../x' can't name an inbox: use letters, digits, '-' and '_', at most 64."
    )


def test_half_a_character_is_refused_before_anything_is_done(client: Client) -> None:
    """JSON may spell a lone surrogate, which neither the store nor a file can hold."""
    body = {"name": "crm", "dataset": "leads", "source": "half \ud83d"}
    with pytest.raises(UsageError) as caught:
        client.post("/v1/inboxes", body)
    assert caught.value.code == "not-text"


def test_what_is_not_there_is_not_found(client: Client) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.get("/v1/nothing")
    assert caught.value.code == "not-found"
    assert "GET /v1/nothing" in caught.value.title


def test_a_method_that_is_not_there_is_refused(client: Client) -> None:
    with pytest.raises(DataportError) as caught:
        client.delete("/v1/status")
    assert caught.value.code == "http-error"


def test_an_unforeseen_failure_tells_nothing_and_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DataportError) as caught:
        client.get("/v1/broken")
    assert caught.value.code == "internal-error"
    assert "secret" not in str(caught.value)
    assert "secret particulars" in caplog.text


def test_a_draining_daemon_answers_questions_and_takes_no_orders(
    client: Client, services: Services
) -> None:
    services.lifecycle.drain()
    assert client.get("/v1/hello")["state"] == "draining"
    with pytest.raises(StateError) as caught:
        client.post("/v1/things/1", {"take": 1})
    assert caught.value.code == "daemon-draining"


def test_the_api_describes_itself(home: Home, services: Services) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(home.socket))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answered:
            head, _, body = answered.read().partition(b"\r\n\r\n")
    assert b"200 OK" in head
    document = json.loads(body)
    assert document["info"]["title"] == "Dataport"
    assert {"/v1/hello", "/v1/status", "/v1/events", "/v1/daemon/stop"} <= set(document["paths"])
    for path in document["paths"].values():
        assert all(operation["summary"] for operation in path.values())
