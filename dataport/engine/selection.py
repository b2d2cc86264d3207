"""Which rows of a dataset, in which order, with which fields: for lists and exports alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dataport.core.errors import UsageError
from dataport.core.moments import read_moment
from dataport.engine.as_of import commit_as_of
from dataport.engine.catalog.load import find_field
from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.counted import rows_with_counts
from dataport.engine.expressions import check_expression
from dataport.engine.sql import ident, idents, literal, row_document
from dataport.engine.store import Connection


@dataclass(frozen=True)
class Selection:
    """A request for rows. `sort` names fields, `-` before one means descending; `limit` None
    means all and 0 none; `since` and `until` bound the dataset's date field, both inclusive.
    Times and days that name no zone are read in `timezone`."""

    dataset: Dataset
    where: str | None = None
    fields: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    as_of: str | None = None
    since: str | None = None
    until: str | None = None
    timezone: str = "UTC"
    related: Mapping[str, Dataset] = field(default_factory=dict)
    """All datasets, for fields that count rows of others."""

    @property
    def columns(self) -> tuple[Field, ...]:
        """The selected fields, in the order asked for. Raises UsageError for an unknown one."""
        names = self.fields or self.dataset.field_names
        return tuple(find_field(self.dataset, name) for name in names)


def selected(cursor: Connection, selection: Selection) -> str:
    """A query for the selected rows, all fields and `_key`, unordered and unlimited."""
    commit = None
    if selection.as_of is not None:
        commit = commit_as_of(cursor, selection.as_of, selection.timezone)
    conditions = []
    if selection.where:
        conditions.append(
            check_expression(cursor, selection.dataset, selection.where, selection.timezone)
        )
    conditions += _date_conditions(selection)
    columns = idents(selection.dataset.field_names)
    rows = rows_with_counts(selection.dataset, selection.related, commit)
    query = f"SELECT _key, {columns} FROM ({rows}) AS rows"
    return f"{query} WHERE {' AND '.join(conditions)}" if conditions else query


def order_by(selection: Selection) -> str:
    """A total order: the fields asked for, then the key."""
    terms = []
    for name in selection.sort:
        found = find_field(selection.dataset, name.removeprefix("-"))
        terms.append(f"{ident(found.name)} {'DESC' if name.startswith('-') else 'ASC'} NULLS LAST")
    return "ORDER BY " + ", ".join([*terms, "_key"])


def rows_document(cursor: Connection, selection: Selection) -> str:
    """The JSON text of the `rows` document: `{dataset, total, rows: [...]}`."""
    query = selected(cursor, selection)
    row = cursor.execute(f"SELECT count(*) FROM ({query})").fetchone()
    total = int(row[0]) if row else 0
    limits = f" LIMIT {int(selection.limit)}" if selection.limit is not None else ""
    limits += f" OFFSET {int(selection.offset)}" if selection.offset else ""
    document = row_document(selection.columns, "r.")
    texts = cursor.execute(
        f"SELECT CAST({document} AS VARCHAR) FROM"
        f" (SELECT * FROM ({query}) {order_by(selection)}{limits}) r"
    ).fetchall()
    name = cursor.execute("SELECT CAST(to_json(?) AS VARCHAR)", [selection.dataset.name]).fetchone()
    rows = ",".join(text for (text,) in texts)
    return f'{{"dataset":{name[0] if name else ""},"total":{total},"rows":[{rows}]}}'


def _date_conditions(selection: Selection) -> list[str]:
    bounds: Sequence[tuple[str, str | None]] = (
        (">=", selection.since),
        ("<=", selection.until),
    )
    if not any(text for _, text in bounds):
        return []
    name = selection.dataset.date_field
    if name is None:
        raise UsageError(
            "no-date-field",
            f"{selection.dataset.name} has no date field to filter by.",
            hint="Use --where with a field of your choice.",
        )
    found = selection.dataset.field(name)
    return [
        f"{ident(name)} {comparison} {_bound(found, text, comparison, selection.timezone)}"
        for comparison, text in bounds
        if text
    ]


def _bound(field: Field, text: str, comparison: str, zone: str) -> str:
    """One end of a range, its whole day or second included (V-28)."""
    try:
        first, last = read_moment(text, zone)
    except ValueError as error:
        raise UsageError(
            "wrong-date",
            f"{text!r} is not a date.",
            hint="Write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.",
        ) from error
    if field.type is FieldType.DATE:
        return f"CAST({literal(text.strip()[: len('2026-01-31')])} AS DATE)"
    moment = last if comparison == "<=" else first
    return f"CAST({literal(moment.isoformat(sep=' '))} AS TIMESTAMP)"
