"""The log, the conflict queue, and taking things back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from dataport.daemon.answers import answer
from dataport.daemon.context import MOST, Count, MessageBody, OriginDep, ServicesDep
from dataport.engine.retention import Cut

router = APIRouter(prefix="/v1", tags=["history"])

LARGEST_DIFF = 10_000
"""Most rows of one page of a difference."""


class UndoBody(MessageBody):
    """Why a commit is taken back; a dry run only counts what that would do."""

    dry_run: bool = False


class PruneBody(BaseModel):
    """How much of the past to keep, or the commit or time before which all is dropped."""

    model_config = ConfigDict(extra="forbid")

    keep: str | None = None
    before: str | None = None
    dry_run: bool = False


@router.get("/commits", summary="Commits, newest first")
def list_commits(
    services: ServicesDep, dataset: str | None = None, limit: Count = None
) -> Response:
    """All commits, or those that touched one dataset."""
    return answer(services.engine.timeline.log(dataset, limit))


@router.post("/commits/{commit}/undo", summary="Take back a commit")
def undo_commit(
    commit: int, services: ServicesDep, origin: OriginDep, body: UndoBody | None = None
) -> Response:
    """A new commit; later edits survive and real clashes become conflicts."""
    body = body or UndoBody()
    author = services.engine.author(origin)
    result = services.engine.timeline.undo(commit, author, body.message, is_dry=body.dry_run)
    services.committed(result["commit"])
    return answer(result)


@router.post("/commits/prune", summary="Drop earlier versions")
def prune_history(body: PruneBody, services: ServicesDep, origin: OriginDep) -> Response:
    """As the body says, else the setting history.keep; present rows, bases and conflicts stay."""
    author = services.engine.author(origin)
    cut = Cut(body.keep, body.before)
    return answer(services.engine.timeline.prune(cut, author, is_dry=body.dry_run))


@router.get("/diff", summary="What differs between two commits")
def diff(
    services: ServicesDep,
    before: Annotated[str, Query(alias="from", description="A commit or a time.")],
    after: Annotated[str | None, Query(alias="to", description="Another; else now.")] = None,
    dataset: str | None = None,
    stat: bool = False,
    limit: Annotated[int, Query(ge=0, le=LARGEST_DIFF)] = 100,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
) -> Response:
    """Rows with before and after of each changed field, or with `stat` only counts."""
    timeline = services.engine.timeline
    if stat:
        return answer(timeline.diff_counts(before, after, dataset))
    text = timeline.diff(before, after, dataset=dataset, limit=limit, offset=offset)
    return Response(f'{{"success":true,"data":{text}}}'.encode(), media_type="application/json")
