"""Mappings: how columns of other programs' files become fields."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from dataport.daemon.answers import answer
from dataport.daemon.context import ServicesDep

router = APIRouter(prefix="/v1/mappings", tags=["mappings"])


@router.get("", summary="Mappings")
def list_mappings(services: ServicesDep) -> Response:
    """Every mapping: its dataset, its source, and the columns by which its files are told."""
    return answer({"items": services.engine.mappings.list()})


@router.get("/{name}", summary="One mapping")
def show_mapping(name: str, services: ServicesDep) -> Response:
    """The fields it makes, and of which columns."""
    return answer(services.engine.mappings.show(name))
