"""A conflict in words. On screen the sides are `Last sent`, `Store` and `File`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.style import Style
from rich.text import Text

from dataport.core.words import ConflictKind
from dataport.tui import formatting
from dataport.tui.state import Conflict
from dataport.tui.tones import Tones
from dataport.tui.widgets.columns import Column
from dataport.tui.widgets.rows import Row

COLUMNS = (
    Column("Dataset", 8, grow=1, drop=1),
    Column("Key", 8, grow=2),
    Column("Field", 9, grow=1),
    Column("Store", 14, grow=3),
    Column("File", 14, grow=3),
    Column("Source", 6, grow=1, drop=2),
)
SHOWN_LINES = 5
"""Lines that are named of several rows with one key."""

FIELD_COLUMNS = (
    Column("Field", 12, grow=1),
    Column("Last sent (b)", 12, grow=3),
    Column("Store (s)", 12, grow=3),
    Column("File (f)", 12, grow=3),
)


def conflict_row(conflict: Conflict, tones: Tones) -> Row:
    """The line of one conflict."""
    if conflict.is_row:
        field = Text("whole row", style=tones.warn)
        ours, theirs = _presence(conflict.ours, tones), _presence(conflict.theirs, tones)
    else:
        field = Text(formatting.visible(conflict.field or ""))
        ours, theirs = tones.value(conflict.ours), tones.value(conflict.theirs)
    cells = (
        Text(formatting.visible(conflict.dataset)),
        Text(formatting.visible(conflict.key)),
        field,
        ours,
        theirs,
        Text(formatting.visible(conflict.source)),
    )
    return Row(str(conflict.number), cells)


def _presence(row: Any, tones: Tones) -> Text:
    return Text(f"{formatting.EMPTY} no row", tones.quiet) if row is None else Text("the row")


def head_text(conflict: Conflict, tones: Tones) -> Text:
    """What is in conflict and why; where the File's side comes from."""
    what = "whole row" if conflict.is_row else formatting.visible(conflict.field or "")
    name = formatting.visible(f"{conflict.dataset} · {conflict.key}")
    text = Text().append(f" {name} · {what}", "bold")
    sentence = formatting.KIND_SENTENCES.get(conflict.kind, conflict.kind)
    text.append(f"  {sentence}", tones.warn)
    text.append(f"\n {provenance(conflict)}", tones.quiet)
    for message in conflict.violations:
        text.append(f"\n ✗ {formatting.visible(message)}", tones.bad)
    return text


def provenance(conflict: Conflict) -> str:
    """Source, file, line, job and time of the File's side."""
    parts = [f"From {conflict.source}" if conflict.source else "From a file"]
    if conflict.file:
        parts.append(formatting.file_name(conflict.file))
    if conflict.kind == ConflictKind.DUPLICATE_KEY:
        lines = _fields(conflict.theirs).get("lines", [])
        named = ", ".join(map(_line, lines[:SHOWN_LINES]))
        parts.append(f"lines {named}{', …' if len(lines) > SHOWN_LINES else ''}")
    elif conflict.line is not None:
        parts.append(f"line {conflict.line:,}")
    if conflict.job is not None:
        parts.append(f"job {conflict.job}")
    if conflict.time:
        parts.append(formatting.moment(conflict.time))
    return formatting.visible(" · ".join(parts))


def _line(line: int | str) -> str:
    """A line's number; of a file with several tables, the daemon says whose it is."""
    return line if isinstance(line, str) else f"{line:,}"


def sides(conflict: Conflict, tones: Tones) -> tuple[Text, Text, Text]:
    """Last sent, Store and File of a field; Store and File mark what the other lacks."""
    base, ours, theirs = conflict.base, conflict.ours, conflict.theirs
    looks_alike = formatting.value_text(ours) == formatting.value_text(theirs) and ours != theirs
    if looks_alike:
        base, ours, theirs = (json.dumps(v, ensure_ascii=False) for v in (base, ours, theirs))
    return (
        tones.value(base),
        tones.value(ours, theirs, tones.accent),
        tones.value(theirs, ours, tones.warn),
    )


def field_rows(conflict: Conflict, tones: Tones) -> list[Row]:
    """Whole rows side by side, a line a field; fields that differ come first."""
    base, ours, theirs = _fields(conflict.base), _fields(conflict.ours), _file_side(conflict)
    names = list(dict.fromkeys((*ours, *theirs, *base)))
    present = [image for image in (ours, theirs, base) if image]
    differs = {name: len({_canonical(image, name) for image in present}) > 1
               for name in names}  # fmt: skip
    return [
        _field_row(name, (base, ours, theirs), differs[name], tones)
        for name in sorted(names, key=lambda name: not differs[name])
    ]


def _field_row(
    name: str, images: tuple[Mapping[str, Any], ...], is_different: bool, tones: Tones
) -> Row:
    base, ours, theirs = images
    label = Text(formatting.visible(name), style=Style(bold=is_different))
    cells = [
        label,
        _cell(base, name, None, tones),
        _cell(ours, name, theirs.get(name), tones, tones.accent),
        _cell(theirs, name, ours.get(name), tones, tones.warn),
    ]
    if not is_different:
        for cell in cells:
            cell.stylize(tones.quiet)
    return Row(name, tuple(cells))


def _cell(
    image: Mapping[str, Any], name: str, other: Any, tones: Tones, mark: Style | None = None
) -> Text:
    if not image:
        return Text("no row", style=tones.quiet)
    return tones.value(image.get(name), other, mark)


def _file_side(conflict: Conflict) -> Mapping[str, Any]:
    """What the File says of a row; a list of values where its rows with one key differ."""
    if conflict.kind != ConflictKind.DUPLICATE_KEY:
        return _fields(conflict.theirs)
    said: dict[str, list[Any]] = {}
    for row in _fields(conflict.theirs).get("rows", ()):
        for name, value in row.items():
            values = said.setdefault(name, [])
            if value not in values:
                values.append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in said.items()}


def _fields(image: Any) -> Mapping[str, Any]:
    return image if isinstance(image, dict) else {}


def _canonical(image: Mapping[str, Any], name: str) -> str:
    return json.dumps(image.get(name), sort_keys=True, ensure_ascii=False)


def like_this(conflict: Conflict) -> str:
    """What conflicts that are alike have in common."""
    parts = (conflict.dataset, conflict.field or "", conflict.source and f"from {conflict.source}")
    return formatting.visible(" · ".join(part for part in parts if part))
