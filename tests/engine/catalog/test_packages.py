"""Packages from TOML files: their members, whose files are whose, and in which order (design 6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.core.errors import ConfigError, NotFoundError
from dataport.core.paths import Home
from dataport.core.settings import Settings
from dataport.engine.catalog.packages import Package, members_in_order
from dataport.engine.definitions import check_package_file, read_definitions
from dataport.engine.engine import Engine
from dataport.engine.homes import create_home

TABLE = 'name = "{name}"\nprimaryKey = ["id"]\n[[fields]]\nname = "id"\n[[fields]]\nname = "ref"\n'
KEY = '[[foreignKeys]]\nfields = ["ref"]\nreference = {{ resource = "{}", fields = ["id"] }}\n'


def define(home: Home, name: str, *references: str) -> None:
    """A dataset whose field `ref` refers to each of `references`."""
    text = TABLE.format(name=name) + "".join(KEY.format(each) for each in references)
    (home.datasets / f"{name}.toml").write_text(text, encoding="utf-8")


def bundle(home: Home, *members: str, name: str = "bundle", more: str = "") -> Path:
    """A package of those members."""
    text = "".join(f'[[members]]\ndataset = "{member}"\n' for member in members)
    path = home.packages / f"{name}.toml"
    path.write_text(f'name = "{name}"\n{more}{text}', encoding="utf-8")
    return path


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    create_home(home)
    for name, *references in (
        ("a",),
        ("b", "a"),
        ("c", "b", "c"),
        ("x", "y"),
        ("y", "z"),
        ("z", "x"),
    ):
        define(home, name, *references)
    engine = Engine.open(home, Settings())
    yield engine
    engine.close()


def refused(engine: Engine) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        engine.reload(Settings())
    return caught.value


def test_what_a_member_refers_to_comes_before_it(engine: Engine) -> None:
    """In whatever order the file lists them; a reference of a dataset to itself asks for nothing."""
    bundle(engine.home, "c", "a", "b")
    engine.reload(Settings())
    listed = {item["name"]: item["datasets"] for item in engine.list_packages()}
    assert listed["bundle"] == ["a", "b", "c"]
    assert listed["time_tracking"] == ["clients", "projects", "tasks", "time_entries"]
    assert [member["after"] for member in engine.show_package("bundle")["members"]] == [
        [],
        ["a"],
        ["b"],
    ]


def test_members_that_need_nothing_of_each_other_stay_as_listed(engine: Engine) -> None:
    bundle(engine.home, "c", "z", "a")
    engine.reload(Settings())
    assert members_in_order(engine.packages["bundle"], engine.datasets) == ("c", "z", "a")


def test_a_circle_of_references_is_named(engine: Engine) -> None:
    bundle(engine.home, "a", "x", "y", "z")
    error = refused(engine)
    assert error.code == "circular-references"
    assert "bundle.toml" in error.title
    assert "x -> y -> z -> x" in error.title
    bundle(engine.home, "a", "x", "y")
    engine.reload(Settings())
    assert members_in_order(engine.packages["bundle"], engine.datasets) == ("a", "y", "x")


@pytest.mark.parametrize(
    ("members", "more", "said"),
    [
        (("a", "bb"), "", "'members[1].dataset' is 'bb', which is not defined"),
        (("a", "a"), "", "the dataset 'a' is a member twice"),
        ((), "", "'members' is missing"),
        (("a",), "titel = 'x'\n", "unknown key 'titel'"),
    ],
)
def test_a_broken_package_says_what_is_wrong(
    engine: Engine, members: tuple[str, ...], more: str, said: str
) -> None:
    """Reloading keeps what was in force."""
    bundle(engine.home, "a", "b")
    engine.reload(Settings())
    bundle(engine.home, *members, more=more)
    error = refused(engine)
    assert said in f"{error.title} {error.detail}"
    assert engine.packages["bundle"].datasets == ("a", "b")


A, B = 'dataset = "a"', 'dataset = "b"'


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ((f'{A}\npaths = ["data.x"]', f'{B}\npaths = ["data.x"]'), ("list of a", "list of b")),
        ((f'{A}\npaths = ["data"]', f'{B}\npaths = ["data.x"]'), ("'data'", "'data.x'")),
        ((f'{A}\npaths = ["data.x"]', f'{B}\npaths = ["data"]'), ("'data'", "'data.x'")),
        ((f'{A}\npaths = ["exportInfo.x"]',), ("own exportInfo", "list of a")),
        ((f'{A}\npaths = ["x"]\nfields = {{ ref = "id" }}',), ("field id", "field ref")),
        ((f'{A}\npaths = ["x"]\nfields = {{ ref = "id.of" }}',), ("'id'", "'id.of'")),
        (
            (f'{A}\npaths = ["x"]\nfields = {{ id = "o.p", ref = "o" }}',),
            ("field id of a at 'o.p'", "field ref of a at 'o'"),
        ),
        (
            (f'{A}\npaths = ["x"]', f'{B}\npaths = ["y", "x[].ref"]\nfields = {{ ref = "^.id" }}'),
            ("field ref of a", "list of b in an item"),
        ),
    ],
)
def test_places_that_can_not_both_be_in_a_document_are_refused(
    home: Home, members: tuple[str, ...], told: tuple[str, str]
) -> None:
    """When the package is read, not when it is exported; both are named, and what to change."""
    create_home(home)
    for name in ("a", "b"):
        define(home, name)
    path = home.packages / "bundle.toml"
    path.write_text('name = "bundle"\n' + "".join(f"[[members]]\n{m}\n" for m in members))
    with pytest.raises(ConfigError) as caught:
        check_package_file(home, path)
    assert caught.value.code == "paths-collide"
    assert all(each in caught.value.title for each in told), caught.value.title
    assert "Give one of them another path" in caught.value.hint
    with pytest.raises(ConfigError):
        read_definitions(home)


def test_lists_in_items_of_different_lists_may_have_one_name(home: Home) -> None:
    create_home(home)
    for name in ("a", "b", "c"):
        define(home, name)
    a = '[[members]]\ndataset = "a"\npaths = ["x", "x[].parts"]\nfields = { ref = ["^.id", "ref"] }\n'
    b = '[[members]]\ndataset = "b"\npaths = ["y", "x[].notes"]\nfields = { ref = ["^.id", "ref"] }\n'
    c = '[[members]]\ndataset = "c"\npaths = ["z", "y[].parts"]\nfields = { ref = ["^.id", "ref"] }\n'
    path = home.packages / "bundle.toml"
    path.write_text(f'name = "bundle"\n{a}{b}{c}')
    assert check_package_file(home, path).datasets == ("a", "b", "c")


def test_a_broken_package_does_not_keep_the_daemon_from_starting(home: Home) -> None:
    create_home(home)
    bundle(home, "nothing")
    engine = Engine.open(home, Settings())
    assert "'nothing'" in str(engine.definition_error)
    assert list(engine.packages) == ["goals", "helpdesk", "phone_campaign", "time_tracking"]
    engine.close()


def test_what_ships_gives_way_to_the_home(home: Home) -> None:
    """A home may call something else a project; nothing that ships is then in its way."""
    create_home(home)
    define(home, "projects")
    for path in (home.datasets / "tasks.toml", home.datasets / "time_entries.toml"):
        path.unlink()
    engine = Engine.open(home, Settings())
    assert engine.definition_error is None
    assert "projects" not in {
        key.reference.resource for key in engine.datasets["time_entries"].foreign_keys
    }
    engine.reload(Settings())
    engine.close()


def test_a_name_that_is_no_package_is_answered_with_the_nearest(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'time_tracking'"):
        engine.show_package("time_track")


@pytest.mark.parametrize(
    ("files", "name", "is_taken"),
    [
        (None, "clients.csv", True),
        (None, "Clients-2026.CSV", True),
        (None, "clients.rejects.csv", True),
        (None, "clientship.csv", False),
        (("kunden*.csv",), "kunden 1.csv", True),
        (("kunden*.csv",), "clients.csv", True),
        (("kunden*.csv",), "kunden.json", False),
    ],
)
def test_a_file_is_known_by_its_name(
    files: tuple[str, ...] | None, name: str, is_taken: bool
) -> None:
    member = {"dataset": "clients", **({"files": files} if files else {})}
    package = Package.model_validate({"name": "p", "members": (member,)})
    assert package.owners(name) == (["clients"] if is_taken else [])


def test_a_name_of_its_own_says_more_than_a_pattern() -> None:
    members = ({"dataset": "notes", "files": ("*notes*",)}, {"dataset": "ticket_notes"})
    package = Package.model_validate({"name": "p", "members": members})
    assert package.owners("ticket_notes.csv") == ["ticket_notes"]
    assert package.owners("old ticket_notes.csv") == ["notes"]
