"""SQL that turns a cell's text into the text a field's checks see."""

from __future__ import annotations

import re

from dataport.engine.catalog.model import Dataset, Field, FieldType, Normalise
from dataport.engine.sql import among, literal
from dataport.engine.staging.readers.cells import ERRORS

TEXTUAL = (FieldType.STRING, FieldType.LIST, FieldType.OBJECT, FieldType.ANY)

_ERROR = "|".join(map(re.escape, ERRORS))
SHOWN_ERROR = f"^({_ERROR})$"
"""Text that looks like a failed formula."""
ESCAPED = rf"^'+([=+\-@\t\r]|({_ERROR})$)"
"""Text with an apostrophe that an export put there, or might have."""

VERBATIM = ("json", "ndjson", "parquet", "vcard", "values")
"""Formats of readings whose text is what it says: no spreadsheet shows it, so nothing is escaped."""

_SPACE = r"[\s\x0B\p{Z}\x{FEFF}]"
_INK = r"[^\s\x0B\p{Z}\x{FEFF}]"
_FIRST = r"[^\s\x0B\p{Z}\x{FEFF}']"
"""An apostrophe at the start may have to go."""
_LETTERS = (
    r"!-&(-~\x{A1}-\x{2FF}\x{370}-\x{373}\x{375}-\x{37D}\x{37F}-\x{386}\x{388}-\x{482}"
    r"\x{48A}-\x{590}\x{5D0}-\x{5EA}\x{3041}-\x{3096}\x{30A1}-\x{30FA}\x{4E00}-\x{9FFF}"
    r"\x{AC00}-\x{D7A3}"
)
"""Characters that NFC leaves alone and that never combine: common letters of living scripts."""
_COMPOSED = f"[{_LETTERS}]['{_LETTERS}]*( ['{_LETTERS}]+)*"
"""Text that no normalising changes, with single spaces inside only."""
_TRIMMED = f"(?s){_FIRST}(.*{_INK})?"
_SQUEEZED = f"{_FIRST}{_INK}*( {_INK}+)*"
SHORT = 48
"""Bytes of a text up to which one pattern is quicker than looking for each blank inside it."""
_BLANKS = (" ", "\t", "\n", "\r", "\v", "\f")


def clean_sql(field: Field, cell: str, *, is_escaped: bool = True) -> str:
    """SQL of a cell's normalised text. `cell` must be cheap to repeat: a column or a literal.

    `is_escaped` says that an apostrophe may stand before what a spreadsheet would run.
    """
    steps = field.normalise if field.type in TEXTUAL else (Normalise.TRIM,)
    squeezes = Normalise.SQUEEZE in steps
    sql = f"nfc_normalize({_armed(cell) if is_escaped else cell})"
    for step in steps:
        if step is Normalise.TRIM:
            sql = f"regexp_replace({sql}, '^{_SPACE}+|{_SPACE}+$', '', 'g')"
        elif step is Normalise.SQUEEZE:
            sql = f"regexp_replace({sql}, '{_SPACE}+', ' ', 'g')"
    tidy = f"regexp_full_match({cell}, {literal(_SQUEEZED if squeezes else _TRIMMED)})"
    is_long = f"strlen({cell}) > {SHORT} AND " if squeezes else ""
    sql = (
        f"CASE WHEN {is_long}{_is_plain(cell, squeezes=squeezes)} THEN {cell}"
        f" WHEN regexp_full_match({cell}, {literal(_COMPOSED)}) THEN {cell}"
        f" WHEN {tidy} THEN nfc_normalize({cell}) ELSE {sql} END"
    )
    for step in steps:
        if step in (Normalise.LOWER, Normalise.UPPER):
            sql = f"{step.value}({sql})"
    return sql


def unescaped_sql(text: str) -> str:
    """SQL of a normalised item of a JSON list: what JSON escapes was no character yet when the
    cell was cleaned."""
    return f"nfc_normalize(regexp_replace({text}, '^{_SPACE}+|{_SPACE}+$', '', 'g'))"


def _is_plain(cell: str, *, squeezes: bool) -> str:
    """SQL that is true for most cells and false for each that may need rewriting.

    It is what makes cleaning cheap: comparisons of both ends cost a tenth of a pattern. What
    `squeezes` is searched for blanks anywhere, which costs as much as a pattern of a short text.
    """
    at_end = (" ",) if squeezes else _BLANKS
    inside = ("  ", *_BLANKS[1:]) if squeezes else ()
    tests = [
        f"{cell} >= '('",
        f"{cell} < {_char(chr(127))}",
        f"strlen({cell}) = length({cell})",
        *(f"NOT ends_with({cell}, {_char(blank)})" for blank in at_end),
        *(f"NOT contains({cell}, {_char(blank)})" for blank in inside),
    ]
    return " AND ".join(tests)


def _char(char: str) -> str:
    return literal(char) if char.isprintable() else f"chr({ord(char)})"


def present_sql(dataset: Dataset, field: Field, text: str) -> str:
    """SQL of a normalised text, or the field's default where it says that a value is missing."""
    missing = field.missing_values if field.missing_values is not None else dataset.missing_values
    sql = text
    if missing:
        longest = max(len(word.encode()) for word in missing)
        is_missing = f"strlen({text}) <= {longest} AND {among(text, missing)}"
        sql = f"CASE WHEN {is_missing} THEN NULL ELSE {text} END"
    return sql if field.default is None else f"coalesce({sql}, {literal(field.default)})"


def _armed(cell: str) -> str:
    """Exports put an apostrophe before what a spreadsheet would take for a formula or its error."""
    return (
        f"CASE WHEN regexp_matches({cell}, {literal(ESCAPED)}) THEN substr({cell}, 2)"
        f" ELSE {cell} END"
    )
