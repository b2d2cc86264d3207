"""References of incoming rows that lead nowhere, and what is done about each (design section 6).

A reference is looked at when its source says something new by it: it is not what the source sent
last. It leads somewhere if the referenced dataset has the row, which an earlier member of the same
commit may have written; or if the file itself brings it, to a dataset that refers to itself. A reference with an
empty field, or whose fields a file does not all state, is none.

What is missing is found once for each foreign key, for all rows together. First the keys that
reject, until no row is left that refers to a rejected one; then the others, over the rows that
remain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dataport.engine.catalog.model import Dataset, ForeignKey, OnMissing
from dataport.engine.catalog.references import referenced
from dataport.engine.merging.inputs import Binding, MergeInput
from dataport.engine.sql import bases_table, ident, idents, literal, rows_table
from dataport.engine.staging.keys import key_sql
from dataport.engine.steps import Kept, Scope, Step
from dataport.engine.store import Connection, count_rows

EXAMPLES = 5
"""Missing values that a notice names."""

REJECTED = "reference_rejected"
"""Rows that are rejected: `_record, _line, _key, field, value, target, names`, one an error."""

_CHECKED = "reference_checked"

_ROWS_OF = "reference_rows_"
"""What a relation of a referenced dataset's rows is called, before its name."""


@dataclass(frozen=True)
class Missing:
    """The references by one foreign key that lead nowhere."""

    key: ForeignKey
    target: Dataset
    relation: str
    """Temporary table of the rows: `_record, _line, _key` and the fields of the key."""
    rows: int
    values: int
    examples: tuple[str, ...]
    added: int = 0
    """Rows that a plan would add for them, with nothing but their keys."""

    @classmethod
    def of(cls, cursor: Connection, key: ForeignKey, target: Dataset, relation: str) -> Missing:
        """What a relation of rows comes to."""
        shown = reference_text(key, "m")
        rows, values, examples = cursor.execute(
            f"SELECT count(*), count(DISTINCT {shown}), min(DISTINCT {shown}, {EXAMPLES})"
            f" FROM {relation} m"
        ).fetchone() or (0, 0, None)
        return cls(key, target, relation, rows, values, tuple(examples or ()))

    @property
    def names(self) -> str:
        """The fields of the key as people read them."""
        return "+".join(self.key.fields)


@dataclass(frozen=True)
class References:
    """What a check found."""

    missing: tuple[Missing, ...] = ()
    """By the keys that don't reject, only those by which some reference leads nowhere."""
    rejected: int = 0
    """Rows that are rejected, and no longer part of the merge."""

    @property
    def may_be_mended(self) -> bool:
        """Whether the same file would do more once what it refers to is there."""
        is_left_empty = any(each.key.on_missing is OnMissing.NULL for each in self.missing)
        return is_left_empty or self.rejected > 0


def check_references(
    cursor: Connection,
    merge: MergeInput,
    datasets: Mapping[str, Dataset],
) -> tuple[MergeInput, References]:
    """The merge without what its foreign keys forbid, and what was found.

    Rows that are rejected count as present in the file, so that a mirror does not delete them.
    """
    stated = set(merge.stated)
    keys = [key for key in merge.dataset.foreign_keys if stated.issuperset(key.fields)]
    if not keys:
        return merge, References()
    check = _Check(cursor, datasets)
    merge, rejected = check.reject(merge, [k for k in keys if k.on_missing is OnMissing.REJECT])
    found = []
    for number, key in enumerate(key for key in keys if key.on_missing is not OnMissing.REJECT):
        missing = check.find(merge, key, f"reference_missing_{number}")
        if missing.rows:
            found.append(missing)
    merge = replace(_emptied(cursor, merge, found), bindings=check.bindings(merge, keys, found))
    return merge, References(tuple(found), rejected)


def write_stubs(
    cursor: Connection,
    merge: MergeInput,
    references: References,
    commit: int,
    file: str | None,
) -> dict[str, int]:
    """Add the missing rows that `commit` came to refer to, with nothing but their key.

    `file` is the one that refers to them. Returns how many by dataset. They are no word of the
    source about them: nobody's base.
    """
    added: dict[str, int] = {}
    for missing in references.missing:
        if missing.key.on_missing is not OnMissing.STUB:
            continue
        name = missing.target.name
        written = f"(SELECT * FROM {rows_table(merge.dataset.name)} WHERE _commit = {commit}) o"
        number = add_stubs(cursor, missing, stub_rows(missing, written), commit)
        if name != merge.dataset.name:
            cursor.execute(
                'INSERT INTO store.stubs ("commit", dataset, key, file)'
                " SELECT ?, ?, _key, ? FROM reference_stubs",
                [commit, name, file],
            )
        _deny_bases(cursor, missing.target, commit)
        if number:
            added[name] = added.get(name, 0) + number
    return added


def add_stubs(cursor: Connection, missing: Missing, stubs: str, commit: int) -> int:
    """Add rows, of a query `_key, _line` and the key, that are not there yet; their number.

    They stay on the cursor as `reference_stubs`.
    """
    table, fields = rows_table(missing.target.name), missing.key.reference.fields
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE reference_stubs AS SELECT s.* FROM ({stubs}) s"
        f" ANTI JOIN {table} r ON r._key = s._key"
    )
    row = cursor.execute(
        f"INSERT INTO {table} (_key, _commit, _line, {idents(fields)})"
        f" SELECT _key, {commit}, _line, {idents(fields)} FROM reference_stubs"
    ).fetchone()
    return int(row[0]) if row else 0


def stub_rows(missing: Missing, written: str | None = None) -> str:
    """The rows to add, `_key, _line` and the key: of all that is missing, or only of what rows of
    the relation `written o` do refer to."""
    mine = dict(zip(missing.key.reference.fields, missing.key.fields, strict=True))

    def column(name: str) -> str:
        return f"m.{ident(mine[name])}"

    values = ", ".join(f"{column(name)} AS {ident(name)}" for name in mine)
    same = same_values(missing.key.fields, missing.key.fields, "o", "m")
    only = f" SEMI JOIN {written} ON {same}" if written else ""
    return (
        f"SELECT {key_sql(missing.target, column)} AS _key, min(m._line) AS _line, {values}"
        f" FROM {missing.relation} m{only} GROUP BY ALL"
    )


def _deny_bases(cursor: Connection, target: Dataset, commit: int) -> None:
    """Mark the stubs as no rows of a source, where its commit inserted others beside them."""
    table = bases_table(target.name)
    cursor.execute(
        f"INSERT INTO {table} (_source, _key, _commit, _is_gone)"
        f" SELECT i.source, s._key, {commit}, true FROM reference_stubs s, store.insertions i"
        f' WHERE i.dataset = {literal(target.name)} AND i."commit" = {commit} AND NOT EXISTS'
        f" (SELECT 1 FROM {table} b WHERE b._source = i.source AND b._key = s._key)"
    )


@dataclass(frozen=True)
class _Check:
    cursor: Connection
    datasets: Mapping[str, Dataset]

    def reject(self, merge: MergeInput, keys: list[ForeignKey]) -> tuple[MergeInput, int]:
        """The merge without the rows that are rejected, and their number.

        Each round may take rows away that others refer to; they are looked at again.
        """
        if not keys:
            return merge, 0
        self.cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE {REJECTED} (_record BIGINT, _line BIGINT,"
            " _key VARCHAR, field VARCHAR, value VARCHAR, target VARCHAR, names VARCHAR)"
        )
        given, rejected = merge, 0
        while True:
            for key in keys:
                self._note(self.find(merge, key, "reference_missing"))
            before, rejected = (
                rejected,
                count_rows(self.cursor, f"(SELECT DISTINCT _record FROM {REJECTED})"),
            )
            if rejected == before:
                return merge, rejected
            merge = self._without_rejected(given)

    def bindings(
        self, merge: MergeInput, keys: list[ForeignKey], found: list[Missing]
    ) -> tuple[Binding, ...]:
        """The keys that the merged rows have to keep too: all that don't let a reference dangle."""
        stubs = [each for each in found if each.key.on_missing is OnMissing.STUB]
        return tuple(
            Binding(
                key,
                (self._rows_of(self._target(merge, key)),),
                next((each.relation for each in stubs if each.key is key), None),
            )
            for key in keys
            if key.on_missing is not OnMissing.KEEP
        )

    def _target(self, merge: MergeInput, key: ForeignKey) -> Dataset:
        return self.datasets.get(referenced(merge.dataset, key), merge.dataset)

    def _rows_of(self, target: Dataset) -> str:
        """A relation of the rows that a key may lead to, besides those of the file itself."""
        rows = f"{_ROWS_OF}{target.name}"
        self.cursor.execute(
            f"CREATE OR REPLACE TEMP VIEW {rows} AS SELECT * FROM {rows_table(target.name)}"
        )
        return rows

    def find(self, merge: MergeInput, key: ForeignKey, relation: str) -> Missing:
        """The references by `key` that say something new and lead nowhere."""
        target = self._target(merge, key)
        merge.runner.run(self.cursor, self._step(merge, key, target, relation))
        return Missing.of(self.cursor, key, target, relation)

    def _step(self, merge: MergeInput, key: ForeignKey, target: Dataset, output: str) -> Step:
        fields = key.fields
        places = [self._rows_of(target)]
        inputs = [merge.incoming, merge.base, *places]
        if merge.excluded:
            inputs.append(merge.excluded)
        if target.name == merge.dataset.name and set(key.reference.fields) <= set(merge.stated):
            places.append(_spoken(merge))
        absent = "".join(
            f" ANTI JOIN {place} p{number}"
            f" ON {same_values(key.reference.fields, fields, f'p{number}', 't')}"
            for number, place in enumerate(places)
        )
        known = " AND ".join(f"t.{ident(name)} IS NOT NULL" for name in fields)
        sql = (
            f"SELECT t._record, t._line, t._key, {idents(fields, 't.')} FROM {_spoken(merge)} t"
            f"{absent} ANTI JOIN {merge.base} b"
            f" ON b._key = t._key AND {same_values(fields, fields, 'b', 't')} WHERE {known}"
        )
        return Step("find missing references", Scope.GROUP, sql, tuple(inputs), output)

    def _note(self, missing: Missing) -> None:
        key = missing.key
        self.cursor.execute(
            f"INSERT INTO {REJECTED} SELECT m._record, m._line, m._key, $field,"
            f" {reference_text(key, 'm')}, $target, $names FROM {missing.relation} m",
            {
                "field": missing.names,
                "target": missing.target.name,
                "names": "+".join(key.reference.fields),
            },
        )

    def _without_rejected(self, given: MergeInput) -> MergeInput:
        rest = f"SELECT t.* FROM {given.incoming} t ANTI JOIN {REJECTED} r ON r._record = t._record"
        inputs = [REJECTED, given.incoming]
        present = f"SELECT _key FROM {REJECTED} WHERE _key IS NOT NULL"
        if given.present:
            present += f" UNION ALL SELECT _key FROM {given.present}"
            inputs.append(given.present)
        given.runner.run(
            self.cursor,
            *(
                Step(name, Scope.GROUP, sql, tuple(inputs), output, Kept.VIEW)
                for name, sql, output in (
                    ("leave out what is rejected", rest, _CHECKED),
                    ("count it as present", present, "reference_present"),
                )
            ),
        )
        keyless = count_rows(self.cursor, f"{REJECTED} WHERE _key IS NULL")
        return replace(
            given,
            incoming=_CHECKED,
            present="reference_present",
            has_unknown_keys=given.has_unknown_keys or keyless > 0,
        )


def _emptied(cursor: Connection, merge: MergeInput, found: list[Missing]) -> MergeInput:
    """The merge whose rows say nothing but that the field is empty, where it leads nowhere."""
    cases: dict[str, list[str]] = {}
    for missing in found:
        if missing.key.on_missing is OnMissing.NULL:
            for name in missing.key.fields:
                cases.setdefault(name, []).append(
                    f"WHEN t._record IN (SELECT _record FROM {missing.relation}) THEN NULL"
                )
    if not cases:
        return merge
    values = ", ".join(
        f"CASE {' '.join(tests)} ELSE t.{ident(name)} END AS {ident(name)}"
        for name, tests in cases.items()
    )
    inputs = (merge.incoming, *(missing.relation for missing in found))
    sql = f"SELECT t.* REPLACE ({values}) FROM {merge.incoming} t"
    step = Step("empty references", Scope.GROUP, sql, inputs, "reference_emptied", Kept.VIEW)
    merge.runner.run(cursor, step)
    return replace(merge, incoming="reference_emptied")


def _spoken(merge: MergeInput) -> str:
    """The incoming rows that nobody left out of the plan."""
    if not merge.excluded:
        return merge.incoming
    return f"(SELECT * FROM {merge.incoming} ANTI JOIN {merge.excluded} USING (_key))"


def same_values(left: tuple[str, ...], right: tuple[str, ...], one: str, other: str) -> str:
    """SQL that is true where fields of one relation equal those of another, in order."""
    pairs = zip(left, right, strict=True)
    return " AND ".join(f"{one}.{ident(a)} = {other}.{ident(b)}" for a, b in pairs)


def reference_text(key: ForeignKey, relation: str) -> str:
    """SQL of a reference as people read it: its value, or a list of several."""
    texts = [f"CAST({relation}.{ident(name)} AS VARCHAR)" for name in key.fields]
    return texts[0] if len(texts) == 1 else f"CAST(to_json([{', '.join(texts)}]) AS VARCHAR)"
