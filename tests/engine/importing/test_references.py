"""What becomes of references that lead nowhere, in all four ways (design section 6, issue 3)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from dataport.core.errors import RejectedError
from dataport.core.words import Mode
from tests.engine.importing.office import Office, in_way

HEADER = "id,title,owner"
ANN = ("email,name", "ann@x,Ann")
TWO = (HEADER, "1,One,ann@x", "2,Two,bo@x", "3,Three,", "4,Four,bo@x", "5,Five,cy@x")

MISSING = "owner of 3 rows refers to 2 rows of users, which does not have them: bo@x, cy@x."


@in_way("keep")
def test_keep_leaves_the_value_and_says_how_many_are_missing(office: Office) -> None:
    office.send("users", *ANN)
    job = office.send("tickets", *TWO)
    assert [row[2] for row in office.rows("tickets")] == ["ann@x", "bo@x", None, "bo@x", "cy@x"]
    assert job.notices == [f"{MISSING} They are kept as they are."]
    assert job.rows == {"read": 5, "valid": 5, "rejected": 0, "duplicate": 0}
    assert office.send("tickets", *TWO).message.startswith("Already imported")
    again = office.send("tickets", *TWO[:1], *reversed(TWO[1:]))
    assert (again.commit, again.notices) == (None, [])


@in_way("null")
def test_null_takes_the_reference_for_empty_until_it_leads_somewhere(office: Office) -> None:
    """A re-import is a no-op (A5); once the row is there the same file brings the value."""
    office.send("users", *ANN)
    job = office.send("tickets", *TWO)
    assert [row[2] for row in office.rows("tickets")] == ["ann@x", None, None, None, None]
    assert job.notices == [f"{MISSING} They are left empty."]
    again = office.send("tickets", *TWO)
    assert (again.commit, (again.changes or {})["unchanged"]) == (None, 5)
    office.send("users", "email,name", "bo@x,Bo")
    healed = office.send("tickets", *TWO)
    assert (healed.changes or {})["updated"] == 2
    assert [row[2] for row in office.rows("tickets")] == ["ann@x", "bo@x", None, "bo@x", None]


@in_way("reject")
def test_reject_lists_the_rows_with_code_line_and_message(office: Office) -> None:
    """ERR-01, ERR-12: in the counts, the listing and the reject file, which goes in once mended."""
    office.send("users", *ANN)
    job = office.send("tickets", "id,Owned by,note", "1,ann@x,a", "2,bo@x,b", ",ann@x,c")
    assert job.rows == {"read": 3, "valid": 1, "rejected": 2, "duplicate": 0}
    assert [row[0] for row in office.rows("tickets")] == ["1"]
    listed = office.engine.rejects(job.job, 10, 0)
    assert listed["total"] == 2
    first, second = listed["items"]
    assert (first["line"], first["field"], first["code"]) == (3, "owner", "foreign-key")
    assert (first["class"], first["value"]) == ("error", "bo@x")
    assert "no row of users with email 'bo@x'" in first["message"]
    assert (second["line"], second["code"]) == (4, "primary-key")
    path = Path(job.rejects_file or "")
    lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert lines[0][6:] == ["id", "Owned by", "note"]
    assert lines[1][:4] == ["3", "2", "owner", "foreign-key"]
    assert lines[1][6:] == ["2", "bo@x", "b"]

    again = office.send("tickets", "id,Owned by,note", "1,ann@x,a", "2,bo@x,b", ",ann@x,c")
    assert again.commit is None
    assert (again.rows or {})["rejected"] == 2
    office.send("users", "email,name", "bo@x,Bo")
    mended = office.send("tickets", *path.read_text(encoding="utf-8").splitlines())
    assert (mended.changes or {})["inserted"] == 1
    assert [row[0] for row in office.rows("tickets")] == ["1", "2"]


@in_way("reject")
def test_a_rejected_row_keeps_what_is_stored_and_is_not_deleted_by_a_mirror(office: Office) -> None:
    office.send("users", *ANN)
    office.send("tickets", HEADER, "1,One,ann@x", "2,Two,ann@x", mode=Mode.MIRROR)
    job = office.send("tickets", HEADER, "1,Uno,bo@x", mode=Mode.MIRROR)
    changes = job.changes or {}
    assert (changes["updated"], changes["deleted"]) == (0, 1)
    assert office.rows("tickets") == [["1", "One", "ann@x"]]


@in_way("reject")
def test_a_strict_import_fails_for_a_reference(office: Office) -> None:
    with pytest.raises(RejectedError, match="strict, and 1 of 1 row"):
        office.send("tickets", HEADER, "1,One,ann@x", strict=True)
    assert office.rows("tickets") == []


@in_way("reject")
def test_a_reference_that_the_source_only_repeats_is_not_checked_again(office: Office) -> None:
    users = office.send("users", *ANN)
    office.send("tickets", HEADER, "1,One,ann@x")
    office.undo(users.commit)
    job = office.send("tickets", HEADER, "1,Uno,ann@x")
    assert (job.rows or {})["rejected"] == 0
    assert office.rows("tickets") == [["1", "Uno", "ann@x"]]


@in_way("stub")
def test_stub_adds_the_row_in_the_same_commit_and_undo_takes_it_out(office: Office) -> None:
    office.send("users", *ANN)
    job = office.send("tickets", *TWO)
    assert office.rows("users") == [["ann@x", "Ann"], ["bo@x", None], ["cy@x", None]]
    assert job.notices == [f"{MISSING} 2 rows of users are added, with nothing but their keys."]
    log = office.engine.timeline.log(None, 1)["items"][0]
    assert (log["commit"], log["datasets"]) == (job.commit, ["tickets", "users"])
    assert log["changes"]["inserted"] == 7
    blamed = office.engine.timeline.blame("users", "bo@x")[0]
    assert (blamed["commit"], blamed["source"], blamed["line"]) == (job.commit, "crm", 3)
    office.undo(job.commit)
    assert office.rows("users") == [["ann@x", "Ann"]]
    assert office.rows("tickets") == []


@in_way("stub")
@pytest.mark.parametrize("source", ["crm", "hr"])
def test_the_real_row_merges_into_its_stub(office: Office, source: str) -> None:
    """A re-import adds nothing (A5); a mirror of users never takes a stub for its own row."""
    office.send("users", *ANN, mode=Mode.MIRROR, source=source)
    office.send("tickets", *TWO)
    again = office.send("tickets", *TWO[:1], *reversed(TWO[1:]))
    assert (again.commit, again.notices) == (None, [])
    job = office.send("users", *ANN, "bo@x,Bo", mode=Mode.MIRROR, source=source)
    assert (job.changes or {})["updated"] == 1
    assert (job.changes or {})["conflicts"] == 0
    assert office.rows("users") == [["ann@x", "Ann"], ["bo@x", "Bo"], ["cy@x", None]]


@in_way("stub")
def test_rows_that_are_not_written_need_no_stub(office: Office) -> None:
    office.send("tickets", HEADER, "1,One,")
    job = office.send("tickets", HEADER, "1,One,ann@x", source="mail", on_match="skip")
    assert office.rows("users") == []
    assert job.notices[0].endswith(" No row of users is added for that.")


@in_way("stub")
def test_a_plan_counts_the_stubs_that_applying_it_adds(office: Office) -> None:
    """Of references that are written; a dry run says what would be."""
    office.send("tickets", HEADER, "1,One,", "2,Two,")
    office.send("tickets", HEADER, "1,One,ann@x", "2,Two,", source="mail")
    lines = (HEADER, "1,One,bo@x", "2,Two,cy@x", "3,Three,cy@x", "4,Four,dan@x")
    dry = office.send("tickets", *lines, dry_run=True)
    assert dry.notices[0].endswith(" 2 rows of users would be added, with nothing but their keys.")
    assert office.rows("users") == [["ann@x", None]]
    job = office.send("tickets", *lines)
    assert job.notices[0].endswith(" 2 rows of users are added, with nothing but their keys.")
    assert [row[0] for row in office.rows("users")] == ["ann@x", "cy@x", "dan@x"]
    goals = office.send("goals", "id,parent", "1,2", "2,9", "3,9", dry_run=True)
    assert goals.notices[0].endswith(" 1 row of goals would be added, with nothing but its key.")


@pytest.mark.parametrize(
    ("office", "parents"),
    [
        ("keep", [["1", None], ["2", "1"], ["3", "2"], ["4", "9"], ["5", "4"]]),
        ("null", [["1", None], ["2", "1"], ["3", "2"], ["4", None], ["5", "4"]]),
        ("reject", [["1", None], ["2", "1"], ["3", "2"]]),
        ("stub", [["1", None], ["2", "1"], ["3", "2"], ["4", "9"], ["5", "4"], ["9", None]]),
    ],
    indirect=["office"],
)
def test_rows_of_one_file_may_refer_to_each_other(office: Office, parents: list[Any]) -> None:
    """In any order; whoever refers to a rejected row is rejected too. Twice is once (A5)."""
    lines = ["5,4", "3,2", "2,1", "1,", "4,9"]
    for mode in (Mode.MIRROR, Mode.MIRROR):
        job = office.send("goals", "id,parent", *lines, mode=mode)
        assert office.rows("goals") == parents
        lines.reverse()
    assert job.commit is None
    if len(parents) == 3:
        codes = office.engine.rejects(job.job, 10, 0)["items"]
        assert sorted((item["value"], item["code"]) for item in codes) == [
            ("4", "foreign-key"),
            ("9", "foreign-key"),
        ]


@in_way("stub")
def test_a_stub_among_its_own_kind_is_no_row_of_its_source(office: Office) -> None:
    """The source's next mirror does not delete what it never sent; undo takes all out."""
    first = office.send("goals", "id,parent", "1,9", mode=Mode.MIRROR)
    office.send("goals", "id,parent", "1,9", "2,1", mode=Mode.MIRROR)
    assert office.rows("goals") == [["1", "9"], ["2", "1"], ["9", None]]
    office.send("goals", "id,parent", "1,9", "2,1", "9,2", mode=Mode.MIRROR)
    assert office.rows("goals") == [["1", "9"], ["2", "1"], ["9", "2"]]
    last = office.send("goals", "id,parent", "1,9", "2,1", mode=Mode.MIRROR)
    assert (last.changes or {})["deleted"] == 1
    for commit in (last.commit, 3, 2, first.commit):
        office.undo(commit)
    assert office.rows("goals") == []


@pytest.mark.parametrize(
    ("office", "visits", "places"),
    [
        ("keep", [["1", "DE", 7], ["2", "FR", 7], ["3", "FR", None]], 1),
        ("null", [["1", "DE", 7], ["2", None, None], ["3", "FR", None]], 1),
        ("reject", [["1", "DE", 7], ["3", "FR", None]], 1),
        ("stub", [["1", "DE", 7], ["2", "FR", 7], ["3", "FR", None]], 2),
    ],
    indirect=["office"],
)
def test_a_key_of_several_fields_is_compared_as_a_whole(
    office: Office, visits: list[Any], places: int
) -> None:
    """In the order in which the foreign key pairs them; partly empty it is no reference."""
    office.send("places", "country,number,name", "DE,7,Kiel")
    lines = ("id,land,place", "1,DE,7", "2,FR,7", "3,FR,")
    job = office.send("visits", *lines)
    assert office.rows("visits") == visits
    assert len(office.rows("places")) == places
    if places == 2:
        real = office.send("places", "country,number,name", "FR,7,Lyon", source="maps")
        assert (real.changes or {})["updated"] == 1
        assert office.rows("places")[1] == ["FR", 7, "Lyon"]
    if len(visits) == 2:
        [item] = office.engine.rejects(job.job, 10, 0)["items"]
        assert (item["field"], item["value"]) == ("place+land", '["7","FR"]')


@in_way("reject")
def test_a_plan_counts_as_approving_it_does(office: Office) -> None:
    """A dry run names the rejected rows and writes nothing."""
    job = office.send("tickets", HEADER, "1,One,ann@x", "2,Two,", dry_run=True)
    assert (job.rows or {})["rejected"] == 1
    assert (job.changes or {})["inserted"] == 1
    assert office.engine.rejects(job.job, 10, 0)["total"] == 1
    assert (office.rows("tickets"), job.rejects_file) == ([], None)
