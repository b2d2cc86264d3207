"""Plans: what they say is what applying does, and rows can be left out (design section 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataport.client.api import Client
from tests.e2e.conftest import World

Write = Callable[[str, str], Path]

FIRST = "lead_id,name,email,phone,status\n" + "".join(
    f"L{n},Name {n},lead{n}@example.org,20255501{n:02},new\n" for n in range(10, 20)
)
"""Ten leads of the source crm."""

OTHER = "lead_id,company\nL10,Nordwind\nL30,Only fair\n"
"""What the source fair says."""

SECOND = """lead_id,name,email,phone,status
L10,Name 10,lead10@example.org,2025550110,won
L11,Name 11,new11@example.org,2025550111,won
L12,Name 12,lead12@example.org,2025550112,new
L13,Renamed,lead13@example.org,2025550199,lost
L14,Name 14,lead14@example.org,2025550114,contacted
L40,Brand New,lead40@example.org,2025550140,new
L41,,lead41@example.org,,new
"""
"""Of crm: changes, a conflict about L13, L14 that was deleted here, two new; L15 to L19 left out."""

PARTS = ("insert", "update", "delete", "skip", "conflict", "excluded")


@pytest.fixture
def api(world: World) -> Iterator[Client]:
    world.ok("daemon", "start")
    client = Client(world.home, start=False)
    yield client
    client.close()


def plan(api: Client, job: int, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v1/plans/{job}", **query)
    return found


def keys(page: dict[str, Any]) -> list[str]:
    return [item["key"] for item in page["items"]]


def hold(api: Client, path: Path, source: str = "crm", **words: Any) -> dict[str, Any]:
    """The job of an import that waits for approval, or has ended at once."""
    request = {"path": str(path), "dataset": "leads", "source": source, "hold": True, **words}
    return api.wait_job(api.post("/v1/imports", request)["job"])


def decide(api: Client, job: int, verb: str = "approve") -> dict[str, Any]:
    api.post(f"/v1/jobs/{job}/{verb}", {})
    return api.wait_job(job)


@pytest.fixture
def contested(world: World, api: Client, write: Write) -> World:
    """Leads of two sources; L13 and L16 were edited here since."""
    for path, source in ((write("1.csv", FIRST), "crm"), (write("2.csv", OTHER), "fair")):
        decide(api, hold(api, path, source)["job"])
    api.patch("/v1/records/leads/L13", {"set": {"phone": "2025550177", "status": "contacted"}})
    api.patch("/v1/records/leads/L16", {"set": {"status": "won"}})
    return world


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"mode": "append"},
        {"mode": "mirror"},
        {"mode": "replace"},
        {"on_match": "skip"},
        {"on_match": "overwrite"},
        {"on_match": "fill"},
        {"on_match": "ask", "mode": "mirror"},
    ],
    ids=lambda words: "-".join(words.values()) or "merge",
)
def test_a_plan_counts_what_applying_does(
    contested: World, api: Client, write: Write, words: dict[str, str]
) -> None:
    """Every count is one that can be queried, with rows left out and without."""
    job = hold(api, write("3.csv", SECOND), **words)["job"]
    shown = _checked(api, plan(api, job))
    excluded = [keys(plan(api, job, operation=part))[-1:] for part in PARTS]
    left_out = sorted({key for found in excluded for key in found})
    api.patch(f"/v1/plans/{job}", {"exclude": left_out})
    less = _checked(api, plan(api, job))
    assert less["excluded"] == len(left_out) > 0
    assert less != shown
    done = decide(api, job)
    assert (done["status"], done["excluded"]) == ("completed", len(left_out))
    assert _counts(done["changes"], len(left_out)) == less
    assert _counts(contested.log()[0]["changes"], len(left_out)) == less
    assert _checked(api, plan(api, job)) == less
    # Left out, it comes again: the second plan has what the first one has not done.
    again = hold(api, write("4.csv", SECOND + "\n"), **words)
    assert set(left_out) <= set(keys(plan(api, again["job"])))


def _checked(api: Client, page: dict[str, Any]) -> dict[str, int]:
    """The counts of a plan, each compared with the rows it counts."""
    counts: dict[str, int] = page["counts"]
    for part in PARTS:
        found = plan(api, page["job"], operation=part)
        assert found["total"] == len(found["items"])
        if part == "conflict":
            assert sum(_asked(item) for item in found["items"]) == counts["conflicts"]
        else:
            assert found["total"] == counts[part], part
    return counts


def _asked(item: dict[str, Any]) -> int:
    """Conflicts of one row: one for each field, or one for the row."""
    is_row = item["operation"] == "unchanged" and None in (item["before"], item["after"])
    return 1 if is_row else len(item["conflicts"])


def _counts(changes: dict[str, int], excluded: int) -> dict[str, int]:
    names = {
        "insert": "inserted",
        "update": "updated",
        "delete": "deleted",
        "unchanged": "unchanged",
        "skip": "skipped",
        "conflicts": "conflicts",
    }
    return {**{part: changes[name] for part, name in names.items()}, "excluded": excluded}


def test_a_row_left_out_comes_again_with_the_next_file(
    contested: World, write: Write, api: Client
) -> None:
    """Its base does not move, and the same bytes are news again."""
    path = write("3.csv", SECOND)
    job = str(contested.send(path, "--hold")["job"])
    document = contested.ok("jobs", "plan", job, "--exclude", "L10", "--exclude", "L40")
    assert document["counts"]["excluded"] == 2
    assert [item["key"] for item in document["items"] if item["excluded"]] == ["L10", "L40"]
    done = contested.ok("jobs", "approve", job)
    assert "without 2 of its rows" in contested.log()[0]["message"]
    rows = {row["lead_id"]: row["status"] for row in contested.rows()}
    assert (rows["L10"], rows["L11"], "L40" in rows) == ("new", "won", False)
    again = contested.send(path)
    assert again["changes"] == {**done["changes"], "inserted": 1, "updated": 1, "unchanged": 5,
                                "conflicts": 0}  # fmt: skip
    assert "Already imported" in contested.send(path)["message"]


def test_a_row_can_be_taken_in_again(contested: World, write: Write) -> None:
    job = str(contested.send(write("3.csv", SECOND), "--hold")["job"])
    before = contested.ok("jobs", "plan", job)
    contested.ok("jobs", "plan", job, "--exclude", "L10", "--exclude", "L11")
    after = contested.ok("jobs", "plan", job, "--include", "L10", "--include", "L11")
    assert after == before
    assert contested.ok("jobs", "show", job)["excluded"] == 0


def test_an_unknown_key_leaves_the_plan_as_it_was(contested: World, write: Write) -> None:
    job = str(contested.send(write("3.csv", SECOND), "--hold")["job"])
    refused = contested.run("jobs", "plan", job, "--exclude", "L10", "--exclude", "L12")
    assert (refused.code, refused.document["error"]["code"]) == (1, "unknown-plan-row")
    assert "L12" in refused.document["error"]["title"]
    assert contested.ok("jobs", "plan", job)["counts"]["excluded"] == 0


def test_a_plan_that_is_over_keeps_its_rows(contested: World, write: Write) -> None:
    job = str(contested.send(write("3.csv", SECOND), "--hold")["job"])
    contested.ok("jobs", "discard", job)
    refused = contested.run("jobs", "plan", job, "--exclude", "L10")
    assert refused.document["error"]["code"] == "job-ended"
    assert contested.ok("jobs", "plan", job)["status"] == "cancelled"


def test_a_plan_made_again_keeps_what_was_left_out(contested: World, write: Write) -> None:
    """Exclusions survive by key, and what a person left out asks nobody again."""
    job = str(contested.send(write("3.csv", SECOND), "--hold")["job"])
    contested.ok("jobs", "plan", job, "--exclude", "L10", "--exclude", "L40")
    contested.ok("edit", "leads", "L11", "company=Moved")
    page = contested.ok("jobs", "plan", job)
    assert page["is_outdated"] is True
    again = contested.ok("jobs", "approve", job)
    assert (again["status"], again["excluded"]) == ("waiting", 2)
    assert "moved on" in again["message"]
    page = contested.ok("jobs", "plan", job)
    assert (page["is_outdated"], page["counts"]["excluded"]) == (False, 2)
    contested.ok("edit", "leads", "L10", "company=Moved too")
    assert contested.ok("jobs", "approve", job)["status"] == "completed"
    rows = {row["lead_id"]: row["status"] for row in contested.rows()}
    assert (rows["L10"], rows["L11"]) == ("new", "won")


def test_a_commit_elsewhere_asks_nobody_again(contested: World, write: Write) -> None:
    job = str(contested.send(write("3.csv", SECOND), "--hold")["job"])
    contested.ok("edit", "leads", "L19", "company=Elsewhere")
    assert contested.ok("jobs", "approve", job)["status"] == "completed"


def test_a_changed_definition_makes_the_plan_again(contested: World, write: Write) -> None:
    """A policy is no commit, and still decides what a plan does."""
    job = str(contested.send(write("3.csv", SECOND), "--hold")["job"])
    assert contested.ok("jobs", "plan", job)["counts"]["conflicts"] == 2
    definition = contested.home.datasets / "leads.toml"
    shipped = Path("config/datasets/leads.toml").read_text(encoding="utf-8")
    definition.write_text(shipped.replace('name = "status"', 'name = "status"\nmerge = "file"'))

    def is_reread() -> bool:
        fields = contested.ok("datasets", "show", "leads")["fields"]
        return any(field.get("merge") == "file" for field in fields)

    contested.wait(is_reread)
    again = contested.ok("jobs", "approve", job)
    assert (again["status"], again["changes"]["conflicts"]) == ("waiting", 1)


def test_a_plan_is_searched_by_key_and_field(contested: World, api: Client, write: Write) -> None:
    job = hold(api, write("3.csv", SECOND))["job"]
    assert keys(plan(api, job, key="l4")) == ["L40", "L41"]
    assert keys(plan(api, job, field="phone")) == ["L13", "L40"]
    assert keys(plan(api, job, field="phone", operation="insert", key="0")) == ["L40"]
    refused = contested.run("jobs", "plan", str(job), "--field", "phon")
    assert (refused.code, refused.document["error"]["code"]) == (2, "unknown-field")


def test_a_plan_is_paged(contested: World, api: Client, write: Write) -> None:
    """PRV-01: every row once, in one order, whatever the page's size."""
    job = hold(api, write("3.csv", SECOND), mode="mirror")["job"]
    every = plan(api, job)
    assert every["next"] is None
    found, after = [], 0
    while True:
        page = plan(api, job, limit=2, after=after)
        assert (page["total"], page["counts"]) == (every["total"], every["counts"])
        found += page["items"]
        if page["next"] is None:
            break
        after = int(page["next"])
    assert found == every["items"]


STAFF = """
name = "emp"
primaryKey = ["id"]
fields = [{ name = "id" }, { name = "name" }, { name = "boss" }]
foreignKeys = [
    { fields = ["boss"], reference = { resource = "emp", fields = ["id"] }, onMissing = "reject" },
]
"""


@pytest.fixture
def staff(world: World, write: Write) -> tuple[World, str]:
    """A home whose staff have bosses, and a plan that waits: 52 is under 51, who is under 50."""
    (world.home.datasets / "emp.toml").write_text(STAFF, encoding="utf-8")
    world.ok("daemon", "restart")
    path = write("self.csv", "id,name,boss\n50,Boss,\n51,Under,50\n52,Under2,51\n")
    job = world.ok("import", str(path), "--dataset", "emp", "--source", "s7", "--hold")
    return world, str(job["job"])


def _shown(page: dict[str, Any]) -> dict[str, bool]:
    """The keys of a plan's rows, and which of them are left out."""
    return {item["key"]: item["excluded"] for item in page["items"]}


def test_a_plan_without_a_row_shows_what_becomes_of_those_that_refer_to_it(
    staff: tuple[World, str],
) -> None:
    """Rows and counts are what approving applies, however often the choice changes."""
    world, job = staff
    world.ok("jobs", "plan", job, "--exclude", "50")
    stopped = world.ok("jobs", "approve", job)
    assert (stopped["status"], stopped["rows"]["rejected"]) == ("waiting", 2)
    page = world.ok("jobs", "plan", job)
    assert _shown(page) == {"50": True}
    assert (page["counts"]["insert"], page["counts"]["excluded"]) == (0, 1)
    refused = world.run("jobs", "plan", job, "--exclude", "51", "--exclude", "52")
    assert refused.document["error"]["code"] == "unknown-plan-row"

    page = world.ok("jobs", "plan", job, "--include", "50")
    assert page["counts"]["insert"] == 1
    again = world.ok("jobs", "approve", job)
    assert (again["status"], again["changes"]["inserted"]) == ("waiting", 3)
    page = world.ok("jobs", "plan", job)
    assert _shown(page) == {"50": False, "51": False, "52": False}
    assert (page["counts"]["insert"], page["counts"]["excluded"]) == (3, 0)
    done = world.ok("jobs", "approve", job)
    assert (done["status"], done["changes"]["inserted"]) == ("completed", 3)


def test_leaving_out_what_changes_no_other_row_stops_nothing(staff: tuple[World, str]) -> None:
    """Nor does leaving out those who refer to a row together with it."""
    world, job = staff
    world.ok("jobs", "plan", job, *(w for key in ("50", "51", "52") for w in ("--exclude", key)))
    world.ok("jobs", "plan", job, "--include", "50", "--include", "51")
    done = world.ok("jobs", "approve", job)
    assert (done["status"], done["changes"]["inserted"]) == ("completed", 2)
    page = world.ok("jobs", "plan", job)
    assert _shown(page) == {"50": False, "51": False, "52": True}
    assert (page["counts"]["insert"], page["counts"]["excluded"]) == (2, 1)


def test_a_row_that_arrived_meanwhile_is_one_to_refer_to(
    staff: tuple[World, str], write: Write
) -> None:
    """The store moved on while a row was left out: rows, counts and the outcome agree."""
    world, job = staff
    world.ok("jobs", "plan", job, "--exclude", "51")
    other = write("other.csv", "id,name\n51,Here\n")
    world.ok("import", str(other), "--dataset", "emp", "--source", "s8")
    again = world.ok("jobs", "approve", job)
    page = world.ok("jobs", "plan", job)
    assert (again["status"], page["counts"]["insert"]) == ("completed", 2)
    assert _shown(page) == {"50": False, "51": True, "52": False}
