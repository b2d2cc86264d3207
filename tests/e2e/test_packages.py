"""Packages through the real command: one file a dataset, one plan, one commit (issue 3)."""

from __future__ import annotations

from tests.e2e.conftest import World


def test_packages_are_listed_shown_and_checked(world: World) -> None:
    [package] = world.ok("packages")["items"]
    assert package["name"] == "time_tracking"
    assert package["datasets"] == ["clients", "projects", "tasks", "time_entries"]
    members = world.ok("packages", "show", "time_tracking")["members"]
    assert members[3]["after"] == ["clients", "projects", "tasks"]
    assert members[0]["files"] == ["clients*"]
    assert world.run("packages", "show", "timetracking").document["error"]["code"] == (
        "unknown-package"
    )
    path = world.home.packages / "time_tracking.toml"
    assert world.ok("packages", "check", str(path))["ok"] is True
    path.write_text(path.read_text().replace('"tasks"', '"task"'), encoding="utf-8")
    broken = world.run("packages", "check", str(path))
    assert (broken.code, broken.document["error"]["hint"]) == (2, "Did you mean 'tasks'?")
    findings = {item["check"]: item for item in world.run("doctor").document["items"]}
    assert findings["package time_tracking"]["state"] == "error"
    assert world.run("inboxes", "add", "hours", "--package", "hours", "--source", "x").code != 0
