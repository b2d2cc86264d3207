"""Mappings through the real command: named, detected by the header, in the job's document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import World

Write = Callable[[str, str], Path]

CRM = """
name = "their_crm"
title = "Their CRM"
dataset = "leads"
source = "their-crm"
detect = ["Kunden-Nr", "Kontakt"]

[[fields]]
field = "lead_id"
column = "Kunden-Nr"

[[fields]]
field = "name"
column = "Kontakt"

[[fields]]
field = "status"
column = "Stand"
values = { offen = "new", gewonnen = "won" }
"""
FILE = "Kunden-Nr;Kontakt;Stand;Rest\n1;Ann;Offen;x\n2;Bo;verloren;y\n"


def define(world: World, name: str, text: str) -> Path:
    """Write a mapping into the home, and wait until it is in force."""
    path = world.home.mappings / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    world.wait(lambda: name in [item["name"] for item in world.ok("mappings")["items"]])
    return path


def test_a_mapping_of_the_home_is_listed_shown_checked_and_used(world: World, write: Write) -> None:
    """MAP-01, MAP-03: named or detected, by its own source; rejects come back in its own words."""
    path = define(world, "their_crm", CRM)
    shown = world.ok("mappings", "show", "their_crm")
    assert (shown["dataset"], shown["source"], len(shown["fields"])) == ("leads", "their-crm", 3)
    assert world.ok("mappings", "check", str(path))["fields"] == ["lead_id", "name", "status"]
    job = world.ok("import", str(write("export.csv", FILE)))
    assert (job["dataset"], job["source"], job["mapping"]) == ("leads", "their-crm", "their_crm")
    assert job["rows"] == {"read": 2, "valid": 1, "rejected": 1, "duplicate": 0}
    assert [(row["lead_id"], row["status"]) for row in world.rows()] == [("1", "new")]
    rejects = Path(job["rejects_file"])
    text = rejects.read_text(encoding="utf-8")
    assert text.splitlines()[0].endswith("value,Kunden-Nr,Kontakt,Stand,Rest")
    rejects.write_text(text.replace("2,Bo,verloren", "2,Bo,gewonnen"), encoding="utf-8")
    again = world.ok("import", str(rejects))
    assert (again["mapping"], again["changes"]["inserted"]) == ("their_crm", 1)
    assert [row["status"] for row in world.rows()] == ["new", "won"]


def test_a_header_tells_its_mapping_where_the_dataset_was_named_too(
    world: World, write: Write
) -> None:
    define(world, "their_crm", CRM)
    job = world.ok("import", str(write("a.csv", FILE)), "--dataset", "leads", "--source", "x")
    assert (job["mapping"], job["source"], job["rows"]["valid"]) == ("their_crm", "x", 1)
    again = world.ok("import", str(write("a.csv", FILE)), "--dataset", "leads", "--source", "x")
    assert again["message"].startswith("Already imported")
    other = world.run(
        "import", str(write("a.csv", FILE)), "--dataset", "tasks", "--mapping", "their_crm"
    )
    assert other.document["error"]["code"] == "mapping-of-other-dataset"


def test_two_mappings_that_a_header_tells_alike_are_named(world: World, write: Write) -> None:
    define(world, "their_crm", CRM)
    define(world, "other", CRM.replace("their_crm", "other"))
    failed = world.run("import", str(write("export.csv", FILE)))
    error = failed.document["error"]
    assert error["code"] == "ambiguous-mapping"
    assert error["title"] == "The file could be read by other or their_crm."
    job = world.ok("import", str(write("export.csv", FILE)), "--mapping", "other")
    assert (job["mapping"], job["rows"]["valid"]) == ("other", 1)
    # The one with more names in the header is meant.
    define(
        world,
        "other",
        CRM.replace("their_crm", "other").replace('"Kontakt"]', '"Kontakt", "Rest"]'),
    )
    world.wait(lambda: len(world.ok("mappings", "show", "other")["detect"]) == 3)
    job = world.ok("import", str(write("export.csv", FILE.replace("Ann", "Anna"))), "--source", "x")
    assert job["mapping"] == "other"


def test_a_broken_mapping_names_file_key_and_word_and_the_old_one_stays(
    world: World, write: Write
) -> None:
    path = define(world, "their_crm", CRM)
    path.write_text(CRM.replace('field = "status"', 'field = "staus"'), encoding="utf-8")
    broken = world.run("mappings", "check", str(path))
    assert broken.code == 2
    error = broken.document["error"]
    assert "'fields[2].field' is 'staus'" in error["title"]
    assert error["hint"] == "Did you mean 'status'?"
    findings = {item["check"]: item for item in world.run("doctor").document["items"]}
    assert findings["mapping their_crm"]["state"] == "error"
    job = world.ok("import", str(write("export.csv", FILE)))
    assert (job["mapping"], job["rows"]["valid"]) == ("their_crm", 1)
    unknown = world.run("import", str(write("export.csv", FILE)), "--mapping", "their_cm")
    assert unknown.document["error"]["hint"] == "Did you mean 'their_crm'?"


def test_an_inbox_may_name_a_mapping_alone(world: World, write: Write) -> None:
    define(world, "their_crm", CRM)
    added = world.ok("inboxes", "add", "crm", "--mapping", "their_crm", "--source", "shop")
    (Path(added["path"]) / "export.csv").write_text(FILE, encoding="utf-8")
    [job] = world.wait_jobs(1)
    assert (job["dataset"], job["source"], job["mapping"]) == ("leads", "shop", "their_crm")
