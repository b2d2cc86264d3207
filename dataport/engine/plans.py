"""Plans as front ends see them: a page at a time, rows left out one by one (design section 8)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dataport.core.errors import StateError, UsageError
from dataport.core.paths import Home
from dataport.core.words import JobStatus, PlanPart
from dataport.engine.catalog.load import find_field
from dataport.engine.catalog.model import Dataset
from dataport.engine.changes import normal_key
from dataport.engine.commits import head
from dataport.engine.importing import review
from dataport.engine.importing.targets import import_request
from dataport.engine.job_parts import JobPart
from dataport.engine.jobs import Job, JobRecords, part_directory
from dataport.engine.merging.kept import CHANGE_OF, KeptPart, KeptPlan, PlanFilter
from dataport.engine.store import Store


@dataclass(frozen=True)
class Choice:
    """Keys of rows to leave out of a plan, and of rows to take in again."""

    exclude: Collection[str] = ()
    include: Collection[str] = ()
    dataset: str | None = None
    """Whose rows they are; has to be said only where the plan is of several."""


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

        Raises StateError when the job kept no plan, UsageError for an unknown field or a dataset
        that the plan is not about.
        """
        kept = self._kept(job)
        parts = job.members if which.dataset is None else [self._part(job, which.dataset)]
        self._check_field(parts, which.field)
        with self._store.reading() as cursor:
            page = kept.page(cursor, which, after, limit)
            newest = head(cursor)
        return {
            **self._summary(job, newest),
            "total": page.total,
            "next": page.next,
            "items": page.items,
        }

    def choose(self, job: Job, choice: Choice) -> dict[str, Any]:
        """Leave rows out of a waiting job's plan, or take them in again; its counts then.

        Raises NotFoundError when the plan does nothing to one of the keys, and changes nothing;
        UsageError when it is not said which dataset's rows are meant.
        """
        self._kept(job)
        part = self._part(job, choice.dataset)
        dataset = self._datasets().get(part.dataset or "")

        def canonical(keys: Collection[str]) -> list[str]:
            return [normal_key(dataset, key) for key in keys] if dataset else list(keys)

        directory = part_directory(self._home, job, part)
        with self._store.reading() as cursor:
            exclude, include = canonical(choice.exclude), canonical(choice.include)
            review.choose(cursor, job, part, directory, exclude, include)
            newest = head(cursor)
        self._jobs.save(job)
        return self._summary(job, newest)

    def _part(self, job: Job, name: str | None) -> JobPart:
        """The part of `job` that is about the dataset called `name`, or its only one."""
        parts = {part.dataset: part for part in job.members}
        if name is None and len(parts) == 1:
            return job.members[0]
        if name in parts:
            return parts[name]
        names = ", ".join(str(each) for each in parts)
        raise UsageError(
            "dataset-not-named" if name is None else "dataset-not-in-plan",
            f"The plan of job {job.job} is of several datasets."
            if name is None
            else f"The plan of job {job.job} is not about {name!r}.",
            hint=f"Name one: {names}.",
        )

    def _check_field(self, parts: list[JobPart], name: str | None) -> None:
        """Raise UsageError for a field that none of the parts' datasets has."""
        known = [self._datasets().get(part.dataset or "") for part in parts]
        datasets = [dataset for dataset in known if dataset is not None]
        if name and datasets and not any(name in each.field_names for each in datasets):
            find_field(datasets[0], name)

    def _kept(self, job: Job) -> KeptPlan:
        parts = [
            (str(part.dataset), KeptPart.of(part_directory(self._home, job, part)), part.excluded)
            for part in job.members
        ]
        kept = KeptPlan(parts)
        if not kept.exists:
            raise StateError(
                "no-plan",
                f"Job {job.job} keeps no plan.",
                f"It is {job.status}.",
                "Plans are kept for dry runs and while a job waits for approval.",
            )
        return kept

    def _summary(self, job: Job, newest: int) -> dict[str, Any]:
        document: dict[str, Any] = {
            "job": job.job,
            "dataset": job.dataset,
            "package": import_request(job).package,
            "status": str(job.status),
            "planned_at": job.planned_at,
            "is_outdated": job.status is JobStatus.WAITING and job.planned_at != newest,
            "counts": _counts(job),
            "notices": list(job.notices),
        }
        if job.parts:
            document["datasets"] = [
                {
                    "dataset": part.dataset,
                    "counts": _counts(part),
                    "notices": list(part.notices),
                }
                for part in job.parts
            ]
        return document


def _counts(part: JobPart) -> dict[str, int]:
    counts = part.changes or {}
    return {
        **{str(operation): counts.get(name, 0) for operation, name in CHANGE_OF.items()},
        "conflicts": counts.get("conflicts", 0),
        str(PlanPart.EXCLUDED): part.left_out,
    }
