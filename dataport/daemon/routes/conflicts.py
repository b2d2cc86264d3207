"""The conflict queue: what waits, deciding it, and taking decisions back (merge.md 5.5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from dataport.core.errors import UsageError
from dataport.core.words import ConflictKind, ConflictStatus, Take
from dataport.daemon.answers import answer
from dataport.daemon.context import MOST, Count, MessageBody, OriginDep, ServicesDep
from dataport.daemon.services import Services
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.requests import Message
from dataport.engine.resolving import Resolution

router = APIRouter(prefix="/v1/conflicts", tags=["conflicts"])


class ResolveBody(BaseModel):
    """A side to take, or a value.

    `shown` is the value of the store that the decision was made about, `shown_theirs` that of
    the file. With `always` the side becomes the policy of this field from this source.
    """

    model_config = ConfigDict(extra="forbid")

    take: Take | None = None
    value: Any = None
    shown: Any = None
    shown_theirs: Any = None
    message: Message = ""
    always: bool = False

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
    """A side to take for every open conflict that matches.

    With `always` it becomes the policy of that field from that source: dataset, field and source
    are named then, and nothing else.
    """

    model_config = ConfigDict(extra="forbid")

    take: Take
    dataset: str | None = None
    field: str | None = None
    source: str | None = None
    key: str | None = None
    job: int | None = None
    kind: ConflictKind | None = None
    message: Message = ""
    always: bool = False

    def filter(self) -> ConflictFilter:
        """The conflicts that match. Raises UsageError where a policy could not say the same."""
        if self.always and (self.key or self.job or self.kind):
            raise UsageError(
                "narrow-policy",
                "A policy is for a field of a source, not for one record, job or kind.",
                hint="Leave out key, job and kind, or leave out always.",
            )
        return ConflictFilter(
            dataset=self.dataset,
            field=self.field,
            source=self.source,
            key=self.key,
            job=self.job,
            kind=self.kind,
        )


@router.get("", summary="Conflicts, oldest first")
def list_conflicts(
    services: ServicesDep,
    status: str = ConflictStatus.OPEN,
    dataset: str | None = None,
    field: str | None = None,
    source: str | None = None,
    key: str | None = None,
    job: Annotated[int | None, Query(ge=0, le=MOST)] = None,
    kind: ConflictKind | None = None,
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
    which = ConflictFilter(
        None if status == "all" else status, dataset, field, source, key, job, kind
    )
    return answer(services.engine.decisions.list(which, limit, offset))


@router.post("/resolve", summary="Settle all conflicts that match")
def resolve_all(body: ResolveAllBody, services: ServicesDep, origin: OriginDep) -> Response:
    """One commit for all of them."""
    author = services.engine.author(origin)
    result = services.engine.decisions.resolve_all(
        body.filter(), Resolution(body.take), author, body.message, always=body.always
    )
    return _decided(services, result)


@router.post("/undo", summary="Take back the newest resolution")
def undo_resolution(
    services: ServicesDep, origin: OriginDep, body: MessageBody | None = None
) -> Response:
    """The conflicts it settled are open again, and the values are as they were."""
    author = services.engine.author(origin)
    result = services.engine.decisions.undo(author, body.message if body else "")
    services.committed(result["commit"])
    return answer(result)


@router.get("/{conflict}", summary="One conflict")
def show_conflict(conflict: int, services: ServicesDep) -> Response:
    """What the source sent last, what the store holds, what the file says, and its history."""
    return answer(services.engine.decisions.show(conflict))


@router.post("/{conflict}/undo", summary="Take back the decision about one conflict")
def undo_one(
    conflict: int, services: ServicesDep, origin: OriginDep, body: MessageBody | None = None
) -> Response:
    """It is open again and its value as it was, also when many were settled at once."""
    author = services.engine.author(origin)
    message = body.message if body else ""
    result = services.engine.decisions.reopen(conflict, author, message)
    services.committed(result["commit"])
    return answer(result)


@router.post("/{conflict}/resolve", summary="Settle one conflict")
def resolve_one(
    conflict: int, body: ResolveBody, services: ServicesDep, origin: OriginDep
) -> Response:
    """Refused with 409 when store or file no longer hold the value that was shown."""
    author = services.engine.author(origin)
    result = services.engine.decisions.resolve(
        conflict, body.resolution(), author, body.seen(), body.message, always=body.always
    )
    return _decided(services, result)


def _decided(services: Services, result: dict[str, Any]) -> Response:
    if "policy" in result:
        services.configuration.reload()
    services.committed(result["commit"])
    return answer(result)
