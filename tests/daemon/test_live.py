"""Which of the live jobs may change rows next."""

from __future__ import annotations

from dataport.core.clock import now
from dataport.core.words import JobKind, JobStatus, Origin
from dataport.daemon.live import LiveJob, LiveJobs
from dataport.engine.jobs import Job
from dataport.engine.requests import ImportRequest


def live_job(number: int, dataset: str | None) -> LiveJob:
    request = ImportRequest(path=f"/{number}.csv", dataset=dataset)
    live = LiveJob(
        Job(job=number, kind=JobKind.IMPORT, request=request, origin=Origin.CLI, created=now())
    )
    live.job.dataset = dataset
    live.members = [object()] if dataset else []  # type: ignore[list-item]
    live.is_staged = dataset is not None
    return live


def test_an_import_that_may_be_of_any_dataset_holds_back_those_asked_for_later() -> None:
    jobs, first, unknown, last = LiveJobs(), *map(live_job, (1, 2, 3), ("leads", None, "tasks"))
    for live in (first, unknown, last):
        jobs.add(live)
    assert jobs.next_to_merge() is first
    jobs.remove(first)
    assert jobs.next_to_merge() is None
    unknown.job.dataset = "leads"
    unknown.members = first.members
    assert jobs.next_to_merge() is last
    unknown.is_staged = True
    assert jobs.next_to_merge() is unknown


def test_an_import_that_waits_for_a_person_holds_nobody_back() -> None:
    jobs, unknown, last = LiveJobs(), live_job(1, None), live_job(2, "tasks")
    unknown.job.status = JobStatus.WAITING
    jobs.add(unknown)
    jobs.add(last)
    assert jobs.next_to_merge() is last
