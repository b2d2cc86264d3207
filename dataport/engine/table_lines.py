"""Lines of a file that holds several tables of one dataset: they run on from one to the next.

So one number says where a row stands, and is all that the store keeps with it. Which table that
is, and which line of it, is worked out where it is told.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from dataport.engine.sql import literal


@dataclass(frozen=True)
class TableLines:
    """Which running lines are those of which table."""

    tables: tuple[tuple[int, str], ...] = ()
    """Of each table, in order, the running line before its first one, and its name; none where a
    file is one table, whose lines are its own."""

    def __bool__(self) -> bool:
        return bool(self.tables)

    def line(self, number: str) -> str:
        """SQL of the line in its table, from 1, that has a running `number`."""
        if not self.tables:
            return number
        return self._by_table(number, [f"{number} - {before}" for before, _ in self.tables])

    def inside(self, number: str) -> str:
        """SQL of the table that the line lies in; NULL where there is only one."""
        if not self.tables:
            return "NULL::VARCHAR"
        return self._by_table(number, [literal(name) for _, name in self.tables])

    def told(self, number: str) -> str:
        """SQL of the line as messages name it: `3`, or `3 of Goals.csv`."""
        if not self.tables:
            return f"{number}::VARCHAR"
        return f"({self.line(number)}) || ' of ' || ({self.inside(number)})"

    def place(self, number: int | None) -> tuple[int | None, str | None]:
        """The line and the table of a running number."""
        at = bisect_left(self.tables, (number or 0, "")) - 1
        if number is None or at < 0:
            return number, None
        before, name = self.tables[at]
        return number - before, name

    def _by_table(self, number: str, values: list[str]) -> str:
        branches = " ".join(
            f"WHEN {number} > {before} THEN {value}"
            for (before, _), value in reversed(list(zip(self.tables, values, strict=True)))
        )
        return f"CASE {branches} END"


NAMELESS = "SELECT NULL::VARCHAR AS inside WHERE false"
"""To be united by name with files that may be of a version that knew no names of tables."""

ONE_TABLE = TableLines()
"""Of a file, or what is read of it, that is one table."""
