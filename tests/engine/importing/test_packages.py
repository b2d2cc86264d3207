"""Datasets imported together: one plan, one commit, references checked across them (issue 3)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from dataport.core.errors import DataportError, NotFoundError, UsageError
from dataport.core.paths import Home
from dataport.core.words import JobStatus, PlanPart
from dataport.engine.importing import attempt
from dataport.engine.jobs import Job
from dataport.engine.merging.kept import PlanFilter
from dataport.engine.plans import Choice
from dataport.engine.requests import ImportRequest
from tests.engine.importing.parcel import NAMES, Files, Parcels, parcels

ALL = {
    "users": "email,name\nann@x,Ann\nbob@x,Bob\n",
    "tickets": "id,owner,part_of,text\n1,ann@x,,one\n2,bob@x,1,two\n",
    "notes": "id,ticket,author,text\na,1,bob@x,hello\nb,2,ann@x,there\n",
}
"""Every reference leads to a row of another file, or of the same one."""

TOO_LONG = "nobody@example"
"""An address that `users` rejects."""


@pytest.fixture(params=["reject"])
def desk(home: Home, request: pytest.FixtureRequest) -> Iterator[Parcels]:
    """Parametrized indirectly with the datasets' `onMissing`."""
    with parcels(home, request.param) as desk:
        yield desk


def counts(job: Job, name: str) -> dict[str, int]:
    """A kind of change by dataset."""
    return {str(part.dataset): (part.changes or {})[name] for part in job.parts}


def page(desk: Parcels, job: Job, **which: Any) -> dict[str, Any]:
    return desk.engine.plans.page(job, PlanFilter(**which), 0, 100)


@pytest.mark.parametrize("order", list(permutations(NAMES)))
def test_whatever_the_order_of_the_files_it_is_one_commit(
    desk: Parcels, order: tuple[str, ...]
) -> None:
    """Parents and children that are new together; a reference inside one file, too."""
    job = desk.send({name: ALL[name] for name in order})
    assert [part.dataset for part in job.parts] == ["users", "tickets", "notes"]
    assert (job.status, job.commit) == (JobStatus.COMPLETED, 1)
    assert job.rows == {"read": 6, "valid": 6, "rejected": 0, "duplicate": 0}
    assert counts(job, "inserted") == {"users": 2, "tickets": 2, "notes": 2}
    assert (job.changes or {})["inserted"] == 6
    [item] = desk.engine.timeline.log(None, None)["items"]
    assert (item["datasets"], item["changes"]["inserted"]) == (["notes", "tickets", "users"], 6)
    assert item["file"] is None
    origin = desk.engine.timeline.blame("notes", "b")[0]
    assert (Path(origin["file"]).name, origin["line"]) == ("notes.csv", 3)


def test_the_same_files_again_do_nothing(desk: Parcels) -> None:
    """Nor do the same rows in other bytes, and then only what is new does (A5)."""
    desk.send(ALL)
    again = desk.send(ALL)
    assert (again.commit, again.rows) == (None, dict.fromkeys(again.rows or {}, 0))
    assert "Already imported (commit 1)" in again.message
    other = {name: text.replace("\n", "\r\n") for name, text in ALL.items()}
    same = desk.send(other)
    assert (same.commit, counts(same, "unchanged")) == (
        None,
        dict.fromkeys(counts(same, "unchanged"), 2),
    )
    news = desk.send({**other, "users": ALL["users"] + "cat@x,Cat\n"})
    assert counts(news, "inserted") == {"users": 1, "tickets": 0, "notes": 0}
    assert [part.commit for part in news.parts] == [2, None, None]
    assert news.rows == {"read": 3, "valid": 3, "rejected": 0, "duplicate": 0}


@pytest.mark.parametrize(
    ("desk", "tickets", "notes"),
    [
        ("reject", {"1"}, {}),
        ("keep", {"1", "2"}, {"a": TOO_LONG, "b": "ann@x"}),
        ("null", {"1", "2"}, {"a": None, "b": "ann@x"}),
        ("stub", {"1", "2"}, {"a": TOO_LONG, "b": "ann@x"}),
    ],
    indirect=["desk"],
)
def test_a_rejected_parent_has_not_arrived(
    desk: Parcels, tickets: set[str], notes: dict[str, str | None]
) -> None:
    """Each reference to it fares as `onMissing` says, and so on down: rows that refer to a row
    which was rejected for what it refers to are rejected as well."""
    job = desk.send(
        {
            "notes": f"id,ticket,author,text\na,1,{TOO_LONG},x\nb,2,ann@x,y\n",
            "tickets": f"id,owner,part_of,text\n1,ann@x,,one\n2,{TOO_LONG},,two\n",
            "users": f"email,name\nann@x,Ann\n{TOO_LONG},Nobody\n",
        }
    )
    assert set(desk.rows("tickets")) == tickets
    assert {key: row[1] for key, row in desk.rows("notes").items()} == notes
    for part in job.parts:
        rows = part.rows or {}
        assert rows["read"] == rows["valid"] + rows["rejected"] + rows["duplicate"] == 2
    assert (job.rows or {})["read"] == 6
    rejected = desk.engine.rejects(job.job, 100, 0)["items"]
    assert len(rejected) == (job.rows or {})["rejected"]
    if tickets == {"1"}:
        assert [(item["dataset"], item["line"], item["code"]) for item in rejected] == [
            ("users", 3, "constraint-error.maxLength"),
            ("tickets", 3, "foreign-key"),
            ("notes", 2, "foreign-key"),
            ("notes", 3, "foreign-key"),
        ]
        assert [Path(part.rejects_file or "").name for part in job.parts[1:]] == [
            "tickets.rejects.csv",
            "notes.rejects.csv",
        ]
        assert desk.engine.rejects(job.job, 100, 0, "tickets")["total"] == 1


@pytest.mark.parametrize("desk", ["stub"], indirect=True)
def test_a_stub_in_a_dataset_of_the_package_belongs_to_nobody(desk: Parcels) -> None:
    """It is no row of the source, names the file that refers to it, and a mirror leaves it alone."""
    files = {**ALL, "notes": ALL["notes"] + "c,9,cat@x,new\n"}
    job = desk.send(files, mode="mirror")
    assert desk.rows("tickets")["9"] == (None, None, None)
    assert desk.rows("users")["cat@x"] == (None,)
    [origin, *_] = desk.engine.timeline.blame("tickets", "9")
    assert (Path(origin["file"]).name, origin["line"]) == ("notes.csv", 4)
    [version] = desk.engine.timeline.record_history("users", "cat@x")
    assert (Path(version["file"]).name, version["line"]) == ("notes.csv", 4)
    [item] = desk.engine.timeline.log("tickets", None)["items"]
    assert item["changes"]["inserted"] == 9
    again = desk.send({**files, "users": ALL["users"] + "dan@x,Dan\n"}, mode="mirror")
    assert (again.changes or {})["deleted"] == 0
    whole = desk.send({"users": "email,name\ncat@x,Cat\n"})
    assert (whole.changes or {})["updated"] == 1
    desk.undo(whole.commit)
    desk.undo(again.commit)
    desk.undo(job.commit)
    assert desk.store() == {name: {} for name in NAMES}


def test_undo_takes_all_of_it_back_and_brings_it_again(desk: Parcels) -> None:
    desk.send(ALL)
    before = desk.store()
    desk.send({"users": "email,name\nann@x,Anna\n", "tickets": "id,owner\n3,ann@x\n"})
    after = desk.store()
    assert desk.undo(2)["changes"]["updated"] == 1
    assert desk.store() == before
    desk.undo(3)
    assert desk.store() == after
    stat = desk.engine.timeline.diff_counts("0", "2")
    assert {item["dataset"] for item in stat["items"]} == set(NAMES)


def test_a_held_package_is_one_plan(desk: Parcels) -> None:
    """PRV-01: rows per dataset, filtered by it, numbered through; nothing is written meanwhile."""
    job = desk.send(ALL, hold=True)
    assert job.status is JobStatus.WAITING
    assert desk.store() == {name: {} for name in NAMES}
    shown = page(desk, job)
    assert [(item["dataset"], item["key"]) for item in shown["items"]] == [
        ("users", "ann@x"),
        ("users", "bob@x"),
        ("tickets", "1"),
        ("tickets", "2"),
        ("notes", "a"),
        ("notes", "b"),
    ]
    assert shown["counts"]["insert"] == 6
    assert [part["counts"]["insert"] for part in shown["datasets"]] == [2, 2, 2]
    assert page(desk, job, dataset="tickets")["total"] == 2
    first = desk.engine.plans.page(job, PlanFilter(), 0, 3)
    rest = desk.engine.plans.page(job, PlanFilter(), int(first["next"]), 100)
    assert first["items"] + rest["items"] == shown["items"]
    with pytest.raises(UsageError, match="not about 'leads'"):
        page(desk, job, dataset="leads")
    assert desk.approve(job).commit == 1
    assert len(desk.rows("notes")) == 2


def test_a_dry_run_shows_what_references_come_to(desk: Parcels) -> None:
    job = desk.send({**ALL, "users": "email,name\nann@x,Ann\n"}, dry_run=True)
    assert (job.commit, desk.store()) == (None, {name: {} for name in NAMES})
    assert counts(job, "inserted") == {"users": 1, "tickets": 1, "notes": 0}
    assert page(desk, job)["total"] == 2


def test_what_refers_to_a_row_that_was_left_out_waits_to_be_seen(desk: Parcels) -> None:
    """Its counts are those of the commit that approving makes; taking the row in again mends it."""
    job = desk.send(ALL, hold=True)
    with pytest.raises(UsageError, match="several datasets"):
        desk.engine.plans.choose(job, Choice(exclude=["bob@x"]))
    desk.engine.plans.choose(job, Choice(["bob@x"], dataset="users"))
    assert page(desk, job, part=PlanPart.EXCLUDED)["items"][0]["dataset"] == "users"
    desk.approve(job)
    assert job.status is JobStatus.WAITING
    assert "referred to" in job.message
    assert counts(job, "inserted") == {"users": 1, "tickets": 1, "notes": 0}
    desk.approve(job)
    assert (job.status, job.left_out) == (JobStatus.COMPLETED, 1)
    assert {name: set(rows) for name, rows in desk.store().items()} == {
        "users": {"ann@x"},
        "tickets": {"1"},
        "notes": set(),
    }
    mended = desk.send(ALL)
    assert (mended.changes or {})["inserted"] == 4
    assert len(desk.rows("notes")) == 2


def test_the_rows_of_a_plan_are_those_that_approving_applies(desk: Parcels) -> None:
    """After a row is left out, and after it is taken in again."""
    job = desk.send(ALL, hold=True)
    desk.engine.plans.choose(job, Choice(["bob@x"], dataset="users"))
    desk.approve(job)
    shown = page(desk, job)
    found = [(item["key"], item["excluded"]) for item in shown["items"]]
    assert found == [("ann@x", False), ("bob@x", True), ("1", False)]
    desk.engine.plans.choose(job, Choice((), ["bob@x"], dataset="users"))
    assert desk.approve(job).status is JobStatus.WAITING
    assert counts(job, "inserted") == {"users": 2, "tickets": 2, "notes": 2}
    assert len(page(desk, job)["items"]) == 6
    assert desk.approve(job).status is JobStatus.COMPLETED
    assert len(desk.rows("notes")) == 2


@pytest.mark.parametrize("desk", ["null"], indirect=True)
def test_a_plan_shows_the_reference_that_would_be_left_empty(desk: Parcels) -> None:
    job = desk.send(ALL, hold=True)
    desk.engine.plans.choose(job, Choice(["bob@x"], dataset="users"))
    assert desk.approve(job).status is JobStatus.WAITING
    [ticket] = [item for item in page(desk, job)["items"] if item["key"] == "2"]
    assert ticket["after"]["owner"] is None
    desk.approve(job)
    assert desk.rows("tickets")["2"][0] is None


def test_approving_plans_again_where_the_store_moved_on(desk: Parcels) -> None:
    files = {"tickets": ALL["tickets"] + "3,,,three\n", "notes": ALL["notes"]}
    job = desk.send(files, hold=True)
    assert (job.changes or {})["inserted"] == 1
    desk.send({"users": ALL["users"]})
    desk.approve(job)
    assert (job.status, (job.changes or {})["inserted"]) == (JobStatus.WAITING, 5)
    desk.approve(job)
    assert (job.status, job.commit) == (JobStatus.COMPLETED, 2)


def test_one_file_that_looks_wrong_holds_all(desk: Parcels) -> None:
    """A guard of the last member keeps what was planned before it, too (merge.md 5.2)."""
    notes = "".join(f"n{number},,,x\n" for number in range(200))
    desk.send({**ALL, "notes": "id,ticket,author,text\n" + notes})
    emptied = "".join(f"n{number},,,\n" for number in range(200))
    job = desk.send(
        {"users": "email,name\nann@x,Anna\n", "notes": "id,ticket,author,text\n" + emptied}
    )
    assert job.status is JobStatus.WAITING
    assert "notes: The file clears text in 200 of 200 rows." in job.message
    assert desk.rows("users")["ann@x"] == ("Ann",)
    assert [item["dataset"] for item in page(desk, job)["items"]][:2] == ["users", "notes"]
    assert desk.approve(job).commit == 2
    assert desk.rows("users")["ann@x"] == ("Anna",)


def test_strict_refuses_all_for_one_row(desk: Parcels) -> None:
    with pytest.raises(DataportError) as caught:
        desk.send({**ALL, "notes": ALL["notes"] + "c,9,,x\n"}, strict=True)
    assert caught.value.code == "rejected-rows"
    assert "notes.csv" in caught.value.detail
    assert desk.store() == {name: {} for name in NAMES}


@pytest.mark.parametrize("member", NAMES)
def test_a_failure_in_any_member_leaves_nothing(
    desk: Parcels, member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same files go in as a whole afterwards."""
    apply = attempt.settle_moot

    def fail(cursor: Any, dataset: Any, commit: int) -> int:
        if dataset.name == member:
            raise RuntimeError("power cut")
        return apply(cursor, dataset, commit)

    with monkeypatch.context() as patched:
        patched.setattr(attempt, "settle_moot", fail)
        with pytest.raises(RuntimeError):
            desk.send(ALL)
    assert desk.store() == {name: {} for name in NAMES}
    assert desk.engine.timeline.log(None, None)["items"] == []
    assert desk.send(ALL).commit == 1
    assert len(desk.rows("notes")) == 2


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"users": "email\n", "people": "email\n"}, "not-in-package"),
        ({"users": "email\n", "users-2": "email\n"}, "two-files-of-one-dataset"),
    ],
)
def test_files_are_told_apart_by_their_names(desk: Parcels, files: Files, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        desk.send(files)
    assert caught.value.code == code


def test_a_folder_is_what_is_in_it(desk: Parcels, tmp_path: Path) -> None:
    """Hidden files, records of exports and the description of the folder are no data."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in ALL.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    for name in (".hidden.csv", "users.csv.dataport.json", "datapackage.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    job = desk.ask(ImportRequest(path=str(folder), package="desk"))
    assert ((job.changes or {})["inserted"], job.file) == (6, str(folder))
    with pytest.raises(NotFoundError, match="no package called 'dest'"):
        desk.ask(ImportRequest(path=str(folder), package="dest"))


def test_conflicts_of_one_member_wait_and_the_others_go_in(desk: Parcels) -> None:
    desk.send(ALL)
    author = desk.engine.author(desk.engine.jobs.get(1).origin)
    desk.engine.edit("tickets", "1", {"text": "mine"}, author)
    job = desk.send({**ALL, "users": "email,name\nann@x,Anna\n", "tickets": "id,text\n1,theirs\n"})
    assert counts(job, "conflicts") == {"users": 0, "tickets": 1, "notes": 0}
    assert counts(job, "updated") == {"users": 1, "tickets": 0, "notes": 0}
    assert desk.rows("tickets")["1"][2] == "mine"
