"""Several tables of one dataset in one file: one job, one commit, one statement of its source.

What a source leaves out is what all its tables leave out; a key that two of them have is there
twice (issue 4, merge.md 5.2).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dataport.core.errors import InputError, UsageError
from dataport.core.words import JobStatus, Mode, Origin
from dataport.daemon.disposal import put_rejects
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.jobs import Job
from dataport.engine.merging.kept import PlanFilter
from tests.engine.importing.shop import Shop
from tests.engine.importing.working import work
from tests.engine.staging.sheets import ods, xlsx

HEADER = "lead_id,name,email,status\n"
JANUARY = f"{HEADER}1,Ann,ann@example.org,new\n2,Bo,bo@example.org,won\n"
FEBRUARY = f"{HEADER}3,Cy,cy@example.org,new\n"


def months(shop: Shop, january: str = JANUARY, february: str = FEBRUARY) -> Path:
    return shop.pack("leads.zip", {"jan.csv": january, "feb.csv": february})


def names(shop: Shop) -> list[str]:
    return [row["name"] for row in shop.rows("leads", sort=("lead_id",))]


def rows_of(job: Job) -> tuple[int, ...]:
    """Read, valid, rejected and duplicate."""
    [part] = job.members
    return tuple((part.rows or {}).values())


@pytest.mark.parametrize("dataset", [None, "leads"])
def test_tables_that_write_text_in_different_ways_are_refused(
    shop: Shop, dataset: str | None
) -> None:
    """An apostrophe before a formula is an escape in one of them, and text in the other."""
    document = '[{"lead_id": "9", "name": "\'=1", "email": "i@example.org"}]'
    path = shop.pack("leads.zip", {"jan.csv": JANUARY, "feb.json": document})
    with pytest.raises((InputError, UsageError)) as caught:
        shop.send(path, dataset)
    assert caught.value.code == "tables-differ"
    assert "--inside" in caught.value.hint


def test_a_table_of_the_dataset_that_is_wrong_is_not_left_out(shop: Shop) -> None:
    """To mirror would mean to delete what it holds."""
    twice = "lead_id,email,mail,name\n3,a@example.org,b@example.org,Cy\n"
    path = shop.pack("leads.zip", {"jan.csv": JANUARY, "feb.csv": twice})
    with pytest.raises(InputError) as caught:
        shop.send(path, "leads", mode=Mode.MIRROR)
    assert caught.value.code == "duplicate-label"
    assert "feb.csv" in caught.value.title


@pytest.mark.parametrize("mode", [Mode.MIRROR, Mode.REPLACE])
@pytest.mark.parametrize("dataset", [None, "leads"])
def test_a_mirror_waits_while_a_table_that_nobody_knows_may_hold_what_is_missing(
    shop: Shop, dataset: str | None, mode: Mode
) -> None:
    """merge.md 5.2: what could not be read could be any row, so nobody takes it for deleted."""
    shop.send(months(shop), dataset, mode=Mode.MIRROR)
    renamed = FEBRUARY.replace(HEADER, "number,who,where,how\n")
    job = shop.send(months(shop, february=renamed), dataset, mode=mode)
    assert (job.status, names(shop)) == (JobStatus.WAITING, ["Ann", "Bo", "Cy"])
    assert "feb.csv is left out: neither its name nor its columns tell" in job.message
    assert "What the file leaves out, 1 row, may stand there: say with a mapping" in job.message
    if mode is Mode.MIRROR:
        work(shop.engine, shop.engine.jobs.get(job.job), is_approved=True)
        assert names(shop) == ["Ann", "Bo"]


@pytest.mark.parametrize("dataset", [None, "leads"])
def test_a_mirror_waits_while_a_table_that_can_not_be_read_may_hold_it(
    shop: Shop, dataset: str | None
) -> None:
    shop.send(months(shop), dataset, mode=Mode.MIRROR)
    job = shop.send(months(shop, february=""), dataset, mode=Mode.MIRROR)
    assert (job.status, names(shop)) == (JobStatus.WAITING, ["Ann", "Bo", "Cy"])
    assert "feb.csv" in job.message


@pytest.mark.parametrize("dataset", [None, "leads"])
def test_a_table_that_nobody_knows_holds_nothing_up_where_no_row_is_missing(
    shop: Shop, dataset: str | None
) -> None:
    """Nor where the one table that counts is named, or the mode takes nothing for deleted."""
    tables = {"jan.csv": JANUARY, "notes.csv": "when,what\n1,Hello\n"}
    path = shop.pack("leads.zip", tables)
    for _ in range(2):
        assert shop.send(path, dataset, mode=Mode.MIRROR).status is JobStatus.COMPLETED
    shorter = f"{HEADER}1,Ann,ann@example.org,won\n"
    fewer = shop.pack("leads.zip", {**tables, "jan.csv": shorter})
    assert shop.send(fewer, dataset).status is JobStatus.COMPLETED
    assert names(shop) == ["Ann", "Bo"]
    named = shop.send(fewer, dataset, mode=Mode.MIRROR, inside="jan.csv")
    assert (named.status, names(shop)) == (JobStatus.COMPLETED, ["Ann"])


@pytest.mark.parametrize("dataset", [None, "leads"])
def test_tables_of_one_dataset_are_one_commit(shop: Shop, dataset: str | None) -> None:
    """Whether the dataset was named or found."""
    path = months(shop)
    job = shop.send(path, dataset)
    [part] = job.members
    assert (part.dataset, part.tables, part.inside) == ("leads", ["jan.csv", "feb.csv"], None)
    assert (job.status, part.commit, rows_of(job)) == (JobStatus.COMPLETED, 1, (3, 3, 0, 0))
    assert part.part_document()["tables"] == ["jan.csv", "feb.csv"]
    assert names(shop) == ["Ann", "Bo", "Cy"]
    again = shop.send(path, dataset)
    assert (again.commit, again.members[0].message[:16]) == (None, "Already imported")
    reordered = shop.pack("again.zip", {"feb.csv": FEBRUARY, "jan.csv": JANUARY})
    assert shop.send(reordered, dataset).commit is None


def test_blame_and_history_name_the_table_and_its_line(shop: Shop) -> None:
    path = months(shop)
    shop.send(path)
    for key, table, line in (("2", "jan.csv", 3), ("3", "feb.csv", 2)):
        [name] = [x for x in shop.engine.timeline.blame("leads", key) if x["field"] == "name"]
        assert (name["file"], name["line"]) == (f"{path}::{table}", line)
        [version] = shop.engine.timeline.record_history("leads", key)
        assert (version["file"], version["line"]) == (f"{path}::{table}", line)


def test_a_mirror_deletes_what_all_tables_leave_out(shop: Shop) -> None:
    shop.send(months(shop), mode=Mode.MIRROR)
    moved = months(
        shop, f"{HEADER}1,Ann,ann@example.org,new\n", FEBRUARY + "2,Bo,bo@example.org,won\n"
    )
    assert shop.send(moved, mode=Mode.MIRROR).commit is None
    job = shop.send(months(shop, f"{HEADER}1,Ann,ann@example.org,new\n"), mode=Mode.MIRROR)
    assert (job.members[0].changes or {})["deleted"] == 1
    assert names(shop) == ["Ann", "Cy"]


def test_an_empty_table_has_nothing_to_say(shop: Shop) -> None:
    shop.send(months(shop), mode=Mode.MIRROR)
    job = shop.send(months(shop, february=HEADER), mode=Mode.MIRROR)
    assert "feb.csv holds no rows." in job.members[0].notices
    assert names(shop) == ["Ann", "Bo"]


def test_a_key_in_two_tables_is_a_duplicate_that_names_both(shop: Shop) -> None:
    job = shop.send(months(shop, february=FEBRUARY + "1,Anna,anna@example.org,new\n"))
    assert rows_of(job) == (4, 3, 0, 1)
    [item] = shop.engine.rejects(job.job, 10, 0, "leads")["items"]
    assert (item["inside"], item["line"], item["class"]) == ("feb.csv", 3, "duplicate")
    assert item["message"] == "The key is that of line 2 of jan.csv, which stands."
    assert names(shop)[0] == "Ann"


def test_rejects_say_which_table_and_come_back(shop: Shop) -> None:
    """ERR-13: the reject file has the columns of all tables, and the table of each row."""
    path = months(shop, JANUARY + "4,Di,di@example.org,gone\n", FEBRUARY + "5,Ed,ed.example.org\n")
    job = shop.send(path)
    items = shop.engine.rejects(job.job, 10, 0, "leads")["items"]
    assert [(x["inside"], x["line"], x["code"]) for x in items] == [
        ("jan.csv", 4, "constraint-error.enum"),
        ("feb.csv", 3, "missing-cell"),
    ]
    assert "3 cells instead of 4" in items[1]["message"]
    put_rejects(shop.engine.home, job)
    rejects = Path(job.members[0].rejects_file or "")
    lines = rejects.read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith("lead_id,name,email,status,{file},broken_row")
    text = "\n".join(lines).replace("Di,di@example.org,gone", "Di,di@example.org,won")
    rejects.write_text(text, encoding="utf-8")
    back = shop.send(rejects)
    assert (back.members[0].dataset, rows_of(back)) == ("leads", (2, 1, 1, 0))
    assert names(shop) == ["Ann", "Bo", "Cy", "Di"]


def test_a_table_without_a_column_says_nothing_of_it(shop: Shop) -> None:
    """MRG: its rows keep what they have; columns may have other names and another order."""
    shop.send(months(shop))
    job = shop.send(
        months(shop, "E-Mail Address,lead_id,name\nann2@example.org,1,Ann\n", "lead_id,name,email,status\n3,Cy,cy@example.org,won\n")
    )  # fmt: skip
    assert (job.members[0].changes or {})["updated"] == 2
    found = {row["lead_id"]: row for row in shop.rows("leads")}
    assert (found["1"]["email"], found["1"]["status"]) == ("ann2@example.org", "new")
    assert (found["3"]["email"], found["3"]["status"]) == ("cy@example.org", "won")


def test_a_mended_row_says_nothing_of_a_column_that_its_table_lacks(shop: Shop) -> None:
    """ERR-13, merge.md 5.1: nor does one that was broken; what was stated empty stays stated."""
    shop.send(months(shop))
    january = "lead_id,name,email\n1,Ann,ann.example.org\n2,Bob\n"
    february = "lead_id,name,status,email\n3,,won,cy.example.org\n"
    job = shop.send(months(shop, january, february))
    put_rejects(shop.engine.home, job)
    rejects = Path(job.members[0].rejects_file or "")
    with rejects.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["absent_columns"] for row in rows] == ["status", "status", ""]
    for row in rows:
        row |= {"email": f"{row['lead_id']}@example.org", "broken_row": ""}
    back = shop.send(shop.table("back.csv", *rows), "leads")
    assert rows_of(back) == (3, 3, 0, 0)
    assert [(x["name"], x["email"], x["status"]) for x in shop.rows("leads")] == [
        ("Ann", "1@example.org", "new"),
        ("Bob", "2@example.org", "won"),
        (None, "3@example.org", "won"),
    ]


@pytest.mark.parametrize("book", [xlsx, ods])
def test_sheets_of_one_kind_are_one_commit(shop: Shop, book) -> None:
    rows = [line.split(",") for line in JANUARY.splitlines()]
    other = [line.split(",") for line in FEBRUARY.splitlines()]
    path = shop.folder / f"leads.{book.__name__}"
    path.write_bytes(book({"January": rows, "February": other, "Notes": [["Hello", "you"]]}))
    job = shop.send(path)
    [part] = job.members
    assert (part.tables, names(shop)) == (["January", "February"], ["Ann", "Bo", "Cy"])
    assert any(notice.startswith("Notes is left out") for notice in job.notices)
    assert shop.send(path, "leads", source="crm").members[0].tables == ["January", "February"]


def test_plans_and_conflicts_name_the_table(shop: Shop) -> None:
    shop.send(months(shop))
    shop.engine.edit("leads", "3", {"name": "Cyd"}, shop.engine.author(Origin.CLI))
    newer = months(shop, JANUARY.replace("Ann,", "Anna,"), FEBRUARY.replace("Cy,", "Cyril,"))
    held = shop.send(newer, hold=True)
    rows = shop.engine.plans.page(held, PlanFilter(), 0, 10)["items"]
    assert [(row["key"], row["line"], row["inside"]) for row in rows] == [
        ("1", 2, "jan.csv"),
        ("3", 2, "feb.csv"),
    ]
    job = shop.send(newer)
    assert (job.members[0].changes or {})["conflicts"] == 1
    [item] = shop.engine.decisions.list(ConflictFilter())["items"]
    assert (item["key"], item["file"], item["line"]) == ("3", f"{newer}::feb.csv", 2)


def test_tables_that_are_read_otherwise_are_told(shop: Shop) -> None:
    labels = ("Record ID", "First Name", "Last Name", "Email", "Lead Status", "Lifecycle Stage")
    hubspot = f"{','.join(labels)},Create Date\n9,Zoe,X,z@example.org,New,Lead,2026-01-02 10:00\n"
    with pytest.raises(UsageError) as caught:
        shop.send(shop.pack("mixed.zip", {"leads.csv": JANUARY, "hubspot.csv": hubspot}))
    assert caught.value.code == "two-files-of-one-dataset"
    assert "the mapping hubspot the other" in caught.value.detail


def test_a_table_that_can_not_be_read_is_named(shop: Shop) -> None:
    rejects = f"line,row,field,code,message,value,{HEADER}2,1,,,,,3,Cy,c@example.org,new\n"
    with pytest.raises(InputError) as caught:
        shop.send(months(shop, february=rejects), "leads")
    assert caught.value.code == "rejects-among-tables"
    assert "feb.csv" in caught.value.title


def test_one_table_of_a_named_dataset_is_taken_and_the_others_are_told(shop: Shop) -> None:
    job = shop.send(months(shop, february="a,b\n1,2\n"), "leads")
    assert (job.inside, job.tables) == ("jan.csv", [])
    assert any(notice.startswith("feb.csv is left out") for notice in job.notices)


ASKS = """
name = "things"
primaryKey = ["id"]
duplicates = "ask"
fields = [{ name = "id" }, { name = "owner" }, { name = "text" }]
foreignKeys = [
    { fields = ["owner"], reference = { resource = "leads", fields = ["lead_id"] }, onMissing = "reject" },
]
"""


def test_contradictions_and_lost_references_name_the_table(shop: Shop) -> None:
    """merge.md 5.2, `dup_key`; ERR-01: what only the merge finds out is placed in its table, too."""
    (shop.engine.home.datasets / "things.toml").write_text(ASKS, encoding="utf-8")
    shop.engine.reload(shop.engine.settings)
    one = "id,owner,text\n1,,a\n2,,b\n"
    two = "id,owner,text\n2,,c\n3,nobody,d\n"
    job = shop.send(shop.pack("things.zip", {"one.csv": one, "two.csv": two}), "things")
    assert [row["id"] for row in shop.rows("things")] == ["1"]
    [item] = shop.engine.decisions.list(ConflictFilter())["items"]
    assert (item["key"], item["theirs"]["lines"]) == ("2", ["3 of one.csv", "2 of two.csv"])
    found = shop.engine.rejects(job.job, 10, 0, "things")["items"]
    places = {(x["code"], x["inside"], x["line"]) for x in found}
    assert places == {
        ("primary-key.differs", "one.csv", 3),
        ("primary-key.differs", "two.csv", 2),
        ("foreign-key", "two.csv", 3),
    }
    assert "Lines 3 of one.csv, 2 of two.csv have one key" in found[0]["message"]


def test_a_row_that_refers_to_nothing_says_nothing_of_what_it_left_out(shop: Shop) -> None:
    """ERR-13: found out by the merge, it is listed as staging lists its own."""
    (shop.engine.home.datasets / "things.toml").write_text(ASKS, encoding="utf-8")
    shop.engine.reload(shop.engine.settings)
    shop.send(shop.write("1.csv", "id,owner,text\n1,,a\n2,,b\n"), "things")
    rows = [{"id": "1", "owner": "nobody"}, {"id": "2", "owner": "nobody", "text": None}]
    job = shop.send(shop.write("2.json", json.dumps(rows)), "things")
    put_rejects(shop.engine.home, job)
    text = Path(job.members[0].rejects_file or "").read_text(encoding="utf-8")
    assert text.splitlines()[0].endswith("id,owner,text,absent_columns")
    shop.send(shop.write("leads.csv", f"{HEADER}9,Zoe,z@example.org,new\n"), "leads")
    shop.send(shop.write("back.csv", text.replace(",nobody,", ",9,")), "things")
    assert [(x["owner"], x["text"]) for x in shop.rows("things")] == [("9", "a"), ("9", None)]


def test_rows_that_are_one_statement_are_rejected_as_one(shop: Shop) -> None:
    """merge.md 5.2, ERR-13: what they say together stands in the one line of the reject file."""
    (shop.engine.home.datasets / "things.toml").write_text(ASKS, encoding="utf-8")
    shop.engine.reload(shop.engine.settings)
    rows = [{"id": "1", "owner": "nobody"}, {"id": "1", "text": "a"}, {"id": "2", "text": "b"}]
    job = shop.send(shop.write("1.json", json.dumps(rows)), "things")
    assert rows_of(job) == (3, 1, 1, 1)
    put_rejects(shop.engine.home, job)
    text = Path(job.members[0].rejects_file or "").read_text(encoding="utf-8")
    [line] = csv.DictReader(text.splitlines())
    assert (line["id"], line["owner"], line["text"]) == ("1", "nobody", "a")
    assert "absent_columns" not in line


def test_tables_with_different_columns_contradict_each_other_only_where_both_speak(
    shop: Shop,
) -> None:
    """merge.md 5.2: what one of them lacks it leaves to the other, and nothing is lost."""
    (shop.engine.home.datasets / "things.toml").write_text(ASKS, encoding="utf-8")
    shop.engine.reload(shop.engine.settings)
    tables = {"one.csv": "id,text\n1,a\n2,b\n3,c\n", "two.csv": "id,text\n2,x\n"}
    shop.send(shop.pack("first.zip", tables | {"two.csv": "id,text\n4,d\n"}), "things")
    shop.send(shop.write("leads.csv", f"{HEADER}9,Zoe,z@example.org,new\n"), "leads")
    tables["three.csv"] = "id,owner\n1,9\n2,9\n4,9\n"
    job = shop.send(shop.pack("second.zip", tables), "things")
    assert {row["id"]: (row["owner"], row["text"]) for row in shop.rows("things")} == {
        "1": ("9", "a"),
        "2": (None, "b"),
        "3": (None, "c"),
        "4": ("9", "d"),
    }
    assert rows_of(job) == (7, 3, 0, 4)
    [item] = shop.engine.decisions.list(ConflictFilter())["items"]
    assert (item["key"], item["kind"]) == ("2", "dup_key")
    again = shop.send(shop.pack("third.zip", {**tables, "four.csv": "id,text\n3,c\n"}), "things")
    assert again.commit is None


TODOIST = "TYPE,CONTENT,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE\n"
TASKS = (
    "task,Plan,1,1,Ada,,,,\ntask,Write,4,2,Ada,,,,\nsection,Later,,,,,,,\ntask,Rest,4,1,Ada,,,,\n"
)
MORE = "task,Plan,2,1,Ada,,,,\n"


def test_projects_of_a_backup_are_told_by_their_names(shop: Shop) -> None:
    """SRC: a task is known by its project; headings of one table say nothing of the next."""
    tables = {"Home [1].csv": TODOIST + TASKS, "Work [2].csv": TODOIST + MORE}
    job = shop.send(shop.pack("backup.zip", tables), source=None)
    [part] = job.members
    assert (part.mapping, part.source, len(part.tables)) == ("todoist", "todoist", 2)
    found = {row["id"]: (row["module"], row["parentId"]) for row in shop.rows("goals")}
    assert found == {
        "Home / Plan": ("Home", None),
        "Home / Plan / Write": ("Home", "Home / Plan"),
        "Home / Rest": ("Home / Later", None),
        "Work / Plan": ("Work", None),
    }
    alone = shop.send(shop.write("Work [2].csv", TODOIST + MORE), source=None)
    assert alone.commit is None
    gone = {"Home [1].csv": TODOIST, "Work [2].csv": TODOIST + MORE}
    newer = shop.send(shop.pack("backup.zip", gone), source=None, mode=Mode.MIRROR)
    assert (newer.members[0].changes or {})["deleted"] == 3


NOTION = "\ufeffName,Status,Created time,Due\r\n"


def test_a_view_beside_the_whole_database_is_left_out(shop: Shop) -> None:
    """SRC: Notion exports each database as it is shown, and with all rows and columns."""
    number = "58b8977d6e4444a98ec4d64176a071e5"
    row = 'Study,Done,"September 17, 2026 1:52 PM",\r\n'
    tables = {
        f"Goals {number}.csv": NOTION + row,
        f"Goals {number}_all.csv": NOTION + row + row.replace("Study", "Rest"),
        "Plans 18b8977d6e4444a98ec4d64176a071e5_all.csv": NOTION + row.replace("Study", "Move"),
    }
    job = shop.send(shop.pack("export.zip", tables), source=None)
    [part] = job.members
    assert [name.split()[0] for name in part.tables] == ["Goals", "Plans"]
    assert (part.rows or {})["duplicate"] == 0
    assert {row["title"]: row["module"] for row in shop.rows("goals")} == {
        "Study": "Goals",
        "Rest": "Goals",
        "Move": "Plans",
    }
    assert any(notice.startswith(f"Goals {number}.csv is left out") for notice in job.notices)
