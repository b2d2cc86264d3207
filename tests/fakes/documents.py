"""Documents for the fake daemon: realistic, and unkind to careless screens."""

from __future__ import annotations

from typing import Any

from tests.fakes.daemon import Script

Document = dict[str, Any]


def job(number: int, status: str = "completed", **values: Any) -> Document:
    document: Document = {
        "job": number,
        "kind": "import",
        "status": status,
        "dataset": "leads",
        "source": "crm",
        "file": f"/home/ana/port/inbox/leads/leads-{number}.csv",
        "inbox": "leads",
        "origin": "inbox",
        "rows": {"read": 12340, "valid": 12338, "rejected": 0, "duplicate": 2},
        "changes": {
            "inserted": 300,
            "updated": 12,
            "deleted": 0,
            "unchanged": 12026,
            "skipped": 0,
            "conflicts": 0,
        },
        "commit": number,
        "rejects_file": None,
        "elapsed_s": 1.4,
        "created": "2026-11-20T08:15:00.000Z",
        "started": "2026-11-20T08:15:01.000Z",
        "finished": "2026-11-20T08:15:02.400Z",
        "mode": "merge",
        "on_match": "merge",
        "hold": False,
        "dry_run": False,
        "phase": "done",
        "progress": None,
        "message": "",
        "notices": [],
        "error": None,
        "exit_code": {"completed": 0, "failed": 1, "cancelled": 130}.get(status),
    }
    return document | values


def running_job(number: int, processed: int = 45_000) -> Document:
    return job(
        number,
        "processing",
        file="/home/ana/port/inbox/leads/[bold]Müller 東京.csv",
        rows=None,
        changes=None,
        commit=None,
        finished=None,
        phase="check",
        progress={
            "phase": "check",
            "processed": processed,
            "total": 100_000,
            "rate": 21_500.0,
            "eta_s": 2.6,
        },
        elapsed_s=2.1,
    )


def failed_job(number: int) -> Document:
    return job(
        number,
        "failed",
        dataset="phone_numbers",
        file="/home/ana/port/inbox/phones/numbers 📱.csv",
        rows=None,
        changes=None,
        commit=None,
        error={
            "code": "encoding-error",
            "title": "The file is not text.",
            "detail": "Byte 0x00 at offset 17; [red]this is not markup[/red].",
            "hint": "Export it as CSV and drop it again.",
        },
        notices=["Column “tel” was read as phone."],
    )


def plan_rows(many: int = 0) -> list[Document]:
    rows: list[Document] = [
        {
            "key": "L-1001",
            "operation": "update",
            "line": 2,
            "before": {"lead_id": "L-1001", "name": "Zoë Åström", "phone": "+46 8 123 45 67"},
            "after": {"lead_id": "L-1001", "name": "Zoë Åström", "phone": "+46 8 123 99 67"},
            "changed": ["phone"],
            "conflicts": [],
        },
        {
            "key": "L-2002",
            "operation": "insert",
            "line": 3,
            "before": None,
            "after": {"lead_id": "L-2002", "name": "山田太郎", "company": "[b]Acme[/b] 株式会社"},
            "changed": ["name", "company"],
            "conflicts": [],
        },
        {
            "key": "L-3003",
            "operation": "delete",
            "line": None,
            "before": {"lead_id": "L-3003", "name": "مريم حسن", "company": None},
            "after": None,
            "changed": [],
            "conflicts": [],
        },
        {
            "key": "L-4004",
            "operation": "update",
            "line": 5,
            "before": {"lead_id": "L-4004", "name": "Ana 👩‍🚀", "company": "Orbit"},
            "after": {"lead_id": "L-4004", "name": "Ana María 👩‍🚀", "company": "Orbit"},
            "changed": ["name"],
            "conflicts": ["company"],
        },
        {
            "key": "L-5005",
            "operation": "skip",
            "line": 6,
            "before": {"lead_id": "L-5005", "name": "Kept"},
            "after": {"lead_id": "L-5005", "name": "Kept"},
            "changed": [],
            "conflicts": [],
        },
    ]
    extra = [
        {
            "key": f"M-{number:05d}",
            "operation": "insert",
            "line": 7 + number,
            "before": None,
            "after": {"lead_id": f"M-{number:05d}", "name": f"Person {number}"},
            "changed": ["name"],
            "conflicts": [],
        }
        for number in range(many)
    ]
    return [*rows, *extra]


def conflict(number: int, **values: Any) -> Document:
    document: Document = {
        "id": number,
        "dataset": "leads",
        "key": f"L-{number:04d}",
        "field": "phone",
        "kind": "edit/edit",
        "base": "+46 8 123 45 67",
        "ours": "+46 8 123 99 67",
        "theirs": "+46 70 123 45 67",
        "source": "crm",
        "job": 7,
        "file": "/home/ana/port/inbox/leads/leads-7.csv",
        "line": 10 + number,
        "status": "open",
        "time": "2026-11-20T08:15:02.400Z",
    }
    return document | values


def all_conflicts() -> list[Document]:
    return [
        conflict(1),
        conflict(
            2,
            field="company",
            base="Acme",
            ours="[bold red]Acme[/] 株式会社",
            theirs="Acme 有限会社 🏢",
        ),
        conflict(3, field="name", base=None, ours="مريم حسن", theirs="مريم علي", kind="add/add"),
        conflict(
            4, field="tags", base=["a"], ours=["a", "vip"], theirs=["a", "cold"], source="web"
        ),
        conflict(
            5,
            field=None,
            kind="edit/delete",
            base={"lead_id": "L-0005", "name": "Bo", "city": "Malmö"},
            ours={"lead_id": "L-0005", "name": "Bo", "city": "Lund"},
            theirs=None,
            line=None,
        ),
        conflict(6),
    ]


def rejects(many: int = 3) -> list[Document]:
    return [
        {
            "line": 14 + number * 3,
            "row": 13 + number,
            "field": "email",
            "code": "constraint-error",
            "message": "This is not an e-mail address; write one like ana@example.org.",
            "value": f"nobody[at]example{number}",
        }
        for number in range(many)
    ]


def inbox(name: str, dataset: str, source: str, **values: Any) -> Document:
    document: Document = {
        "name": name,
        "path": f"/home/ana/port/inbox/{name}",
        "dataset": dataset,
        "package": None,
        "source": source,
        "mode": "merge",
        "on_match": "merge",
        "hold": False,
    }
    return document | values


def full_script() -> Script:
    """A home in which everything waits."""
    held = {"hold": True, "commit": None, "finished": None, "phase": "plan"}
    return Script(
        jobs=[
            job(1),
            job(
                2,
                kind="export",
                source="",
                inbox="",
                file="/home/ana/port/exports/leads.csv",
                rows={"written": 12_640},
                changes=None,
            ),
            failed_job(3),
            job(
                4,
                rows={"read": 500, "valid": 497, "rejected": 3, "duplicate": 0},
                rejects_file="/home/ana/port/inbox/leads/.rejects/leads-4.csv",
                notices=["3 rows were rejected."],
            ),
            job(5, "waiting", message="Waits for approval.", **held),
            job(6, "waiting", source="web", message="Waits for approval.", **held),
            running_job(7),
            job(8, "pending", rows=None, changes=None, commit=None, started=None, finished=None),
        ],
        plans={5: plan_rows(), 6: plan_rows(500)},
        rejects={4: rejects()},
        conflicts=all_conflicts(),
        inboxes=[
            inbox("leads", "leads", "crm", hold=True),
            inbox("phones", "phone_numbers", "laptop", mode="mirror"),
        ],
    )
