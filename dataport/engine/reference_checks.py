"""References that a person's change or an undo makes or leaves behind (design section 6).

An import checks what its file refers to before it is planned (`merging.references`). Everything
else is looked at once it is written, in the same transaction: a dry run is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataport.core.errors import StateError
from dataport.core.text import are, counted
from dataport.engine.catalog.load import find_dataset
from dataport.engine.catalog.model import Dataset, ForeignKey, OnMissing
from dataport.engine.catalog.references import referenced
from dataport.engine.commits import CommitPart, with_stubs
from dataport.engine.merging.references import (
    EXAMPLES,
    Missing,
    add_stubs,
    reference_text,
    same_values,
    stub_rows,
)
from dataport.engine.sql import ident, idents, rows_table, versions_table
from dataport.engine.store import Connection

Datasets = Mapping[str, Dataset]


@dataclass(frozen=True)
class Checked:
    """What came of the references that a commit wrote or left behind."""

    notices: tuple[str, ...]
    stubs: Mapping[str, int]
    """Rows that were added since others refer to them, by dataset."""

    def parts(self, dataset: str, changes: Mapping[str, int]) -> tuple[CommitPart, ...]:
        """What the commit did to its dataset, and to those that it added stubs to."""
        said = with_stubs(dataset, changes, self.stubs)
        return tuple(CommitPart(name, changes=each) for name, each in said.items())


def check_change(cursor: Connection, datasets: Datasets, dataset: Dataset, commit: int) -> Checked:
    """Do what `onMissing` says of the references that a person wrote as `commit`, and count those
    to what it took away.

    A reference that may not lead nowhere is refused: nobody wants what they typed to be dropped.
    Raises StateError `foreign-key`. One by which rows are added gets its row.
    """
    notices: list[str] = []
    stubs: dict[str, int] = {}
    for missing in _dangling(cursor, datasets, dataset, commit):
        if missing.key.on_missing in (OnMissing.REJECT, OnMissing.NULL):
            raise StateError(
                "foreign-key",
                f"{_sentence(missing)}.",
                "Nothing was changed.",
                f"Add what is missing to {missing.target.name} first, or choose another value.",
            )
        if missing.key.on_missing is OnMissing.STUB:
            name = missing.target.name
            added = add_stubs(cursor, missing, stub_rows(missing), commit)
            stubs[name] = stubs.get(name, 0) + added
            notices.append(f"{_sentence(missing)}: added, with nothing but its key.")
        else:
            notices.append(f"{_sentence(missing)}. It is kept as it is.")
    notices += left_behind(cursor, datasets, dataset, commit)
    return Checked(tuple(notices), stubs)


def reference_notices(cursor: Connection, datasets: Datasets, name: str, commit: int) -> list[str]:
    """What leads nowhere since `commit` wrote rows of a dataset, as an undo, or took them away.

    A sentence for each foreign key. Nothing is refused: what was there before may come back.
    """
    dataset = find_dataset(datasets, name)
    written = [f"{_sentence(each)}." for each in _dangling(cursor, datasets, dataset, commit)]
    return written + left_behind(cursor, datasets, dataset, commit)


def left_behind(cursor: Connection, datasets: Datasets, dataset: Dataset, commit: int) -> list[str]:
    """A sentence for each foreign key by which rows refer to what `commit` took away."""
    notices = []
    for other, key in _keys_to(datasets, dataset):
        gone = f"(SELECT * FROM {versions_table(dataset.name)} WHERE _until = {commit})"
        rows, values, examples = cursor.execute(
            f"SELECT count(*), count(DISTINCT {reference_text(key, 'o')}),"
            f" min(DISTINCT {reference_text(key, 'o')}, {EXAMPLES}) FROM {rows_table(other.name)} o"
            f" SEMI JOIN {gone} g ON {same_values(key.reference.fields, key.fields, 'g', 'o')}"
            f" ANTI JOIN {rows_table(dataset.name)} p"
            f" ON {same_values(key.reference.fields, key.fields, 'p', 'o')}"
        ).fetchone() or (0, 0, ())
        if rows:
            more = ", …" if values > EXAMPLES else ""
            notices.append(
                f"{'+'.join(key.fields)} of {counted(rows, 'row')} of {other.name} refers to"
                f" {counted(values, 'row')} of {dataset.name} that {are(values)} taken away:"
                f" {', '.join(examples)}{more}."
            )
    return notices


def _keys_to(datasets: Datasets, dataset: Dataset) -> Iterator[tuple[Dataset, ForeignKey]]:
    for other in datasets.values():
        for key in other.foreign_keys:
            if referenced(other, key) == dataset.name:
                yield other, key


def _dangling(
    cursor: Connection, datasets: Datasets, dataset: Dataset, commit: int
) -> Iterator[Missing]:
    """The references that `commit` gave to rows of `dataset` and that lead nowhere."""
    for number, key in enumerate(dataset.foreign_keys):
        target = datasets.get(referenced(dataset, key))
        if target is None:
            continue
        known = " AND ".join(f"o.{ident(name)} IS NOT NULL" for name in key.fields)
        relation = f"reference_written_{number}"
        before = f"(SELECT * FROM {versions_table(dataset.name)} WHERE _until = {commit})"
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE {relation} AS"
            f" SELECT o._key, o._line, {idents(key.fields, 'o.')} FROM {rows_table(dataset.name)} o"
            f" ANTI JOIN {rows_table(target.name)} p"
            f" ON {same_values(key.reference.fields, key.fields, 'p', 'o')}"
            f" ANTI JOIN {before} v ON v._key = o._key"
            f" AND {same_values(key.fields, key.fields, 'v', 'o')}"
            f" WHERE o._commit = {commit} AND {known}"
        )
        missing = Missing.of(cursor, key, target, relation)
        if missing.rows:
            yield missing


def _sentence(missing: Missing) -> str:
    more = ", …" if missing.values > len(missing.examples) else ""
    return (
        f"{missing.names} of {counted(missing.rows, 'row')} refers to"
        f" {', '.join(missing.examples)}{more}, which {missing.target.name} does not have"
    )
