"""What routes ask for: the services, and who asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict

from dataport.core.words import Origin
from dataport.daemon.services import Services
from dataport.engine.requests import Message

MOST = 2**53
"""Largest number a request may name; JSON's own."""


def services_of(request: Request) -> Services:
    """The services of the daemon that answers."""
    services: Services = request.app.state.services
    return services


def origin_of(x_dataport_origin: Annotated[str | None, Header()] = None) -> Origin:
    """Where the request was made (M-17); what does not say is the API itself."""
    return {"cli": Origin.CLI, "tui": Origin.TUI}.get(x_dataport_origin or "", Origin.API)


class MessageBody(BaseModel):
    """Why something is done, for the log."""

    model_config = ConfigDict(extra="forbid")

    message: Message = ""


Count = Annotated[int | None, Query(ge=0, le=MOST)]
ServicesDep = Annotated[Services, Depends(services_of)]
OriginDep = Annotated[Origin, Depends(origin_of)]
