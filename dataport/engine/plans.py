"""Plans as front ends see them: a page at a time, rows left out one by one (design section 8)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from dataport.core.errors import StateError
from dataport.core.paths import Home
from dataport.core.words import JobStatus, PlanPart
from dataport.engine.catalog.load import find_field
from dataport.engine.catalog.model import Dataset
from dataport.engine.changes import normal_key
from dataport.engine.commits import head
from dataport.engine.importing import review
from dataport.engine.jobs import Job, JobRecords
from dataport.engine.merging.kept import CHANGE_OF, KeptPlan, PlanFilter
from dataport.engine.store import Store


class Plans:
    """The kept plans of one home."""

    def __init__(
        self,
        home: Home,
        store: Store,
        jobs: JobRecords,
        datasets: Callable[[], Mapping[str, Dataset]],
    ) -> None:
        self._home = home
        self._store = store
        self._jobs = jobs
        self._datasets = datasets

    def page(self, job: Job, which: PlanFilter, after: int, limit: int) -> dict[str, Any]:
        """Counts of the plan, and a window of its rows.

        Raises StateError when the job kept no plan, UsageError for an unknown field.
        """
        kept = self._kept(job)
        dataset = self._datasets().get(job.dataset or "")
        if which.field is not None and dataset is not None:
            find_field(dataset, which.field)
        with self._store.reading() as cursor:
            page = kept.page(cursor, which, job.excluded, after, limit)
            newest = head(cursor)
        return {
            **self._summary(job, newest),
            "total": page.total,
            "next": page.next,
            "items": page.items,
        }

    def choose(
        self, job: Job, exclude: Collection[str], include: Collection[str]
    ) -> dict[str, Any]:
        """Leave rows out of a waiting job's plan, or take them in again; its counts then.

        Raises NotFoundError when the plan does nothing to one of the keys, and changes nothing.
        """
        self._kept(job)
        dataset = self._datasets().get(job.dataset or "")
        directory = self._home.job_staging(job.job)

        def canonical(keys: Collection[str]) -> list[str]:
            return [normal_key(dataset, key) for key in keys] if dataset else list(keys)

        with self._store.reading() as cursor:
            review.choose(cursor, job, directory, canonical(exclude), canonical(include))
            newest = head(cursor)
        self._jobs.save(job)
        return self._summary(job, newest)

    def _kept(self, job: Job) -> KeptPlan:
        kept = KeptPlan.of(self._home.job_staging(job.job))
        if not kept.exists:
            raise StateError(
                "no-plan",
                f"Job {job.job} keeps no plan.",
                f"It is {job.status}.",
                "Plans are kept for dry runs and while a job waits for approval.",
            )
        return kept

    def _summary(self, job: Job, newest: int) -> dict[str, Any]:
        counts = job.changes or {}
        return {
            "job": job.job,
            "dataset": job.dataset,
            "status": str(job.status),
            "planned_at": job.planned_at,
            "is_outdated": job.status is JobStatus.WAITING and job.planned_at != newest,
            "counts": {
                **{str(operation): counts.get(name, 0) for operation, name in CHANGE_OF.items()},
                "conflicts": counts.get("conflicts", 0),
                str(PlanPart.EXCLUDED): job.left_out,
            },
        }
