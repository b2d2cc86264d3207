"""Variants of other programs' files that no sample shows (issue 4)."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import World, counts


def test_harvest_of_a_german_account(clean: World, tmp_path: Path) -> None:
    """Days and decimals as the account writes them, decided over the column."""
    path = tmp_path / "german.csv"
    path.write_text(
        "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,First Name,Last Name\r\n"
        'x.01.2015,N,W,,D,,"20,0",Yes,Ada,M\r\n26.01.2015,N,W,,D,,"2.000,5",No,Ada,M\r\n'
        '26.01.2015,N,W,,D,,"0,5",No,Bo,L\r\n',
        encoding="utf-8",
    )
    job = clean.ok("import", str(path))
    assert counts(job) == ("harvest", "harvest", 2, 1)
    found = sorted(float(row["duration_hours"]) for row in clean.ok("rows", "time_entries")["rows"])
    assert found == [0.5, 2000.5]


def test_clockify_of_an_american_account(clean: World, tmp_path: Path) -> None:
    path = tmp_path / "clockify.csv"
    path.write_text(
        '"Project","Client","Description","Task","User","Group","Email","Tags","Billable",'
        '"Start Date","Start Time","End Date","End Time","Duration (h)","Duration (decimal)"\n'
        '"Shop","Acme","Talk","","Ada","","ada@example.org","a, b","Yes","03/14/2026",'
        '"01:30:00 PM","03/14/2026","03:00:00 PM","01:30:00","1.50"\n',
        encoding="utf-8",
    )
    job = clean.ok("import", str(path))
    assert counts(job) == ("clockify", "clockify", 1, 0)
    [row] = clean.ok("rows", "time_entries")["rows"]
    assert (row["start_time"], row["tags"], row["billable"]) == (
        "2026-03-14T12:30:00Z",
        ["a", "b"],
        True,
    )


def test_ticktick_below_its_preamble(clean: World, tmp_path: Path) -> None:
    path = tmp_path / "ticktick.csv"
    header = (
        "Folder Name,List Name,Title,Kind,Tags,Content,Is Check list,Start Date,Due Date,Reminder,"
        "Repeat,Priority,Status,Created Time,Completed Time,Order,Timezone,Is All Day,Is Floating,"
        "Column Name,Column Order,View Mode,taskId,parentId"
    )
    made = "2026-02-01T08:00:00+0000,,1,Europe/Berlin,true,false,,,list"
    lines = [
        f',Sport,Run,TEXT,"a, b",,N,,2026-03-01T23:00:00+0000,,,5,1,{made},1,',
        f",Sport,Warm up,TEXT,,,N,,2026-03-01 23:00:00,,,0,0,{made},2,1",
        f",Sport,Idea,NOTE,,,N,,,,,0,0,{made},3,",
    ]
    quoted = ",".join(f'"{name}"' for name in header.split(","))
    status = '"Status: \n0 Normal\n1 Completed\n2 Archived"'
    text = "\n".join(['\ufeff"Date: 2026-03-02+0000"', '"Version: 7.1"', status, quoted, *lines])
    path.write_text(text + "\n", encoding="utf-8")
    job = clean.ok("import", str(path))
    assert counts(job) == ("ticktick", "ticktick", 2, 0)
    assert job["rows"]["skipped"] == 1
    found = {row["title"]: row for row in clean.ok("rows", "goals")["rows"]}
    run, warm = found["Run"], found["Warm up"]
    assert (run["targetDate"], run["priority"], run["isCompleted"]) == ("2026-03-02", "high", True)
    assert (warm["parentId"], warm["targetDate"]) == (run["id"], "2026-03-01")


def test_salesforce_s_report_ends_with_a_total(clean: World, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(
        '"Lead Owner","First Name","Last Name","Company / Account","Email","Lead Source",'
        '"Lead Status","Create Date"\n'
        '"Ada","Bo","Lind","Acme","bo@example.org","Web","Working - Contacted","2026-03-02"\n'
        '"Grand Totals (1 record)","","","","","","",""\n',
        encoding="utf-8",
    )
    job = clean.ok("import", str(path))
    assert (*counts(job), job["rows"]["skipped"]) == ("salesforce_report", "salesforce", 1, 0, 1)
    [row] = clean.ok("rows", "leads")["rows"]
    assert (row["name"], row["status"], row["assigned_to"]) == ("Bo Lind", "contacted", "Ada")


def test_google_s_older_layout(clean: World, tmp_path: Path) -> None:
    path = tmp_path / "google.csv"
    path.write_text(
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Value,Organization 1 - Name\n"
        "Bo Lind,Bo,Lind,* myContacts,bo@example.org ::: b@example.org,Acme\n",
        encoding="utf-8",
    )
    job = clean.ok("import", str(path))
    assert counts(job) == ("google_contacts_legacy", "google", 1, 0)
    [row] = clean.ok("rows", "contacts")["rows"]
    assert (row["name"], row["email"]) == ("Bo Lind", "bo@example.org")
