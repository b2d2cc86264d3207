"""Files as nobody writes them: good ones of every format, and what may become of them on the way."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from dataport.engine.catalog.model import Dataset
from tests.engine.staging.packing import zipped
from tests.engine.staging.sheets import ods, xlsx

FIELDS = (
    {"name": "id", "aliases": ["fn"], "constraints": {"required": True}},
    {"name": "mail", "aliases": ["email"], "format": "email"},
    {"name": "phone", "aliases": ["tel"], "format": "phone"},
    {"name": "count", "type": "integer"},
    {"name": "price", "type": "number", "precision": 12, "scale": 2},
    {"name": "share", "type": "number"},
    {"name": "open", "type": "boolean"},
    {"name": "day", "type": "date"},
    {"name": "at", "type": "datetime"},
    {"name": "time", "type": "time"},
    {"name": "spent", "type": "duration"},
    {"name": "tags", "type": "list"},
    {"name": "extra", "type": "object"},
    {"name": "code", "constraints": {"unique": True, "pattern": "[a-z]+", "maxLength": 5}},
)
THINGS = Dataset.model_validate_json(
    json.dumps({"name": "things", "primaryKey": ["id"], "match": [["mail"]], "fields": FIELDS})
)
"""A dataset with a field of every type."""

ROWS = (
    {
        "id": "1",
        "mail": "ada@example.org",
        "phone": "+1 202-555-0101",
        "count": 7,
        "price": 19.99,
        "share": 0.25,
        "open": True,
        "day": "2026-02-28",
        "at": "2026-02-28T23:59:59Z",
        "time": "08:30:00",
        "spent": "01:30:00",
        "tags": ["a", "b"],
        "extra": {"deep": [1, {"er": None}]},
        "code": "abc",
    },
    {"id": "2", "mail": "zoë@example.org", "day": "", "tags": [], "code": "äöü", "extra": {}},
    {"id": "3", "phone": 'line\nbreak, "quoted"', "count": "12", "price": "1e3", "open": "no"},
    {"id": "1", "count": -1, "share": "NaN", "at": "yesterday"},
)


def _csv(delimiter: str, end: str = "\n") -> bytes:
    names = [str(field["name"]) for field in FIELDS]
    lines = [delimiter.join(names)]
    for row in ROWS:
        values = [row.get(name, "") for name in names]
        texts = [
            json.dumps(value) if isinstance(value, list | dict) else str(value) for value in values
        ]
        quoted = [
            '"' + text.replace('"', '""') + '"' if set(text) & set('",;\t|\n') else text
            for text in texts
        ]
        lines.append(delimiter.join(quoted))
    return (end.join(lines) + end).encode()


def _parquet() -> bytes:
    target = io.BytesIO()
    flat = [
        {name: value for name, value in row.items() if not isinstance(value, dict)}
        for row in ROWS[:2]
    ]
    pq.write_table(pa.Table.from_pylist(flat), target)
    return target.getvalue()


def _grid() -> list[list[object]]:
    names = [str(field["name"]) for field in FIELDS]
    texts = [[_text(row.get(name)) for name in names] for row in ROWS]
    return [list(names), *texts]


def _text(value: object) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _xml() -> bytes:
    rows = "".join(
        f"<thing><id>{row['id']}</id><mail>{row.get('mail', '')}</mail><tags><t>a</t><t>b</t></tags></thing>"
        for row in ROWS
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<things>\n{rows}</things>\n'.encode()


VCARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë\r\nN:Åström;Zoë;;;\r\nEMAIL;TYPE=home:zoe@example.org\r\n"
    "TEL:+12025550101\r\nNOTE:one\\ntwo and\r\n  folded\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:2.1\r\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Zo=C3=AB\r\nEND:VCARD\r\n"
)


def unpacked(content: bytes) -> dict[str, bytes]:
    """The members of a ZIP archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


SEEDS: dict[str, bytes] = {
    "things.csv": _csv(","),
    "semicolons.csv": b"\xef\xbb\xbf" + _csv(";", "\r\n"),
    "tabs.tsv": _csv("\t"),
    "wide.csv": _csv("|").decode().encode("utf-16"),
    "old.csv": _csv(",").decode().encode("cp1252"),
    "values.txt": b"1\n2\n3 | 4, 5\n",
    "array.json": json.dumps(ROWS, ensure_ascii=False, indent=1).encode(),
    "envelope.json": json.dumps({"info": {"by": "x"}, "things": ROWS, "total": 4}).encode(),
    "lines.ndjson": "\n".join(map(json.dumps, ROWS)).encode(),
    "sheet.xlsx": xlsx({"Things": _grid()}),
    "sheet.ods": ods({"Things": _grid()}),
    "columns.parquet": _parquet(),
    "things.xml": _xml(),
    "people.vcf": VCARD.encode(),
    "things.csv.gz": gzip.compress(_csv(","), mtime=0),
    "things.csv.zst": pa.compress(_csv(","), codec="zstd", asbytes=True),
    "things.zip": zipped({"__MACOSX/._x": b"", "in/things.csv": _csv(",")}),
    "nested.zip": zipped({"inner.zip": zipped({"lines.ndjson": b'{"id": "1"}\n'})}),
}
"""A good file of each kind, by name."""

TOKENS = (
    *(b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b" ", b"'", b"\\"),
    *(b"{", b"}", b"[", b"]", b":", b"null", b"1e999", b"-0", b"NaN", b"\xff", b"\xfe\xff"),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3", "\u2028\u202e\U0001f600".encode(), b"=1+1"),
    *(b"[" * 300, b'{"a":' * 300, b'"' * 99, b"," * 3000, b"\n" * 500, b"x" * 70_000),
)
"""Pieces that mean something to one parser or another."""


@dataclass(frozen=True)
class Mangled:
    """A file under test."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        """Short enough to be printed; the file itself is left where it was read."""
        return f"Mangled({self.name!r}, {self.content[:200]!r}, {len(self.content)} bytes)"


@st.composite
def mangled(draw: st.DrawFn) -> Mangled:
    """A good file, most often damaged in up to six places, and sometimes under another's name."""
    name = draw(st.sampled_from(sorted(SEEDS)))
    content = SEEDS[name]
    if name in ARCHIVES and draw(st.booleans()):
        # Damage to an archive itself seldom gets behind its check sums.
        members = unpacked(content)
        inner = draw(st.sampled_from(sorted(members)))
        content = zipped({**members, inner: draw(damaged(members[inner]))})
    else:
        content = draw(damaged(content))
    return Mangled(draw(st.sampled_from([name] * 9 + sorted(SEEDS))), content)


ARCHIVES = ("sheet.xlsx", "sheet.ods", "things.zip", "nested.zip")


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """`content` with up to six changes."""
    for _ in range(draw(st.integers(0, 6))):
        content = draw(damage(content))
    return content


def damage(content: bytes) -> st.SearchStrategy[bytes]:
    """`content` with one change."""
    place = st.integers(0, len(content))
    spans = st.tuples(place, place).map(sorted)
    pieces = st.one_of(st.sampled_from(TOKENS), st.binary(max_size=8))
    return st.one_of(
        st.builds(lambda at, piece: content[:at] + piece + content[at:], place, pieces),
        st.builds(
            lambda at, piece: content[:at] + piece + content[at + len(piece) :], place, pieces
        ),
        st.builds(lambda span: content[: span[0]] + content[span[1] :], spans),
        st.builds(lambda span: content[: span[1]] + content[span[0] :], spans),
        st.builds(lambda at: content[:at], place),
        st.builds(
            lambda other, at, span: content[:at] + other[slice(*span)] + content[at:],
            st.sampled_from(sorted(SEEDS.values())),
            place,
            spans,
        ),
    )
