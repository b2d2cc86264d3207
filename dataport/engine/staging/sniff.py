"""What a file is, by its content."""

from __future__ import annotations

import re
from pathlib import Path

from dataport.core.errors import InputError
from dataport.engine.catalog.model import Dataset
from dataport.engine.staging.mapping import is_label
from dataport.engine.staging.samples import passes

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 200
VALUE_SEPARATORS = re.compile(f"[{''.join(DELIMITERS)}]")
FORMATS = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "txt",
    "json": "json",
    "ndjson": "json",
    "jsonl": "json",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "ods": "ods",
    "parquet": "parquet",
    "xml": "xml",
    "vcard": "vcard",
    "vcf": "vcard",
}
"""Words for formats that a request may name, and what reads them."""

TEXTS = ("csv", "txt", "json")
"""What is read as lines of text, or as one JSON document."""

WORKBOOKS = ("xlsx", "ods")
"""What has sheets."""

PACKED = ("zip", "gzip", "zstd")
"""What other files are unpacked from."""

DATA_ENDS = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), TEXTS),
    **dict.fromkeys((".json", ".ndjson", ".jsonl"), ("json",)),
    **dict.fromkeys((".xlsx", ".xlsm"), ("xlsx",)),
    ".ods": ("ods",),
    ".parquet": ("parquet",),
    ".xml": ("xml",),
    **dict.fromkeys((".vcf", ".vcard"), ("vcard",)),
    ".zip": ("zip",),
    ".gz": ("gzip",),
    ".zst": ("zstd",),
}
"""Ends of names, and what a file that is called so may be."""

_KINDS = (
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_CALLED = {
    "parquet": "a Parquet file",
    "gzip": "a gzip archive",
    "zstd": "a Zstandard archive",
    "zip": "a ZIP archive",
    "xlsx": "an Excel workbook",
    "ods": "an OpenDocument spreadsheet",
    "xml": "XML",
    "vcard": "contacts (vCard)",
    "json": "JSON",
}
_SIGNATURES = (
    (b"%PDF", "a PDF document", "Export the table behind it as CSV."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "Save it as CSV (UTF-8)."),
    (b"SQLite format 3", "a SQLite database", "Export the table as CSV."),
    (b"\x89PNG", "a PNG image", "Name the file that holds the data."),
    (b"\xff\xd8\xff", "a JPEG image", "Name the file that holds the data."),
    (b"GIF8", "a GIF image", "Name the file that holds the data."),
    (b"\x7fELF", "a program", "Name the file that holds the data."),
)
_HTML = re.compile(
    r"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype\s+html|html)", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(r"\s*<(\?xml|!doctype|!--|[a-z_][\w.:-]*[\s/>])", re.IGNORECASE)
_CARD = re.compile(r"\s*BEGIN:VCARD\s", re.IGNORECASE)


def check_content(head: bytes, name: str) -> None:
    """Raise InputError if a file is empty or plainly of no use."""
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\r\n\t \0"):
        raise InputError(
            "empty-file", f"{name} is empty.", hint="Export it again; it holds no data."
        )
    for magic, title, hint in _SIGNATURES:
        if head.startswith(magic):
            raise contradiction(name, title, hint)
    if head[257:262] == b"ustar":
        raise contradiction(name, "a TAR archive", "Unpack it, or pack it as a ZIP.")


def binary_kind(head: bytes) -> str | None:
    """What a file is by its first bytes; None for a text."""
    return next((kind for magic, kind in _KINDS if head.startswith(magic)), None)


def check_name(path: Path, kind: str, asked: str | None) -> None:
    """Raise InputError where a file's name, or what was said of it, is not what it is."""
    allowed = DATA_ENDS.get(path.suffix.lower())
    looks_like = _CALLED.get(kind, "plain text")
    is_text_card = kind == "vcard" and path.suffix.lower() == ".txt"
    if allowed is not None and kind not in allowed and not is_text_card:
        right = next((end for end, kinds in DATA_ENDS.items() if kind in kinds), ".csv")
        raise contradiction(path.name, looks_like, f"Name it {right}, or export it again.")
    if asked is not None and kind not in PACKED and find_word(asked) != kind:
        raise contradiction(path.name, looks_like, f"Leave out --format {asked}.")


def find_word(asked: str) -> str:
    """What reads the format that a request names. Raises InputError."""
    if asked not in FORMATS:
        raise InputError(
            "unknown-format", f"{asked!r} can't be read.", hint=f"Formats: {', '.join(FORMATS)}."
        )
    return FORMATS[asked]


def check_text(text: str, name: str) -> None:
    """Raise InputError if a decoded head holds what no text holds."""
    sample = text[:65_536]
    controls = sum(sample.count(chr(code)) for code in range(32) if code not in (9, 10, 12, 13))
    if controls > 8 and controls > 0.02 * len(sample):
        raise contradiction(name, "a binary file", "Export the data as CSV or JSON.")
    if _HTML.match(sample):
        raise contradiction(name, "a web page (HTML)", "Export the data as CSV or JSON.")


def find_format(text: str, path: Path, asked: str | None) -> str:
    """`csv`, `txt`, `json`, `xml` or `vcard`: as asked, else by content, else by name."""
    plain = "xml" if _XML.match(text) else "vcard" if _CARD.match(text) else None
    if plain is not None or (asked is not None and find_word(asked) not in TEXTS):
        check_name(path, plain or "csv", asked)
        return plain or "csv"
    start = text.lstrip()[:1]
    is_json = start in ("{", "[")
    if asked is not None:
        if FORMATS[asked] == "json" and not is_json:
            raise contradiction(path.name, "plain text, not JSON", "Import it as csv or txt.")
        return FORMATS[asked]
    suffix = path.suffix.lower()
    if not set(DATA_ENDS.get(suffix, TEXTS)) & set(TEXTS):
        check_name(path, "csv", None)
    if suffix in (".json", ".ndjson", ".jsonl"):
        if not is_json:
            raise contradiction(path.name, "plain text, not JSON", "Name it .csv or .txt.")
        return "json"
    if start == "{" or (start == "[" and text.lstrip()[1:].lstrip()[:1] in ("{", "]")):
        return "json"
    return "txt" if suffix == ".txt" else "csv"


def is_value_list(text: str, dataset: Dataset) -> bool:
    """Whether a TXT file lists values of one field, rather than rows of several (IMF-04, IMF-05).

    It does unless its first row names fields, or its cells are plainly of different fields.
    """
    lines = [line for line in text.splitlines() if line.strip()][:SAMPLE_LINES]
    records = [VALUE_SEPARATORS.split(line) for line in lines]
    if not records or any(is_label(cell, dataset) for cell in records[0]):
        return not records
    field = dataset.field(value_field(dataset))
    others = [passes(field, cell.strip()) for record in records for cell in record[1:]]
    return False not in others


def value_field(dataset: Dataset) -> str:
    """The field that the values of a plain list belong to."""
    required = [field.name for field in dataset.fields if field.constraints.required]
    return [*dataset.headerless, *required, *dataset.primary_key][0]


def check_width(number: int, limit: int) -> None:
    """Raise InputError for a table of more than `limit` columns."""
    if number > limit:
        raise InputError(
            "too-many-columns",
            "The file has too many columns.",
            f"It has {number:,}; the limit is {limit:,}.",
            "Export fewer columns, or raise limits.columns in the configuration.",
        )


def contradiction(name: str, looks_like: str, hint: str) -> InputError:
    """The error of a file that is something else than it has to be."""
    return InputError(
        "format-error", f"{name} can't be read.", f"Its content looks like {looks_like}.", hint
    )
