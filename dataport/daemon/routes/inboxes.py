"""Inboxes: which folders are watched, kept in config/dataport.toml with its comments."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from dataport.core.settings import Inbox
from dataport.daemon.answers import answer
from dataport.daemon.context import ServicesDep
from dataport.daemon.services import Services
from dataport.engine.inboxes import add_inbox, remove_inbox

router = APIRouter(prefix="/v1/inboxes", tags=["inboxes"])


@router.get("", summary="Inboxes")
def list_inboxes(services: ServicesDep) -> Response:
    """Every watched folder."""
    inboxes = services.configuration.settings.inboxes
    return answer({"items": [_document(services, inbox) for inbox in inboxes]})


@router.post("", summary="Add an inbox", status_code=201)
def create_inbox(inbox: Inbox, services: ServicesDep) -> Response:
    """Written to the settings file and watched at once."""
    engine = services.engine
    add_inbox(services.home, engine.datasets, engine.packages, inbox, engine.mappings.by_name)
    services.configuration.reload()
    return answer(_document(services, inbox), 201)


@router.delete("/{name}", summary="Remove an inbox")
def delete_inbox(name: str, services: ServicesDep) -> Response:
    """No longer watched; the folder and the files in it stay."""
    remove_inbox(services.home, name)
    services.configuration.reload()
    return answer({"name": name, "path": str(services.home.inbox(name))})


@router.post("/rescan", summary="Look into every inbox now")
def rescan(services: ServicesDep) -> Response:
    """How many files were queued."""
    return answer({"queued": services.inboxes.rescan()})


def _document(services: Services, inbox: Inbox) -> dict[str, Any]:
    return {
        "name": inbox.name,
        "path": str(services.home.inbox(inbox.name)),
        "dataset": inbox.dataset,
        "package": inbox.package,
        "source": inbox.source,
        "mode": str(inbox.mode),
        "on_match": str(inbox.on_match),
        "mapping": inbox.mapping,
        "hold": inbox.hold,
        "strict": inbox.strict,
    }
