"""Packages: datasets that are imported and exported together."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from dataport.daemon.answers import answer
from dataport.daemon.context import ServicesDep

router = APIRouter(prefix="/v1/packages", tags=["packages"])


@router.get("", summary="Packages")
def list_packages(services: ServicesDep) -> Response:
    """Every package with its datasets, in the order in which they are merged."""
    return answer({"items": services.engine.list_packages()})


@router.get("/{name}", summary="One package")
def show_package(name: str, services: ServicesDep) -> Response:
    """Its members: which files are theirs, what they hold, which of the others come first."""
    return answer(services.engine.show_package(name))
