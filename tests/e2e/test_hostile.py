"""Hostile files through the real command: the daemon goes on as if nothing had come (SEC-05)."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import World
from tests.engine.staging.packing import encrypted, linked, zipped
from tests.engine.staging.sheets import xlsx

MEBIBYTE = 2**20
BOMB = b"lead_id,email\n" + b"0" * (100 * MEBIBYTE)
LOL = '<!DOCTYPE r [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><r><t><lead_id>&b;</lead_id></t></r>'
LEAD = "lead_id,name,email\n1,Ann,ann@example.org\n"

FILES = {
    "bomb.zip": (lambda: zipped({"leads.csv": BOMB}), "expands-too-much"),
    "bomb.csv.gz": (lambda: gzip.compress(BOMB), "expands-too-much"),
    "bomb.xml": (LOL.encode, "unsafe-xml"),
    "escape.zip": (lambda: zipped({"../../leads.csv": LEAD}), "unsafe-archive"),
    "link.zip": (lambda: linked("leads.csv", "/etc/passwd"), "unsafe-archive"),
    "secret.zip": (lambda: encrypted({"leads.csv": LEAD}), "encrypted-archive"),
    "lie.csv": (lambda: zipped({"leads.csv": LEAD}), "format-error"),
    "wide.csv": (lambda: b"a," * 1_000_000 + b"\n1\n", "too-many-columns"),
    "deep.json": (lambda: b'[{"lead_id":' * 200_000, "nested-too-deep"),
    "torn.xlsx": (lambda: xlsx({"a": [["lead_id"], [1]]})[:-50], "compression-error"),
}


def memory_of(pid: int) -> int:
    """Bytes that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_daemon_survives_every_hostile_file(world: World, tmp_path: Path) -> None:
    """With and without a dataset: none of it leaves a trace in the store, nor in the daemon."""
    pid = world.ok("status")["pid"]
    good = tmp_path / "good.csv"
    good.write_text(LEAD, encoding="utf-8")
    world.send(good)
    before = memory_of(pid) if Path("/proc").is_dir() else 0
    for name, (content, code) in FILES.items():
        path = tmp_path / name
        path.write_bytes(content())
        for target in (["--dataset", "leads"], []):
            failed = world.run("import", str(path), *target)
            assert (failed.code, failed.document["error"]["code"]) == (1, code), (name, failed)
            assert failed.document["error"]["hint"]
    assert world.ok("status")["pid"] == pid
    assert not before or memory_of(pid) < before + 100 * MEBIBYTE
    assert world.ok("rows", "leads")["total"] == 1
    assert not list(world.home.root.glob("staging/*/parts"))
    assert not list(tmp_path.parent.glob("leads.csv"))
    good.write_text(LEAD.replace("Ann", "Anna"), encoding="utf-8")
    assert world.send(good)["changes"]["updated"] == 1


@pytest.mark.parametrize("name", ["leads.csv", "leads.xlsx"])
def test_formulas_stay_the_text_that_they_are(world: World, tmp_path: Path, name: str) -> None:
    """Verbatim in the store, whatever a spreadsheet would make of them (X-27)."""
    texts = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)"]
    path = tmp_path / name
    if name.endswith(".csv"):
        rows = "".join(f'{at},"{text}"\n' for at, text in enumerate(texts, start=1))
        path.write_text(f"lead_id,name\n{rows}", encoding="utf-8")
    else:
        rows = [[at, text] for at, text in enumerate(texts, start=1)]
        path.write_bytes(xlsx({"Leads": [["lead_id", "name"], *rows]}))
    world.send(path)
    assert [row["name"] for row in world.rows()] == texts


def test_a_sheet_and_an_archive_again_change_nothing(world: World, tmp_path: Path) -> None:
    """Re-import without change, by the bytes or, packed anew, by what they say."""
    rows = [["lead_id", "name", "email"], [1, "Ann", "ann@example.org"], [2, "Bob", "bad"]]
    book, archive = tmp_path / "leads.xlsx", tmp_path / "leads.zip"
    book.write_bytes(xlsx({"Leads": rows}))
    job = world.send(book)
    assert (job["changes"]["inserted"], job["rows"]["rejected"]) == (1, 1)
    assert Path(job["rejects_file"]).name == "leads.rejects.csv"
    assert world.send(book)["message"].startswith("Already imported")
    archive.write_bytes(zipped({"leads.xlsx": book.read_bytes(), "other.csv": "a\n1\n"}))
    again = world.send(archive, "--inside", "leads.xlsx")
    assert (again["commit"], again["inside"]) == (None, "leads.xlsx")
    assert again["changes"]["unchanged"] == 1
    fixed = Path(job["rejects_file"])
    fixed.write_text(fixed.read_text().replace(",bad", ",bob@example.org"), encoding="utf-8")
    assert world.send(fixed)["changes"]["inserted"] == 1
