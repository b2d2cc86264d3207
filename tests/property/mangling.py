"""Files as nobody writes them: good ones of every format, and what may become of them on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hypothesis import strategies as st

from dataport.engine.catalog.model import Dataset

FIELDS = (
    {"name": "id", "constraints": {"required": True}},
    {"name": "mail", "format": "email"},
    {"name": "phone", "format": "phone"},
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
    for _ in range(draw(st.integers(0, 6))):
        content = draw(damage(content))
    return Mangled(draw(st.sampled_from([name] * 9 + sorted(SEEDS))), content)


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
