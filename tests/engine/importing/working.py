"""What the daemon does with an import, in this process."""

from __future__ import annotations

from dataport.core.words import Origin
from dataport.daemon.disposal import put_rejects
from dataport.engine.engine import Engine
from dataport.engine.jobs import Job


def work(engine: Engine, job: Job, *, is_approved: bool = False) -> Job:
    """Let a job do its work, until it has ended or waits; the same job."""
    imports = engine.imports
    members = imports.resolve(job, lambda *_: None)
    staged = imports.stage(job, members, lambda *_: None)
    if staged is None:
        imports.note_known_file(job, members)
        return job
    imports.merge(
        job,
        members,
        staged,
        engine.author(Origin.CLI),
        lambda *_: None,
        is_approved=is_approved,
        on_cursor=lambda _: None,
        on_rejects=lambda job: put_rejects(engine.home, job),
    )
    return job
