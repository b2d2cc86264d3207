"""Packages that come in one archive: one job, one commit, each file a dataset (IMF-13, REC-18)."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataport.core.errors import InputError, UsageError
from dataport.core.paths import Home
from dataport.core.words import JobKind, JobStatus, Mode
from dataport.daemon.disposal import put_rejects
from dataport.engine.requests import ImportRequest
from tests.engine.importing.parcel import Parcels, parcels
from tests.engine.staging.sheets import ods, xlsx

USERS = "email,name\na@x.org,Ann\nb@x.org,Bob\n"
TICKETS = "id,owner,part_of,text\n1,a@x.org,,One\n2,b@x.org,1,Two\n"
NOTES = "id,ticket,author,text\n7,1,a@x.org,Seven\n"


@pytest.fixture
def desk(home: Home) -> Iterator[Parcels]:
    with parcels(home, "reject") as desk:
        yield desk


def archive(desk: Parcels, name: str = "desk.zip", **files: str) -> Path:
    """An archive of files by dataset, in a folder as many tools pack them."""
    path = desk.engine.home.root.parent / name
    with zipfile.ZipFile(path, "w") as target:
        for dataset, text in files.items():
            target.writestr(f"desk-1/{dataset}.csv", text)
    return path


def ask(desk: Parcels, path: Path, **words):
    return desk.ask(ImportRequest(path=str(path), package="desk", source="crm", **words))


def test_an_archive_of_a_package_is_one_job_and_one_commit(desk: Parcels) -> None:
    path = archive(desk, notes=NOTES, tickets=TICKETS, users=USERS)
    job = ask(desk, path)
    assert (job.status, job.commit) == (JobStatus.COMPLETED, 1)
    assert [(part.dataset, part.inside) for part in job.parts] == [
        ("users", "desk-1/users.csv"),
        ("tickets", "desk-1/tickets.csv"),
        ("notes", "desk-1/notes.csv"),
    ]
    assert {part.file for part in job.parts} == {str(path)}
    assert job.message == "Import desk from crm: 3 tables"
    assert job.document()["items"][0]["inside"] == "desk-1/users.csv"
    assert desk.rows("tickets")["2"] == ("b@x.org", "1", "Two")
    blame = desk.engine.timeline.blame("notes", "7")
    assert {(item["file"], item["line"]) for item in blame} == {(f"{path}::desk-1/notes.csv", 2)}


def test_the_same_archive_again_is_known_and_a_newer_one_is_merged(desk: Parcels) -> None:
    path = archive(desk, tickets=TICKETS, users=USERS)
    ask(desk, path)
    again = ask(desk, path)
    assert (again.commit, {part.message[:16] for part in again.parts}) == (
        None,
        {"Already imported"},
    )
    newer = ask(desk, archive(desk, tickets=TICKETS.replace("Two", "2"), users=USERS))
    assert [part.changes["updated"] for part in newer.parts] == [0, 1]


def test_rows_that_can_not_be_taken_stand_in_a_file_that_is_known_again(desk: Parcels) -> None:
    path = archive(desk, users=USERS + "far-too-long@x.org,Zoe\n", tickets=TICKETS)
    job = ask(desk, path)
    assert [part.rows["rejected"] for part in job.parts] == [1, 0]
    put_rejects(desk.engine.home, job)
    rejects = Path(job.parts[0].rejects_file)
    assert rejects == path.with_name("users.rejects.csv")
    rejects.write_text(rejects.read_text().replace("far-too-long@x.org,Zoe", "z@x.org,Zoe"))
    back = ask(desk, rejects)
    assert [(part.dataset, part.changes["inserted"]) for part in back.parts] == [("users", 1)]


def test_tables_of_one_dataset_are_one_unless_one_is_named(desk: Parcels) -> None:
    """merge.md 5.2: of two rows with one key the first stands, in whichever table."""
    path = desk.engine.home.root.parent / "a.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("old/users.csv", USERS)
        target.writestr("new/users.csv", USERS.replace("Ann", "Anna"))
    [part] = ask(desk, path).parts
    assert (part.tables, part.rows["duplicate"]) == (["old/users.csv", "new/users.csv"], 2)
    for inside, name in (("old/users.csv", "Ann"), ("new/users.csv", "Anna")):
        request = ImportRequest(path=str(path), dataset="users", inside=inside, source="crm")
        job = desk.ask(request)
        assert (job.inside, desk.rows("users")["a@x.org"]) == (inside, (name,))
    assert job.commit == 2


def test_what_belongs_nowhere_is_left_out_with_a_word(desk: Parcels) -> None:
    job = ask(desk, archive(desk, users=USERS, invoices="a,b\n1,2\n"))
    assert [part.dataset for part in job.parts] == ["users"]
    [notice] = job.notices
    assert notice.startswith("desk-1/invoices.csv is left out:")
    with pytest.raises(UsageError) as caught:
        ask(desk, archive(desk, "b.zip", invoices="a,b\n1,2\n", bills="a\n1\n"))
    assert caught.value.code == "not-in-package"
    assert "These tables" not in caught.value.title


def test_a_table_with_a_header_alone_is_left_out_with_a_word(desk: Parcels) -> None:
    header, _, _ = NOTES.partition("\n")
    path = archive(desk, notes=header + "\n", tickets=TICKETS, users=USERS)
    job = ask(desk, path)
    assert [part.dataset for part in job.parts] == ["users", "tickets"]
    assert job.notices == ["desk-1/notes.csv holds a header and no rows."]
    assert len(desk.rows("tickets")) == 2


@pytest.mark.parametrize("mode", [Mode.MIRROR, Mode.REPLACE])
def test_no_rows_never_mean_that_all_are_to_go(desk: Parcels, mode: Mode) -> None:
    ask(desk, archive(desk, notes=NOTES, tickets=TICKETS, users=USERS))
    header, _, _ = NOTES.partition("\n")
    path = archive(desk, "new.zip", notes=header + "\n", tickets=TICKETS, users=USERS)
    with pytest.raises(InputError) as caught:
        ask(desk, path, mode=mode)
    assert caught.value.code == "no-rows"
    assert len(desk.rows("notes")) == 1


def test_a_mirror_of_a_package_waits_while_a_table_of_it_is_not_known(desk: Parcels) -> None:
    """merge.md 5.2: its rows could be of any of the datasets; the plan says what would go."""
    ask(desk, archive(desk, tickets=TICKETS, users=USERS))
    first, _, _ = TICKETS.partition("2,b@x.org")
    path = archive(desk, "new.zip", tickets=first, users=USERS, more="nr,who\n2,b@x.org\n")
    job = ask(desk, path, mode=Mode.MIRROR)
    assert (job.status, len(desk.rows("tickets"))) == (JobStatus.WAITING, 2)
    assert job.message.startswith("tickets: desk-1/more.csv is left out:")
    assert "users:" not in job.message
    assert desk.approve(job).status is JobStatus.COMPLETED
    assert len(desk.rows("tickets")) == 1


def test_an_archive_that_says_nothing_of_a_package_is_told_by_its_columns(desk: Parcels) -> None:
    desk.send({"users": USERS})
    path = archive(desk, "x.zip", a="a,b\n1,2\n", b=TICKETS)
    job = desk.ask(ImportRequest(path=str(path), source="crm"))
    assert [(part.dataset, part.inside) for part in job.parts] == [("tickets", "desk-1/b.csv")]
    assert job.message == "Import x.zip from crm: 1 table"


def test_a_job_that_was_looked_into_keeps_what_was_found(desk: Parcels) -> None:
    request = ImportRequest(path=str(archive(desk, users=USERS, tickets=TICKETS)), package="desk")
    job = desk.engine.jobs.create(JobKind.IMPORT, request)
    assert desk.engine.imports.prepare(job) == ()
    members = desk.engine.imports.resolve(job, lambda *_: None)
    desk.engine.jobs.save(job)
    again = desk.engine.jobs.get(job.job)
    assert [(part.dataset, part.inside) for part in again.parts] == [
        (member.part.dataset, member.part.inside) for member in members
    ]
    assert len(desk.engine.imports.prepare(again)) == 2


ROWS = [["email", "name"], ["a@x.org", "Ann"], ["b@x.org", "Bob"]]


def _parquet() -> bytes:
    target = io.BytesIO()
    columns = {name: [row[at] for row in ROWS[1:]] for at, name in enumerate(ROWS[0])}
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def _xml() -> bytes:
    rows = (f"<user><email>{email}</email><name>{name}</name></user>" for email, name in ROWS[1:])
    return f"<users>{''.join(rows)}</users>".encode()


FORMATS = {
    "users.xlsx": lambda: xlsx({"Sheet1": ROWS}),
    "users.ods": lambda: ods({"Sheet1": ROWS}),
    "users.parquet": _parquet,
    "users.xml": _xml,
    "users.csv.gz": lambda: gzip.compress(USERS.encode()),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_rows_in_another_format_change_nothing(desk: Parcels, name: str) -> None:
    """Re-import without change, by the bytes and by what they say."""
    desk.send({"users": USERS})
    path = desk.engine.home.root.parent / name
    path.write_bytes(FORMATS[name]())
    request = ImportRequest(path=str(path), dataset="users", source="crm")
    job = desk.ask(request)
    assert (job.commit, job.changes["unchanged"], job.rows["rejected"]) == (None, 2, 0)
    assert desk.ask(request).message.startswith("Already imported")


def test_a_workbook_of_a_package_has_a_sheet_for_each_dataset(desk: Parcels) -> None:
    """IMF-12: one job and one commit; a sheet that is of none of them is left out."""
    tickets = [["id", "owner", "part_of", "text"], [1, "a@x.org", None, "One"]]
    path = desk.engine.home.root.parent / "desk.xlsx"
    path.write_bytes(xlsx({"Tickets": tickets, "Users": ROWS, "Summary": [["a", "b"], [1, 2]]}))
    job = ask(desk, path)
    assert [(part.dataset, part.inside) for part in job.parts] == [
        ("users", "Users"),
        ("tickets", "Tickets"),
    ]
    assert (job.commit, desk.rows("tickets")) == (1, {"1": ("a@x.org", None, "One")})
    assert [notice.partition(" is left out")[0] for notice in job.notices] == ["Summary"]
