"""What every reader hands to the checks, whatever the format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataport.core.errors import InputError
from dataport.engine.table_lines import ONE_TABLE, TableLines

if TYPE_CHECKING:
    from dataport.engine.export_marks import Mark
    from dataport.engine.staging.mapping import Mapped
    from dataport.engine.staging.readers.spool import Spool


def no_rows(name: str) -> InputError:
    """The error of a table without a row."""
    return InputError("no-rows", f"{name} holds no rows.", hint="Export it again.")


@dataclass(frozen=True)
class Reading:
    """A file as rows of text."""

    format: str
    encoding: str
    delimiter: str | None
    has_header: bool
    columns: tuple[str, ...]
    mapped: Mapped
    spool: Spool
    sql: str
    """SELECT of one text column a file column, `c0` on, in the order of the spool's rows."""
    states_keys: bool = False
    """Whether there is a column `_keys` too: the positions of the columns that a row states."""
    limit: int | None = None
    """Bytes a value may have, where the file has records long enough to break it."""
    has_error_cells: bool = False
    """Whether cells may show the errors of formulas that failed: see `cells.ERRORS`."""
    mark: Mark | None = None
    """What the file says of the export that it is."""
    notices: list[str] = field(default_factory=list)
    table_lines: TableLines = ONE_TABLE
    """Whose the lines of the spool are, where the rows are those of several tables."""
    sql_of: Callable[[Spool], str] | None = None
    """Makes `sql` for a spool of some of the rows; None where rows can't be read by themselves."""
