"""Drives the merge engine with rows written as Python dicts, and reads it back the same way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dataport.core.settings import PolicyRule
from dataport.core.words import Mode, OnMatch, Origin, Take
from dataport.engine.as_of import rows_as_of
from dataport.engine.catalog.model import Dataset
from dataport.engine.changes import resolve_all, resolve_one
from dataport.engine.commits import Author, Commit, CommitPart, next_commit, write_commit
from dataport.engine.conflicts import ConflictFilter, get_conflict, list_conflicts
from dataport.engine.merging.apply import apply_plan
from dataport.engine.merging.bases import base_query, stated_fields
from dataport.engine.merging.inputs import MergeInput
from dataport.engine.merging.plan import Plan, make_plan
from dataport.engine.merging.rows import keep_versions
from dataport.engine.reopening import reopen
from dataport.engine.resolving import Resolution
from dataport.engine.settling import settle_moot
from dataport.engine.sql import ident, idents, literal, rows_table
from dataport.engine.steps import LocalRunner
from dataport.engine.store import Connection, Store
from dataport.engine.tables import ensure_tables
from dataport.engine.undoing import undo, undo_resolution

Row = Mapping[str, Any]
AUTHOR = Author("tester", Origin.API)


def dataset(**policies: str | tuple[str, ...]) -> Dataset:
    """A dataset `things`: key `id`, text `a` and `b`, integer `n`, instant `at`, list `tags`."""
    types = {"id": "string", "a": "string", "b": "string", "n": "integer", "at": "datetime"}
    fields: list[dict[str, Any]] = [
        {"name": name, "type": kind, "merge": policies.get(name)}
        for name, kind in (types | {"tags": "list"}).items()
    ]
    return Dataset.model_validate({"name": "things", "primaryKey": ["id"], "fields": fields})


def defined(*, policies: Mapping[str, str] | None = None, **keys: Any) -> Dataset:
    """The dataset `things` with more keys of its definition, such as `groups`."""
    return Dataset.model_validate(dataset(**(policies or {})).model_dump() | keys)


class Ledger:
    """One dataset in one store, and the few verbs that tests tell their stories with."""

    def __init__(self, store: Store, definition: Dataset) -> None:
        self.store = store
        self.dataset = definition
        self.rules: tuple[PolicyRule, ...] = ()
        with store.writing() as cursor:
            ensure_tables(cursor, definition)

    def send(
        self,
        rows: Sequence[Row],
        source: str = "crm",
        *,
        stated: Iterable[str] | None = None,
        mode: Mode = Mode.MERGE,
        on_match: OnMatch = OnMatch.MERGE,
        source_ranks: tuple[str, ...] = (),
        present: Sequence[str] = (),
        unknown_keys: bool = False,
        runner: LocalRunner | None = None,
        job: int | None = None,
        file: str = "file.csv",
    ) -> Plan:
        """Import rows as a file of `source`; rows may leave stated fields out."""
        names = self._stated(rows, stated)
        partial = tuple(name for name in names if any(name not in row for row in rows))
        with self.store.writing() as cursor:
            self._stage(cursor, rows, names, partial)
            self._present(cursor, present)
            cursor.execute(f"CREATE TEMP VIEW staged_base AS {base_query(self.dataset, source)}")
            merge = MergeInput(
                dataset=self.dataset,
                incoming="staged_rows",
                base="staged_base",
                stated=names,
                source=source,
                base_fields=stated_fields(cursor, self.dataset, source),
                partial=partial,
                present="staged_present",
                mode=mode,
                on_match=on_match,
                has_unknown_keys=unknown_keys,
                source_ranks=source_ranks,
                rules=self.rules,
                runner=runner or LocalRunner(),
            )
            merge, plan = make_plan(cursor, merge)
            if not plan.is_empty:
                commit = next_commit(cursor)
                apply_plan(cursor, merge, plan, commit, job, file)
                settle_moot(cursor, self.dataset, commit)
                part = CommitPart("things", source, file, None, str(mode), plan.changes())
                write_commit(
                    cursor, Commit(commit, "import", AUTHOR, "import", (part,), source, job)
                )
        return plan

    def edit(self, key: str, **values: Any) -> None:
        """Set fields of a stored row, as a person would."""
        with self.store.writing() as cursor:
            commit = next_commit(cursor)
            self._touch(cursor, key, commit)
            for name, value in values.items():
                cursor.execute(
                    f"UPDATE {rows_table('things')} SET {ident(name)} = ?, _commit = {commit}"
                    " WHERE _key = ?",
                    [value, key],
                )
            settle_moot(cursor, self.dataset, commit)
            self._commit(cursor, commit, "edit")

    def delete(self, key: str) -> None:
        """Delete a stored row, as a person would."""
        with self.store.writing() as cursor:
            commit = next_commit(cursor)
            self._touch(cursor, key, commit)
            cursor.execute(f"DELETE FROM {rows_table('things')} WHERE _key = ?", [key])
            settle_moot(cursor, self.dataset, commit)
            self._commit(cursor, commit, "edit")

    def resolve(self, take: Take, **which: Any) -> dict[str, Any]:
        """Settle every open conflict that matches."""
        return resolve_all(
            self.store, {"things": self.dataset}, ConflictFilter(**which), Resolution(take), AUTHOR
        )

    def settle(self, shown: Mapping[str, Any], take: Take) -> dict[str, Any]:
        """Settle one conflict as it was shown."""
        sides = {side: shown[side] for side in ("ours", "theirs")}
        how = Resolution(take)
        return resolve_one(self.store, {"things": self.dataset}, shown["id"], how, AUTHOR, sides)

    def reopen(self, number: int) -> dict[str, Any]:
        """Take back the decision about one conflict."""
        return reopen(self.store, {"things": self.dataset}, number, AUTHOR)

    def undo_resolution(self) -> dict[str, Any]:
        """Take back the newest resolution."""
        return undo_resolution(self.store, {"things": self.dataset}, AUTHOR)

    def undo(self, commit: int, *, is_dry: bool = False) -> dict[str, Any]:
        """Take a commit back, or see what that would do."""
        return undo(self.store, {"things": self.dataset}, commit, AUTHOR, is_dry=is_dry)

    def head(self) -> int:
        """The newest commit."""
        with self.store.reading() as cursor:
            return next_commit(cursor) - 1

    def rows(self) -> dict[str, dict[str, Any]]:
        """Stored rows by key; fields without a value are left out."""
        return self._rows(rows_as_of(self.dataset, None))

    def rows_at(self, commit: int) -> dict[str, dict[str, Any]]:
        """Rows as of a commit, as `rows` gives them."""
        return self._rows(rows_as_of(self.dataset, commit))

    def base(self, source: str = "crm") -> dict[str, dict[str, Any]]:
        """What `source` sent last, by key."""
        return self._rows(base_query(self.dataset, source))

    def stated(self, source: str = "crm") -> tuple[str, ...]:
        """The fields that `source` has ever stated."""
        with self.store.reading() as cursor:
            return stated_fields(cursor, self.dataset, source)

    def _rows(self, query: str) -> dict[str, dict[str, Any]]:
        names = idents(self.dataset.field_names)
        with self.store.reading() as cursor:
            found = cursor.execute(f"SELECT _key, {names} FROM ({query})").fetchall()
        return {
            row[0]: {
                name: value
                for name, value in zip(self.dataset.field_names, row[1:], strict=True)
                if value is not None and name != "id"
            }
            for row in found
        }

    def conflicts(self, status: str | None = "open") -> list[dict[str, Any]]:
        """The queue, oldest first."""
        with self.store.reading() as cursor:
            found = list_conflicts(cursor, {"things": self.dataset}, ConflictFilter(status=status))
        items: list[dict[str, Any]] = found["items"]
        return items

    def conflict(self, number: int) -> dict[str, Any]:
        """One conflict and its history."""
        with self.store.reading() as cursor:
            return get_conflict(cursor, {"things": self.dataset}, number)

    def queue(self) -> set[tuple[Any, ...]]:
        """Open conflicts as comparable tuples: key, field, source, base, theirs."""
        return {
            (
                item["key"],
                item["field"],
                item["source"],
                json.dumps(item["base"]),
                json.dumps(item["theirs"]),
            )
            for item in self.conflicts()
        }

    def _stated(self, rows: Sequence[Row], stated: Iterable[str] | None) -> tuple[str, ...]:
        named = set(stated) if stated is not None else {name for row in rows for name in row}
        return tuple(name for name in self.dataset.field_names if name in named | {"id"})

    def _stage(
        self, cursor: Connection, rows: Sequence[Row], names: Sequence[str], partial: Sequence[str]
    ) -> None:
        columns = ", ".join(f"{ident(name)} {self.dataset.field(name).sql_type}" for name in names)
        absent = ", _absent VARCHAR[]" if partial else ""
        cursor.execute(
            "CREATE TEMP TABLE staged_rows (_record BIGINT, _line BIGINT, _key VARCHAR,"
            f" _derived VARCHAR, {columns}{absent})"
        )
        marks = ", ".join("?" for _ in range(4 + len(names) + bool(partial)))
        for start in range(0, len(rows), 100):
            values: list[Any] = []
            batch = rows[start : start + 100]
            for number, row in enumerate(batch, start + 1):
                values += [number, number + 1, row["id"], None, *(row.get(name) for name in names)]
                if partial:
                    values.append([name for name in names if name not in row])
            tuples = ", ".join([f"({marks})"] * len(batch))
            cursor.execute(f"INSERT INTO staged_rows VALUES {tuples}", values)

    def _present(self, cursor: Connection, keys: Sequence[str]) -> None:
        cursor.execute("CREATE TEMP TABLE staged_present (_key VARCHAR)")
        for key in keys:
            cursor.execute("INSERT INTO staged_present VALUES (?)", [key])

    def _touch(self, cursor: Connection, key: str, commit: int) -> None:
        cursor.execute(f"CREATE TEMP VIEW touched AS SELECT {literal(key)} AS _key")
        keep_versions(cursor, self.dataset, "touched", commit)

    def _commit(self, cursor: Connection, commit: int, kind: str) -> None:
        write_commit(cursor, Commit(commit, kind, AUTHOR, kind, (CommitPart("things"),)))
