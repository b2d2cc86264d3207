"""What differs between two commits: per dataset and key, before and after of every changed field.

The items are a patch. Applied to the rows as of the first commit they give those as of the
second; turned round, the other way (merge.md A19). Only versions that began or ended between
the two are looked at, and only the rows of one page are made into documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataport.core.words import Operation
from dataport.engine.catalog.model import Dataset, Field
from dataport.engine.sql import (
    differs,
    ident,
    idents,
    json_value,
    literal,
    row_document,
    rows_table,
    versions_table,
)
from dataport.engine.store import Connection

COUNTS = ("inserted", "updated", "deleted")


@dataclass(frozen=True)
class Span:
    """Two commits, in the order they were named: the first may be the later one."""

    before: int
    after: int

    def is_within(self, column: str) -> str:
        """SQL: the commit in `column` is behind the earlier of the two, and not behind the later."""
        earlier, later = sorted((self.before, self.after))
        return f"({column} > {earlier} AND {column} <= {later})"


def changed_datasets(cursor: Connection, span: Span) -> list[str]:
    """Names of the datasets that commits of the span touched."""
    within = span.is_within(ident("commit"))
    rows = cursor.execute(
        f"SELECT DISTINCT dataset FROM store.commit_parts WHERE {within} ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def count_differences(cursor: Connection, dataset: Dataset, span: Span) -> dict[str, Any]:
    """`{dataset, inserted, updated, deleted, fields}`; `fields` counts the updates of each that
    has any."""
    names = dataset.field_names
    totals = ", ".join(
        f"count(*) FILTER (_operation = '{operation}')"
        for operation in (Operation.INSERT, Operation.UPDATE, Operation.DELETE)
    )
    cells = "".join(
        f", count(*) FILTER (_operation = '{Operation.UPDATE}'"
        f" AND _b.{ident(name)} IS DISTINCT FROM _a.{ident(name)})"
        for name in names
    )
    row = cursor.execute(f"SELECT {totals}{cells} FROM ({_compared(dataset, span)})").fetchone()
    counts = [int(value) for value in row or ()]
    fields = zip(names, counts[len(COUNTS) :], strict=True)
    return {
        "dataset": dataset.name,
        **dict(zip(COUNTS, counts, strict=False)),
        "fields": {name: count for name, count in fields if count},
    }


def difference_page(
    cursor: Connection, dataset: Dataset, span: Span, limit: int, offset: int
) -> list[str]:
    """Items as JSON texts, by key: `{dataset, key, operation, changed, before, after}`.

    `before` and `after` hold the changed fields of an updated row, every field of an inserted
    or deleted one, and are null where there was no row.
    """
    insert, delete = literal(Operation.INSERT), literal(Operation.DELETE)
    changed = ", ".join(
        f"CASE WHEN {_differs(field)} THEN {literal(field.name)} END" for field in dataset.fields
    )
    rows = cursor.execute(
        "SELECT CAST(json_object("
        f"'dataset', {literal(dataset.name)}, 'key', _key, 'operation', _operation,"
        f" 'changed', list_filter([{changed}], x -> x IS NOT NULL),"
        f" 'before', CASE WHEN _operation <> {insert} THEN {_document(dataset, '_b')} END,"
        f" 'after', CASE WHEN _operation <> {delete} THEN {_document(dataset, '_a')} END)"
        " AS VARCHAR)"
        f" FROM (SELECT * FROM ({_compared(dataset, span)})"
        f" ORDER BY _key LIMIT {int(limit)} OFFSET {int(offset)})"
    ).fetchall()
    return [row[0] for row in rows]


def _compared(dataset: Dataset, span: Span) -> str:
    """Rows that differ: `_key`, `_operation`, and the row before and after as `_b` and `_a`."""
    before, after = (_ended(dataset, span), _begun(dataset, span))
    if span.before > span.after:
        before, after = after, before
    names = dataset.field_names
    return (
        "SELECT coalesce(b._key, a._key) AS _key,"
        f" CASE WHEN b._here IS NULL THEN '{Operation.INSERT}'"
        f" WHEN a._here IS NULL THEN '{Operation.DELETE}' ELSE '{Operation.UPDATE}' END"
        f" AS _operation, {_struct(names, 'b')} AS _b, {_struct(names, 'a')} AS _a"
        f" FROM ({before}) b FULL JOIN ({after}) a ON a._key = b._key"
        f" WHERE b._here IS NULL OR a._here IS NULL OR {differs(names, 'a', 'b')}"
    )


def _ended(dataset: Dataset, span: Span) -> str:
    """The rows as of the earlier commit that no longer stood at the later one."""
    return (
        f"SELECT true AS _here, _key, {idents(dataset.field_names)}"
        f" FROM {versions_table(dataset.name)}"
        f" WHERE _commit <= {min(span.before, span.after)} AND {span.is_within('_until')}"
    )


def _begun(dataset: Dataset, span: Span) -> str:
    """The rows as of the later commit that did not stand at the earlier one."""
    columns, since = f"_key, {idents(dataset.field_names)}", span.is_within("_commit")
    return (
        f"SELECT true AS _here, {columns} FROM {rows_table(dataset.name)} WHERE {since}"
        f" UNION ALL SELECT true, {columns} FROM {versions_table(dataset.name)}"
        f" WHERE {since} AND _until > {max(span.before, span.after)}"
    )


def _struct(names: Sequence[str], relation: str) -> str:
    members = ", ".join(f"{ident(name)} := {relation}.{ident(name)}" for name in names)
    return f"struct_pack({members})"


def _differs(field: Field) -> str:
    """True where the field changed; of an inserted or deleted row, where it has a value."""
    return f"_b.{ident(field.name)} IS DISTINCT FROM _a.{ident(field.name)}"


def _document(dataset: Dataset, side: str) -> str:
    """One side of a row as JSON: all of it, or what changed in it."""
    members = ", ".join(
        f"CASE WHEN {_differs(field)} THEN {literal(_name(field))}"
        f" || coalesce({json_value(field, f'{side}.{ident(field.name)}')}, 'null') END"
        for field in dataset.fields
    )
    return (
        f"CASE WHEN _operation = '{Operation.UPDATE}'"
        f" THEN CAST('{{' || concat_ws(',', {members}) || '}}' AS JSON)"
        f" ELSE {row_document(dataset.fields, f'{side}.')} END"
    )


def _name(field: Field) -> str:
    return f'"{field.name}":'
