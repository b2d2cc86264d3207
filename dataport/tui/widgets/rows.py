"""A list with columns and a cursor that draws only the lines on screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dataport.tui.widgets.columns import GAP, Column, share_width

CURSOR = "▸ "


@dataclass(frozen=True)
class Row:
    """One line: its key and a text for each column."""

    key: str
    cells: tuple[Text, ...]


class Rows(ScrollView, can_focus=True, inherit_bindings=False):
    """Columns adapt to the width; the cursor keeps to its key when rows change.

    Made for windows of at most a few hundred rows; longer lists are paged by whoever
    owns them, told by `EdgeReached`.
    """

    COMPONENT_CLASSES = {"rows--header", "rows--cursor", "rows--cursor-idle"}
    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G", "jump(-1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Highlighted(Message):
        """The cursor came to a row, or the row under it changed; None in an empty list."""

        def __init__(self, rows: Rows, key: str | None) -> None:
            super().__init__()
            self.rows, self.key = rows, key

        @property
        def control(self) -> Rows:
            return self.rows

    class Chosen(Message):
        """Enter or a second click on a row."""

        def __init__(self, rows: Rows, key: str) -> None:
            super().__init__()
            self.rows, self.key = rows, key

        @property
        def control(self) -> Rows:
            return self.rows

    class EdgeReached(Message):
        """The cursor was asked to go beyond the window: -1 before it, 1 after it."""

        def __init__(self, rows: Rows, direction: int) -> None:
            super().__init__()
            self.rows, self.direction = rows, direction

        @property
        def control(self) -> Rows:
            return self.rows

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002 - Textual's own word
        placeholder: str = "Loading…",
        has_idle_cursor: bool = True,
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._rows: list[Row] = []
        self._index: dict[str, int] = {}
        self._placeholder = placeholder
        self._has_idle_cursor = has_idle_cursor

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def current(self) -> str | None:
        """Key under the cursor."""
        return self._rows[self.cursor].key if self._rows else None

    def set_rows(self, rows: Sequence[Row], *, cursor: int | None = None) -> None:
        """Show other rows. The cursor stays on its key, else at its place, or goes to `cursor`."""
        before = self.current
        self._rows = list(rows)
        self._index = {row.key: index for index, row in enumerate(self._rows)}
        place = self._index.get(before or "", self.cursor) if cursor is None else cursor
        self._resize()
        self.cursor = self._clamp(place)
        self.call_after_refresh(self._show_cursor)
        self.refresh()
        self.post_message(self.Highlighted(self, self.current))

    def update_row(self, row: Row) -> None:
        """Redraw one row in place; unknown keys are ignored."""
        index = self._index.get(row.key)
        if index is None:
            return
        self._rows[index] = row
        self.refresh()
        if index == self.cursor:
            self.post_message(self.Highlighted(self, row.key))

    def set_placeholder(self, text: str) -> None:
        """What an empty list says."""
        self._placeholder = text
        if not self._rows:
            self._resize()
            self.refresh()

    def go_to(self, key: str) -> None:
        """Put the cursor on a row; unknown keys are ignored."""
        if key in self._index:
            self.cursor = self._index[key]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._rows:
            return self._placeholder_line(y, width)
        if y == 0:
            titles = [Text(column.title) for column in self._columns]
            return self._line(titles, "  ", self.get_component_rich_style("rows--header"), width)
        index = y - 1 + round(self.scroll_offset.y)
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        is_cursor = index == self.cursor and (self.has_focus or self._has_idle_cursor)
        style = self.rich_style
        if is_cursor:
            name = "rows--cursor" if self.has_focus else "rows--cursor-idle"
            style = self.get_component_rich_style(name)
        return self._line(self._rows[index].cells, CURSOR if is_cursor else "  ", style, width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._rows) + 1 if self._rows else len(self._placeholder.splitlines())

    def watch_cursor(self) -> None:
        self._show_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self, self.current))

    def on_resize(self) -> None:
        self._resize()
        self._show_cursor()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        index = event.y - self.gutter.top - 1 + round(self.scroll_offset.y)
        if event.y - self.gutter.top < 1 or not 0 <= index < len(self._rows):
            return
        was = self.cursor
        self.cursor = index
        if was == index or event.chain > 1:
            self.action_choose()

    def action_move(self, by: int) -> None:
        if not 0 <= self.cursor + by < len(self._rows):
            self.post_message(self.EdgeReached(self, by))
            return
        self.cursor += by

    def action_page(self, by: int) -> None:
        target = self.cursor + by * max(1, self.size.height - 2)
        at_edge = self.cursor == (0 if by < 0 else len(self._rows) - 1)
        if at_edge:
            self.post_message(self.EdgeReached(self, by))
        self.cursor = self._clamp(target)

    def action_jump(self, to: int) -> None:
        self.cursor = self._clamp(len(self._rows) - 1 if to < 0 else to)

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def _clamp(self, place: int) -> int:
        return max(0, min(place, len(self._rows) - 1))

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)

    def _show_cursor(self) -> None:
        """Scroll so that the cursor's line and, at the top, the header are on screen."""
        height = self.size.height - 1
        if height > 0 and self._rows:
            top = round(self.scroll_offset.y)
            if self.cursor < top:
                self.scroll_to(y=self.cursor, animate=False)
            elif self.cursor >= top + height:
                self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _line(self, cells: Sequence[Text], lead: str, style: Style, width: int) -> Strip:
        room = width - len(lead)
        parts: list[Segment] = [Segment(lead, style)]
        for position, (index, cell_width) in enumerate(share_width(self._columns, room)):
            if position:
                parts.append(Segment(" " * GAP, style))
            parts.extend(self._cell(cells[index], cell_width, self._columns[index], style))
        return Strip(parts).adjust_cell_length(width, style)

    def _cell(self, cell: Text, width: int, column: Column, style: Style) -> list[Segment]:
        text = cell.copy()
        text.end = ""
        text.no_wrap = True
        text.truncate(width, overflow="ellipsis", pad=not column.is_number)
        if column.is_number:
            text.pad_left(width - text.cell_len)
        segments = text.render(self.app.console)
        return list(Segment.apply_style(segments, style))

    def _placeholder_line(self, y: int, width: int) -> Strip:
        lines = self._placeholder.splitlines()
        text = Text(f"  {lines[y]}" if y < len(lines) else "", style="dim" if y else "")
        text.end = ""
        text.truncate(width, overflow="ellipsis")
        segments = Segment.apply_style(text.render(self.app.console), self.rich_style)
        return Strip(list(segments)).adjust_cell_length(width, self.rich_style)
