"""The words that requests, results and definitions share (design section 3)."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What a file says about the rows it holds and about those it leaves out (DUP-06)."""

    MERGE = "merge"
    """Rows in the file are merged; rows left out are not spoken of."""
    APPEND = "append"
    """Rows with new keys are inserted; known keys are left alone."""
    REPLACE = "replace"
    """The dataset becomes the file, whoever sent the rows before."""
    MIRROR = "mirror"
    """Like merge; rows this source once sent and now leaves out are deleted."""


class OnMatch(StrEnum):
    """What happens to a row whose key the store already has (X-08, X-09)."""

    MERGE = "merge"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    FILL = "fill"
    ASK = "ask"


class JobStatus(StrEnum):
    """Life cycle of a job (JOB-10); `waiting` where a person is needed."""

    PENDING = "pending"
    PROCESSING = "processing"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class JobKind(StrEnum):
    """What a job does."""

    IMPORT = "import"
    EXPORT = "export"
    BULK = "bulk"


class BulkAction(StrEnum):
    """What a bulk change does to the rows it names (BLK-01, BLK-02, BLK-03)."""

    UPDATE = "update"
    ASSIGN = "assign"
    DELETE = "delete"


class Phase(StrEnum):
    """Where a job is; progress counts start again with each phase."""

    QUEUED = "queued"
    READ = "read"
    CHECK = "check"
    WRITE = "write"
    PLAN = "plan"
    APPLY = "apply"
    EXPORT = "export"
    DONE = "done"


class Operation(StrEnum):
    """What a plan or a version does to one row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"
    SKIP = "skip"


class PlanPart(StrEnum):
    """Parts of a plan that can be looked at alone (PRV-01)."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    SKIP = "skip"
    CONFLICT = "conflict"
    """Rows with something for a person to decide, whatever else happens to them."""
    EXCLUDED = "excluded"
    """Rows that a person left out; they stand in no other part."""


class ConflictKind(StrEnum):
    """Why a value or a row is queued (merge.md 5.3, 5.4)."""

    EDIT_EDIT = "edit/edit"
    ADD_ADD = "add/add"
    DELETE_EDIT = "delete/edit"
    EDIT_DELETE = "edit/delete"
    DUPLICATE_KEY = "dup_key"
    INVALID_MERGE = "invalid merge"


class ConflictStatus(StrEnum):
    """Life cycle of a conflict (merge.md 5.5)."""

    OPEN = "open"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    CONVERGED = "converged"
    SUPERSEDED = "superseded"
    """Something else was decided that leaves nothing to ask."""
    UNDONE = "undone"


DELETED = "deleted"
"""The `resolution` of a conflict about the values of a record that was deleted."""

DROPPED = "dropped"
"""The `resolution` of a conflict whose row its source no longer sends."""

ASKED_LATER = "asked later"
"""The `resolution` of a conflict that a later one of its source stands for."""


class Take(StrEnum):
    """Whose value settles a conflict."""

    OURS = "ours"
    THEIRS = "theirs"
    BASE = "base"


class Origin(StrEnum):
    """Where a change was asked for (M-17)."""

    CLI = "cli"
    TUI = "tui"
    API = "api"
    INBOX = "inbox"
    SCHEDULE = "schedule"
    DAEMON = "daemon"
