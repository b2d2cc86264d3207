"""Mappings: how columns of other programs' files become fields."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from dataport.daemon.answers import answer
from dataport.daemon.context import ServicesDep
from dataport.engine.mappings import SaveRequest, SuggestRequest

router = APIRouter(prefix="/v1", tags=["mappings"])


class DecideBody(BaseModel):
    """What a person says about columns otherwise than was suggested."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, str] = Field({}, description="Field to column; '' for none.")
    name: str | None = Field(None, description="Name of the mapping; else one is made.")


@router.get("/mappings", summary="Mappings")
def list_mappings(services: ServicesDep) -> Response:
    """Every mapping: its dataset, its source, and the columns by which its files are told."""
    return answer({"items": services.engine.mappings.documents()})


@router.post("/mappings", summary="Save a mapping", status_code=201)
def save_mapping(request: SaveRequest, services: ServicesDep) -> Response:
    """What is suggested for a file, with what was said otherwise, as a mapping of its source."""
    document = services.engine.mappings.save(request)
    services.configuration.reload()
    return answer(document, 201)


@router.post("/mappings/suggestions", summary="Suggest a mapping")
def suggest_mapping(request: SuggestRequest, services: ServicesDep) -> Response:
    """For each column of a file the field that it could be, how sure, how filled, and values."""
    return answer(services.engine.mappings.suggest(request))


@router.get("/mappings/{name}", summary="One mapping")
def show_mapping(name: str, services: ServicesDep) -> Response:
    """The fields it makes, and of which columns."""
    return answer(services.engine.mappings.show(name))


@router.get("/jobs/{job}/mapping", summary="What is suggested for a job that waits for a mapping")
def show_suggestion(job: int, services: ServicesDep) -> Response:
    """For each column of its file the field that it could be."""
    return answer(services.engine.mappings.waiting(services.queue.get(job)))


@router.put("/jobs/{job}/mapping", summary="Decide about the columns of a job's file")
def decide_columns(job: int, body: DecideBody, services: ServicesDep) -> Response:
    """The job goes on; what was decided is kept as a mapping of its source."""
    return answer(services.queue.decide_columns(job, body.fields, body.name).document())
