"""Merged rows that refer to nothing although store and file both keep the rule (merge.md 5.3)."""

from __future__ import annotations

import pytest

from dataport.engine.merging import invalid
from tests.engine.importing.office import Office, in_way

PLACES = ("country,number,name", "DE,1,A", "DE,2,B", "FR,1,C")
BOUND = pytest.mark.parametrize("office", ["reject", "null", "stub"], indirect=True)
"""The ways that let no reference lead nowhere."""


def put_together(office: Office) -> None:
    """A visit of DE 1 becomes one of FR 1 here, and one of DE 2 in the file."""
    office.send("places", *PLACES)
    office.send("visits", "id,land,place", "v,DE,1", "w,DE,1")
    office.edit("visits", "v", land="FR")
    office.send("visits", "id,land,place", "v,DE,2", "w,DE,2")


@BOUND
def test_a_reference_put_together_from_two_waits(office: Office) -> None:
    """dolt #3462: each side is right, the row of both is not."""
    put_together(office)
    [conflict] = office.conflicts()
    assert (conflict["key"], conflict["kind"]) == ("v", "invalid merge")
    assert [(each["field"], each["code"]) for each in conflict["violations"]] == [
        ("place+land", "foreign-key")
    ]
    message = conflict["violations"][0]["message"]
    assert message == 'place+land refers to ["2","FR"], which places does not have.'
    assert conflict["merged"] == {"id": "v", "land": "FR", "place": 2}
    assert office.rows("visits") == [["v", "FR", 1], ["w", "DE", 2]]
    assert len(office.rows("places")) == 3, "no stub for what nobody said"


@in_way("keep")
def test_what_may_lead_nowhere_is_merged(office: Office) -> None:
    put_together(office)
    assert (office.rows("visits")[0], office.conflicts()) == (["v", "FR", 2], [])


@BOUND
def test_a_row_does_not_refer_to_one_that_stays_deleted_here(office: Office) -> None:
    """One side deletes a row, the other adds one that refers to it."""
    office.send("goals", "id,parent", "1,")
    office.delete("goals", "id = '1'")
    office.send("goals", "id,parent", "1,", "2,1", "3,")
    assert [(c["key"], c["ours"]) for c in office.conflicts()] == [("2", None)]
    assert office.rows("goals") == [["3", None]]


@in_way("reject")
@pytest.mark.parametrize("rounds", [3, 20])
def test_whoever_refers_to_a_row_that_waits_has_to_wait_too(
    office: Office, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the chain is, and however soon no one may rely on another any more."""
    monkeypatch.setattr(invalid, "ROUNDS", rounds)
    office.send("goals", "id,parent", "1,")
    office.delete("goals", "id = '1'")
    chain = [f"{n},{n - 1}" for n in range(2, 14)]
    office.send("goals", "id,parent", "1,", *chain)
    assert len(office.conflicts()) == len(chain)
    assert office.rows("goals") == []
