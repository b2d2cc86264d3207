"""A plan's rows in words: the list's lines, and before and after of every field."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from dataport.tui import formatting
from dataport.tui.state import PlanRow
from dataport.tui.tones import Tones
from dataport.tui.widgets.columns import Column
from dataport.tui.widgets.rows import Row

COLUMNS = (
    Column("Change", 10),
    Column("Key", 12, grow=1),
    Column("Line", 7, is_number=True, drop=1),
    Column("Fields", 20, grow=3),
)


def operation_of(row: PlanRow) -> str:
    """The operation; `conflict` where a field waits for a person and nothing else happens,
    `left out` where a person wants nothing of it."""
    if row.is_excluded:
        return "left out"
    is_bare = row.conflicts and not row.changed and row.operation in ("unchanged", "skip")
    return "conflict" if is_bare else row.operation


def plan_row(number: int, row: PlanRow, tones: Tones, *, names_dataset: bool) -> Row:
    """The line of one row; its key is its place in the window."""
    operation = operation_of(row)
    glyph = formatting.OPERATION_GLYPHS.get(operation, "=")
    cells = (
        Text(f"{glyph} {operation}", style=tones.operation(operation)),
        _key(row, tones, names_dataset=names_dataset),
        Text(formatting.count(row.line)),
        _summary(row, tones),
    )
    return Row(str(number), cells)


def _key(row: PlanRow, tones: Tones, *, names_dataset: bool) -> Text:
    text = Text(formatting.visible(row.key))
    if names_dataset:
        text.append(f"  {row.dataset}", tones.quiet)
    return text


def _summary(row: PlanRow, tones: Tones) -> Text:
    text = Text()
    names = row.changed
    if row.operation == "insert":
        stated = (row.after or {}).items()
        names = tuple(name for name, value in stated if value not in (None, row.key))
    for name in names[:8]:
        text.append(", " if text else "").append(formatting.visible(name))
        if row.operation == "update" and row.before is not None and row.after is not None:
            text.append(f" {formatting.value_text(row.before.get(name))}", tones.quiet)
            text.append(" → ", tones.quiet).append(formatting.value_text(row.after.get(name)))
        elif row.operation == "insert":
            text.append(f" {formatting.value_text((row.after or {}).get(name))}", tones.quiet)
    for name in row.conflicts:
        text.append(" " if text else "").append(f"! {formatting.visible(name)}", tones.warn)
    return text


def detail_text(row: PlanRow, tones: Tones, *, names_dataset: bool) -> Text:
    """Every field of the row: changed ones first with before and after, the rest dimmed."""
    operation = operation_of(row)
    glyph = formatting.OPERATION_GLYPHS.get(operation, "=")
    text = Text().append(f"{glyph} {operation}", tones.operation(operation))
    text.append(f"  {formatting.visible(row.key)}", "bold")
    if names_dataset:
        text.append(f"  of {row.dataset}", tones.quiet)
    if row.line is not None:
        table = formatting.visible(row.inside) or "the file"
        text.append(f"  line {row.line:,} of {table}", tones.quiet)
    before, after = row.before or {}, row.after or {}
    names = list(dict.fromkeys((*row.changed, *row.conflicts, *after, *before)))
    width = min(20, max((len(name) for name in names), default=0))
    for name in names:
        label = formatting.fit(formatting.visible(name), width)
        text.append(f"\n{label}  ", _label_style(name, row, tones))
        text.append_text(_field(name, row, width, tones))
    return text


def _label_style(name: str, row: PlanRow, tones: Tones) -> Style:
    if name in row.conflicts:
        return tones.warn + Style(bold=True)
    return Style(bold=True) if name in row.changed else tones.quiet


def _field(name: str, row: PlanRow, width: int, tones: Tones) -> Text:
    before, after = (row.before or {}).get(name), (row.after or {}).get(name)
    if row.operation == "insert" or row.before is None:
        return Text().append("+ ", tones.good).append_text(tones.value(after))
    if row.operation == "delete" or row.after is None:
        return Text().append("- ", tones.bad).append_text(tones.value(before))
    if name not in row.changed:
        text = tones.value(after)
        text.stylize(tones.quiet)
        if name in row.conflicts:
            text.append("  ! waits in Conflicts, the Store's value stands", tones.warn)
        return text
    text = Text().append("- ", tones.bad).append_text(tones.value(before, after, tones.bad))
    text.append("\n" + " " * (width + 2)).append("+ ", tones.good)
    return text.append_text(tones.value(after, before, tones.good))
