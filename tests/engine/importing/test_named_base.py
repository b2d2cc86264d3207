"""Files compared with the store as of a commit that the command names: `import --base COMMIT`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dataport.core.errors import DataportError
from dataport.core.paths import Home
from dataport.core.words import JobStatus, Mode, OnMatch, Origin
from tests.engine.importing.desk import Desk

FIRST = "id,a,b,n\n1,x,p,1\n2,x,p,2\n3,x,p,3\n"
SOURCE = "export:@1"


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    """Three rows of crm are commit 1; commit 2 is an edit of the first."""
    desk = Desk(home)
    desk.send(FIRST)
    desk.edit("1", b="mine")
    yield desk
    desk.engine.close()


def test_only_what_differs_from_then_is_a_change(desk: Desk) -> None:
    """What the store got meanwhile survives; rows and fields that are left out say nothing."""
    job = desk.send("id,a,b\n1,y,p\n2,x,p\n", "fair", base="1")
    assert desk.rows() == {"1": ("y", "mine", 1), "2": ("x", "p", 2), "3": ("x", "p", 3)}
    assert ((job.changes or {})["updated"], desk.conflicts()) == (1, [])
    assert (job.source, job.notices) == (
        SOURCE,
        ["The file is compared with the store as of commit 1."],
    )


def test_what_both_changed_since_is_a_conflict(desk: Desk) -> None:
    desk.send("id,b\n1,theirs\n", base="1")
    [conflict] = desk.conflicts()
    assert (conflict["base"], conflict["ours"], conflict["theirs"]) == ("p", "mine", "theirs")
    assert (conflict["source"], conflict["kind"]) == (SOURCE, "edit/edit")


@pytest.mark.parametrize("text", ["id,b\n1,p\n", "id,b\n1,p\n\n"], ids=["bytes", "rows"])
def test_the_same_file_again_changes_nothing(desk: Desk, text: str) -> None:
    """A5; compared with a later commit, it takes the edit back."""
    assert desk.send("id,b\n1,p\n", base="1").commit is None
    assert desk.send(text, base="1").commit is None
    assert desk.rows()["1"][1] == "mine"
    assert desk.send(text, base="2").commit is not None
    assert desk.rows()["1"][1] == "p"


def test_what_its_source_sent_last_stays_as_it_was(desk: Desk) -> None:
    """The file is no word of crm: crm repeating itself keeps what the file changed."""
    desk.send("id,a\n2,y\n", base="1")
    assert desk.send(FIRST + "\n").commit is None
    assert desk.rows()["2"][0] == "y"
    desk.send("id,a\n2,y\n")
    desk.send("id,a\n2,z\n")
    assert desk.rows()["2"][0] == "z"


def test_a_row_that_was_deleted_since_stays_deleted_unless_it_was_changed(desk: Desk) -> None:
    desk.delete("2")
    desk.delete("3")
    desk.send("id,a\n2,x\n3,y\n9,new\n", base="1")
    assert set(desk.rows()) == {"1", "9"}
    assert [(c["key"], c["kind"]) for c in desk.conflicts()] == [("3", "delete/edit")]


def test_undoing_it_puts_everything_back(desk: Desk) -> None:
    before = desk.rows()
    job = desk.send("id,a,b\n1,y,z\n4,n,n\n", base="1")
    desk.engine.timeline.undo(job.commit or 0, desk.engine.author(Origin.CLI))
    assert (desk.rows(), desk.conflicts()) == (before, [])


def test_a_time_is_the_commit_of_then(desk: Desk) -> None:
    job = desk.send("id,b\n1,p\n", base="2099-01-01")
    assert job.source == "export:@2"
    assert desk.rows()["1"][1] == "p"


def test_a_plan_that_waits_keeps_its_base(desk: Desk) -> None:
    job = desk.send("id,a\n1,y\n", base="1", hold=True)
    assert job.status is JobStatus.WAITING
    desk.edit("2", a="mine")
    job = desk.approve(job)
    assert (job.source, desk.rows()["1"][0]) == (SOURCE, "y")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"base": "9"}, "unknown-commit"),
        ({"base": "soon"}, "wrong-as-of"),
        ({"base": "1", "mode": Mode.MIRROR}, "base-and-mode"),
        ({"base": "1", "on_match": OnMatch.FILL}, "base-and-mode"),
        ({"source": SOURCE}, "reserved-source"),
    ],
)
def test_what_can_t_be_a_base_is_refused_at_once(
    desk: Desk, wanted: dict[str, Any], code: str
) -> None:
    with pytest.raises(DataportError) as caught:
        desk.send("id,a\n1,y\n", **wanted)
    assert caught.value.code == code
