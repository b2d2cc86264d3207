"""References that people write, delete and bring back (design section 6, issue 3)."""

from __future__ import annotations

import pytest

from dataport.core.errors import StateError
from dataport.core.words import Mode, Take
from tests.engine.importing.office import Office, in_way

HEADER = "id,title,owner"
USERS = ("email,name", "ann@x,Ann", "bo@x,Bo")
TICKETS = (HEADER, "1,One,ann@x", "2,Two,ann@x", "3,Three,")
STRICT = pytest.mark.parametrize("office", ["reject", "null"], indirect=True)
GONE = "owner of 2 rows of tickets refers to 1 row of users that is taken away: ann@x."


def fill(office: Office) -> None:
    """Two users, and three tickets: two of Ann's and one of nobody."""
    office.send("users", *USERS)
    office.send("tickets", *TICKETS)


def owners(office: Office) -> list[str | None]:
    return [row[2] for row in office.rows("tickets")]


@STRICT
def test_an_edit_that_leads_nowhere_is_refused(office: Office) -> None:
    fill(office)
    with pytest.raises(StateError, match="owner of 1 row refers to cy@x, which users does not"):
        office.edit("tickets", "3", owner="cy@x")
    assert owners(office) == ["ann@x", "ann@x", None]
    assert office.edit("tickets", "3", owner="bo@x")["notices"] == []
    assert office.edit("tickets", "3", owner=None)["notices"] == []


@STRICT
@pytest.mark.parametrize("is_dry", [True, False])
def test_so_is_a_bulk_change_as_a_whole(office: Office, is_dry: bool) -> None:
    fill(office)
    with pytest.raises(StateError, match="owner of 3 rows refers to cy@x"):
        office.update("tickets", "true", owner="cy@x", is_dry=is_dry)
    assert owners(office) == ["ann@x", "ann@x", None]


@in_way("keep")
def test_what_may_lead_nowhere_is_kept_with_a_notice(office: Office) -> None:
    fill(office)
    said = "owner of 1 row refers to cy@x, which users does not have. It is kept as it is."
    assert office.edit("tickets", "3", owner="cy@x")["notices"] == [said]
    assert office.edit("tickets", "3", title="Other")["notices"] == [], "it was so before"
    job = office.update("tickets", "owner = 'ann@x'", owner="di@x")
    assert job.notices[0].startswith("owner of 2 rows refers to di@x, which users does not have")
    assert owners(office) == ["di@x", "di@x", "cy@x"]


@in_way("stub")
def test_a_missing_row_is_added_in_the_same_commit(office: Office) -> None:
    fill(office)
    done = office.edit("tickets", "3", owner="cy@x")
    assert done["notices"] == [
        "owner of 1 row refers to cy@x, which users does not have: added, with nothing but its key."
    ]
    assert office.rows("users")[-1] == ["cy@x", None]
    office.undo(done["commit"])
    assert len(office.rows("users")) == 2


@in_way("reject")
def test_fields_that_refer_together_are_checked_together(office: Office) -> None:
    office.send("places", "country,number,name", "DE,1,A", "FR,2,B")
    office.send("visits", "id,land,place", "v,DE,1")
    with pytest.raises(StateError, match=r'place\+land of 1 row refers to \["1","FR"\]'):
        office.edit("visits", "v", land="FR")
    office.edit("visits", "v", land="FR", place="2")
    assert office.rows("visits") == [["v", "FR", 2]]


@in_way("reject")
def test_a_row_may_refer_to_itself(office: Office) -> None:
    office.send("goals", "id,parent", "1,", "2,1")
    office.edit("goals", "1", parent="1")
    assert office.rows("goals")[0] == ["1", "1"]


@pytest.mark.parametrize("office", ["keep", "null", "reject", "stub"], indirect=True)
def test_deleting_what_others_refer_to_is_counted(office: Office) -> None:
    """Also by a dry run; the references stay."""
    fill(office)
    where = "email = 'ann@x'"
    assert office.delete("users", where, is_dry=True).notices == [GONE]
    assert len(office.rows("users")) == 2
    assert office.delete("users", where).notices == [GONE]
    assert owners(office) == ["ann@x", "ann@x", None]
    assert office.delete("users", "true").notices == []


@in_way("reject")
def test_who_goes_along_is_not_left_behind(office: Office) -> None:
    office.send("goals", "id,parent", "1,", "2,1", "3,1")
    job = office.delete("goals", "id <> '3'")
    assert job.notices == [
        "parent of 1 row of goals refers to 1 row of goals that is taken away: 1."
    ]


@in_way("reject")
def test_a_decision_is_checked_as_an_edit_is(office: Office) -> None:
    fill(office)
    office.edit("tickets", "1", owner=None)
    office.send("tickets", HEADER, "1,One,bo@x")
    office.delete("users", "email = 'bo@x'")
    with pytest.raises(StateError, match="refers to bo@x"):
        office.resolve(Take.THEIRS)
    assert len(office.conflicts()) == 1
    assert office.resolve(Take.OURS)["notices"] == []


@in_way("reject")
def test_an_undo_says_what_it_leaves_behind_and_is_never_refused(office: Office) -> None:
    users = office.send("users", *USERS)
    office.send("tickets", *TICKETS)
    assert office.undo(users.commit, is_dry=True)["notices"] == [GONE]
    assert office.undo(users.commit)["notices"] == [GONE]
    assert office.rows("users") == []


@in_way("reject")
def test_an_undo_says_what_it_brings_back_without_its_reference(office: Office) -> None:
    fill(office)
    gone = office.delete("tickets", "true")
    office.delete("users", "true")
    assert office.undo(gone.commit)["notices"] == [
        "owner of 2 rows refers to ann@x, which users does not have."
    ]
    assert len(office.rows("tickets")) == 3


@in_way("reject")
def test_a_mirror_that_deletes_what_others_refer_to_says_so(office: Office) -> None:
    office.send("users", *USERS, mode=Mode.MIRROR)
    office.send("tickets", *TICKETS)
    job = office.send("users", "email,name", "bo@x,Bo", mode=Mode.MIRROR)
    assert job.notices == [GONE]
    assert owners(office) == ["ann@x", "ann@x", None]


@in_way("reject")
def test_a_mirror_of_rows_that_refer_to_each_other_leaves_none_behind(office: Office) -> None:
    office.send("goals", "id,parent", "1,", "2,1", "3,1", mode=Mode.MIRROR)
    assert office.send("goals", "id,parent", "3,", mode=Mode.MIRROR).notices == []
