"""Jobs: start one, look at it, decide about it, and see what it found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from dataport.core.errors import UsageError
from dataport.core.words import JobStatus, PlanPart
from dataport.daemon.answers import answer
from dataport.daemon.context import MOST, OriginDep, ServicesDep
from dataport.engine.merging.kept import PlanFilter
from dataport.engine.plans import Choice
from dataport.engine.requests import ExportRequest, ImportRequest

router = APIRouter(prefix="/v1", tags=["jobs"])

PAGE = 100
LARGEST_PAGE = 1_000
MOST_KEYS = 10_000
"""Rows of a plan that one request may name."""

PageSize = Annotated[int, Query(ge=0, le=LARGEST_PAGE)]


class ChooseBody(BaseModel):
    """Keys of rows to leave out of a plan, and of rows to take in again."""

    model_config = ConfigDict(extra="forbid")

    exclude: tuple[str, ...] = Field((), max_length=MOST_KEYS)
    include: tuple[str, ...] = Field((), max_length=MOST_KEYS)
    dataset: str | None = Field(None, description="Whose rows, in the plan of a package.")


@router.post("/imports", summary="Import a file, or those of a package", status_code=202)
def start_import(request: ImportRequest, services: ServicesDep, origin: OriginDep) -> Response:
    """Queue an import; the job's id comes at once, its outcome with the job."""
    job = services.queue.submit(request.model_copy(update={"origin": origin}))
    return answer({"job": job.job}, 202)


@router.post("/exports", summary="Export datasets", status_code=202)
def start_export(request: ExportRequest, services: ServicesDep, origin: OriginDep) -> Response:
    """Queue an export; the job's id comes at once."""
    job = services.queue.submit(request.model_copy(update={"origin": origin}))
    return answer({"job": job.job}, 202)


@router.get("/jobs", summary="Jobs, newest first")
def list_jobs(
    services: ServicesDep,
    status: str | None = None,
    limit: Annotated[int | None, Query(ge=0, le=MOST)] = None,
) -> Response:
    """Jobs of one status, or all."""
    if status is not None and status not in list(JobStatus):
        raise UsageError(
            "unknown-status", f"{status!r} is no status.", hint=f"Valid: {', '.join(JobStatus)}."
        )
    return answer({"items": [job.document() for job in services.queue.newest(status, limit)]})


@router.get("/jobs/{job}", summary="One job")
def show_job(job: int, services: ServicesDep) -> Response:
    """The job as it is now."""
    return answer(services.queue.get(job).document())


@router.post("/jobs/{job}/cancel", summary="Stop a job")
def cancel_job(job: int, services: ServicesDep) -> Response:
    """The job ends as soon as what it does can be stopped; nothing of it is merged."""
    return answer(services.queue.cancel(job).document())


@router.post("/jobs/{job}/retry", summary="Try a failed job again", status_code=202)
def retry_job(job: int, services: ServicesDep) -> Response:
    """A new job that asks for the same."""
    return answer(services.queue.retry(job).document(), 202)


@router.post("/jobs/{job}/approve", summary="Apply the plan of a waiting job")
def approve_job(job: int, services: ServicesDep) -> Response:
    """If the store has moved on the plan is made again, and waits again if it differs."""
    return answer(services.queue.approve(job).document())


@router.post("/jobs/{job}/discard", summary="Drop the plan of a waiting job")
def discard_job(job: int, services: ServicesDep) -> Response:
    """Nothing of the plan is applied."""
    return answer(services.queue.discard(job).document())


@router.get("/plans/{job}", summary="A page of a job's plan")
def show_plan(
    job: int,
    services: ServicesDep,
    operation: Annotated[str | None, Query(description="A part of the plan.")] = None,
    field: Annotated[str | None, Query(description="One that changes.")] = None,
    key: Annotated[str | None, Query(description="Text that the key contains.")] = None,
    dataset: Annotated[str | None, Query(description="One of a package's.")] = None,
    after: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: PageSize = PAGE,
) -> Response:
    """Rows the plan would change, with their values before and after."""
    which = PlanFilter(_part(operation), field, key, dataset)
    return answer(services.engine.plans.page(services.queue.get(job), which, after, limit))


@router.patch("/plans/{job}", summary="Leave rows out of a waiting job's plan")
def choose_rows(job: int, body: ChooseBody, services: ServicesDep) -> Response:
    """Rows by key. One that is left out is not applied; its source's next file brings it again.

    Answers with the plan's counts. With a key that the plan has no row for nothing is done.
    """
    return answer(services.queue.choose(job, Choice(body.exclude, body.include, body.dataset)))


@router.get("/rejects/{job}", summary="Rows of a job's file that were not taken")
def show_rejects(
    job: int,
    services: ServicesDep,
    limit: PageSize = PAGE,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    dataset: Annotated[str | None, Query(description="One of a package's.")] = None,
) -> Response:
    """Rejected rows and duplicates, in file order, dataset by dataset."""
    return answer(services.engine.rejects(job, limit, offset, dataset))


def _part(name: str | None) -> PlanPart | None:
    if name is None:
        return None
    try:
        return PlanPart(name)
    except ValueError as error:
        raise UsageError(
            "unknown-operation",
            f"{name!r} is no operation.",
            hint=f"Valid: {', '.join(PlanPart)}.",
        ) from error
