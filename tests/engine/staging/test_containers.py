"""gzip, Zstandard and ZIP around files: what is in them is read as if it lay there by itself."""

from __future__ import annotations

import gzip
import hashlib
import zipfile

import pyarrow as pa
import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.request import StageLimits
from tests.engine.staging.packing import encrypted, linked, zipped

TEXT = 'id,name\n1,Ann\n\n2,"Bob\nB."\n3\n4,Dan\n'


def zstd(content: bytes) -> bytes:
    return pa.compress(content, "zstd", asbytes=True)


@pytest.fixture
def things(make):
    return make({"name": "id", "type": "integer"}, {"name": "name"})


def refused(read, content, dataset, name="file", **words) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, dataset, name, **words)
    return caught.value


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("things.csv.gz", lambda text: gzip.compress(text[:9]) + gzip.compress(text[9:])),
        ("things.csv.zst", lambda text: zstd(text[:9]) + zstd(text[9:])),
        ("things.zip", lambda text: zipped({"things.csv": text})),
        ("things.zip", lambda text: zipped({"a/b/things.csv": text}, zipfile.ZIP_BZIP2)),
        ("things.zip", lambda text: zipped({"things.csv": text}, zipfile.ZIP_LZMA)),
        ("things.zip", lambda text: zipped({"in.zip": zipped({"things.csv": text})})),
        ("things.zip", lambda text: zipped({"things.csv.gz": gzip.compress(text)})),
        ("things.zip.gz", lambda text: gzip.compress(zipped({"things.csv": text}))),
        ("no-suffix", lambda text: zipped({"things.csv": text})),
    ],
)
def test_what_is_packed_is_read_with_its_own_lines_and_digest(read, things, name, pack) -> None:
    """IMF-13: values, lines, rejects and identity are those of the file, packed or not."""
    content = pack(TEXT.encode())
    staged = read(content, things, name)
    assert staged.rows("_record, _line, id, name") == [
        (1, 2, 1, "Ann"),
        (2, 4, 2, "Bob\nB."),
        (4, 7, 4, "Dan"),
    ]
    assert staged.rejects() == [(6, "missing-cell")]
    rows = staged.result.rows
    assert (rows.read, rows.valid, rows.rejected) == (4, 3, 1)
    assert staged.result.format == "csv"
    assert staged.result.sha256 == hashlib.sha256(content).hexdigest()
    assert staged.result.bytes == len(content)


def test_one_of_several_tables_is_read_by_its_name(read, things) -> None:
    content = zipped(
        {
            "Things/old.csv": "id,name\n1,Old\n",
            "Things/new.csv": "id,name\n1,New\n",
            "more.zip": zipped({"x.json": '[{"id": 1, "name": "X"}]', "y.csv": "id\n2\n"}),
        }
    )
    for inside, name in (
        ("Things/old.csv", "Old"),
        ("Things/new.csv", "New"),
        ("more.zip::x.json", "X"),
    ):
        assert read(content, things, "a.zip", inside=inside).rows("name") == [(name,)]
    error = refused(read, content, things, "a.zip")
    assert error.code == "several-tables"
    assert error.detail == "They are 'Things/old.csv', 'Things/new.csv', 'more.zip'."
    assert error.hint == "Say which one is meant: --inside 'Things/old.csv'."
    assert refused(read, content, things, "a.zip", inside="more.zip").code == "several-tables"
    for inside in ("none.csv", "more.zip::z.csv", "Things/old.csv::x"):
        assert refused(read, content, things, "a.zip", inside=inside).code == "no-such-table"


def test_what_only_goes_along_with_data_is_not_looked_at(read, things) -> None:
    content = zipped(
        {
            "__MACOSX/._things.csv": b"\0\1",
            ".DS_Store": b"\0",
            "d/": "",
            "d/things.csv": TEXT,
            "d/things.csv.dataport.json": "{}",
            "d/datapackage.json": "{}",
            "d/README.txt": "Read me",
            "d/photo.png": b"\x89PNG",
        }
    )
    assert len(read(content, things, "a.zip").rows()) == 3


UNSAFE = {
    "up": (zipped({"../things.csv": TEXT}), "unsafe-archive"),
    "absolute": (zipped({"/etc/things.csv": TEXT}), "unsafe-archive"),
    "drive": (zipped({"C:\\things.csv": TEXT}), "unsafe-archive"),
    "backslash": (zipped({"a\\..\\..\\things.csv": TEXT}), "unsafe-archive"),
    "link": (linked("things.csv", "/etc/passwd"), "unsafe-archive"),
    "encrypted": (encrypted({"things.csv": TEXT}), "encrypted-archive"),
    "nested": (zipped({"a.zip": zipped({"b.zip": zipped({"c.csv": TEXT})})}), "nested-archive"),
    "members": (zipped({f"{at}.csv": TEXT for at in range(9)}), "too-many-members"),
    "empty": (zipped({"a/": ""}), "no-rows"),
    "cut": (zipped({"things.csv": TEXT})[:-30], "compression-error"),
    "gzip-gzip": (gzip.compress(gzip.compress(TEXT.encode())), "nested-archive"),
    "gzip-cut": (gzip.compress(TEXT.encode() * 99)[:-20], "compression-error"),
    "zstd-cut": (zstd(TEXT.encode() * 99)[:-5], "compression-error"),
    "word": (zipped({"x.docx": zipped({"[Content_Types].xml": "", "word/x": ""})}), "format-error"),
    "lie": (zipped({"things.csv": zipped({"x.csv": TEXT})}), "format-error"),
}


@pytest.mark.parametrize(("content", "code"), UNSAFE.values(), ids=UNSAFE)
def test_archives_that_are_not_to_be_trusted_are_refused(read, things, content, code) -> None:
    """SEC-05: names that lead out, links, encryption, nesting, damage, lying names."""
    assert refused(read, content, things, limits=StageLimits(members=8)).code == code


def test_a_directory_that_points_nowhere_is_damage(read, things) -> None:
    content = bytearray(zipped({"things.csv": TEXT}))
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    assert refused(read, bytes(content), things).code == "compression-error"


def test_damage_inside_an_archive_is_found(read, things) -> None:
    content = bytearray(zipped({"things.csv": TEXT}, zipfile.ZIP_STORED))
    content[content.index(b"Ann")] = ord("X")
    error = refused(read, bytes(content), things)
    assert (error.code, error.hint[:10]) == ("compression-error", "It is dama")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("things.csv", zipped({"things.csv": TEXT})),
        ("things.json", gzip.compress(b"[]")),
        ("things.zip", TEXT.encode()),
        ("things.gz", TEXT.encode()),
        ("things.xlsx", TEXT.encode()),
        ("things.parquet", TEXT.encode()),
    ],
    ids=["csv", "json", "zip", "gz", "xlsx", "parquet"],
)
def test_a_name_that_lies_about_the_content_is_an_error(read, things, name, content) -> None:
    """Design section 7."""
    error = refused(read, content, things, name)
    assert (error.code, error.title) == ("format-error", f"{name} can't be read.")


def bomb(size: int) -> bytes:
    return b"id,name\n" + b"0" * size


@pytest.mark.parametrize(
    "pack",
    [
        lambda data: zipped({"a.csv": data}),
        gzip.compress,
        zstd,
        lambda data: zipped({"a.zip": zipped({"a.csv": data}), "b.csv": TEXT}),
    ],
    ids=["zip", "gzip", "zstd", "nested"],
)
def test_bombs_are_stopped_by_what_really_comes_out(read, things, tmp_path, pack) -> None:
    """SEC-05: by size, by the sum of sizes, and by the ratio beyond the first 64 MiB."""
    small = pack(bomb(2**20))
    words = {"inside": "a.zip"} if b"b.csv" in small else {}
    for limits in (StageLimits(file_size=2**19), StageLimits(expanded=2**19)):
        error = refused(read, small, things, limits=limits, **words)
        assert error.code == "expands-too-much"
        assert "524,288 bytes" in error.detail
    error = refused(read, pack(bomb(2**26)), things, **words)
    assert (error.code, error.title) == (
        "expands-too-much",
        "file expands to many times its size.",
    )
    assert not list((tmp_path / "stage").rglob("unpacked/*"))
