"""Changing many records at once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from dataport.core.words import BulkAction
from dataport.daemon.answers import answer
from dataport.daemon.context import OriginDep, ServicesDep
from dataport.engine.requests import BulkRequest, Message

router = APIRouter(prefix="/v1", tags=["data"])


class BulkBody(BaseModel):
    """Which records, and what becomes of them."""

    model_config = ConfigDict(extra="forbid")

    action: BulkAction
    where: str | None = Field(None, description="The records for which this condition holds.")
    keys: list[Any] | None = Field(
        None, description="Or those with these keys; one of several fields is an array."
    )
    set: dict[str, Any] = Field({}, description="New values by field; null clears.")
    dry_run: bool = Field(False, description="Count only; change nothing.")
    expect: int | None = Field(None, ge=0, description="Fail unless so many records match.")
    message: Message = Field("", description="Why, for the log.")


@router.post("/datasets/{name}/bulk", summary="Change many records", status_code=202)
def start_bulk(name: str, body: BulkBody, services: ServicesDep, origin: OriginDep) -> Response:
    """Queue a bulk update, assignment or deletion (API-20..22); the job's id comes at once.

    What is wrong with the request itself is answered here; keys that are of no record fail the
    job, which lists them. Either all records are changed, as one commit, or none.
    """
    request = BulkRequest(
        **body.model_dump(exclude={"keys"}),
        dataset=name,
        by_keys=body.keys is not None,
        origin=origin,
    )
    return answer({"job": services.queue.submit_bulk(request, body.keys).job}, 202)
