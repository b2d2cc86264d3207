"""Foreign keys are checked against the other definitions (design section 6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataport.core.errors import ConfigError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.engine.catalog.load import check_file
from dataport.engine.engine import Engine

USERS = """
name = "users"
primaryKey = ["email"]
[[fields]]
name = "email"
[[fields]]
name = "age"
type = "integer"
"""

TICKETS = """
name = "tickets"
primaryKey = ["id"]
[[fields]]
name = "id"
[[fields]]
name = "owner"
constraints = {{ required = {required} }}
[[fields]]
name = "parent"
[[foreignKeys]]
fields = {fields}
onMissing = "{on_missing}"
reference = {{ resource = "{resource}", fields = {target} }}
"""


def write(
    directory: Path,
    *,
    fields: str = '["owner"]',
    resource: str = "users",
    target: str = '["email"]',
    on_missing: str = "keep",
    required: str = "false",
) -> Path:
    """Write both definitions; the path of the one that refers to the other."""
    (directory / "users.toml").write_text(USERS, encoding="utf-8")
    path = directory / "tickets.toml"
    text = TICKETS.format(
        fields=fields, resource=resource, target=target, on_missing=on_missing, required=required
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"resource": "user"}, ("'user'", "not defined", "Did you mean 'users'?")),
        ({"target": '["emial"]'}, ("users.emial", "no such field", "Did you mean 'email'?")),
        ({"target": '["age"]'}, ("owner, a string", "users.age, a integer", "same type")),
        ({"fields": '["owner", "parent"]'}, ("has 2 fields that refer to 1",)),
        ({"on_missing": "null", "required": "true"}, ("would leave owner empty",)),
        ({"on_missing": "null", "fields": '["id"]'}, ("would leave id empty", "part of the key")),
        (
            {"on_missing": "stub", "resource": "", "target": '["owner"]'},
            ("rows to tickets that have no key", "whole key, id"),
        ),
    ],
)
def test_a_foreign_key_that_cannot_be_is_an_error_of_its_file(
    tmp_path: Path, change: dict[str, str], words: tuple[str, ...]
) -> None:
    path = write(tmp_path, **change)
    with pytest.raises(ConfigError) as caught:
        check_file(path, [tmp_path])
    for word in (str(path), "foreignKeys[0]", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("on_missing", ["keep", "null", "reject", "stub"])
def test_every_way_is_right_for_a_key_of_another_dataset(tmp_path: Path, on_missing: str) -> None:
    assert check_file(write(tmp_path, on_missing=on_missing), [tmp_path]).foreign_keys


@pytest.mark.parametrize("resource", ["", "tickets"])
def test_a_dataset_may_refer_to_itself(tmp_path: Path, resource: str) -> None:
    path = write(tmp_path, fields='["parent"]', resource=resource, target='["id"]')
    assert check_file(path, [tmp_path]).foreign_keys


def test_a_home_starts_without_a_foreign_key_that_leads_nowhere(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.create()
    home.datasets.mkdir(parents=True, exist_ok=True)
    write(home.datasets, resource="userz")
    engine = Engine.open(home, Settings())
    try:
        assert "'userz'" in str(engine.definition_error)
        assert engine.datasets["tickets"].foreign_keys == ()
        with pytest.raises(ConfigError, match="Did you mean 'users'"):
            engine.reload(engine.settings)
        write(home.datasets)
        engine.reload(engine.settings)
        assert len(engine.datasets["tickets"].foreign_keys) == 1
    finally:
        engine.close()
