"""Columns that no name tells: suggested, applied where sure, else asked about once (MAP-01)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import World

Write = Callable[[str, str], Path]

SURE = "Lead Nummber,Namme,E-Mail Addr.\nL1,Ann,ann@example.org\nL2,Bo,bo@example.org\n"
WEAK = "Wer,Kontakt,Betrag\nAnn,ann@example.org,7\nBo,bo@example.org,8\n"


def test_columns_are_suggested_with_confidence_fill_and_samples(world: World, write: Write) -> None:
    path = write(
        "x.csv", "Lead Nummber,mail,Kontakt,Rest\nL1,a@example.org,b@example.org,\nL2,,,\n"
    )
    found = world.ok("mappings", "suggest", str(path), "--dataset", "leads")
    items = {item["column"]: item for item in found["items"]}
    assert (items["mail"]["field"], items["mail"]["confidence"]) == ("email", 1.0)
    assert items["Lead Nummber"]["field"] == "lead_id"
    assert 0.8 <= items["Lead Nummber"]["confidence"] < 1
    assert items["Lead Nummber"]["samples"] == ["L1", "L2"]
    # One field is never two columns, however alike their values are.
    assert items["Kontakt"]["field"] != "email"
    assert (items["Rest"]["field"], items["Rest"]["filled"]) == (None, 0.0)
    assert items["mail"]["filled"] == 0.5


def test_strong_guesses_are_applied_with_a_notice(world: World, write: Write) -> None:
    job = world.send(write("x.csv", SURE))
    assert (job["status"], job["changes"]["inserted"]) == ("completed", 2)
    [notice] = [text for text in job["notices"] if "likeness" in text]
    assert "'Lead Nummber' as lead_id" in notice
    assert [row["email"] for row in world.rows()] == ["ann@example.org", "bo@example.org"]
    assert world.send(write("x.csv", SURE))["message"].startswith("Already imported")


def test_a_weak_guess_waits_and_what_is_approved_is_never_asked_again(
    world: World, write: Write
) -> None:
    """The answer is a mapping of that source, keyed by the header's signature."""
    job = world.send(write("x.csv", WEAK))
    assert (job["status"], job["reason"]) == ("waiting", "mapping")
    waiting = world.ok("status")["waiting"]
    assert (waiting["mappings"], waiting["approvals"]) == (1, 0)
    world.ok("daemon", "restart")
    number = str(job["job"])
    found = world.ok("mappings", "suggest", "--job", number)
    assert {item["column"]: item["field"] for item in found["items"]}["Kontakt"] == "email"
    done = world.ok("jobs", "approve", number)
    assert (done["status"], done["changes"]["inserted"]) == ("completed", 2)
    assert world.ok("status")["waiting"]["mappings"] == 0
    [saved] = [item for item in world.ok("mappings")["items"] if item["signature"]]
    assert (saved["source"], saved["name"]) == ("crm", done["mapping"])
    assert (world.home.mappings / f"{saved['name']}.toml").is_file()
    again = world.send(write("y.csv", WEAK.replace("Bo,bo@", "Bob,bob@")))
    assert (again["status"], again["mapping"]) == ("completed", saved["name"])
    other = world.send(write("z.csv", WEAK), source="shop")
    assert other["status"] == "waiting"


def test_a_person_says_otherwise_than_is_suggested(world: World, write: Write) -> None:
    number = str(world.send(write("x.csv", WEAK))["job"])
    wrong = world.run("mappings", "save", "--job", number, "--set", "nam=Wer")
    assert wrong.document["error"]["code"] == "unknown-field"
    wrong = world.run("mappings", "save", "--job", number, "--set", "name=Were")
    assert wrong.document["error"]["code"] == "unknown-column"
    lacking = world.run("mappings", "save", "--job", number, "--set", "email=")
    assert lacking.document["error"]["code"] == "mapping-incomplete"
    sets = ("--set", "name=Wer", "--set", "score=Betrag")
    done = world.ok("mappings", "save", "--job", number, *sets, "--name", "theirs")
    assert (done["status"], done["mapping"]) == ("completed", "theirs")
    rows = sorted((row["name"], row["email"], row["score"]) for row in world.rows())
    assert rows == [("Ann", "ann@example.org", 7), ("Bo", "bo@example.org", 8)]
    ended = world.run("mappings", "suggest", "--job", number)
    assert ended.document["error"]["code"] == "not-waiting"


def test_a_mapping_is_saved_before_any_import(world: World, write: Write) -> None:
    path = write("x.csv", WEAK)
    asked = ("--dataset", "leads", "--source", "crm", "--set", "name=Wer")
    saved = world.ok("mappings", "save", str(path), *asked)
    fields = {each["field"]: each["column"] for each in saved["fields"]}
    assert (fields["name"], fields["email"]) == ("Wer", "Kontakt")
    job = world.send(path)
    assert (job["status"], job["mapping"]) == ("completed", saved["name"])
    assert world.run("mappings", "save", str(path), "--dataset", "leads").code == 2


@pytest.mark.parametrize(("name", "code"), [("../x", "wrong-name"), ("toggl", "mapping-exists")])
def test_a_name_that_is_none_or_taken_is_refused(
    world: World, write: Write, name: str, code: str
) -> None:
    """Nothing is written outside the home, nor over a mapping that somebody wrote."""
    path = write("x.csv", WEAK)
    asked = ("--dataset", "leads", "--source", "crm", "--set", "name=Wer", "--name", name)
    before = {each["name"]: each for each in world.ok("mappings")["items"]}
    refused = world.run("mappings", "save", str(path), *asked)
    assert (refused.code, refused.document["error"]["code"]) == (2, code)
    job = world.send(path)
    answer = ("--job", str(job["job"]), "--set", "name=Wer", "--name", name)
    answered = world.run("mappings", "save", *answer)
    assert (answered.code, answered.document["error"]["code"]) == (2, code)
    assert {each["name"]: each for each in world.ok("mappings")["items"]} == before
    assert world.ok("jobs", "show", str(job["job"]))["status"] == "waiting"


def test_a_discarded_question_changes_nothing_and_a_dry_run_never_asks(
    world: World, write: Write
) -> None:
    path = write("x.csv", WEAK)
    dry = world.run("import", str(path), "--dataset", "leads", "--dry-run")
    assert dry.document["error"]["code"] == "missing-label"
    job = world.send(path)
    world.ok("jobs", "discard", str(job["job"]))
    assert world.rows() == []
    nothing = world.run("import", str(write("n.csv", "a,b\n1,2\n")), "--dataset", "leads")
    assert nothing.document["error"]["code"] == "missing-label"
