"""Foreign keys through the real command: the file, its rejects, the commit, the undo (issue 3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import World

Write = Callable[[str, str], Path]

USERS = 'name = "users"\nprimaryKey = ["email"]\n[[fields]]\nname = "email"\n'
TICKETS = """
name = "tickets"
primaryKey = ["id"]
[[fields]]
name = "id"
[[fields]]
name = "owner"
[[foreignKeys]]
fields = ["owner"]
reference = {{ resource = "users", fields = ["email"] }}
onMissing = "{}"
"""


@pytest.fixture
def desk(world: World) -> Callable[[str], World]:
    """A home whose tickets refer to users, in the way that is asked for."""

    def define(way: str) -> World:
        folder = world.home.datasets
        (folder / "users.toml").write_text(USERS, encoding="utf-8")
        (folder / "tickets.toml").write_text(TICKETS.format(way), encoding="utf-8")
        world.ok("daemon", "restart")
        return world

    return define


def test_rejected_references_are_in_every_list(desk: Callable[[str], World], write: Write) -> None:
    """ERR-01, ERR-13: `jobs rejects`, the counts and the reject file, which goes in once mended."""
    world = desk("reject")
    first = write("tickets.csv", "id,owner\n1,ann@x\n2,\n3\n")
    job = world.ok("import", str(first), "--dataset", "tickets")
    assert job["rows"] == {"read": 3, "valid": 1, "rejected": 2, "duplicate": 0}
    items = world.ok("jobs", "rejects", str(job["job"]))["items"]
    assert [(item["line"], item["code"]) for item in items] == [
        (2, "foreign-key"),
        (4, "missing-cell"),
    ]
    rejects = Path(job["rejects_file"])
    assert rejects.read_text(encoding="utf-8").count("foreign-key") == 1
    assert [path.name for path in first.parent.glob("*.rejects*.csv")] == [rejects.name]

    world.ok("import", str(write("users.csv", "email\nann@x\n")), "--dataset", "users")
    mended = world.ok("import", str(rejects), "--dataset", "tickets")
    assert mended["changes"]["inserted"] == 1
    assert world.ok("rows", "tickets")["total"] == 2


def test_a_held_plan_adds_its_stubs_when_it_is_approved(
    desk: Callable[[str], World], write: Write
) -> None:
    world = desk("stub")
    path = write("tickets.csv", "id,owner\n1,ann@x\n")
    job = world.run("import", str(path), "--dataset", "tickets", "--hold").document
    assert job["status"] == "waiting"
    assert "1 row of users would be added, with nothing but its key." in job["notices"][0]
    assert world.ok("jobs", "plan", str(job["job"]))["notices"] == job["notices"]
    assert world.ok("rows", "users")["total"] == 0
    world.ok("jobs", "approve", str(job["job"]))
    [done] = world.wait_jobs(1)
    assert "1 row of users is added, with nothing but its key." in done["notices"][0]
    assert world.ok("rows", "users")["rows"] == [{"email": "ann@x"}]
    world.ok("undo", str(done["commit"]))
    assert world.ok("rows", "users")["total"] == 0
