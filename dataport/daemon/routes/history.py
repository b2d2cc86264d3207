"""The log, the conflict queue, and taking things back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from dataport.core.errors import UsageError
from dataport.core.words import ConflictStatus, Take
from dataport.daemon.answers import answer
from dataport.daemon.context import MOST, OriginDep, ServicesDep
from dataport.daemon.services import Services
from dataport.engine.conflicts import ConflictFilter, Resolution
from dataport.engine.requests import Message
from dataport.engine.retention import Cut

router = APIRouter(prefix="/v1", tags=["history"])

LARGEST_DIFF = 10_000
"""Most rows of one page of a difference."""

Count = Annotated[int | None, Query(ge=0, le=MOST)]


class ResolveBody(BaseModel):
    """A side to take, or a value.

    `shown` is the value of the store that the decision was made about, `shown_theirs` that of
    the file.
    """

    model_config = ConfigDict(extra="forbid")

    take: Take | None = None
    value: Any = None
    shown: Any = None
    shown_theirs: Any = None
    message: Message = ""

    def resolution(self) -> Resolution:
        """What was decided. Raises UsageError unless it is exactly one of take and value."""
        if (self.take is None) == ("value" not in self.model_fields_set):
            raise UsageError(
                "take-or-value",
                "A conflict is settled by a side or by a value.",
                hint="Give either take (ours, theirs, base) or value.",
            )
        return Resolution(take=self.take, value=self.value)

    def seen(self) -> dict[str, Any]:
        """The values that were shown, as far as the caller said."""
        sides = {"ours": "shown", "theirs": "shown_theirs"}
        return {
            side: getattr(self, name)
            for side, name in sides.items()
            if name in self.model_fields_set
        }


class ResolveAllBody(BaseModel):
    """A side to take for every open conflict that matches."""

    model_config = ConfigDict(extra="forbid")

    take: Take
    dataset: str | None = None
    field: str | None = None
    source: str | None = None
    message: Message = ""


class MessageBody(BaseModel):
    """Why something is done, for the log."""

    model_config = ConfigDict(extra="forbid")

    message: Message = ""


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
    return _changed(services, result)


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


@router.get("/conflicts", summary="Conflicts, oldest first")
def list_conflicts(
    services: ServicesDep,
    status: str = ConflictStatus.OPEN,
    dataset: str | None = None,
    field: str | None = None,
    source: str | None = None,
    limit: Count = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
) -> Response:
    """Open ones unless another status, or `all`, is asked for."""
    if status != "all" and status not in list(ConflictStatus):
        raise UsageError(
            "unknown-status",
            f"{status!r} is no status of a conflict.",
            hint=f"Valid: all, {', '.join(ConflictStatus)}.",
        )
    which = ConflictFilter(None if status == "all" else status, dataset, field, source)
    return answer(services.engine.conflicts(which, limit, offset))


@router.post("/conflicts/resolve", summary="Settle all conflicts that match")
def resolve_all(body: ResolveAllBody, services: ServicesDep, origin: OriginDep) -> Response:
    """One commit for all of them."""
    which = ConflictFilter(dataset=body.dataset, field=body.field, source=body.source)
    author = services.engine.author(origin)
    result = services.engine.resolve_all(which, Resolution(body.take), author, body.message)
    return _changed(services, result)


@router.post("/conflicts/undo", summary="Take back the newest resolution")
def undo_resolution(
    services: ServicesDep, origin: OriginDep, body: MessageBody | None = None
) -> Response:
    """The conflicts it settled are open again, and the values are as they were."""
    author = services.engine.author(origin)
    result = services.engine.timeline.undo_resolution(author, body.message if body else "")
    return _changed(services, result)


@router.get("/conflicts/{conflict}", summary="One conflict")
def show_conflict(conflict: int, services: ServicesDep) -> Response:
    """What the source sent last, what the store holds, what the file says."""
    return answer(services.engine.conflict(conflict))


@router.post("/conflicts/{conflict}/resolve", summary="Settle one conflict")
def resolve_one(
    conflict: int, body: ResolveBody, services: ServicesDep, origin: OriginDep
) -> Response:
    """Refused with 409 when store or file no longer hold the value that was shown."""
    author = services.engine.author(origin)
    result = services.engine.resolve(conflict, body.resolution(), author, body.seen(), body.message)
    return _changed(services, result)


def _changed(services: Services, result: dict[str, Any]) -> Response:
    if result["commit"] is not None:
        services.events.publish("commit", {"commit": result["commit"], "job": None})
        services.queue.conflicts_changed()
    return answer(result)
