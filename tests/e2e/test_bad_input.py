"""Bad input: a clear error, a failed job and an untouched store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import World

CASES: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "empty-file"),
    ("header.csv", b"lead_id,name\n", "no-rows"),
    ("binary.csv", bytes(range(256)) * 64, "format-error"),
    ("twice.csv", b"email,E-mail Address\na@example.org,b@example.org\n", "duplicate-label"),
    ("empty.json", b"", "empty-file"),
    ("broken.json", b'[{"lead_id": "1", "name": "A"}, {"lead_id": "2", "na', "json-error"),
    ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(64), "format-error"),
    ("columns.csv", b"colour,size\nred,4\n", "missing-label"),
]


@pytest.fixture
def full(world: World, write: Callable[[str, str], Path]) -> World:
    world.send(write("good.csv", "lead_id,name\nL1,Ann\n"))
    return world


def refused(world: World, path: Path, *words: str, code: int = 1) -> dict[str, str]:
    """The error of an import that must fail, having checked everything around it."""
    before = world.rows(), world.log()
    done = world.run("import", str(path), *(words or ("--dataset", "leads", "--source", "crm")))
    assert done.code == code, done
    assert (done.document["status"], done.document["commit"]) == ("failed", None)
    error: dict[str, str] = done.document["error"]
    assert error["title"]
    assert error["hint"]
    job = world.ok("jobs", "show", str(done.document["job"]))
    assert (job["status"], job["error"]["code"]) == ("failed", error["code"])
    assert (world.rows(), world.log()) == before
    return error


@pytest.mark.parametrize(("name", "content", "code"), CASES, ids=[case[0] for case in CASES])
def test_a_bad_file_is_refused(
    full: World, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    """ERR-02, VAL-09, SEC-06."""
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(full, path)["code"] == code


def test_paths_that_are_no_files_are_refused(full: World, tmp_path: Path) -> None:
    assert refused(full, tmp_path)["code"] == "not-a-file"
    assert refused(full, tmp_path / "nowhere.csv")["code"] == "file-not-found"


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_refused(full: World, write: Callable[[str, str], Path]) -> None:
    path = write("secret.csv", "lead_id,name\nL2,Bob\n")
    path.chmod(0)
    assert refused(full, path)["code"] == "file-unreadable"


def test_an_unknown_dataset_is_named_with_the_nearest(
    full: World, write: Callable[[str, str], Path]
) -> None:
    path = write("x.csv", "lead_id,name\nL2,Bob\n")
    error = refused(full, path, "--dataset", "leeds", "--source", "crm")
    assert (error["code"], error["hint"]) == ("unknown-dataset", "Did you mean 'leads'?")


def test_strict_takes_all_or_nothing(full: World, write: Callable[[str, str], Path]) -> None:
    path = write("mixed.csv", "lead_id,email\nL2,b@example.org\nL3,nope\n")
    done = full.run("import", str(path), "--dataset", "leads", "--source", "crm", "--strict")
    assert (done.code, done.document["status"]) == (3, "failed")
    assert done.document["error"]["code"] == "rejected-rows"
    assert Path(done.document["rejects_file"]).exists()
    assert [row["lead_id"] for row in full.rows()] == ["L1"]


def test_a_store_from_a_newer_version_is_left_alone(full: World) -> None:
    full.ok("daemon", "stop")
    with duckdb.connect(str(full.home.store)) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
    done = full.run("status")
    assert (done.code, done.document["error"]["code"]) == (1, "store-too-new")
    with duckdb.connect(str(full.home.store), read_only=True) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone() == (
            "999",
        )


def test_a_broken_config_keeps_the_last_good_one_and_says_so(full: World) -> None:
    config = full.home.config_file
    good = config.read_text(encoding="utf-8")
    config.write_text('timezon = "UTC"\n' + good, encoding="utf-8")
    error = full.wait(lambda: full.ok("status").get("config_error"))
    assert (error["code"], error["hint"]) == ("unknown-key", "Did you mean 'timezone'?")
    assert str(config) in error["title"]
    assert [row["lead_id"] for row in full.rows()] == ["L1"]
    full.ok("daemon", "restart")
    assert full.ok("status")["config_error"]["code"] == "unknown-key"
    config.write_text(good, encoding="utf-8")
    full.wait(lambda: full.ok("status").get("config_error") is None)


def test_a_broken_definition_keeps_the_last_good_one(full: World) -> None:
    path = full.home.datasets / "leads.toml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace('type = "integer"', 'type = "integr"'), encoding="utf-8")
    error = full.wait(lambda: full.ok("status").get("config_error"))
    assert "Did you mean 'integer'?" in error["hint"]
    full.ok("daemon", "restart")
    assert full.ok("status")["config_error"] is not None
    assert [row["lead_id"] for row in full.rows()] == ["L1"]


def test_a_name_that_is_no_text_holds_up_nobody(
    world: World, inbox: Path, write: Callable[[str, str], Path]
) -> None:
    name = os.fsencode(str(inbox)) + b"/\xff\xfe.csv"
    with open(name, "wb") as file:  # noqa: PTH123 - a path can't hold these bytes as text
        file.write(b"lead_id,name\nL1,Ann\n")
    (inbox / "good.csv").write_text("lead_id,name\nL2,Bob\n", encoding="utf-8")
    world.wait_jobs(1)
    assert [row["lead_id"] for row in world.rows()] == ["L2"]


@pytest.mark.parametrize("value", ["score=", "notes=", "tags="])
def test_a_field_is_cleared(full: World, write: Callable[[str, str], Path], value: str) -> None:
    full.send(write("more.csv", "lead_id,score,notes,tags\nL9,5,text,a;b\n"))
    full.ok("edit", "leads", "L9", value)
    assert full.rows()[1][value.removesuffix("=")] is None


def test_a_filter_that_meets_a_wrong_value_is_a_wrong_filter(
    full: World, write: Callable[[str, str], Path]
) -> None:
    full.send(write("more.csv", "lead_id,score\nL9,5\n"))
    for text in ("score = 'abc'", "CAST(lead_id AS INTEGER) = 5"):
        done = full.run("rows", "leads", "--where", text)
        assert (done.code, done.document["error"]["code"]) == (2, "wrong-expression")
        job = full.run("export", "leads", "--where", text)
        assert (job.code, job.document["error"]["code"]) == (2, "wrong-expression")


def test_a_broken_line_that_was_not_fixed_stays_out(
    full: World, write: Callable[[str, str], Path]
) -> None:
    path = write("bad.ndjson", '{"lead_id":"N1","name":"A"}\n{"lead_id":"N2","name":\n')
    rejects = Path(full.send(path)["rejects_file"])
    again = full.send(rejects)
    assert (again["rows"]["valid"], again["rows"]["rejected"]) == (0, 1)
    assert [row["lead_id"] for row in full.rows()] == ["L1", "N1"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--dataset", "leads", "--format", "docx"), 2),
        (("--dataset", "leads", "--mapping", "nope"), 1),
        (("--dataset", "leeds"), 1),
    ],
)
def test_unknown_words_are_refused(
    full: World, write: Callable[[str, str], Path], words: tuple[str, ...], code: int
) -> None:
    """Design section 12: a wrong request exits 2, also where a job found out; what is not
    there exits 1."""
    path = write("x.csv", "lead_id,name\nL2,Bob\n")
    error = refused(full, path, "--source", "crm", *words, code=code)
    assert error["code"].startswith("unknown-")


@pytest.mark.parametrize(
    "words",
    [
        ("--fields", "nope"),
        ("--sort", "-nope"),
        ("--where", "nope = 1"),
        ("--where", "score = 'abc'"),
        ("--as-of", "yesterday"),
        ("--as-of", "99"),
    ],
    ids=" ".join,
)
def test_a_list_and_an_export_refuse_alike(full: World, words: tuple[str, str]) -> None:
    """Design section 12: one mistake, one code and one exit, whichever command it is made in."""
    listed, exported = full.run("rows", "leads", *words), full.run("export", "leads", *words)
    assert exported.document["error"] == listed.document["error"]
    assert exported.code == listed.code == (1 if "99" in words else 2)


@pytest.mark.parametrize("words", [("--from", "yesterday"), ("--until", "2026-13-40")])
def test_a_wrong_date_is_a_wrong_request(full: World, words: tuple[str, str]) -> None:
    done = full.run("export", "leads", *words)
    assert (done.code, done.document["error"]["code"]) == (2, "wrong-date")


def test_a_filter_of_conflicts_is_checked(full: World) -> None:
    for words in (("list",), ("resolve", "--all", "--take", "ours")):
        for more in (("--dataset", "leads"), ()):
            done = full.run("conflicts", *words, *more, "--field", "nope")
            assert (done.code, done.document["error"]["code"]) == (2, "unknown-field")
        done = full.run("conflicts", *words, "--dataset", "a/b")
        assert (done.code, done.document["error"]["code"]) == (1, "unknown-dataset")
