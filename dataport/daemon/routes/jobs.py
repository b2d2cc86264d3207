"""Jobs: start one, look at it, decide about it, and see what it found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from dataport.core.errors import UsageError
from dataport.core.words import JobStatus, Operation
from dataport.daemon.answers import answer
from dataport.daemon.context import MOST, OriginDep, ServicesDep
from dataport.engine.merging.preview import CONFLICTS
from dataport.engine.requests import ExportRequest, ImportRequest

router = APIRouter(prefix="/v1", tags=["jobs"])

PAGE = 100
LARGEST_PAGE = 1_000

PageSize = Annotated[int, Query(ge=0, le=LARGEST_PAGE)]


@router.post("/imports", summary="Import a file", status_code=202)
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
    operation: str | None = None,
    field: str | None = None,
    after: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: PageSize = PAGE,
) -> Response:
    """Rows the plan would change, with their values before and after."""
    valid = [*Operation, CONFLICTS]
    if operation is not None and operation not in valid:
        raise UsageError(
            "unknown-operation",
            f"{operation!r} is no operation.",
            hint=f"Valid: {', '.join(valid)}.",
        )
    return answer(
        services.engine.plan(job, operation=operation, field=field, after=after, limit=limit)
    )


@router.get("/rejects/{job}", summary="Rows of a job's file that were not taken")
def show_rejects(
    job: int,
    services: ServicesDep,
    limit: PageSize = PAGE,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
) -> Response:
    """Rejected rows and duplicates, in file order."""
    return answer(services.engine.rejects(job, limit, offset))
