"""Waiting for a job: progress on a terminal's stderr, and what Ctrl-C means."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dataport.cli.options import Session

if TYPE_CHECKING:
    from rich.progress import Progress

    from dataport.client.api import Client

Job = dict[str, Any]

_TITLE_WIDTH = 40


def wait_for(session: Session, client: Client, job: int, title: str) -> Job:
    """The job as it ended or began to wait for a person.

    Raises CancelledError on Ctrl-C: the job itself goes on.
    """
    try:
        with _progress(title) as show:
            return client.wait_job(job, show)
    except KeyboardInterrupt:
        from dataport.core.errors import CancelledError

        raise CancelledError(
            "interrupted",
            "Stopped waiting.",
            f"Job {job} goes on in the background.",
            f"Look at it: {session.command('jobs', 'show', job)}; "
            f"stop it: {session.command('jobs', 'cancel', job)}",
        ) from None


@contextmanager
def _progress(title: str) -> Iterator[Callable[[Job], None]]:
    if not sys.stderr.isatty():
        yield lambda job: None
        return
    with _bar() as bar:
        task = bar.add_task("", total=None, title=title[:_TITLE_WIDTH])
        yield lambda job: bar.update(task, **_advance(job))


def _advance(job: Job) -> dict[str, Any]:
    progress = job.get("progress") or {}
    phase = progress.get("phase") or job.get("phase") or job.get("status")
    # A total of 0 means that it isn't known yet: a bar of nothing would show as finished.
    return {
        "description": str(phase),
        "completed": progress.get("processed") or 0,
        "total": progress.get("total") or None,
    }


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    return Progress(
        TextColumn("{task.fields[title]}", markup=False),
        TextColumn("{task.description:<8}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        Remaining(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )
