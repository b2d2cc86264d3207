"""Exports as one ZIP, and their way back (EXF-25, EXP-08)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataport.core.errors import CancelledError, UsageError
from dataport.core.paths import Home
from dataport.core.words import JobKind, Origin, Phase
from dataport.engine.exporting.records import sidecar
from dataport.engine.requests import ExportRequest
from tests.engine.importing.shop import Shop, open_shop

LEADS = "lead_id,name,email\nL1,Ann,ann@example.org\nL2,Bob,bob@example.org\n"
FIELDS = ("lead_id", "name", "email")
FORMATS = ("csv", "json", "xlsx", "xml", "txt", "parquet")
SETTINGS = "key,value\ntheme,dark\n"
CLIENTS = "client_name\nAcme\nUmbrella\n"
PROJECTS = "project_name,client_name\nSite,Acme\n"


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    with open_shop(home) as shop:
        shop.send(shop.write("leads.csv", LEADS), "leads")
        yield shop


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("kind", [*FORMATS, "doc"])
def test_a_zip_holds_what_the_plain_export_is(shop: Shop, kind: str) -> None:
    """EXF-25, EXF-27: named after dataset and job, private, and the job tells its size."""
    plain = shop.take("leads", format=kind, fields=FIELDS)
    path = shop.take("leads", format=kind, fields=FIELDS, zip=True)
    assert path == shop.engine.home.exports / "leads-3.zip"
    assert path.stat().st_mode & 0o777 == 0o600
    [(name, content)] = members(path).items()
    assert name == f"leads.{kind}"
    if kind in ("csv", "json", "xml", "txt", "doc"):
        assert content == plain.read_bytes()
    document = shop.engine.jobs.get(3).document()
    assert (document["file_name"], document["file_size"]) == ("leads-3.zip", path.stat().st_size)
    assert (document["zip"], document["included"]) == (True, {"leads": 2})


def test_the_same_rows_make_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    first, second = (
        shop.take("leads", to=str(tmp_path / name)).read_bytes() for name in ("a.zip", "b.ZIP")
    )
    assert first == second


@pytest.mark.parametrize("kind", FORMATS)
def test_a_zip_comes_back_as_the_export_that_it_is(shop: Shop, kind: str) -> None:
    """Design section 8: its base is the store as of its commit, so later edits survive."""
    path = shop.take("leads", format=kind, fields=FIELDS, zip=True)
    shop.engine.edit("leads", "L2", {"email": "new@example.org"}, shop.engine.author(Origin.CLI))
    job = shop.send(path, "leads", base=None)
    assert (job.source, job.commit) == ("export:2", None)
    assert job.notices[0].endswith("export of commit 1, as it was written.")
    assert shop.rows("leads")[1]["email"] == "new@example.org"


def edited(path: Path, target: Path) -> Path:
    """What somebody makes of a ZIP who unpacks it, names Ann Anna, and packs it again."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members(path).items():
            archive.writestr(name, content.replace(b"Ann,", b"Anna,").replace(b"Ann<", b"Anna<"))
    return target


@pytest.mark.parametrize("has_record", [True, False])
def test_an_edited_zip_is_known_by_its_record_or_its_name(
    shop: Shop, tmp_path: Path, has_record: bool
) -> None:
    """Only what was edited is a change."""
    path = shop.take("leads", fields=FIELDS, zip=True)
    shop.engine.edit("leads", "L1", {"email": "new@example.org"}, shop.engine.author(Origin.CLI))
    again = edited(path, tmp_path / ("desk.zip" if has_record else "leads-2 (1).zip"))
    if has_record:
        sidecar(path).rename(sidecar(again))
    job = shop.send(again, "leads", base=None)
    assert (job.source, (job.changes or {})["updated"]) == ("export:2", 1)
    row = shop.rows("leads")[0]
    assert (row["name"], row["email"]) == ("Anna", "new@example.org")


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_the_mark_in_a_packed_file_is_found(shop: Shop, tmp_path: Path, kind: str) -> None:
    """Without the record beside it and under another name."""
    path = shop.take("leads", format=kind, fields=FIELDS, zip=True)
    sidecar(path).unlink()
    shop.engine.edit("leads", "L2", {"email": "new@example.org"}, shop.engine.author(Origin.CLI))
    job = shop.send(path.rename(tmp_path / "from my desk.zip"), "leads", base=None)
    assert (job.source, job.commit) == ("export:2", None)


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
def test_a_package_is_one_zip_and_comes_back_as_one_import(shop: Shop, kind: str) -> None:
    """Datasets without rows have no file; those of a folder are described (V-30)."""
    shop.send(shop.write("clients.csv", CLIENTS), "clients")
    shop.send(shop.write("projects.csv", PROJECTS), "projects")
    path = shop.take(package="time_tracking", format=kind, zip=True)
    assert path == shop.engine.home.exports / "time_tracking-4.zip"
    one_file = ["time_tracking.xlsx"]
    files = [f"clients.{kind}", f"projects.{kind}", "datapackage.json"]
    found = members(path)
    assert list(found) == (one_file if kind == "xlsx" else files)
    if kind != "xlsx":
        described = json.loads(found["datapackage.json"])["resources"]
        assert [each["path"] for each in described] == files[:2]
    assert sorted(each.name for each in path.parent.iterdir() if not each.name.startswith(".")) == [
        path.name,
        sidecar(path).name,
    ]
    back = shop.send(path, package="time_tracking", base=None)
    assert (back.commit, (back.changes or {})["unchanged"]) == (None, 3)
    assert all("is an export of commit" in part.notices[0] for part in back.parts)


def test_several_datasets_are_one_zip(shop: Shop, tmp_path: Path) -> None:
    """V-30: one CSV a family, zipped; in a folder that is there it has a name of its own."""
    shop.send(shop.write("settings.csv", SETTINGS), "settings")
    path = shop.take("leads", "settings", zip=True, to=str(tmp_path))
    assert path == tmp_path / "export.zip"
    assert list(members(path)) == ["leads.csv", "settings.csv"]
    assert shop.engine.jobs.get(3).document()["included"] == {"leads": 2, "settings": 1}
    job = shop.send(path, "settings", inside="settings.csv", base=None)
    assert (job.source, job.commit) == ("export:3", None)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({"to": "a.csv", "zip": True}, "a.csv.zip"),
        ({"to": "a", "zip": True}, "a.zip"),
        ({"to": "a.zip"}, "a.zip"),
        ({"to": ".", "zip": True}, "leads.zip"),
    ],
)
def test_a_zip_is_called_what_was_said(
    shop: Shop, tmp_path: Path, asked: dict[str, object], made: str
) -> None:
    path = shop.take("leads", **{**asked, "to": str(tmp_path / str(asked["to"]))})
    assert path == tmp_path / made
    assert list(members(path)) == ["leads.csv"]


def test_packing_stops_when_the_job_is_cancelled(shop: Shop, tmp_path: Path) -> None:
    """Nothing is left where it would have been."""
    request = ExportRequest(datasets=("leads",), to=str(tmp_path / "leads.zip"))
    job, told = shop.engine.jobs.create(JobKind.EXPORT, request), list[int]()

    def progress(_: Phase, processed: int, total: int | None) -> None:
        told.append(processed)
        if len(told) == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        shop.engine.exports.run(job, shop.engine.author(Origin.CLI), progress, lambda _: None)
    assert told == [0, 1, 1]
    assert list(tmp_path.glob("*.zip*")) == []
    assert not shop.engine.home.job_staging(job.job).exists()


def test_what_is_there_is_not_overwritten_by_the_way(shop: Shop, tmp_path: Path) -> None:
    """A file, one of a folder, the page of a package and a ZIP are each refused, with a way out."""
    check = shop.engine.exports.check
    leads, package = {"datasets": ("leads",)}, {"package": "time_tracking"}
    for there, asked in (
        ("leads.csv", {**leads, "to": str(tmp_path / "leads.csv")}),
        ("leads.csv", {**leads, "to": str(tmp_path)}),
        ("clients.csv", {**package, "to": str(tmp_path)}),
        ("datapackage.json", {**package, "to": str(tmp_path)}),
        (
            "time_tracking.xlsx",
            {**package, "to": str(tmp_path / "time_tracking"), "format": "xlsx"},
        ),
        ("leads.csv.zip", {**leads, "to": str(tmp_path / "leads.csv"), "zip": True}),
    ):
        check(ExportRequest(**asked))
        (tmp_path / there).write_text("mine")
        with pytest.raises(UsageError, match=there) as caught:
            check(ExportRequest(**asked))
        assert (caught.value.code, "--overwrite" in caught.value.hint) == ("target-exists", True)
        check(ExportRequest(**asked, overwrite=True))
        (tmp_path / there).unlink()
    assert list(tmp_path.glob("time*")) == []


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("leads.csv", {}),
        ("names.csv", {"fields": ("name",)}),
        ("leads.txt", {"format": "txt"}),
        ("leads.zip", {}),
    ],
)
def test_what_an_export_wrote_is_replaced(
    shop: Shop, tmp_path: Path, name: str, asked: dict[str, Any]
) -> None:
    """Until somebody changes it; an empty file, as scripts make them, nobody would miss."""
    target = tmp_path / name
    check, request = shop.engine.exports.check, {**asked, "to": str(target)}
    target.touch()
    for _ in range(2):
        check(ExportRequest(datasets=("leads",), **request))
        assert shop.take("leads", **request) == target
    target.write_bytes(target.read_bytes() + b"\n")
    with pytest.raises(UsageError, match=name):
        check(ExportRequest(datasets=("leads",), **request))
